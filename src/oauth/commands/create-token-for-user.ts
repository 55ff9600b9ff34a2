import { noteDenial, recordChange } from '../../access/audit.ts';
import { managesTenant } from '../../access/domain/levels.ts';
import { isAbove } from '../../identity/domain/acting.ts';
import { usernameKey } from '../../identity/domain/usernames.ts';
import { findPrincipal, findUserId, type Principal, plainSignIn } from '../../identity/principals.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError, PermissionDeniedError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { type NewToken, newToken } from '../new-token.ts';

export interface TokenForUser {
  /** An id or a user name. */
  readonly user: string;
  /** Null for the caller's. */
  readonly tenantId: string | null;
  readonly expiresInMs: number | null;
}

/**
 * A token for another user, which remembers who asked for it: root and system for users of any tenant, administrators
 * for those of theirs, everyone for themselves; never for somebody above the caller.
 *
 * @throws PermissionDeniedError without a look at the user where the caller's role decides; NotFoundError for a user
 * who is absent or disabled; InvalidArgumentError for a length that is not possible. Source: ClearML's
 * auth.get_token_for_user, access.md §2.8.
 */
export async function createTokenForUser(
  caller: Caller,
  { user, tenantId, expiresInMs }: TokenForUser,
): Promise<NewToken> {
  const isElsewhere = tenantId !== null && tenantId !== caller.tenantId;
  const mayAsk = managesTenant(caller.role) || isSelf(caller, user);
  if (!mayAsk || (isElsewhere && !crossesTenants(caller))) throw denied(caller, user);
  const found = await find(user, tenantId ?? caller.tenantId);
  const isVisible = found && (tenantId === null || found.tenantId === tenantId);
  if (!isVisible || (found.tenantId !== caller.tenantId && !crossesTenants(caller)))
    throw new NotFoundError('active user', user, ['input', 'user']);
  if (isAbove(found.role, caller.role)) throw denied(caller, user);
  const made = await newToken(caller, found, { expiresInMs, confinedTo: caller.confinedTo });
  await inTransaction((tx) =>
    recordChange(tx, caller, {
      action: 'token:createForOthers',
      target: { type: 'user', id: found.userId, name: found.username },
      after: { sessionId: made.sessionId, expiresAt: made.expiresAt },
      tenantId: found.tenantId,
    }),
  );
  caller.log.info({ forUserId: found.userId, sessionId: made.sessionId }, 'token made for a user');
  return made;
}

const crossesTenants = ({ role }: Caller) => role === 'ROOT' || role === 'SYSTEM';

function isSelf({ userId, username }: Caller, user: string): boolean {
  return isId(user) ? user === userId : usernameKey(user) === usernameKey(username);
}

async function find(user: string, tenantId: string): Promise<Principal | null> {
  const userId = isId(user) ? user : isId(tenantId) ? await findUserId(tenantId, usernameKey(user)) : null;
  if (!userId) return null;
  return await findPrincipal(plainSignIn(userId));
}

function denied(caller: Caller, user: string): PermissionDeniedError {
  noteDenial(caller, 'token:createForOthers', 'PERMISSION_DENIED', null, { kind: 'user', key: user });
  return new PermissionDeniedError();
}
