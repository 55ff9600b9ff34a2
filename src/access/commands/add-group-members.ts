import { type GroupBy, insertMembers } from '../../authorization/store/groups.ts';
import type { Caller } from '../../platform/caller.ts';
import { requireChanges } from '../../platform/errors.ts';
import { type ChangedMembers, changeMembers } from './change-members.ts';

/**
 * Makes users members of a group; those who are already stay so.
 *
 * @throws FailedPreconditionError for `everyone`; NotFoundError for the group, or a user who is gone meanwhile.
 */
export async function addGroupMembers(
  caller: Caller,
  by: GroupBy,
  userIds: readonly string[],
): Promise<ChangedMembers> {
  requireChanges(userIds.length > 0);
  return await changeMembers(caller, by, 'group:addMembers', (tx, group) =>
    insertMembers(tx, group, userIds),
  );
}
