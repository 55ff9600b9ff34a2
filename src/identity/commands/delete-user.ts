import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError, PermissionDeniedError } from '../../platform/errors.ts';
import { isActiveAdministrator, mayAssign, requireStillManaged } from '../domain/administration.ts';
import { requireNotFixed } from '../fixed-users.ts';
import { lockUserAmongAdministrators } from '../store/users.ts';
import { isOneself } from './change-user.ts';

/**
 * Deletes a user for good, with its access keys, ended sessions, memberships and grants. What it did stays, under an id
 * that nobody gets again. Whom an administrator may make it may delete.
 *
 * @throws PermissionDeniedError for somebody above the caller; FailedPreconditionError for oneself, the last
 * administrator or a fixed user; NotFoundError.
 * Source: MLflow's delete user, access.md §1.5 and §1.6.
 */
export async function deleteUser(
  caller: Caller,
  address: { readonly tenantId: string; readonly id: string },
): Promise<string> {
  return await inTransaction(async (tx) => {
    const held = await lockUserAmongAdministrators(tx, address);
    if (!held) throw new NotFoundError('user', address.id, ['input', 'by']);
    const { user, otherAdministrators } = held;
    const { id, tenantId, username, email, role, kind } = user;
    requireNotFixed(user);
    if (!mayAssign(caller.role, role, kind)) throw new PermissionDeniedError();
    requireStillManaged('delete', {
      isSelf: isOneself(caller, user),
      isAdministrator: isActiveAdministrator(user),
      otherAdministrators,
    });
    // The keys of the other tables take their rows along.
    await tx.user.delete({ where: { id } });
    await recordChange(tx, caller, {
      tenantId,
      action: 'user:delete',
      target: { type: 'user', id, name: username },
      before: { username, email, role, kind },
    });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
    return id;
  });
}
