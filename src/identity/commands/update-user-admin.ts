import type { User } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { type ChangedUser, changeUser, type UserChanges } from './change-user.ts';

/**
 * The role as MLflow sees it: a user is an administrator or not. An administrator who stops being one becomes a USER. A
 * user with any other role keeps it.
 *
 * @throws FailedPreconditionError for ROOT and SYSTEM, who are always administrators; all errors of `changeUser`.
 * Source: MLflow's update-admin. The checks are ours.
 */
export async function updateUserAdmin(
  caller: Caller,
  address: { readonly tenantId: string; readonly id: string },
  isAdmin: boolean,
): Promise<ChangedUser> {
  return await changeUser(caller, address, (user) => roleFor(user, isAdmin));
}

function roleFor({ role }: User, isAdmin: boolean): UserChanges {
  if (role === 'ROOT' || role === 'SYSTEM')
    throw new FailedPreconditionError(`a user with the role ${role} is always an administrator`, {
      current: role,
      path: ['input', 'isAdmin'],
    });
  if (isAdmin) return { role: 'ADMIN' };
  return role === 'ADMIN' ? { role: 'USER' } : {};
}
