import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { accountIdOf } from '../domain/accounts.ts';
import { currentProvider } from '../provider/current-provider.ts';
import { endSessions } from '../store/records.ts';

/** Whose sessions, or which one. All conditions that are given must hold. */
export interface SessionSelection {
  readonly subject: string | null;
  /** `sid` in tokens. */
  readonly sessionId: string | null;
}

/**
 * Ends sessions of browsers: the person has to sign in again. Tokens stay valid. If it is one session, its clients are
 * told by the back channel.
 *
 * @param issuer  the URL of the server for its callers.
 * @returns how many sessions there were; 0 is no error.
 * @throws InvalidArgumentError if nothing is given. Source: Hydra's revokeAuthenticationSession.
 */
export async function revokeAuthenticationSession(
  caller: Caller,
  issuer: string,
  { subject, sessionId }: SessionSelection,
): Promise<number> {
  if (subject === null && sessionId === null)
    throw InvalidArgumentError.of(['input'], 'give a subject or a sessionId');
  const { tenantId } = caller;
  const accountId = subject === null ? null : accountIdOf({ tenantId, subject });
  const ended = await inTransaction(async (tx) => {
    const sessions = await endSessions(tx, tenantId, { accountId, uid: sessionId });
    await recordChange(tx, caller, {
      action: 'consentSession:revoke',
      target: { type: 'login session', id: null, name: subject ?? sessionId },
      after: { sessionId, revokedSessions: sessions.length },
    });
    return sessions;
  });
  if (sessionId !== null && ended.length > 0) {
    const provider = await currentProvider(issuer);
    const { tellClients } = await import('../provider/back-channel.ts');
    await Promise.all(ended.map((session) => tellClients(provider, session)));
  }
  return ended.length;
}
