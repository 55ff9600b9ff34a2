import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionMode, ExecutionPhase, LaunchEntity, Level } from '../../generated/prisma/enums.ts';
import { filterSql } from '../../platform/database/filter-sql.ts';
import {
  byText,
  lastIdFirst,
  newestFirst,
  type Order,
  type Page,
  reversed,
} from '../../platform/database/page.ts';
import { join, nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach, query } from '../../platform/database/statement.ts';
import type { FilterTerm } from '../../platform/flyte-filters.ts';
import { executionColumns } from './columns.ts';
import { executionFilters } from './filter-columns.ts';
import type { ExecutionRow } from './reads.ts';
import { type TimeOrder, timeOrders } from './time-orders.ts';

/**
 * Which executions a list shows, and in which order. Null leaves a condition out; archived ones are shown only if the
 * caller asks for them.
 */
export interface ExecutionListFilter {
  readonly projectId: string | null;
  readonly domain: string | null;
  readonly workflowId: string | null;
  readonly launchPlanId: string | null;
  readonly principalId: string | null;
  /** What the execution was asked to run. */
  readonly launchEntity?: LaunchEntity | null;
  readonly phases: readonly ExecutionPhase[] | null;
  /** At this time or later. */
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  /** All of these labels. */
  readonly labels?: Readonly<Record<string, string>> | null;
  /** All of these tags. */
  readonly tags?: readonly string[] | null;
  readonly modes?: readonly ExecutionMode[] | null;
  readonly withArchived: boolean;
  readonly filters?: readonly FilterTerm[];
  /** Which objects filters may look at. The scopes of a caller can hide all objects of a type. */
  readonly sees?: Readonly<Partial<Record<JoinedVersions, boolean>>>;
  readonly orderBy: ExecutionOrder;
}

/** The versions that filters can be about. */
export type JoinedVersions = 'launch_plan' | 'workflow' | 'task';

export type ExecutionOrder = TimeOrder | 'NEWEST' | 'OLDEST' | 'NAME' | 'NAME_DESCENDING';

/** The columns with the resources that decide about an execution. */
export const executionResources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'execution.workflow_entity_id' },
  { type: 'PROJECT', column: 'execution.project_id' },
];
const resources = executionResources;

export const executionNodes: NodeRows = {
  from: 'executions as execution',
  id: 'execution.id',
  tenant: 'execution.tenant_id',
  resources,
};

export const nodeExecutionNodes: NodeRows = {
  ...executionNodes,
  from: 'node_executions as part join executions as execution on execution.id = part.execution_id',
  id: 'part.id',
};

export const taskExecutionNodes: NodeRows = {
  ...executionNodes,
  from: 'task_executions as part join executions as execution on execution.id = part.execution_id',
  id: 'part.id',
};

const source = 'executions as execution join projects as project on project.id = execution.project_id';

/** The rows on which a reader has this level. */
function shownTo(reader: Reader, filter: ExecutionListFilter, level: Level = 'READ'): Rows {
  const readable = readableSql(reader, resources, undefined, level);
  const { phases, createdAfter, createdBefore, domain, labels, tags, modes, filters = [] } = filter;
  const { own, joined } = filterSql(filters, executionFilters);
  const showsArchived = filter.withArchived || filters.some(isAboutState);
  const isOf = (column: string, id: string | null) =>
    id === null ? nothing : sql`and execution.${raw(column)} = ${id}::uuid`;
  const from = sql`${raw(source)} ${readable.joins}
    where execution.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}
      ${isOf('project_id', filter.projectId)} ${isOf('workflow_id', filter.workflowId)}
      ${isOf('launch_plan_id', filter.launchPlanId)} ${isOf('principal_id', filter.principalId)}
      ${domain === null ? nothing : sql`and execution.domain = ${domain}`}
      ${filter.launchEntity ? sql`and execution.launch_entity = ${filter.launchEntity}::text::launch_entity` : nothing}
      ${phases ? sql`and execution.phase = any(${phases}::text[]::execution_phase[])` : nothing}
      ${createdAfter ? sql`and execution.created_at >= ${createdAfter}::timestamptz` : nothing}
      ${createdBefore ? sql`and execution.created_at < ${createdBefore}::timestamptz` : nothing}
      ${modes ? sql`and execution.mode = any(${modes}::text[]::execution_mode[])` : nothing}
      ${labels && Object.keys(labels).length > 0 ? labelCondition(reader, labels) : nothing}
      ${tags && tags.length > 0 ? tagCondition(reader, tags) : nothing}
      ${showsArchived ? nothing : sql`and execution.state = 'ACTIVE'`}
      ${own} ${join([nothing, ...[...joined].map((one) => joinedCondition(reader, filter, ...one))], ' ')}`;
  return { with: readable.with, from, isAdHoc: filters.length !== 0 };
}

/** A filter on the state of the execution itself; other objects have a state, too. */
const isAboutState = ({ prefix, column }: FilterTerm) =>
  column === 'state' && (prefix === null || executionFilters.prefixes.includes(prefix));

/** An index finds the executions with a label, of which each has a key only once. */
function labelCondition({ tenantId }: Reader, labels: Readonly<Record<string, string>>): Sql {
  const keys = Object.keys(labels);
  return sql`and execution.id in (
    select label.execution_id from execution_labels as label
      join unnest(${keys}::text[], ${Object.values(labels)}::text[]) as wanted(key, value)
        on wanted.key = label.key and wanted.value = label.value
     where label.tenant_id = ${tenantId}::uuid
     group by label.execution_id having count(*) = ${keys.length}::int)`;
}

function tagCondition({ tenantId }: Reader, tags: readonly string[]): Sql {
  const wanted = [...new Set(tags)];
  return sql`and execution.id in (
    select tag.execution_id from execution_tags as tag
     where tag.tenant_id = ${tenantId}::uuid and tag.tag = any(${wanted}::text[])
     group by tag.execution_id having count(*) = ${wanted.length}::int)`;
}

/** One row of the other table meets all terms about it. An execution is listed once, however many rows do. */
function joinedCondition(reader: Reader, filter: ExecutionListFilter, prefix: string, terms: Sql): Sql {
  if (prefix === 'execution_tag')
    return sql`and exists (select from execution_labels as label where label.execution_id = execution.id ${terms})`;
  if (prefix === 'admin_tag')
    return sql`and exists (select from execution_tags as tag where tag.execution_id = execution.id ${terms})`;
  const kind = prefix as JoinedVersions;
  const { table, on, resources: columns } = versions[kind];
  const readable = readableSql(reader, columns);
  const project = raw(`${kind}_project`);
  // A filter finds nothing of an object that the reader may not read: it would reveal the object.
  return sql`and ${filter.sees?.[kind] === true}::boolean and exists (
    select from ${raw(table)} as ${raw(kind)} join projects as ${project} on ${project}.id = ${raw(kind)}.project_id
      ${readable.joins}
     where ${raw(kind)}.id = ${raw(on)} and ${readable.condition} ${terms})`;
}

const inProject = (kind: JoinedVersions): ResourceColumn => ({
  type: 'PROJECT',
  column: `${kind}.project_id`,
});
const versions: Readonly<
  Record<JoinedVersions, { table: string; on: string; resources: readonly ResourceColumn[] }>
> = {
  launch_plan: {
    table: 'launch_plans',
    on: 'execution.launch_plan_id',
    resources: [{ type: 'WORKFLOW', column: 'launch_plan.workflow_entity_id' }, inProject('launch_plan')],
  },
  workflow: {
    table: 'workflows',
    on: 'execution.workflow_id',
    resources: [{ type: 'WORKFLOW', column: 'workflow.entity_id' }, inProject('workflow')],
  },
  task: { table: 'tasks', on: 'execution.task_id', resources: [inProject('task')] },
};

const byName: Order<ExecutionRow> = [
  ...byText<ExecutionRow>('execution.name', 'name'),
  ...reversed(lastIdFirst('execution')),
];
const orders: Readonly<Record<ExecutionOrder, Order<ExecutionRow>>> = {
  ...timeOrders('execution'),
  NAME: byName,
  NAME_DESCENDING: reversed(byName),
  NEWEST: newestFirst('execution'),
  OLDEST: reversed(newestFirst('execution')),
};

export const executionOrder = ({ orderBy }: Pick<ExecutionListFilter, 'orderBy'>) => orders[orderBy];

/** The executions of the tenant: one page, and one more row if there is one. */
export const listExecutions = (reader: Reader, filter: ExecutionListFilter, page: Page) =>
  list<ExecutionRow>(shownTo(reader, filter), executionColumns, executionOrder(filter), page);

/** The number of these executions. It is read only if a query asks for it. */
export const countExecutions = (reader: Reader, filter: ExecutionListFilter) =>
  count(shownTo(reader, filter));

/**
 * The oldest executions on which the reader has EDIT and that have not ended. Those that are ABORTING already are left
 * out, unless the abort is to be forced and was not yet.
 *
 * @returns up to `limit + 1` executions.
 */
export function listAbortable(
  reader: Reader,
  filter: ExecutionListFilter,
  isForced: boolean,
  limit: number,
): Promise<ExecutionRow[]> {
  const { from, ...rows } = shownTo(reader, filter, 'EDIT');
  const isOpen = sql`and execution.ended_at is null
    and (execution.phase <> 'ABORTING' or (${isForced}::boolean and not execution.abort_is_forced))`;
  const page = { limit, backward: false, from: null };
  return list<ExecutionRow>(
    { ...rows, from: sql`${from} ${isOpen}` },
    executionColumns,
    executionOrder({ orderBy: 'OLDEST' }),
    page,
  );
}

/**
 * The oldest executions that have ended, on which the reader has MANAGE, and that meet a further condition.
 *
 * @param condition  about the row `execution`.
 * @returns up to `limit + 1` executions.
 */
export function listEnded(
  reader: Reader,
  filter: ExecutionListFilter,
  condition: Sql,
  limit: number,
): Promise<ExecutionRow[]> {
  const { from, ...rows } = shownTo(reader, filter, 'MANAGE');
  return list<ExecutionRow>(
    { ...rows, from: sql`${from} and execution.ended_at is not null and ${condition}` },
    executionColumns,
    executionOrder({ orderBy: 'OLDEST' }),
    { limit, backward: false, from: null },
  );
}

export interface ProjectPhaseCount {
  readonly projectId: string;
  readonly phase: ExecutionPhase;
  readonly count: number;
}

/** How many of these executions are in each phase, for each project. It reads them all. */
export function countPhases(
  reader: Reader,
  filter: ExecutionListFilter,
  projectIds: readonly string[],
): Promise<ProjectPhaseCount[]> {
  const { with: queries = nothing, from } = shownTo(reader, filter);
  return query<ProjectPhaseCount>(sql`${queries}
    select execution.project_id as "projectId", execution.phase::text as phase, count(*)::int as count
      from ${from} and execution.project_id = any(${projectIds}::uuid[])
     group by execution.project_id, execution.phase order by execution.phase`);
}

const parents = {
  project: 'execution.project_id',
  workflow: 'execution.workflow_id',
  launchPlan: 'execution.launch_plan_id',
};

/** The same list, inside of each project, version of a workflow, or version of a launch plan. */
export const executionsOfEach = (reader: Reader, parent: keyof typeof parents) =>
  listOfEach<ExecutionListFilter, ExecutionRow>(
    parents[parent],
    (filter) => shownTo(reader, filter),
    executionColumns,
    executionOrder,
  );
