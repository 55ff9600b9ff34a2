import { recordChange } from '../../authorization/audit.ts';
import { isRoleAtLeast, managesTenant } from '../../authorization/domain/roles.ts';
import { aboveCaller } from '../../identity/denials.ts';
import { addressText, isOwn, type UserBy } from '../../identity/domain/addresses.ts';
import { reachedTenantId, reachesAllTenants } from '../../identity/reach.ts';
import type { TenantBy } from '../../identity/store/tenants.ts';
import { readUsers, type UserAddress } from '../../identity/store/users.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError, PermissionDeniedError } from '../../platform/errors.ts';
import { type NewToken, newToken } from '../new-token.ts';
import { findPrincipal, type Principal, plainSignIn } from '../principals.ts';

export interface TokenForUser {
  readonly user: UserBy;
  /** Null means the caller's tenant. */
  readonly tenant: TenantBy | null;
  readonly expiresInMs: number | null;
}

/**
 * Issues a token for a user, which records who asked for it. ROOT and SYSTEM accounts of the first tenant may ask for
 * users of all tenants, administrators for users of their tenant, and everybody for themselves; nobody for a user with
 * a higher role.
 *
 * @throws PermissionDeniedError, without a look at the user if the caller's role is not enough; NotFoundError for a
 * user who does not exist or is disabled; InvalidArgumentError if the token cannot be valid for so long. Source:
 * ClearML's auth.get_token_for_user.
 */
export async function createTokenForUser(
  caller: Caller,
  { user, tenant, expiresInMs }: TokenForUser,
): Promise<NewToken> {
  const mayAsk = managesTenant(caller.role) || isOwn(caller, user);
  if (!mayAsk)
    throw new PermissionDeniedError('tokens for other users require the role ADMIN or a higher one');
  const tenantId = tenant && (await reachedTenantId(caller, tenant, ['input', 'tenant']));
  const reachesAll = await reachesAllTenants(caller);
  const found = await find({ by: user, tenantId: tenantId ?? caller.tenantId, inAllTenants: reachesAll });
  const isVisible = found && (tenantId === null || found.tenantId === tenantId);
  if (!isVisible) throw new NotFoundError('user', addressText(user), ['input', 'user']);
  if (!isRoleAtLeast(caller.role, found.role)) throw aboveCaller();
  const made = await newToken(caller, found, { expiresInMs, confinedTo: caller.confinedTo });
  await inTransaction((tx) =>
    recordChange(tx, caller, {
      action: 'token:createForOthers',
      target: { type: 'user', id: found.userId, name: found.username },
      after: { sessionId: made.sessionId, expiresAt: made.expiresAt },
      tenantId: found.tenantId,
    }),
  );
  logOf(caller).info({ forUserId: found.userId, sessionId: made.sessionId }, 'token created for a user');
  return made;
}

async function find(address: UserAddress): Promise<Principal | null> {
  const [found] = await readUsers([address]);
  return found ? await findPrincipal(plainSignIn(found.id)) : null;
}
