import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

/** What an execution that recovers another one takes from it. */

const reusableStatement = statement<{ id: string; nodeId: string }>(
  `select id, node_id as "nodeId" from node_executions
    where execution_id = $1::uuid and node_id = any($2::text[]) and phase in ('SUCCEEDED', 'RECOVERED')`,
);

/** The rows of the nodes that have succeeded in an execution, by node id. */
export async function findReusableNodes(
  tx: Tx,
  executionId: string,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(reusableStatement, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.id]));
}

const recoverableChildren = statement<{ id: string; nodeId: string }>(
  `select child.id, node.node_id as "nodeId"
     from node_executions as node join executions as child on child.parent_node_id = node.id
    where node.execution_id = $1::uuid and node.node_id = any($2::text[])
      and child.phase in ('FAILED', 'ABORTED', 'TIMED_OUT')`,
);

/** The executions that nodes of an execution started and that ended without success, by node id. */
export async function findRecoverableChildren(
  tx: Tx,
  executionId: string,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(recoverableChildren, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.id]));
}

const recoveryStatement = statement<ExecutionRow>(
  `with execution as (
     insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
                             workflow_entity_id, engine, mode, principal_id, queue, max_parallelism, spec,
                             launch_entity, task_id, interruptible, overwrite_cache, reference_id, source_id,
                             user_inputs, inputs, last_sequence, advance_at)
     select $2::uuid, tenant_id, project_id, domain, $3, launch_plan_id, workflow_id, workflow_entity_id, engine,
            'RECOVERED', $4::uuid, queue, max_parallelism, spec, launch_entity, task_id, interruptible,
            overwrite_cache, id, id, user_inputs, inputs, 1, now()
       from executions where id = $1::uuid
     on conflict (tenant_id, project_id, domain, name) do nothing
     returning *
   ),
   recorded as (
     insert into execution_events (execution_id, sequence, tenant_id, kind, phase, occurred_at)
     select id, 1, tenant_id, 'EXECUTION', 'QUEUED', created_at from execution
   )
   select ${executionColumns}, ${notifySql('advance', 'execution.id')}
     from execution join projects as project on project.id = execution.project_id`,
);

/**
 * Stores a QUEUED execution that recovers another one, with its first event. Null if the name is taken; the insert
 * itself decides this.
 */
export async function insertRecovery(
  sourceId: string,
  { id, name, principalId }: { readonly id: string; readonly name: string; readonly principalId: string },
): Promise<ExecutionRow | null> {
  const [row] = await run(recoveryStatement, [sourceId, id, name, principalId]);
  return row ?? null;
}
