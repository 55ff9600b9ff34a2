import { managesTenant } from '../authorization/domain/roles.ts';
import type { Caller } from '../platform/caller.ts';
import { NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { addressText, isOwn, type UserBy } from './domain/addresses.ts';
import { readUsers } from './store/users.ts';

/**
 * The id of the user whose access keys a caller asks about: the caller's own, under impersonation the impersonated
 * user's, unless another is named.
 *
 * @param user  a user of the caller's tenant, for root of any; null for the caller. An id is not looked up.
 * @throws PermissionDeniedError, without a look, when somebody else is named by one who does not manage the tenant;
 * NotFoundError for a name that nobody has.
 */
export async function keyOwnerId(
  caller: Caller,
  user: UserBy | null,
  path: readonly string[],
): Promise<string> {
  if (user === null || isOwn(caller, user)) return caller.userId;
  if (!managesTenant(caller.role))
    throw new PermissionDeniedError('the access keys of others require the role ADMIN or a higher one');
  if ('id' in user && isId(user.id)) return user.id;
  const [found] = await readUsers([
    { tenantId: caller.tenantId, by: user, inAllTenants: caller.role === 'ROOT' },
  ]);
  if (!found) throw new NotFoundError('user', addressText(user), path);
  return found.id;
}
