import { inTransaction } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import { shortestKeep } from '../domain/retention-rules.ts';
import { advanceSweep, lockPolicy, PAGE, readPage, type SweptExecution } from '../store/sweeps.ts';
import { deleteEnded, MAX_EVENTS } from './delete-ended.ts';

/**
 * Takes one turn of the sweep of a policy: looks at the next executions that have ended, and deletes those whose time is
 * over. The deletion and the position of the sweep are one transaction, and only one scheduler at a time has a policy. So
 * if a scheduler is killed, its turn has happened completely or not at all.
 *
 * What something still needs, or what another transaction uses at the moment, waits for the next sweep.
 *
 * @param now  decides whose time is over.
 */
export async function sweepExecutions(policyId: string, now = new Date()): Promise<void> {
  const swept = await inTransaction(async (tx) => {
    const policy = await lockPolicy(tx, policyId);
    if (!policy) return null;
    const shortest = shortestKeep(policy.rules);
    const page = shortest === null ? [] : await readPage(tx, policy, shortest, now);
    const turn = firstOf(page);
    const ids = turn.filter(({ isDue }) => isDue).map(({ id }) => id);
    const { deleted } = await deleteEnded(tx, ids, { deletedById: policy.setById, skipsLocked: true });
    const isOver = page.length < PAGE && turn.length === page.length;
    await advanceSweep(tx, policyId, isOver ? null : (turn.at(-1) ?? null), deleted.length);
    return { projectId: policy.projectId, domain: policy.domain, deleted };
  });
  if (swept && swept.deleted.length > 0)
    log.info(
      { projectId: swept.projectId, domain: swept.domain, executionIds: swept.deleted },
      'executions were deleted as the retention policy says',
    );
}

/** The first executions of a page, up to the one with which too many events would be deleted. At least one. */
function firstOf(page: readonly SweptExecution[]): readonly SweptExecution[] {
  let events = 0;
  const end = page.findIndex((execution, at) => {
    if (execution.isDue) events += Number(execution.events);
    return at > 0 && events > MAX_EVENTS;
  });
  return end < 0 ? page : page.slice(0, end);
}
