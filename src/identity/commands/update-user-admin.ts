import type { User } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { type ChangedUser, changeUser, type UserChanges } from './change-user.ts';

/**
 * The role as MLflow sees it: an administrator or not. One who is becomes a USER when taken down; whoever has another
 * role keeps it.
 *
 * @throws FailedPreconditionError for ROOT and SYSTEM, who are administrators by what they are; all of `changeUser`.
 * Source: MLflow's update-admin, with the guards that it lacks.
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
