import type {
  CacheStatus,
  ExecutionEngine,
  ExecutionEventKind,
  ExecutionMode,
  ExecutionPhase,
  ExecutionState,
  LaunchEntity,
  NodeExecutionPhase,
  NodeKind,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { eachAt, readAddressed } from '../../platform/by-address.ts';
import { eachOf } from '../../platform/by-id.ts';
import { anyOf, run, statement } from '../../platform/database/statement.ts';
import { isId } from '../../platform/ids.ts';
import type { WorkError, WorkErrorColumns } from '../../platform/work-error.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { executionColumns, nodeColumns, taskColumns } from './columns.ts';

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
  readonly awaitsSlot: boolean;
  readonly mode: ExecutionMode;
  readonly phase: ExecutionPhase;
  readonly state: ExecutionState;
  readonly principalId: string;
  readonly queue: string;
  readonly maxParallelism: number;
  readonly interruptible: boolean | null;
  readonly overwriteCache: boolean;
  readonly launchEntity: LaunchEntity;
  readonly taskId: string | null;
  readonly scheduledAt: Date | null;
  readonly referenceId: string | null;
  readonly stateChangedAt: Date | null;
  readonly stateChangedById: string | null;
  readonly errorNodeId: string | null;
  readonly abortCause: string | null;
  readonly abortPrincipalId: string | null;
  readonly abortIsForced: boolean;
  readonly sourceId: string | null;
  readonly parentNodeId: string | null;
  readonly nesting: number;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ExecutionKey {
  readonly project: string;
  readonly domain: string;
  readonly name: string;
}
export type ExecutionBy = { readonly id: string } | { readonly key: ExecutionKey };

const byId = statement<ExecutionRow>(
  `select ${executionColumns.all} from executions as execution join projects as project on project.id = execution.project_id
    where execution.id = $1::uuid and execution.tenant_id = $2::uuid`,
);

const byIds = statement<ExecutionRow>(
  `select ${executionColumns.all} from executions as execution join projects as project on project.id = execution.project_id
    where execution.id = ${anyOf('$1', 'uuid')} and execution.tenant_id = $2::uuid`,
);

const byKeys = statement<ExecutionRow>(
  `select ${executionColumns.all}
     from unnest($2::text[], $3::text[], $4::text[]) as asked(project, domain, name)
     join projects as project on (project.tenant_id, project.identifier) = ($1::uuid, asked.project)
     join executions as execution on (execution.tenant_id, execution.project_id, execution.domain, execution.name)
                                   = ($1::uuid, project.id, asked.domain, asked.name)`,
);

/** One row or null for each address, in the order of the addresses. */
export function readExecutions(
  tenantId: string,
  addresses: readonly ExecutionBy[],
): Promise<(ExecutionRow | null)[]> {
  return readAddressed(
    addresses,
    ['project', 'domain', 'name'],
    ([id = '', ...others]) =>
      others.length === 0 ? run(byId, [id, tenantId]) : run(byIds, [[id, ...others], tenantId]),
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
  readonly cacheStatus: CacheStatus;
  readonly isParent: boolean;
  readonly isDynamic: boolean;
  readonly parentTaskId: string | null;
  readonly abortCause: string | null;
  readonly abortPrincipalId: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

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
  readonly phaseVersion: number;
  readonly reason: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

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

const childExecutions = statement<ExecutionRow & { readonly startedBy: string }>(
  `with started as (
     select id, parent_node_id as node_id, false as is_named from executions where parent_node_id = any($1::uuid[])
     union all
     select (details->>'childExecutionId')::uuid, id, true from node_executions
      where id = any($1::uuid[]) and details->>'childExecutionId' is not null
   )
   select started.node_id as "startedBy", ${executionColumns.all}
     from started join executions as execution on execution.id = started.id
     join projects as project on project.id = execution.project_id
    order by started.is_named, execution.created_at, execution.id`,
);

/**
 * The executions that these nodes have started, as we know or as an engine from outside says. A node of such an engine can
 * have several: the last one is the one that its events name, or else the newest.
 */
export function readChildExecutions(nodeExecutionIds: readonly string[]) {
  return run(childExecutions, [nodeExecutionIds]);
}

const nodesById = statement<NodeExecutionRow>(
  `select ${nodeColumns.all} from node_executions as node where node.id = ${anyOf('$1', 'uuid')}`,
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
  `select ${nodeColumns.all} from unnest($1::uuid[], $2::text[]) as asked(execution_id, node_id)
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
  `select ${taskColumns.all} from task_executions as task where task.id = ${anyOf('$1', 'uuid')}`,
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
  `select ${taskColumns.all} from unnest($1::uuid[], $2::int[]) as asked(node_id, attempt)
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

/** An attempt, by its node, its task and its number. */
export interface TaskKey extends AttemptKey {
  readonly task: EntityKey;
}

const tasksByKey = statement<TaskExecutionRow>(
  `select ${taskColumns.all}
     from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])
       as asked(node_id, attempt, project, domain, name, version)
     join task_executions as task
       on (task.node_execution_id, task.retry_attempt) = (asked.node_id, asked.attempt)
      and (task.task_project, task.task_domain) = (asked.project, asked.domain)
      and (task.task_name, task.task_version) = (asked.name, asked.version)`,
);

export async function readTasksByKey(keys: readonly TaskKey[]): Promise<(TaskExecutionRow | null)[]> {
  const rows = await run(tasksByKey, [
    keys.map(({ nodeExecutionId }) => nodeExecutionId),
    keys.map(({ retryAttempt }) => retryAttempt),
    keys.map(({ task }) => task.project),
    keys.map(({ task }) => task.domain),
    keys.map(({ task }) => task.name),
    keys.map(({ task }) => task.version),
  ]);
  const textOf = (nodeExecutionId: string, retryAttempt: number, ...task: readonly string[]) =>
    JSON.stringify([nodeExecutionId, retryAttempt, ...task]);
  return eachAt(
    keys,
    ({ nodeExecutionId, retryAttempt, task: { project, domain, name, version } }) =>
      textOf(nodeExecutionId, retryAttempt, project, domain, name, version),
    rows.map((row) => [
      textOf(
        ...([row.nodeExecutionId, row.retryAttempt, row.taskProject] as const),
        ...([row.taskDomain, row.taskName, row.taskVersion] as const),
      ),
      row,
    ]),
  );
}

export interface PhaseCountRow {
  readonly executionId: string;
  readonly phase: NodeExecutionPhase;
  readonly count: number;
}

const phaseCounts = statement<PhaseCountRow>(
  `select execution_id as "executionId", phase::text as phase, sum(count)::int as count
     from node_phase_counts where execution_id = ${anyOf('$1', 'uuid')}
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
  /** The user who asked for the stop. */
  readonly principalId: string | null;
  readonly occurredAt: Date;
}

const eventsAfter = statement<EventRow>(
  `select sequence, kind::text as kind, phase, node_id as "nodeId", attempt, error, reason,
          principal_id as "principalId", occurred_at as "occurredAt"
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
