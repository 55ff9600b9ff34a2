import { failExecution } from '../executions/commands/end-at-once.ts';
import { executionPhases } from '../executions/domain/phases.ts';
import { lockExecution } from '../executions/store/locked-execution.ts';
import { countFailedTurn, settleExecution } from '../executions/store/turns.ts';
import { cancelJobSet } from '../jobs/commands/cancel-job-set.ts';
import { acknowledgeNews, hasOpenJobs } from '../jobs/store/job-sets.ts';
import { systemCaller } from '../platform/caller.ts';
import { inTransaction } from '../platform/database/transaction.ts';
import { log } from '../platform/log.ts';
import { isTerminal } from '../platform/phase-table.ts';

/** How many turns may fail in a row. */
const MAX_FAILED_TURNS = 10;

/**
 * Delays the next turn of an execution whose turn failed. After the tenth failure in a row, it gives the execution up.
 */
export async function recordFailedTurn(id: string): Promise<void> {
  if ((await countFailedTurn(id)) >= MAX_FAILED_TURNS) await giveUp(id);
}

/** Larger than the number of any event. */
const ALL_NEWS = 2n ** 63n - 1n;

/**
 * Ends an execution whose turns always fail: first its jobs and, when nothing of them runs any more, the execution.
 * Until then, each failing turn checks again. The events of the jobs cause more turns. If these fail ten times too, the
 * events are skipped.
 */
async function giveUp(id: string): Promise<void> {
  const isGivenUp = await inTransaction(async (tx) => {
    const execution = await lockExecution(tx, id);
    if (!execution) return false;
    if (isTerminal(executionPhases, execution.phase)) await acknowledgeNews(tx, id, ALL_NEWS);
    else {
      const caller = systemCaller(execution.tenantId, execution.principalId);
      await cancelJobSet(caller, tx, id, 'the engine failed too often to continue this execution');
      if (await hasOpenJobs(tx, id)) return false;
      await failExecution(tx, execution, new Date());
    }
    await settleExecution(tx, id, false);
    return true;
  });
  if (isGivenUp) log.error({ executionId: id }, 'execution failed, because its turns failed too often');
}
