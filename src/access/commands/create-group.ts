import { recordChange } from '../../authorization/audit.ts';
import { groupProblems } from '../../authorization/domain/group-names.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { insertGroup, insertMembers } from '../../authorization/store/groups.ts';
import type { Group } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { refuseMissingMembers } from './change-members.ts';

export interface NewGroup {
  readonly name: string;
  readonly description: string;
  /** The ids of users of the tenant. */
  readonly memberIds: readonly string[];
}

/**
 * Creates a group with its first members.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if the name is taken; NotFoundError if a member
 * was deleted in the meantime.
 */
export async function createGroup(caller: Caller, given: NewGroup): Promise<Group> {
  const { name, description, memberIds } = given;
  const problems = groupProblems(given);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId } = caller;
  try {
    return await refuseMissingMembers(() =>
      inTransaction(async (tx) => {
        const row = { id: newId(), tenantId, name, nameKey: nameKey(name), description };
        const group = await insertGroup(tx, row);
        const added = await insertMembers(tx, group, memberIds);
        await recordChange(tx, caller, {
          action: 'group:create',
          target: { type: 'group', id: group.id, name },
          after: { name, description, members: added },
        });
        await recordAccessChange(tx, { tenantId, userId: null, kind: 'GRANT' });
        return group;
      }),
    );
  } catch (error) {
    if (isUniqueViolation(error)) throw groupNameConflict();
    throw error;
  }
}

export const groupNameConflict = () =>
  new AlreadyExistsError('a group with this name already exists', { path: ['input', 'name'] });
