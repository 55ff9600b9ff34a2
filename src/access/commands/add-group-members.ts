import { type GroupBy, insertMembers } from '../../authorization/store/groups.ts';
import type { Caller } from '../../platform/caller.ts';
import { requireChanges } from '../../platform/errors.ts';
import { type ChangedMembers, changeMembers } from './change-members.ts';

/**
 * Adds users to a group. Users who are already members are ignored.
 *
 * @throws FailedPreconditionError for `everyone`; NotFoundError if the group, or a user, was deleted in the meantime.
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
