import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { revokeSession } from '../store/tokens.ts';

/**
 * Ends the session of the token of this request, at once. Other tokens and the access key stay valid. Source: ClearML's
 * auth.logout.
 *
 * @returns whether there was a session. A password or an access key has none.
 */
export async function logout(caller: Caller): Promise<boolean> {
  const { sessionId, sessionEndsAt, tenantId, userId, username } = caller;
  if (!sessionId || !sessionEndsAt) return false;
  await inTransaction(async (tx) => {
    if (!(await revokeSession(tx, { id: sessionId, tenantId, userId, endsAt: sessionEndsAt }))) return;
    const target = { type: 'user', id: userId, name: username } as const;
    await recordChange(tx, caller, { action: 'session:logout', target, before: { sessionId } });
    // If the caller acts as another user, the session belongs to the real caller.
    for (const owner of new Set([userId, caller.real?.userId ?? userId]))
      await recordAccessChange(tx, { tenantId, userId: owner, kind: 'PRINCIPAL' });
  });
  logOf(caller).info({ sessionId }, 'signed out');
  return true;
}
