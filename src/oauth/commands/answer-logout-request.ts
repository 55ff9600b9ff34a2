import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { ChallengeUsedError } from '../domain/challenges.ts';
import { getLogoutRequest, logoutUrlOf } from '../logout-request.ts';
import { removeUnansweredRecord, resolveRecord } from '../store/records.ts';

/**
 * Says that a person does want to sign out.
 *
 * @param issuer  the URL of the server for its callers.
 * @returns where to send the browser.
 * @throws NotFoundError; ChallengeUsedError for all but the first answer. Source: Hydra's acceptLogoutRequest.
 */
export async function acceptLogoutRequest(
  caller: Caller,
  issuer: string,
  challenge: string,
): Promise<string> {
  await getLogoutRequest(caller, issuer, challenge);
  const redirectTo = logoutUrlOf(issuer, challenge);
  const key = { kind: 'LogoutRequest', id: challenge } as const;
  const isFirst = await inTransaction((tx) => resolveRecord(tx, key, { isAccepted: true }));
  if (!isFirst) throw new ChallengeUsedError(redirectTo);
  return redirectTo;
}

/**
 * Says that a person does not want to sign out. The challenge then does not exist any more.
 *
 * @throws NotFoundError; ChallengeUsedError. Source: Hydra's rejectLogoutRequest.
 */
export async function rejectLogoutRequest(caller: Caller, issuer: string, challenge: string): Promise<void> {
  await getLogoutRequest(caller, issuer, challenge);
  if (!(await removeUnansweredRecord({ kind: 'LogoutRequest', id: challenge })))
    throw new ChallengeUsedError(logoutUrlOf(issuer, challenge));
}
