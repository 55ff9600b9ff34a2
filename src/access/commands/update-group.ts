import { recordChange } from '../../authorization/audit.ts';
import { groupProblems } from '../../authorization/domain/group-names.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { type GroupBy, groupKeyOf, lockGroup, storeGroup } from '../../authorization/store/groups.ts';
import type { Group } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  requireChanges,
} from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';
import { groupNameConflict } from './create-group.ts';

/** Undefined means no change. */
export interface GroupChanges {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}

/**
 * Changes the name or the description of a group. Its grants stay, because they refer to its id.
 *
 * @throws InvalidArgumentError with all problems, or if there are no changes; FailedPreconditionError for a new name of
 * `everyone`; AlreadyExistsError if the name is taken; NotFoundError.
 */
export async function updateGroup(caller: Caller, by: GroupBy, changes: GroupChanges): Promise<Group> {
  const { name, description } = changes;
  requireChanges(name !== undefined || description !== undefined);
  const problems = groupProblems(changes);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId } = caller;
  try {
    return await inTransaction(async (tx) => {
      const group = await lockGroup(tx, tenantId, by);
      if (!group) throw new NotFoundError('group', groupKeyOf(by), ['input', 'by']);
      const isRenamed = name !== undefined && name !== group.name;
      if (isRenamed && group.isEveryone)
        throw new FailedPreconditionError('the group everyone cannot be renamed', { current: 'everyone' });
      if (!isRenamed && (description ?? group.description) === group.description) return group;
      const data = {
        ...(isRenamed ? { name, nameKey: nameKey(name) } : {}),
        ...(description === undefined ? {} : { description }),
      };
      const edited = await storeGroup(tx, group.id, data);
      await recordChange(tx, caller, {
        action: 'group:update',
        target: { type: 'group', id: group.id, name: group.name },
        before: { name: group.name, description: group.description },
        after: { name: edited.name, description: edited.description },
      });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
      return edited;
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw groupNameConflict();
    throw error;
  }
}
