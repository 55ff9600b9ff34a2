import type {
  ExecutionEngine,
  ExecutionEventKind,
  ExecutionMode,
  ExecutionPhase,
  ExecutionState,
  NodeExecutionPhase,
  NodeKind,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { eachAt, readAddressed } from '../../platform/by-address.ts';
import { eachOf } from '../../platform/by-id.ts';
import {
  countOfEach,
  highestFirst,
  lastIdFirst,
  type Page,
  pageOfEach,
} from '../../platform/database/page.ts';
import { sql } from '../../platform/database/sql.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import { isId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import type { WorkError, WorkErrorColumns } from '../../platform/work-error.ts';
import type { LiteralMap } from '../../values/literals.ts';

/**
 * The most frequent reads: flat rows by prepared statements, one for each level. Large or rare columns (inputs,
 * outputs) are read only if a query asks for them.
 */

export interface ExecutionRow extends WorkErrorColumns {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly domain: string;
  readonly name: string;
  readonly launchPlanId: string;
  readonly workflowId: string;
  readonly workflowEntityId: string;
  readonly engine: ExecutionEngine;
  readonly cluster: string | null;
  readonly mode: ExecutionMode;
  readonly phase: ExecutionPhase;
  readonly state: ExecutionState;
  readonly principalId: string;
  readonly queue: string;
  readonly maxParallelism: number;
  readonly errorNodeId: string | null;
  readonly abortCause: string | null;
  readonly abortPrincipalId: string | null;
  readonly sourceId: string | null;
  readonly parentNodeId: string | null;
  readonly nesting: number;
  readonly scheduledAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const executionColumns = `
  execution.id, execution.tenant_id as "tenantId", execution.project_id as "projectId",
  project.identifier as project, execution.domain, execution.name, execution.launch_plan_id as "launchPlanId",
  execution.workflow_id as "workflowId", execution.workflow_entity_id as "workflowEntityId", execution.engine::text as engine, execution.cluster, execution.mode::text as mode,
  execution.phase::text as phase, execution.state::text as state, execution.principal_id as "principalId",
  execution.queue, execution.max_parallelism as "maxParallelism", execution.error_code as "errorCode",
  execution.error_message as "errorMessage", execution.error_kind::text as "errorKind",
  execution.error_node_id as "errorNodeId", execution.abort_cause as "abortCause",
  execution.abort_principal_id as "abortPrincipalId", execution.source_id as "sourceId",
  execution.parent_node_id as "parentNodeId", execution.nesting, execution.scheduled_at as "scheduledAt", execution.started_at as "startedAt",
  execution.ended_at as "endedAt", execution.created_at as "createdAt", execution.updated_at as "updatedAt"`;

export interface ExecutionKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
}
export type ExecutionBy = { readonly id: string } | { readonly key: ExecutionKey };

const byIds = statement<ExecutionRow>(
  `select ${executionColumns} from executions as execution join projects as project on project.id = execution.project_id
    where execution.id = any($1::uuid[]) and execution.tenant_id = $2::uuid`,
);

const byKeys = statement<ExecutionRow>(
  `select ${executionColumns}
     from unnest($2::text[], $3::text[], $4::text[]) as asked(project, domain, name)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join executions as execution on execution.tenant_id = $1::uuid and execution.project_id = project.id
      and execution.domain = asked.domain and execution.name = asked.name`,
);

/** One row or null for each address, in the order of the addresses. */
export function readExecutions(
  tenantId: string,
  addresses: readonly ExecutionBy[],
): Promise<(ExecutionRow | null)[]> {
  return readAddressed(
    addresses,
    ['project', 'domain', 'name'],
    (ids) => run(byIds, [ids, tenantId]),
    (...columns) => run(byKeys, [tenantId, ...columns]),
  );
}

export interface NodeExecutionRow extends WorkErrorColumns {
  readonly id: string;
  readonly executionId: string;
  readonly nodeId: string;
  readonly parentId: string | null;
  readonly specNodeId: string;
  readonly itemIndex: number | null;
  readonly itemCount: number | null;
  readonly kind: NodeKind;
  readonly phase: NodeExecutionPhase;
  readonly latestTaskExecutionId: string | null;
  readonly latestAttempt: number | null;
  readonly latestTaskPhase: TaskExecutionPhase | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const nodeColumns = `
  node.id, node.execution_id as "executionId", node.node_id as "nodeId", node.parent_id as "parentId",
  node.spec_node_id as "specNodeId", node.item_index as "itemIndex", node.item_count as "itemCount",
  node.kind::text as kind, node.phase::text as phase,
  node.latest_task_execution_id as "latestTaskExecutionId", node.latest_attempt as "latestAttempt",
  node.latest_task_phase::text as "latestTaskPhase", node.error_code as "errorCode",
  node.error_message as "errorMessage", node.error_kind::text as "errorKind", node.started_at as "startedAt",
  node.ended_at as "endedAt", node.created_at as "createdAt", node.updated_at as "updatedAt"`;

export interface TaskExecutionRow extends WorkErrorColumns {
  readonly id: string;
  readonly executionId: string;
  readonly nodeExecutionId: string;
  readonly taskId: string | null;
  readonly taskProject: string;
  readonly taskDomain: string;
  readonly taskName: string;
  readonly taskVersion: string;
  readonly retryAttempt: number;
  readonly phase: TaskExecutionPhase;
  readonly reason: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const taskColumns = `
  task.id, task.execution_id as "executionId", task.node_execution_id as "nodeExecutionId", task.task_id as "taskId",
  task.task_project as "taskProject", task.task_domain as "taskDomain", task.task_name as "taskName",
  task.task_version as "taskVersion", task.retry_attempt as "retryAttempt", task.phase::text as phase, task.reason, task.error_code as "errorCode",
  task.error_message as "errorMessage", task.error_kind::text as "errorKind", task.started_at as "startedAt",
  task.ended_at as "endedAt", task.created_at as "createdAt", task.updated_at as "updatedAt"`;

export const nodesOfExecutions = {
  columns: nodeColumns,
  source: 'node_executions as node',
  parent: 'node.execution_id',
  order: lastIdFirst('node'),
};
const outermost = sql`and node.parent_id is null`;

/** The nodes of the outermost workflow of each execution, newest first: one page, and one more row if there is one. */
export const readNodesOfExecutions = (executionIds: readonly string[], page: Page) =>
  query<NodeExecutionRow>(pageOfEach(nodesOfExecutions, executionIds, page, outermost));

export const countNodesOfExecutions = (executionIds: readonly string[]) =>
  query<ChildCount>(countOfEach(nodesOfExecutions, executionIds, outermost));

export const nodesInside = { ...nodesOfExecutions, parent: 'node.parent_id' };

/** The nodes directly inside of each of these, newest first: one page, and one more row if there is one. */
export const readNodesInside = (parentIds: readonly string[], page: Page) =>
  query<NodeExecutionRow>(pageOfEach(nodesInside, parentIds, page));

export const countNodesInside = (parentIds: readonly string[]) =>
  query<ChildCount>(countOfEach(nodesInside, parentIds));

/** How many items of an array are in a phase. */
export interface ItemCountRow {
  readonly arrayId: string;
  readonly phase: NodeExecutionPhase;
  readonly count: number;
}

const itemCounts = statement<ItemCountRow>(
  `select node_execution_id as "arrayId", phase::text as phase, count
     from item_phase_counts where node_execution_id = any($1::uuid[]) and count > 0 order by phase`,
);

export function readItemCounts(arrayIds: readonly string[]): Promise<ItemCountRow[]> {
  return run(itemCounts, [arrayIds]);
}

const childExecutions = statement<ExecutionRow>(
  `select ${executionColumns} from executions as execution join projects as project on project.id = execution.project_id
    where execution.parent_node_id = any($1::uuid[])`,
);

/** The executions that these nodes have started. */
export function readChildExecutions(nodeExecutionIds: readonly string[]): Promise<ExecutionRow[]> {
  return run(childExecutions, [nodeExecutionIds]);
}

export const tasksOfNodes = {
  columns: taskColumns,
  source: 'task_executions as task',
  parent: 'task.node_execution_id',
  order: highestFirst<TaskExecutionRow>('task.retry_attempt', (task) => task.retryAttempt),
};

/** The newest attempts of each node: one page, and one more row if there is one. */
export const readTasksOfNodes = (nodeExecutionIds: readonly string[], page: Page) =>
  query<TaskExecutionRow>(pageOfEach(tasksOfNodes, nodeExecutionIds, page));

export const countTasksOfNodes = (nodeExecutionIds: readonly string[]) =>
  query<ChildCount>(countOfEach(tasksOfNodes, nodeExecutionIds));

const nodesById = statement<NodeExecutionRow>(
  `select ${nodeColumns} from node_executions as node where node.id = any($1::uuid[])`,
);

export async function readNodeExecutions(ids: readonly string[]): Promise<(NodeExecutionRow | null)[]> {
  return eachOf(ids, await run(nodesById, [ids.filter(isId)]));
}

/** The key of a node: its execution, and its id in the workflow. */
export interface NodeKey {
  readonly executionId: string;
  readonly nodeId: string;
}

const nodesByKey = statement<NodeExecutionRow>(
  `select ${nodeColumns} from unnest($1::uuid[], $2::text[]) as asked(execution_id, node_id)
     join node_executions as node on node.execution_id = asked.execution_id and node.node_id = asked.node_id`,
);

export async function readNodesByKey(keys: readonly NodeKey[]): Promise<(NodeExecutionRow | null)[]> {
  const values = [keys.map(({ executionId }) => executionId), keys.map(({ nodeId }) => nodeId)];
  const rows = await run(nodesByKey, values);
  const textOf = ({ executionId, nodeId }: NodeKey) => JSON.stringify([executionId, nodeId]);
  return eachAt(
    keys,
    textOf,
    rows.map((row) => [textOf(row), row]),
  );
}

const tasksById = statement<TaskExecutionRow>(
  `select ${taskColumns} from task_executions as task where task.id = any($1::uuid[])`,
);

export async function readTaskExecutions(ids: readonly string[]): Promise<(TaskExecutionRow | null)[]> {
  return eachOf(ids, await run(tasksById, [ids.filter(isId)]));
}

/** An attempt, by its node and its number. */
export interface AttemptKey {
  readonly nodeExecutionId: string;
  readonly retryAttempt: number;
}

const tasksByAttempt = statement<TaskExecutionRow>(
  `select ${taskColumns} from unnest($1::uuid[], $2::int[]) as asked(node_id, attempt)
     join task_executions as task on task.node_execution_id = asked.node_id and task.retry_attempt = asked.attempt`,
);

export async function readTasksByAttempt(keys: readonly AttemptKey[]): Promise<(TaskExecutionRow | null)[]> {
  const values = [
    keys.map(({ nodeExecutionId }) => nodeExecutionId),
    keys.map(({ retryAttempt }) => retryAttempt),
  ];
  const rows = await run(tasksByAttempt, values);
  const textOf = ({ nodeExecutionId, retryAttempt }: AttemptKey) =>
    JSON.stringify([nodeExecutionId, retryAttempt]);
  return eachAt(
    keys,
    textOf,
    rows.map((row) => [textOf(row), row]),
  );
}

/** The literals of an execution, node or attempt, which are read only if a query asks for them, and their project. */
export interface DataRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly inputs: LiteralMap | null;
  readonly outputs: LiteralMap | null;
}

const executionData = statement<DataRow>(
  `select id, tenant_id as "tenantId", project_id as "projectId", inputs, outputs
     from executions where id = any($1::uuid[])`,
);
const nodeData = statement<DataRow>(
  `select node.id, execution.tenant_id as "tenantId", execution.project_id as "projectId", node.inputs, node.outputs
     from node_executions as node join executions as execution on execution.id = node.execution_id
    where node.id = any($1::uuid[])`,
);
const taskData = statement<DataRow>(
  `select task.id, execution.tenant_id as "tenantId", execution.project_id as "projectId", node.inputs, task.outputs
     from task_executions as task
     join node_executions as node on node.id = task.node_execution_id
     join executions as execution on execution.id = task.execution_id
    where task.id = any($1::uuid[])`,
);

export const readExecutionData = async (ids: readonly string[]) =>
  eachOf(ids, await run(executionData, [ids]));
export const readNodeData = async (ids: readonly string[]) => eachOf(ids, await run(nodeData, [ids]));
export const readTaskData = async (ids: readonly string[]) => eachOf(ids, await run(taskData, [ids]));

export interface PhaseCountRow {
  readonly executionId: string;
  readonly phase: NodeExecutionPhase;
  readonly count: number;
}

const phaseCounts = statement<PhaseCountRow>(
  `select execution_id as "executionId", phase::text as phase, sum(count)::int as count
     from node_phase_counts where execution_id = any($1::uuid[])
    group by execution_id, phase having sum(count) > 0 order by phase`,
);

export function readPhaseCounts(executionIds: readonly string[]): Promise<PhaseCountRow[]> {
  return run(phaseCounts, [executionIds]);
}

export interface EventRow {
  readonly sequence: bigint;
  readonly kind: ExecutionEventKind;
  readonly phase: string;
  readonly nodeId: string | null;
  readonly attempt: number | null;
  readonly error: WorkError | null;
  readonly reason: string | null;
  readonly occurredAt: Date;
}

const eventsAfter = statement<EventRow>(
  `select sequence, kind::text as kind, phase, node_id as "nodeId", attempt, error, reason,
          occurred_at as "occurredAt"
     from execution_events where execution_id = $1::uuid and sequence > $2 order by sequence limit $3`,
);

/** The events of an execution after `sequence`, in their order. */
export function readEventsAfter(executionId: string, sequence: bigint, limit: number): Promise<EventRow[]> {
  return run(eventsAfter, [executionId, sequence, limit]);
}

const lastEvent = statement<{ lastSequence: bigint; ended: boolean }>(
  `select last_sequence as "lastSequence", ended_at is not null as ended from executions where id = $1::uuid`,
);

/** The number of the last event of an execution, and whether the execution has ended; null if it does not exist. */
export async function readStreamEnd(
  executionId: string,
): Promise<{ lastSequence: bigint; ended: boolean } | null> {
  const [row] = await run(lastEvent, [executionId]);
  return row ?? null;
}
