import { open, seal } from '../platform/secrets.ts';

/**
 * What a browser carries through a sign-in at an identity provider: as `state` on the way there and back, and in the
 * form with which a person connects her account. It is encrypted, so nobody else can make or read it. It opens nothing
 * in another browser, because it names the challenge of the sign-in, and only the browser of a challenge can answer it.
 */

/** On the way to the provider and back. */
export interface Journey {
  readonly challenge: string;
  readonly providerId: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Whether the person stays signed in. */
  readonly isRemembered: boolean;
}

/** A person whom the provider has vouched for, and who is not known here. */
export interface Arrival {
  readonly challenge: string;
  readonly providerId: string;
  readonly subject: string;
  readonly label: string;
  /** The groups here that the provider has named her for. */
  readonly groups: readonly string[];
  readonly amr: readonly string[] | null;
  readonly isRemembered: boolean;
}

const LIFETIME_MS = 30 * 60_000;

const sealed =
  (purpose: string) =>
  (content: object): string =>
    seal(purpose, JSON.stringify({ content, until: Date.now() + LIFETIME_MS })).toString('base64url');

const opened =
  <T>(purpose: string) =>
  (text: string): T | null => {
    try {
      const { content, until } = JSON.parse(open(purpose, Buffer.from(text, 'base64url')));
      return until > Date.now() ? (content as T) : null;
    } catch {
      // Somebody else has made it, or a secret has been taken out of SLIPWAY_SECRETS.
      return null;
    }
  };

export const sealJourney: (journey: Journey) => string = sealed('identity-provider-journey');
export const openJourney = opened<Journey>('identity-provider-journey');
export const sealArrival: (arrival: Arrival) => string = sealed('identity-provider-arrival');
export const openArrival = opened<Arrival>('identity-provider-arrival');
