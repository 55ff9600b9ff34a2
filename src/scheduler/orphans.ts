import { failLostNodes } from '../executions/commands/fail-lost-nodes.ts';
import { attemptOf, clientIdOf } from '../executions/domain/client-id.ts';
import { lockExecution } from '../executions/store/locked-execution.ts';
import { listOpenNodes } from '../executions/store/nodes.ts';
import { settleExecution } from '../executions/store/turns.ts';
import { listWithoutJob } from '../jobs/store/job-sets.ts';
import { inTransaction } from '../platform/database/transaction.ts';
import { log } from '../platform/log.ts';

/**
 * Ends the nodes of an execution that wait for a job which will never tell anything, for example because somebody has
 * deleted it. Without this, their execution would never end.
 *
 * @returns whether there were such nodes. Then the execution gets a turn.
 */
export async function failOrphans(executionId: string): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const execution = await lockExecution(tx, executionId);
    if (!execution) return false;
    // A task without an attempt waits for the outputs of another node.
    const open = (await listOpenNodes(tx, executionId)).filter(
      (row) => row.kind === 'TASK' && row.latestAttempt !== null,
    );
    const clientIds = open.map(({ id, latestAttempt }) => clientIdOf(id, latestAttempt ?? 0));
    const lost = new Set(
      (await listWithoutJob(tx, executionId, clientIds)).map((id) => attemptOf(id)?.nodeExecutionId),
    );
    const rows = open.filter(({ id }) => lost.has(id));
    if (rows.length === 0) return false;
    await failLostNodes(tx, executionId, rows, new Date());
    await settleExecution(tx, executionId, true);
    log.error(
      { executionId, nodes: rows.map((row) => row.nodeId).slice(0, 20) },
      'nodes had lost their jobs',
    );
    return true;
  });
}
