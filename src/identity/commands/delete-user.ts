import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { User } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { aboveCaller } from '../denials.ts';
import { isActiveAdministrator, mayAssign, requireStillManaged } from '../domain/administration.ts';
import { requireNotFixed } from '../fixed-users.ts';
import { removeUser } from '../store/public-users.ts';
import { lockUserAmongAdministrators } from '../store/users.ts';
import { userGone } from '../user-gone.ts';
import { isOneself } from './change-user.ts';

/**
 * Deletes a user permanently, with its access keys, ended sessions, memberships and grants. The things that the user
 * did keep the name and the id of the user. No other user gets this id, but the user name is free. Administrators may
 * delete all users that they may create.
 *
 * @throws PermissionDeniedError for a user above the caller; FailedPreconditionError for the caller itself, the last
 * administrator or a fixed user; NotFoundError.
 * Source: MLflow's delete user.
 */
export async function deleteUser(
  caller: Caller,
  address: { readonly tenantId: string; readonly id: string },
): Promise<User> {
  return await inTransaction(async (tx) => {
    const held = await lockUserAmongAdministrators(tx, address);
    if (!held) throw userGone(caller, address.id, address.id);
    const { user, otherAdministrators } = held;
    const { id, tenantId, username, email, role, kind } = user;
    requireNotFixed(user);
    if (!mayAssign(caller.role, role, kind)) throw aboveCaller();
    requireStillManaged('delete', {
      isSelf: isOneself(caller, user),
      isAdministrator: isActiveAdministrator(user),
      otherAdministrators,
    });
    await removeUser(tx, user);
    await recordChange(tx, caller, {
      tenantId,
      action: 'user:delete',
      target: { type: 'user', id, name: username },
      before: { username, email, role, kind },
    });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
    return user;
  });
}
