import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** The requests of users to stop single nodes. */

const requestStatement = statement<{ id: string }>(
  `with asked as (
     update node_executions set abort_cause = $3, abort_principal_id = $4::uuid, updated_at = now()
      where execution_id = $1::uuid and id = $2::uuid and ended_at is null
     returning id, execution_id, node_id, phase
   ),
   due as (
     update executions as execution set advance_at = now(), last_sequence = execution.last_sequence + 1
       from asked where execution.id = asked.execution_id
     returning execution.id, execution.tenant_id, execution.last_sequence
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, node_id, reason, principal_id,
       occurred_at)
     select due.id, due.last_sequence, due.tenant_id, 'NODE_ABORT', asked.phase::text, asked.node_id, $3, $4::uuid, now()
       from asked cross join due
   )
   select asked.id, ${notifySql('advance', 'due.id')}, ${notifySql('execution', 'due.id')}
     from asked cross join due`,
);

/**
 * Stores the request of a user to stop a node, with its event, and asks for a turn of the scheduler. The caller must have locked the
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
