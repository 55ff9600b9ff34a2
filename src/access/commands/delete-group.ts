import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import {
  countMembers,
  type GroupBy,
  groupKeyOf,
  lockGroup,
  removeGroup,
} from '../../authorization/store/groups.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Group } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { requireOwnMembers } from './change-members.ts';

/**
 * Deletes a group, its memberships and its grants.
 *
 * @throws FailedPreconditionError for `everyone`; NotFoundError.
 */
export async function deleteGroup(caller: Caller, by: GroupBy): Promise<Group> {
  const { tenantId } = caller;
  const deleted = await inTransaction(async (tx) => {
    const group = await lockGroup(tx, tenantId, by);
    if (!group) throw new NotFoundError('group', groupKeyOf(by), ['input', 'by']);
    requireOwnMembers(group);
    const { id, name, description } = group;
    const [members] = await countMembers([id], tx);
    await removeGroup(tx, id);
    const target = { type: 'group', id, name } as const;
    await recordChange(tx, caller, {
      action: 'group:delete',
      target,
      before: { name, description, members },
    });
    await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
    return group;
  });
  forgetGrants(caller);
  return deleted;
}
