import { failLostNodes } from '../executions/commands/fail-lost-nodes.ts';
import { clientIdOf } from '../executions/domain/client-id.ts';
import { lockExecution } from '../executions/store/locked-execution.ts';
import { listOpenNodes, type NodeRow } from '../executions/store/nodes.ts';
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
    // Only tasks have attempts. A task without one waits for the outputs of another node.
    const open = new Map<string, NodeRow>();
    for (const row of await listOpenNodes(tx, executionId))
      if (row.latestAttempt !== null) open.set(clientIdOf(row.id, row.latestAttempt), row);
    const lost = await listWithoutJob(tx, executionId, [...open.keys()]);
    const rows = lost.flatMap((clientId) => open.get(clientId) ?? []);
    if (rows.length === 0) return false;
    await failLostNodes(tx, executionId, rows, new Date());
    await settleExecution(tx, executionId, true);
    log.error({ executionId, nodes: rows.length, firstNode: rows[0]?.nodeId }, 'nodes had lost their jobs');
    return true;
  });
}
