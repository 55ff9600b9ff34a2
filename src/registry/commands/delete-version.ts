import type { EntityType } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { isForeignKeyViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { entityNouns } from '../entity-nouns.ts';
import { deleteVersionRow, findReference, lockVersion, type Reference } from '../store/references.ts';

const reasons: Readonly<Record<Reference, string>> = {
  ACTIVE: 'the version is ACTIVE: deactivate it first',
  LAUNCH_PLANS: 'launch plans refer to the version: delete them first',
  WORKFLOWS:
    'workflows refer to the version: delete them first. The name of a workflow that only runs this task begins with `.flytegen.`',
};

/**
 * Deletes a version that nothing refers to, together with its description. Its name stays, with the levels that were
 * granted on it. The version can be registered again, also with another content.
 *
 * @param id  of the version. The caller has MANAGE on it.
 * @param isDryRun  whether everything is checked and nothing is deleted.
 * @throws FailedPreconditionError if something refers to the version; NotFoundError if it was deleted meanwhile.
 */
export async function deleteVersion(
  caller: Caller,
  type: EntityType,
  id: string,
  isDryRun: boolean,
): Promise<void> {
  const path = ['input', 'by'];
  try {
    await inTransaction(async (tx) => {
      if (!(await lockVersion(tx, type, id))) throw new NotFoundError(entityNouns[type], id, path);
      const reference = await findReference(tx, type, id);
      if (reference) throw new FailedPreconditionError(reasons[reference], { path });
      await deleteVersionRow(tx, type, id);
      if (isDryRun) throw new UndoneError();
    });
  } catch (error) {
    if (error instanceof UndoneError) return;
    if (isForeignKeyViolation(error))
      throw new FailedPreconditionError('there are executions of the version', { path });
    throw error;
  }
  logOf(caller).info({ type, id }, 'a version was deleted');
}

/** Ends a dry run: the transaction is rolled back. */
class UndoneError extends Error {}
