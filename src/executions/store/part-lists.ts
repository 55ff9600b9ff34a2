import type {
  CacheStatus,
  ErrorKind,
  NodeExecutionPhase,
  NodeKind,
  TaskExecutionPhase,
} from '../../generated/prisma/enums.ts';
import { type FilterTable, filterSql } from '../../platform/database/filter-sql.ts';
import {
  byText,
  highestFirst,
  lastIdFirst,
  type Order,
  type Page,
  pageOfEachParent,
  reversed,
} from '../../platform/database/page.ts';
import { join, nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach } from '../../platform/database/statement.ts';
import type { FilterTerm } from '../../platform/flyte-filters.ts';
import { nodeColumns, taskColumns } from './columns.ts';
import { nodeExecutionFilters, taskExecutionFilters } from './filter-columns.ts';
import type { NodeExecutionRow, TaskExecutionRow } from './reads.ts';
import { type TimeOrder, timeOrders } from './time-orders.ts';

/** The lists of the nodes and attempts inside of something: which rows, and in which order. */

/** Null or left out means no condition. */
interface PartFilter<Phase> {
  readonly phases?: readonly Phase[] | null | undefined;
  /** At this time or later. */
  readonly createdAfter?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
  readonly startedAfter?: Date | null | undefined;
  readonly startedBefore?: Date | null | undefined;
  readonly errorKinds?: readonly ErrorKind[] | null | undefined;
  readonly errorCodes?: readonly string[] | null | undefined;
  /** Only for the lists of one parent. */
  readonly filters?: readonly FilterTerm[];
}

export interface NodeListFilter extends PartFilter<NodeExecutionPhase> {
  readonly kinds?: readonly NodeKind[] | null | undefined;
  readonly cacheStatuses?: readonly CacheStatus[] | null | undefined;
  readonly orderBy: NodeOrder;
}

export interface TaskListFilter extends PartFilter<TaskExecutionPhase> {
  readonly orderBy: TaskOrder;
}

export type NodeOrder = TimeOrder | 'NEWEST' | 'OLDEST' | 'NODE_ID' | 'NODE_ID_DESCENDING';
export type TaskOrder = TimeOrder | 'ATTEMPT' | 'ATTEMPT_DESCENDING';

/** Unique in the lists of one execution, so no further column is needed. */
const byNodeId = byText<NodeExecutionRow>('node.node_id', 'nodeId');
const nodeOrders: Readonly<Record<NodeOrder, Order<NodeExecutionRow>>> = {
  ...timeOrders('node'),
  NEWEST: lastIdFirst('node'),
  OLDEST: reversed(lastIdFirst('node')),
  NODE_ID: byNodeId,
  NODE_ID_DESCENDING: reversed(byNodeId),
};

// An engine from outside may run several tasks in one node, each with an attempt 0.
const latestFirst: Order<TaskExecutionRow> = [
  ...highestFirst<TaskExecutionRow>('task.retry_attempt', 'retryAttempt'),
  ...lastIdFirst('task'),
];
const taskOrders: Readonly<Record<TaskOrder, Order<TaskExecutionRow>>> = {
  ...timeOrders('task'),
  ATTEMPT: reversed(latestFirst),
  ATTEMPT_DESCENDING: latestFirst,
};

export const nodeOrder = ({ orderBy }: Pick<NodeListFilter, 'orderBy'>) => nodeOrders[orderBy];
export const taskOrder = ({ orderBy }: Pick<TaskListFilter, 'orderBy'>) => taskOrders[orderBy];

/**
 * All conditions, or none. A list has only these two texts, however many conditions a caller gives, because each text
 * stays in memory as a prepared statement.
 */
function conditionsOf(alias: string, type: string, filter: PartFilter<string>): Sql[] {
  const { phases = null, errorKinds = null, errorCodes = null } = filter;
  const { createdAfter = null, createdBefore = null, startedAfter = null, startedBefore = null } = filter;
  const column = (name: string) => raw(`${alias}.${name}`);
  const since = (name: string, at: Date | null) =>
    sql`(${at}::timestamptz is null or ${column(name)} >= ${at}::timestamptz)`;
  const before = (name: string, at: Date | null) =>
    sql`(${at}::timestamptz is null or ${column(name)} < ${at}::timestamptz)`;
  return [
    sql`(${phases}::text[] is null or ${column('phase')} = any(${phases}::text[]::${raw(type)}[]))`,
    sql`(${errorKinds}::text[] is null or ${column('error_kind')} = any(${errorKinds}::text[]::error_kind[]))`,
    sql`(${errorCodes}::text[] is null or ${column('error_code')} = any(${errorCodes}::text[]))`,
    since('created_at', createdAfter),
    before('created_at', createdBefore),
    since('started_at', startedAfter),
    before('started_at', startedBefore),
  ];
}

const hasConditions = ({
  orderBy: _orderBy,
  filters: _filters,
  ...conditions
}: NodeListFilter | TaskListFilter) => Object.values(conditions).some((value) => value != null);

const allOf = (conditions: readonly Sql[]): Sql => sql`and ${join(conditions, ' and ')}`;

/** The tables that Flyte's filters name, and their conditions. */
function named(filters: readonly FilterTerm[], table: FilterTable, alias: string) {
  if (filters.length === 0) return { joins: nothing, and: nothing };
  const { own, joined } = filterSql(filters, table);
  const joins = raw(
    `join executions as execution on execution.id = ${alias}.execution_id
     join projects as project on project.id = execution.project_id`,
  );
  return { joins, and: sql`${own} ${join([nothing, ...joined.values()], ' ')}` };
}

/** What contains nodes: an execution, for the nodes of its outermost workflow; another node; or an attempt. */
const insides = {
  execution: {
    parent: 'node.execution_id',
    and: sql`and node.parent_id is null and node.parent_task_id is null`,
  },
  node: { parent: 'node.parent_id', and: nothing },
  task: { parent: 'node.parent_task_id', and: nothing },
};
export type Inside = keyof typeof insides;

function nodesIn(inside: Inside, filter: NodeListFilter): Rows {
  const { kinds = null, cacheStatuses = null, filters = [] } = filter;
  const { joins, and } = named(filters, nodeExecutionFilters, 'node');
  const conditions = hasConditions(filter)
    ? allOf([
        ...conditionsOf('node', 'node_execution_phase', filter),
        sql`(${kinds}::text[] is null or node.kind = any(${kinds}::text[]::node_kind[]))`,
        sql`(${cacheStatuses}::text[] is null or node.cache_status = any(${cacheStatuses}::text[]::cache_status[]))`,
      ])
    : nothing;
  const from = sql`node_executions as node ${joins} where true ${insides[inside].and} ${conditions} ${and}`;
  return { from, isAdHoc: filters.length !== 0 };
}

function tasksIn(filter: TaskListFilter): Rows {
  const { filters = [] } = filter;
  const { joins, and } = named(filters, taskExecutionFilters, 'task');
  const node =
    filters.length === 0 ? nothing : raw('join node_executions as node on node.id = task.node_execution_id');
  const conditions = hasConditions(filter)
    ? allOf(conditionsOf('task', 'task_execution_phase', filter))
    : nothing;
  const from = sql`task_executions as task ${joins} ${node} where true ${conditions} ${and}`;
  return { from, isAdHoc: filters.length !== 0 };
}

/** The nodes directly inside of each parent. */
export const nodesOfEach = (inside: Inside) =>
  listOfEach<NodeListFilter, NodeExecutionRow>(
    insides[inside].parent,
    (filter) => nodesIn(inside, filter),
    nodeColumns,
    nodeOrder,
  );

/** The statement of one page of these nodes for each parent, with the brief columns. */
export const briefNodesOfEach = (
  inside: Inside,
  parentIds: readonly string[],
  filter: NodeListFilter,
  page: Page,
): Sql =>
  pageOfEachParent(
    ...([nodesIn(inside, filter), insides[inside].parent, parentIds] as const),
    ...([raw(nodeColumns.brief), nodeOrder(filter), page] as const),
  );

/** The attempts of each node. */
export const tasksOfEach = listOfEach<TaskListFilter, TaskExecutionRow>(
  'task.node_execution_id',
  tasksIn,
  taskColumns,
  taskOrder,
);

const of = ({ from, ...rest }: Rows, parent: string, parentId: string): Rows => ({
  ...rest,
  from: sql`${from} and ${raw(parent)} = ${parentId}::uuid`,
});

const nodesOf = (inside: Inside, parentId: string, filter: NodeListFilter) =>
  of(nodesIn(inside, filter), insides[inside].parent, parentId);

/** The nodes directly inside of one parent, also with Flyte's filters: one page, and one more row if there is one. */
export const listNodes = (inside: Inside, parentId: string, filter: NodeListFilter, page: Page) =>
  list<NodeExecutionRow>(nodesOf(inside, parentId, filter), nodeColumns, nodeOrder(filter), page);

export const countNodes = (inside: Inside, parentId: string, filter: NodeListFilter) =>
  count(nodesOf(inside, parentId, filter));

const tasksOf = (nodeExecutionId: string, filter: TaskListFilter) =>
  of(tasksIn(filter), 'task.node_execution_id', nodeExecutionId);

/** The attempts of one node, also with Flyte's filters: one page, and one more row if there is one. */
export const listTasks = (nodeExecutionId: string, filter: TaskListFilter, page: Page) =>
  list<TaskExecutionRow>(tasksOf(nodeExecutionId, filter), taskColumns, taskOrder(filter), page);

export const countTasks = (nodeExecutionId: string, filter: TaskListFilter) =>
  count(tasksOf(nodeExecutionId, filter));
