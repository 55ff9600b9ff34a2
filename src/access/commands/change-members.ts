import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { type GroupBy, groupKeyOf, lockGroup } from '../../authorization/store/groups.ts';
import { forgetGrants } from '../../authorization/subject-grants.ts';
import type { Group } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';

export interface ChangedMembers {
  readonly group: Group;
  /** How many users were added or removed. */
  readonly count: number;
}

/**
 * The common part of adding and removing: it locks the group, and records and announces the users who really changed.
 */
export async function changeMembers(
  caller: Caller,
  by: GroupBy,
  action: string,
  change: (tx: Tx, group: Group) => Promise<string[]>,
): Promise<ChangedMembers> {
  const { tenantId } = caller;
  const changed = await refuseMissingMembers(() =>
    inTransaction(async (tx) => {
      const group = await lockGroup(tx, tenantId, by);
      if (!group) throw new NotFoundError('group', groupKeyOf(by), ['input', 'by']);
      requireOwnMembers(group);
      const users = await change(tx, group);
      if (users.length === 0) return { group, count: 0 };
      const target = { type: 'group', id: group.id, name: group.name } as const;
      await recordChange(tx, caller, { action, target, after: { users } });
      const [first = null] = users;
      const userId = users.length === 1 ? first : null;
      await recordAccessChange(tx, { tenantId, userId, kind: 'GRANT' });
      return { group, count: users.length };
    }),
  );
  forgetGrants(caller);
  return changed;
}

export function requireOwnMembers({ isEveryone }: Group): void {
  if (isEveryone)
    throw new FailedPreconditionError(
      'every user of the tenant is in this group, so its members cannot be changed',
      {
        current: 'everyone',
      },
    );
}

/** A user who existed when the names were read may be deleted before the row is written. */
export async function refuseMissingMembers<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isForeignKeyViolation(error))
      throw new NotFoundError('user', 'in the list of members', ['input', 'members']);
    throw error;
  }
}
