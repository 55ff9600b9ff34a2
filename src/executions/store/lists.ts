import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionPhase, LaunchEntity } from '../../generated/prisma/enums.ts';
import { newestFirst, type Page, reversed } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach, query } from '../../platform/database/statement.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

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
  readonly withArchived: boolean;
  readonly orderBy: ExecutionOrder;
}

export type ExecutionOrder = 'NEWEST' | 'OLDEST';

/** The columns with the resources that decide about an execution. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'execution.workflow_entity_id' },
  { type: 'PROJECT', column: 'execution.project_id' },
];

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

/** The rows that a reader may see. */
function shownTo(reader: Reader, filter: ExecutionListFilter): Rows {
  const readable = readableSql(reader, resources);
  const { phases, createdAfter, createdBefore, domain, withArchived } = filter;
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
      ${withArchived ? nothing : sql`and execution.state = 'ACTIVE'`}`;
  return { with: readable.with, from };
}

const orders: Readonly<Record<ExecutionOrder, ReturnType<typeof newestFirst>>> = {
  NEWEST: newestFirst('execution'),
  OLDEST: reversed(newestFirst('execution')),
};

export const executionOrder = ({ orderBy }: Pick<ExecutionListFilter, 'orderBy'>) => orders[orderBy];

/** The executions of the tenant: one page, and one more row if there is one. */
export const listExecutions = (reader: Reader, filter: ExecutionListFilter, page: Page) =>
  list<ExecutionRow>(shownTo(reader, filter), raw(executionColumns), executionOrder(filter), page);

/** The number of these executions. It is read only if a query asks for it. */
export const countExecutions = (reader: Reader, filter: ExecutionListFilter) =>
  count(shownTo(reader, filter));

export interface ProjectPhaseCount {
  readonly projectId: string;
  readonly phase: ExecutionPhase;
  readonly count: number;
}

/** How many of these executions are in each phase, for each project. Phases without executions are left out. */
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
    raw(executionColumns),
    executionOrder,
  );
