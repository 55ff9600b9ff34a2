import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import { nothing, sql } from '../../platform/database/sql.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import { countPhases, type ExecutionListFilter, type ProjectPhaseCount } from './lists.ts';

/*
 * How many executions of a project are in each phase. Triggers of executions write each change as a row of its own, so
 * that transactions do not wait for each other; the scheduler adds the changes up. The number is always the sum of both.
 */

const columns = 'tenant_id, project_id, workflow_entity_id, domain, phase, state';

/** The columns with the resources that decide who may read the executions of a number. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'counted.workflow_entity_id' },
  { type: 'PROJECT', column: 'counted.project_id' },
];

/** Whether all conditions of a filter are about what the numbers are stored by. */
function isStored(filter: ExecutionListFilter): boolean {
  const { labels, tags, filters } = filter;
  const { workflowId, launchPlanId, principalId, launchEntity, createdAfter, createdBefore, modes } = filter;
  const others = [workflowId, launchPlanId, principalId, launchEntity, createdAfter, createdBefore, modes];
  const lists = [Object.keys(labels ?? {}), tags ?? [], filters ?? []];
  return others.every((value) => value == null) && lists.every(({ length }) => length === 0);
}

/**
 * How many of the executions that the reader may read are in each phase, for each project. Phases without executions are
 * left out. For most filters, no execution is read.
 */
export const readPhaseCountsOfProjects = (
  reader: Reader,
  filter: ExecutionListFilter,
  projectIds: readonly string[],
): Promise<ProjectPhaseCount[]> =>
  isStored(filter) ? storedPhaseCounts(reader, filter, projectIds) : countPhases(reader, filter, projectIds);

function storedPhaseCounts(
  reader: Reader,
  { projectId, domain, phases, withArchived }: ExecutionListFilter,
  projectIds: readonly string[],
): Promise<ProjectPhaseCount[]> {
  const readable = readableSql(reader, resources);
  const which = sql`tenant_id = ${reader.tenantId}::uuid and project_id = any(${projectIds}::uuid[])
    ${projectId === null ? nothing : sql`and project_id = ${projectId}::uuid`}
    ${domain === null ? nothing : sql`and domain = ${domain}`}
    ${phases ? sql`and phase = any(${phases}::text[]::execution_phase[])` : nothing}
    ${withArchived ? nothing : sql`and state = 'ACTIVE'`}`;
  return query<ProjectPhaseCount>(sql`${readable.with}
    select counted.project_id as "projectId", counted.phase::text as phase, sum(counted.n)::int as count
      from (select project_id, workflow_entity_id, phase, count as n from execution_counts where ${which}
            union all
            select project_id, workflow_entity_id, phase, change from execution_count_changes where ${which}
           ) as counted ${readable.joins}
     where ${readable.condition}
     group by counted.project_id, counted.phase having sum(counted.n) > 0 order by counted.phase`);
}

// In no order: by the index, PostgreSQL would look at every change that was added up since the table was last vacuumed.
const foldStatement = statement<{ count: number }>(
  `with batch as materialized (
     select id from execution_count_changes limit $1 for update skip locked
   ),
   taken as (
     delete from execution_count_changes as change using batch where change.id = batch.id returning change.*
   ),
   stored as (
     insert into execution_counts as known (${columns}, count)
     select ${columns}, sum(change) from taken group by ${columns} having sum(change) <> 0 order by ${columns}
     on conflict (${columns}) do update set count = known.count + excluded.count
   )
   select count(*)::int as count from taken`,
);

/**
 * Adds some changes to the numbers, in no order. Any number of processes may do this at the same time.
 *
 * @returns how many changes were added.
 */
export async function foldExecutionCounts(limit: number): Promise<number> {
  const [row] = await run(foldStatement, [limit]);
  return row?.count ?? 0;
}
