import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Caller, systemCaller } from '../platform/caller.ts';
import { NotFoundError } from '../platform/errors.ts';
import { NO_ID } from '../platform/ids.ts';
import { isSignature, sign } from '../platform/secrets.ts';
import { type Challenge, getChallenge } from './challenge.ts';
import type { ChallengeKind } from './domain/challenges.ts';
import { getLogoutRequest, type LogoutRequest } from './logout-request.ts';
import { currentProvider } from './provider/current-provider.ts';
import { findRecord } from './store/records.ts';

/**
 * The built-in pages are a login app and a consent app for the clients of all tenants. They read and answer challenges
 * through the same functions as the apps of operators, as a caller of the tenant of the client.
 */

export interface OpenChallenge {
  readonly challenge: Challenge;
  /** As whom the page answers. */
  readonly caller: Caller;
}

interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The URL of the server for its callers. */
  readonly issuer: string;
}

/**
 * A challenge that this browser was sent here with.
 *
 * @returns null if there is no such challenge, if it has expired, or if it belongs to another browser.
 * @throws ChallengeUsedError
 */
export async function openChallenge(
  visit: Visit,
  kind: ChallengeKind,
  id: string,
): Promise<OpenChallenge | null> {
  const tenantId = (await findRecord({ kind: 'Interaction', id }))?.tenantId;
  if (!tenantId) return null;
  const caller = systemCaller(tenantId, NO_ID);
  const challenge = await getChallenge(caller, kind, id).catch((error: unknown) => {
    if (error instanceof NotFoundError) return null;
    throw error;
  });
  if (!challenge) return null;
  const provider = await currentProvider(visit.issuer);
  const { isBrowserOf } = await import('./provider/browser-binding.ts');
  return (await isBrowserOf(provider, id, visit)) ? { challenge, caller } : null;
}

/**
 * A browser that wants to sign out. Which browser answers does not matter, because only the one that has begun can
 * continue.
 *
 * @returns null if there is no such challenge, or if it has expired.
 * @throws ChallengeUsedError
 */
export async function openLogout(
  issuer: string,
  id: string,
): Promise<{ readonly logout: LogoutRequest; readonly caller: Caller } | null> {
  const tenantId = (await findRecord({ kind: 'LogoutRequest', id }))?.tenantId;
  if (!tenantId) return null;
  const caller = systemCaller(tenantId, NO_ID);
  try {
    return { logout: await getLogoutRequest(caller, issuer, id), caller };
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

/** The pages with forms. */
export type PageKind = ChallengeKind | 'device' | 'logout' | 'link';

const PURPOSE = 'oauth-form';
const signedText = (kind: PageKind, id: string) => JSON.stringify([kind, id]);

/** A text in the form of a page, which shows that the form comes from this server. */
export const formToken = (kind: PageKind, id: string): string => sign(PURPOSE, signedText(kind, id));

export const isFormToken = (kind: PageKind, id: string, token: string): boolean =>
  isSignature(PURPOSE, signedText(kind, id), token);

/** The request of a challenge, for a person who wants to sign in anew. */
export function signInAnewUrl({ requestUrl }: Challenge): string {
  const url = new URL(requestUrl);
  url.searchParams.set('prompt', 'login');
  return url.href;
}
