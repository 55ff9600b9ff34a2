import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** The requests of users to stop single nodes. */

const requestStatement = statement<{ id: string }>(
  `with asked as (
     update node_executions set abort_cause = $3, abort_principal_id = $4::uuid, updated_at = now()
      where execution_id = $1::uuid and id = $2::uuid and ended_at is null
     returning id, execution_id
   ),
   due as (
     update executions as execution set advance_at = now() from asked where execution.id = asked.execution_id
     returning execution.id
   )
   select asked.id, ${notifySql('advance', 'due.id')} from asked cross join due`,
);

/**
 * Stores the request of a user to stop a node, and asks for a turn of the scheduler. The caller must have locked the
 * execution.
 *
 * @returns whether the node is still open.
 */
export async function requestNodeAbort(
  tx: Tx,
  executionId: string,
  nodeExecutionId: string,
  cause: string,
  principalId: string,
): Promise<boolean> {
  return (await run(requestStatement, [executionId, nodeExecutionId, cause, principalId], tx)).length > 0;
}

/** Nodes that a user wants to stop for the same reason. */
export interface NodeAborts {
  readonly nodeIds: readonly string[];
  readonly cause: string;
  readonly principalId: string;
}

const openStatement = statement<NodeAborts>(
  `select array_agg(node_id order by id) as "nodeIds", abort_cause as cause, abort_principal_id as "principalId"
     from node_executions
    where execution_id = $1::uuid and ended_at is null and abort_cause is not null
    group by abort_cause, abort_principal_id order by min(id::text)`,
);

/** The nodes of an execution that users want to stop and that have not ended. */
export function listNodeAborts(tx: Tx, executionId: string): Promise<NodeAborts[]> {
  return run(openStatement, [executionId], tx);
}
