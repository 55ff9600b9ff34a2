import { deleteMembers, type GroupBy } from '../../authorization/store/groups.ts';
import type { Caller } from '../../platform/caller.ts';
import { requireChanges } from '../../platform/errors.ts';
import { type ChangedMembers, changeMembers } from './change-members.ts';

/**
 * Removes users from a group. Users who are not members are ignored.
 *
 * @throws FailedPreconditionError for `everyone`; NotFoundError for the group.
 */
export async function removeGroupMembers(
  caller: Caller,
  by: GroupBy,
  userIds: readonly string[],
): Promise<ChangedMembers> {
  requireChanges(userIds.length > 0);
  return await changeMembers(caller, by, 'group:removeMembers', (tx, group) =>
    deleteMembers(tx, group.id, userIds),
  );
}
