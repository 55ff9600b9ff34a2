import { managesTenant } from '../authorization/domain/roles.ts';
import type { Caller } from '../platform/caller.ts';
import { NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { addressText, isOwn, type UserBy } from './domain/addresses.ts';
import { readUsers } from './store/users.ts';

/**
 * The id of the user whose access keys a caller asks about: the named user, or else the caller. If the caller acts as
 * another user, it is that user.
 *
 * @param user a user of the caller's tenant; ROOT may name a user of any tenant. Null means the caller. An id is not
 * looked up.
 * @throws PermissionDeniedError, without a look at the user, if the caller names another user but does not manage the
 * tenant; NotFoundError for an unknown name.
 */
export async function keyOwnerId(
  caller: Caller,
  user: UserBy | null,
  path: readonly string[],
): Promise<string> {
  if (user === null || isOwn(caller, user)) return caller.userId;
  if (!managesTenant(caller.role))
    throw new PermissionDeniedError('access keys of other users require the role ADMIN or a higher one');
  if ('id' in user && isId(user.id)) return user.id;
  const [found] = await readUsers([
    { tenantId: caller.tenantId, by: user, inAllTenants: caller.role === 'ROOT' },
  ]);
  if (!found) throw new NotFoundError('user', addressText(user), path);
  return found.id;
}
