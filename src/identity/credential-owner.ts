import { noteDenial } from '../access/audit.ts';
import { managesTenant } from '../access/domain/levels.ts';
import type { Permission } from '../access/domain/permissions.ts';
import type { Caller } from '../platform/caller.ts';
import { NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { usernameKey } from './domain/usernames.ts';
import { findUserId } from './store.ts';

/**
 * The id of the user whose access keys a caller asks about: the caller's own, under impersonation the impersonated
 * user's, unless another is named.
 *
 * @param user  an id or a user name of the caller's tenant; null for the caller. An id is not looked up.
 * @throws PermissionDeniedError, without a look, when somebody else is named by one who does not manage the tenant;
 * NotFoundError for a name that nobody has.
 */
export async function keyOwnerId(
  caller: Caller,
  user: string | null,
  permission: Permission,
  path: readonly string[],
): Promise<string> {
  if (user === null || user === caller.userId) return caller.userId;
  const key = usernameKey(user);
  if (!isId(user) && key === usernameKey(caller.username)) return caller.userId;
  if (!managesTenant(caller.role)) throw keyDenied(caller, permission, user);
  const userId = isId(user) ? user : await findUserId(caller.tenantId, key);
  if (!userId) throw new NotFoundError('user', user, path);
  return userId;
}

/** The refusal, noted in the audit log. */
export function keyDenied(caller: Caller, permission: Permission, key: string): PermissionDeniedError {
  noteDenial(caller, permission, 'PERMISSION_DENIED', null, { kind: 'credential', key });
  return new PermissionDeniedError();
}
