import type {
  ErrorKind,
  ExecutionEngine,
  ExecutionEventKind,
  ExecutionMode,
  ExecutionPhase,
  ExecutionState,
  NodeExecutionPhase,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { eachOf } from '../../platform/by-id.ts';
import type { ChildCount } from '../../platform/child-loader.ts';
import type { Page } from '../../platform/database/page.ts';
import { run, type Statement, statement, type Value } from '../../platform/database/statement.ts';
import { isId } from '../../platform/ids.ts';
import type { LiteralMap } from '../../values/literals.ts';

/**
 * The hot reads: flat rows by prepared statements, one a level. What is large or rare (inputs, outputs) stays behind
 * and is read when it is asked for.
 */

export interface ErrorColumns {
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorKind: ErrorKind | null;
}

export interface ExecutionRow extends ErrorColumns {
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
  readonly mode: ExecutionMode;
  readonly phase: ExecutionPhase;
  readonly state: ExecutionState;
  readonly principalId: string;
  readonly queue: string;
  readonly maxParallelism: number;
  readonly errorNodeId: string | null;
  readonly abortCause: string | null;
  readonly abortPrincipalId: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const executionColumns = `
  execution.id, execution.tenant_id as "tenantId", execution.project_id as "projectId",
  project.identifier as project, execution.domain, execution.name, execution.launch_plan_id as "launchPlanId",
  execution.workflow_id as "workflowId", execution.workflow_entity_id as "workflowEntityId", execution.engine::text as engine, execution.mode::text as mode,
  execution.phase::text as phase, execution.state::text as state, execution.principal_id as "principalId",
  execution.queue, execution.max_parallelism as "maxParallelism", execution.error_code as "errorCode",
  execution.error_message as "errorMessage", execution.error_kind::text as "errorKind",
  execution.error_node_id as "errorNodeId", execution.abort_cause as "abortCause",
  execution.abort_principal_id as "abortPrincipalId", execution.started_at as "startedAt",
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

/** One row or null for each address, in their order: a statement for ids, one for keys. */
export async function readExecutions(
  tenantId: string,
  addresses: readonly ExecutionBy[],
): Promise<(ExecutionRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const keys = addresses.flatMap((by) => ('key' in by ? [by.key] : []));
  const column = (part: keyof ExecutionKey) => keys.map((key) => key[part]);
  const [foundById, foundByKey] = await Promise.all([
    ids.length > 0 ? run(byIds, [ids, tenantId]) : [],
    keys.length > 0 ? run(byKeys, [tenantId, column('project'), column('domain'), column('name')]) : [],
  ]);
  const byId = new Map(foundById.map((row) => [row.id, row]));
  const byKey = new Map(foundByKey.map((row) => [keyText(row), row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byKey.get(keyText(by.key))) ?? null);
}

const keyText = ({ project, domain, name }: ExecutionKey) => JSON.stringify([project, domain, name]);

export interface NodeExecutionRow extends ErrorColumns {
  readonly id: string;
  readonly executionId: string;
  readonly nodeId: string;
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
  node.id, node.execution_id as "executionId", node.node_id as "nodeId", node.phase::text as phase,
  node.latest_task_execution_id as "latestTaskExecutionId", node.latest_attempt as "latestAttempt",
  node.latest_task_phase::text as "latestTaskPhase", node.error_code as "errorCode",
  node.error_message as "errorMessage", node.error_kind::text as "errorKind", node.started_at as "startedAt",
  node.ended_at as "endedAt", node.created_at as "createdAt", node.updated_at as "updatedAt"`;

export interface TaskExecutionRow extends ErrorColumns {
  readonly id: string;
  readonly executionId: string;
  readonly nodeExecutionId: string;
  readonly taskId: string;
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
  task.retry_attempt as "retryAttempt", task.phase::text as phase, task.reason, task.error_code as "errorCode",
  task.error_message as "errorMessage", task.error_kind::text as "errorKind", task.started_at as "startedAt",
  task.ended_at as "endedAt", task.created_at as "createdAt", task.updated_at as "updatedAt"`;

function children<Row>(columns: string, from: string, parent: string, order: string, type: string) {
  const variant = (backward: boolean, hasFrom: boolean) => {
    const compare = backward ? '>' : '<';
    return statement<Row>(
      `select child.* from unnest($1::uuid[]) with ordinality as parent(id, position)
        cross join lateral (
          select ${columns} from ${from}
           where ${parent} = parent.id ${hasFrom ? `and ${order} ${compare} $3::${type}` : ''}
           order by ${order} ${backward ? 'asc' : 'desc'} limit $2) as child`,
    );
  };
  return {
    forward: [variant(false, false), variant(false, true)],
    backward: [variant(true, false), variant(true, true)],
  };
}

type Variants<Row> = {
  readonly forward: Statement<Row>[];
  readonly backward: Statement<Row>[];
};

async function readChildren<Row>(variants: Variants<Row>, parentIds: readonly string[], page: Page) {
  const pair = page.backward ? variants.backward : variants.forward;
  const chosen = pair[page.from === null ? 0 : 1];
  if (!chosen) throw new Error('a list has four statements');
  const values: Value[] = [parentIds, page.limit + 1];
  return await run(chosen, [...values, ...(page.from ?? [])]);
}

const nodesOfExecutions = children<NodeExecutionRow>(
  nodeColumns,
  'node_executions as node',
  'node.execution_id',
  'node.id',
  'uuid',
);

/** The newest nodes of each execution; up to one more than the page, so that it shows whether there are more. */
export function readNodesOfExecutions(executionIds: readonly string[], page: Page) {
  return readChildren(nodesOfExecutions, executionIds, page);
}

const tasksOfNodes = children<TaskExecutionRow>(
  taskColumns,
  'task_executions as task',
  'task.node_execution_id',
  'task.retry_attempt',
  'int',
);

/** The newest attempts of each node; up to one more than the page. */
export function readTasksOfNodes(nodeExecutionIds: readonly string[], page: Page) {
  return readChildren(tasksOfNodes, nodeExecutionIds, page);
}

const taskCounts = statement<ChildCount>(
  `select node_execution_id as "parentId", count(*) as count
     from task_executions where node_execution_id = any($1::uuid[]) group by node_execution_id`,
);

export const countTasksOfNodes = (nodeExecutionIds: readonly string[]): Promise<ChildCount[]> =>
  run(taskCounts, [nodeExecutionIds]);

const nodesById = statement<NodeExecutionRow>(
  `select ${nodeColumns} from node_executions as node where node.id = any($1::uuid[])`,
);

export async function readNodeExecutions(ids: readonly string[]): Promise<(NodeExecutionRow | null)[]> {
  return eachOf(ids, await run(nodesById, [ids.filter(isId)]));
}

const nodesByKey = statement<NodeExecutionRow>(
  `select ${nodeColumns} from node_executions as node where node.execution_id = $1::uuid and node.node_id = $2`,
);

export async function findNodeExecution(
  executionId: string,
  nodeId: string,
): Promise<NodeExecutionRow | null> {
  const [row] = await run(nodesByKey, [executionId, nodeId]);
  return row ?? null;
}

const tasksById = statement<TaskExecutionRow>(
  `select ${taskColumns} from task_executions as task where task.id = any($1::uuid[])`,
);

export async function readTaskExecutions(ids: readonly string[]): Promise<(TaskExecutionRow | null)[]> {
  return eachOf(ids, await run(tasksById, [ids.filter(isId)]));
}

/** Literals of an execution, node or attempt, read only where they are asked for; and whose project they are. */
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
  `select execution_id as "executionId", phase::text as phase, count
     from node_phase_counts where execution_id = any($1::uuid[]) and count > 0 order by phase`,
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
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly kind: ErrorKind;
  } | null;
  readonly reason: string | null;
  readonly occurredAt: Date;
}

const eventsAfter = statement<EventRow>(
  `select sequence, kind::text as kind, phase, node_id as "nodeId", attempt, error, reason,
          occurred_at as "occurredAt"
     from execution_events where execution_id = $1::uuid and sequence > $2 order by sequence limit $3`,
);

/** An execution's events after `sequence`, in their order. */
export function readEventsAfter(executionId: string, sequence: bigint, limit: number): Promise<EventRow[]> {
  return run(eventsAfter, [executionId, sequence, limit]);
}

const lastEvent = statement<{ lastSequence: bigint; ended: boolean }>(
  `select last_sequence as "lastSequence", ended_at is not null as ended from executions where id = $1::uuid`,
);

/** How far an execution's stream goes, and whether it has ended; null when the execution is gone. */
export async function readStreamEnd(
  executionId: string,
): Promise<{ lastSequence: bigint; ended: boolean } | null> {
  const [row] = await run(lastEvent, [executionId]);
  return row ?? null;
}
