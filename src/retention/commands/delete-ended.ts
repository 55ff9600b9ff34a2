import { lockToDelete, removeExecutions } from '../../executions/store/deletions.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { type DomainError, FailedPreconditionError } from '../../platform/errors.ts';
import { type DeletionObstacle, type Judged, judgeDeletions } from '../store/obstacles.ts';

/** How many events the executions have together that one transaction deletes. A larger execution goes alone. */
export const MAX_EVENTS = 20_000;

export interface Deletions {
  readonly deleted: readonly string[];
  /** What kept the other executions that still exist. */
  readonly kept: readonly Judged[];
}

/**
 * Deletes the executions that nothing needs any more, with everything inside of them: nodes, attempts, events, signals,
 * labels, tags and deliveries of notifications. Their jobs remain until `sweepJobSet` deletes them. Executions that they
 * started stay, and so do executions that repeat them.
 *
 * @param deletedById  the user who wants it.
 * @param skipsLocked  whether to leave out what other transactions use at the moment, and not wait for it.
 */
export async function deleteEnded(
  tx: Tx,
  ids: readonly string[],
  { deletedById, skipsLocked }: { readonly deletedById: string; readonly skipsLocked: boolean },
): Promise<Deletions> {
  const locked = await lockToDelete(tx, ids, skipsLocked);
  if (locked.length === 0) return { deleted: [], kept: [] };
  // A further statement, because a statement that waits for a lock does not see what was stored meanwhile.
  const judged = await judgeDeletions(locked, tx);
  const deleted = judged.filter(({ obstacle }) => obstacle === null).map(({ id }) => id);
  if (deleted.length > 0) await removeExecutions(tx, deleted, deletedById);
  return { deleted, kept: judged.filter(({ obstacle }) => obstacle !== null) };
}

const reasons: Readonly<Record<Exclude<DeletionObstacle, 'OPEN'>, string>> = {
  NOTICE: 'the notifications about its end are not planned yet: try again in a moment',
  TRIGGER: 'a trigger that waited for its end has not started its execution yet: try again later',
  PARENT: 'the execution that started it has not taken its result yet: try again in a moment',
  ABOVE: 'an execution above it has not ended, and a recovery of that one would recover this one, too',
  RECOVERY: 'an execution that recovers it, or one above it, has not ended',
  MODEL: 'a version of a registered model comes from it: delete the version first',
};

/** Why an execution was not deleted. */
export function keptError({
  phase,
  obstacle,
}: {
  phase: ExecutionPhase;
  obstacle: DeletionObstacle;
}): DomainError {
  const message =
    obstacle === 'OPEN'
      ? `the execution is ${phase}: wait until it has ended, or abort it`
      : reasons[obstacle];
  return new FailedPreconditionError(message, { current: phase });
}
