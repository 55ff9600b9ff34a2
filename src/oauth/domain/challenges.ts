import { DomainError } from '../../platform/errors.ts';

/** Somebody has answered the challenge already, or its browser has come back. */
export class ChallengeUsedError extends DomainError {
  readonly code = 'FAILED_PRECONDITION';
  /** Where to send the browser instead. */
  readonly redirectTo: string;
  override readonly details: Readonly<Record<string, string>>;

  constructor(redirectTo: string) {
    super('the challenge was used already');
    this.redirectTo = redirectTo;
    this.details = { redirectTo };
  }
}

/** What a login app or consent app is asked. */
export type ChallengeKind = 'login' | 'consent';

/** How an authorization that is refused looks to its client, if the app says nothing else. */
export const refusalOf = (kind: ChallengeKind): string => `the ${kind} request was denied`;
