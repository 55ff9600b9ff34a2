import { failLostNodes } from '../executions/commands/fail-lost-nodes.ts';
import { attemptOf, clientIdOf } from '../executions/domain/client-id.ts';
import { lockExecution } from '../executions/store/locked-execution.ts';
import { listOpenNodes } from '../executions/store/nodes.ts';
import { settleExecution } from '../executions/store/turns.ts';
import { listWithoutJob } from '../jobs/store/job-sets.ts';
import { run, statement } from '../platform/database/statement.ts';
import { inTransaction } from '../platform/database/transaction.ts';
import { log } from '../platform/log.ts';

/** How many executions one look finds. */
const BATCH = 100;

/** How long a node must have been without a change, so that nothing is on its way. */
const SETTLED_SECONDS = 60;

const orphansStatement = statement<{ id: string }>(
  `select distinct node.execution_id as id
     from node_executions as node
     join executions as execution on execution.id = node.execution_id and execution.engine = 'SLIPWAY'
    where node.ended_at is null and node.kind = 'TASK' and not node.is_dynamic
      and node.updated_at < now() - $2 * interval '1 second'
      and not exists (
        select from job_sets as set
          join jobs as job on job.job_set_id = set.id
                          and job.client_id = node.id || '/' || coalesce(node.latest_attempt, 0)
         where set.owner_id = node.execution_id
           and (job.ended_at is null or set.last_sequence > set.owner_sequence))
    limit $1`,
);

/** Executions with nodes that wait for a job which does not exist, or whose end they have missed. */
export async function listOrphaned(): Promise<string[]> {
  return (await run(orphansStatement, [BATCH, SETTLED_SECONDS])).map((row) => row.id);
}

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
    const open = (await listOpenNodes(tx, executionId)).filter((row) => row.kind === 'TASK');
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
