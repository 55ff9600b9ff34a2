import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { EntityType, LaunchPlanState } from '../../generated/prisma/enums.ts';
import { type FilterTable, filterSql } from '../../platform/database/filter-sql.ts';
import { byText, newestFirst, type Order, type Page, reversed } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach } from '../../platform/database/statement.ts';
import type { FilterTerm } from '../../platform/flyte-filters.ts';
import {
  type LaunchPlanRow,
  rowColumns,
  type TaskRow,
  type VersionTable,
  type WorkflowRow,
} from '../store.ts';
import { launchPlanFilters, taskFilters, workflowFilters } from './filter-columns.ts';

/** Null or left out means no condition. */
export interface VersionFilter {
  readonly project?: string | undefined;
  readonly domain?: string | null | undefined;
  readonly name?: string | null | undefined;
  /** A part of the name. */
  readonly nameContains?: string | null | undefined;
  /** At this time or later. */
  readonly createdAfter?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
  /** Only for tasks. */
  readonly type?: string | null | undefined;
  /** Only for launch plans. */
  readonly state?: LaunchPlanState | null | undefined;
  readonly workflowId?: string | null | undefined;
  readonly filters?: readonly FilterTerm[];
  /** Whether filters may look at the workflows of launch plans. False if the caller's scopes hide all workflows. */
  readonly seesWorkflows?: boolean;
  readonly orderBy?: VersionOrder | null | undefined;
}

export type VersionOrder =
  | 'NEWEST'
  | 'OLDEST'
  | 'NAME'
  | 'NAME_DESCENDING'
  | 'VERSION'
  | 'VERSION_DESCENDING';

export interface SortedVersion {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly createdAt: Date;
}

/** The table of a list of versions, the columns with the resources that decide about its rows, and its filters. */
export interface VersionList {
  readonly type: EntityType;
  readonly table: VersionTable;
  readonly resources: readonly ResourceColumn[];
  readonly filters: FilterTable;
}

const inProject: ResourceColumn = { type: 'PROJECT', column: 'version.project_id' };
const tasks: VersionList = {
  type: 'TASK',
  table: 'tasks',
  resources: [inProject],
  filters: taskFilters,
};
const workflows: VersionList = {
  type: 'WORKFLOW',
  table: 'workflows',
  resources: [{ type: 'WORKFLOW', column: 'version.entity_id' }, inProject],
  filters: workflowFilters,
};
export const launchPlans: VersionList = {
  type: 'LAUNCH_PLAN',
  table: 'launch_plans',
  resources: [{ type: 'WORKFLOW', column: 'version.workflow_entity_id' }, inProject],
  filters: launchPlanFilters,
};
export const versionLists: Readonly<Record<EntityType, VersionList>> = {
  TASK: tasks,
  WORKFLOW: workflows,
  LAUNCH_PLAN: launchPlans,
};

const nodesIn = ({ table, resources }: VersionList): NodeRows => ({
  from: `${table} as version`,
  id: 'version.id',
  tenant: 'version.tenant_id',
  resources,
});
export const taskNodes = nodesIn(tasks);
export const workflowNodes = nodesIn(workflows);
export const launchPlanNodes = nodesIn(launchPlans);

const [, ...lastId] = newestFirst('version');
const newest: Order<SortedVersion> = newestFirst('version');
const byName: Order<SortedVersion> = [...byText<SortedVersion>('version.name', 'name'), ...lastId];
const byVersion: Order<SortedVersion> = [...byText<SortedVersion>('version.version', 'version'), ...lastId];
const orders: Readonly<Record<VersionOrder, Order<SortedVersion>>> = {
  NEWEST: newest,
  OLDEST: reversed(newest),
  NAME: byName,
  NAME_DESCENDING: reversed(byName),
  VERSION: byVersion,
  VERSION_DESCENDING: reversed(byVersion),
};

export const versionOrder = ({ orderBy }: Pick<VersionFilter, 'orderBy'>) => orders[orderBy ?? 'NEWEST'];

/** The rows that a reader may see. */
export function versionsShownTo(kind: VersionList, reader: Reader, filter: VersionFilter): Required<Rows> {
  const { table, resources } = kind;
  const { project, domain, name, nameContains, createdAfter, createdBefore } = filter;
  const { type, state, workflowId, filters = [] } = filter;
  const readable = readableSql(reader, resources);
  const { own, joined } = filterSql(filters, kind.filters);
  const ofWorkflow = joined.get('workflow');
  const from = sql`
    ${raw(table)} as version join projects as project on project.id = version.project_id ${readable.joins}
    where version.tenant_id = ${reader.tenantId}::uuid and project.tenant_id = ${reader.tenantId}::uuid
      ${project == null ? nothing : sql`and project.identifier = ${project}`}
      ${domain == null ? nothing : sql`and version.domain = ${domain}`}
      ${name == null ? nothing : sql`and version.name = ${name}`}
      ${nameContains == null ? nothing : sql`and strpos(version.name, ${nameContains}) > 0`}
      ${createdAfter ? sql`and version.created_at >= ${createdAfter}::timestamptz` : nothing}
      ${createdBefore ? sql`and version.created_at < ${createdBefore}::timestamptz` : nothing}
      ${type == null ? nothing : sql`and version.type = ${type}`}
      ${state == null ? nothing : sql`and version.state = ${state}::text::launch_plan_state`}
      ${workflowId == null ? nothing : sql`and version.workflow_id = ${workflowId}::uuid`}
      ${own} ${ofWorkflow ? workflowCondition(reader, filter, ofWorkflow) : nothing} and ${readable.condition}`;
  return { with: readable.with, from, isAdHoc: filters.length > 0 };
}

/** A filter finds nothing of a workflow that the reader may not read: it would reveal the workflow. */
function workflowCondition(reader: Reader, { seesWorkflows }: VersionFilter, terms: Sql): Sql {
  const readable = readableSql(reader, [
    { type: 'WORKFLOW', column: 'workflow.entity_id' },
    { type: 'PROJECT', column: 'workflow.project_id' },
  ]);
  return sql`and ${seesWorkflows === true}::boolean and exists (
    select from workflows as workflow join projects as workflow_project on workflow_project.id = workflow.project_id
      ${readable.joins}
     where workflow.id = version.workflow_id and ${readable.condition} ${terms})`;
}

/** One page of the versions that the caller may read, and one more row if there is one. */
const listVersions = <Row extends SortedVersion>(
  kind: VersionList,
  reader: Reader,
  filter: VersionFilter,
  page: Page,
) => list<Row>(versionsShownTo(kind, reader, filter), rowColumns[kind.table], versionOrder(filter), page);

/** The number of these versions. It is read only if a query asks for it. */
const countVersions = (kind: VersionList, reader: Reader, filter: VersionFilter) =>
  count(versionsShownTo(kind, reader, filter));

export const countTasks = (reader: Reader, filter: VersionFilter) => countVersions(tasks, reader, filter);
export const countWorkflows = (reader: Reader, filter: VersionFilter) =>
  countVersions(workflows, reader, filter);
export const countLaunchPlans = (reader: Reader, filter: VersionFilter) =>
  countVersions(launchPlans, reader, filter);

export const listTasks = (reader: Reader, filter: VersionFilter, page: Page) =>
  listVersions<TaskRow>(tasks, reader, filter, page);
export const listWorkflows = (reader: Reader, filter: VersionFilter, page: Page) =>
  listVersions<WorkflowRow>(workflows, reader, filter, page);
export const listLaunchPlans = (reader: Reader, filter: VersionFilter, page: Page) =>
  listVersions<LaunchPlanRow>(launchPlans, reader, filter, page);

/** The same lists inside of each project, name or workflow: `parent` is the column with its id. */
const versionsOfEach = <Row extends SortedVersion>(kind: VersionList, reader: Reader, parent: string) =>
  listOfEach<VersionFilter, Row>(
    parent,
    (filter) => versionsShownTo(kind, reader, filter),
    rowColumns[kind.table],
    versionOrder,
  );

const ofProject = 'version.project_id';
export const tasksOfProjects = (reader: Reader) => versionsOfEach<TaskRow>(tasks, reader, ofProject);
export const workflowsOfProjects = (reader: Reader) =>
  versionsOfEach<WorkflowRow>(workflows, reader, ofProject);
export const launchPlansOfProjects = (reader: Reader) =>
  versionsOfEach<LaunchPlanRow>(launchPlans, reader, ofProject);

const ofName = 'version.entity_id';
export const tasksOfNames = (reader: Reader) => versionsOfEach<TaskRow>(tasks, reader, ofName);
export const workflowsOfNames = (reader: Reader) => versionsOfEach<WorkflowRow>(workflows, reader, ofName);
export const launchPlansOfNames = (reader: Reader) =>
  versionsOfEach<LaunchPlanRow>(launchPlans, reader, ofName);

export const launchPlansOfWorkflows = (reader: Reader) =>
  versionsOfEach<LaunchPlanRow>(launchPlans, reader, 'version.workflow_id');
