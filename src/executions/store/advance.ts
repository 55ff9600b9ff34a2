import type { ExecutionPhase, NodeExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { LiteralMap } from '../../values/literals.ts';

/** What the scheduler needs to move an execution on. */
export interface LockedExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly phase: ExecutionPhase;
  readonly maxParallelism: number;
  readonly queue: string;
  readonly workflowId: string;
  readonly workflowEntityId: string;
  readonly principalId: string;
  readonly inputs: LiteralMap;
  readonly abortCause: string | null;
  /** Its last turn failed, and the next one is not due yet. */
  readonly isBackingOff: boolean;
}

const lockStatement = statement<LockedExecution>(
  `select execution.id, execution.tenant_id as "tenantId", execution.project_id as "projectId",
          project.identifier as project, execution.domain, execution.name, execution.phase::text as phase,
          execution.max_parallelism as "maxParallelism", execution.queue, execution.workflow_id as "workflowId",
          execution.workflow_entity_id as "workflowEntityId",
          execution.principal_id as "principalId", execution.inputs, execution.abort_cause as "abortCause",
          execution.failed_turns > 0 and coalesce(execution.advance_at > now(), false) as "isBackingOff"
     from executions as execution join projects as project on project.id = execution.project_id
    where execution.id = $1::uuid and execution.engine = 'SLIPWAY'
      for update of execution skip locked`,
);

/** Takes the execution for this transaction; null when another has it, or it is not the scheduler's to move. */
export async function lockExecution(tx: Tx, id: string): Promise<LockedExecution | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

export interface NodeRow {
  readonly id: string;
  readonly nodeId: string;
  readonly phase: NodeExecutionPhase;
  readonly latestAttempt: number | null;
  readonly latestTaskPhase: TaskExecutionPhase | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorKind: 'USER' | 'SYSTEM' | 'UNKNOWN' | null;
}

const listNodesStatement = statement<NodeRow>(
  `select id, node_id as "nodeId", phase::text as phase, latest_attempt as "latestAttempt",
          latest_task_phase::text as "latestTaskPhase", error_code as "errorCode", error_message as "errorMessage",
          error_kind::text as "errorKind"
     from node_executions where execution_id = $1::uuid
    order by ended_at nulls last, id`,
);

/** All nodes that have begun, those that ended first in front. */
export function listNodesToAdvance(tx: Tx, executionId: string): Promise<NodeRow[]> {
  return run(listNodesStatement, [executionId], tx);
}

const listOutputsStatement = statement<{
  nodeId: string;
  outputs: LiteralMap | null;
}>(
  `select node_id as "nodeId", outputs from node_executions
    where execution_id = $1::uuid and node_id = any($2::text[])`,
);

/** The outputs of the named nodes, by node id. */
export async function readNodeOutputs(tx: Tx, executionId: string, nodeIds: readonly string[]) {
  if (nodeIds.length === 0) return new Map<string, LiteralMap>();
  const rows = await run(listOutputsStatement, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.outputs ?? {}]));
}

const listInputsStatement = statement<{
  nodeId: string;
  inputs: LiteralMap | null;
}>(
  `select node_id as "nodeId", inputs from node_executions
    where execution_id = $1::uuid and node_id = any($2::text[])`,
);

/** What the named nodes were started with, by node id. */
export async function readNodeInputs(tx: Tx, executionId: string, nodeIds: readonly string[]) {
  if (nodeIds.length === 0) return new Map<string, LiteralMap>();
  const rows = await run(listInputsStatement, [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.inputs ?? {}]));
}

const settleStatement = statement<{ id: string }>(
  `update executions set advance_at = case when $2::boolean then now() end, failed_turns = 0
    where id = $1::uuid returning id`,
);

/** Ends a turn that went well; `more` asks for another at once. */
export async function settleExecution(tx: Tx, id: string, more: boolean): Promise<void> {
  await run(settleStatement, [id, more], tx);
}

/** Seconds between turns that fail: one, then twice as many each time, up to this. */
const MAX_BACKOFF_SECONDS = 60;

const countFailedStatement = statement<{ failedTurns: number }>(
  `update executions
      set failed_turns = failed_turns + 1,
          advance_at = now() + least(power(2, least(failed_turns, 10)), ${MAX_BACKOFF_SECONDS}) * interval '1 second'
    where id = $1::uuid returning failed_turns as "failedTurns"`,
);

/** Counts a turn that failed, and puts the next one off. @returns how many failed in a row. */
export async function countFailedTurn(id: string): Promise<number> {
  const [row] = await run(countFailedStatement, [id]);
  return row?.failedTurns ?? 0;
}
