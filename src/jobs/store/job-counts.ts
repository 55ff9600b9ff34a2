import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { JobState } from '../../generated/prisma/enums.ts';
import { nothing, type Sql, sql } from '../../platform/database/sql.ts';
import { query, run, statement } from '../../platform/database/statement.ts';

/*
 * How many jobs there are in each state, for everything that decides who may read them. A trigger of jobs writes each
 * change as a row of its own, so that transactions do not wait for each other; the scheduler adds the changes up. The
 * number is always the sum of both. No read looks at the jobs.
 */

const columns = 'tenant_id, queue_id, pool, project_id, workflow_entity_id, state';

/** The columns with the resources that decide who may read the jobs of a number. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'counted.workflow_entity_id' },
  { type: 'QUEUE', column: 'counted.queue_id' },
  { type: 'PROJECT', column: 'counted.project_id' },
];

/** All numbers and changes of a tenant, of some queues or of all. */
export const countedJobs = (tenantId: string, queueIds: readonly string[] | null): Sql => {
  const which = sql`tenant_id = ${tenantId}::uuid
    ${queueIds === null ? nothing : sql`and queue_id = any(${queueIds}::uuid[])`}`;
  return sql`(
    select queue_id, pool, project_id, workflow_entity_id, state, count as n from job_counts where ${which}
    union all
    select queue_id, pool, project_id, workflow_entity_id, state, change from job_count_changes where ${which})`;
};

export interface JobStateCount {
  readonly queueId: string;
  readonly state: JobState;
  readonly count: number;
}

/** How many of the jobs that the reader may read are in each state, for each queue. States without jobs are left out. */
export function countJobsByState(reader: Reader, queueIds: readonly string[]): Promise<JobStateCount[]> {
  const readable = readableSql(reader, resources);
  return query<JobStateCount>(sql`${readable.with}
    select counted.queue_id as "queueId", counted.state::text as state, sum(counted.n)::int as count
      from ${countedJobs(reader.tenantId, queueIds)} as counted ${readable.joins}
     where ${readable.condition}
     group by counted.queue_id, counted.state having sum(counted.n) > 0 order by counted.state`);
}

// In no order: by the index, PostgreSQL would look at every change that was added up since the table was last vacuumed.
const foldStatement = statement<{ count: number }>(
  `with batch as materialized (
     select id from job_count_changes limit $1 for update skip locked
   ),
   taken as (
     delete from job_count_changes as change using batch where change.id = batch.id returning change.*
   ),
   stored as (
     insert into job_counts as known (id, ${columns}, count)
     select gen_random_uuid(), ${columns}, sum(change) from taken
      where exists (select from queues where id = queue_id for key share)
      group by ${columns} having sum(change) <> 0 order by ${columns}
     on conflict (${columns}) do update set count = known.count + excluded.count
   )
   select count(*)::int as count from taken`,
);

/**
 * Adds some changes to the numbers, in no order. Any number of processes may do this at the same time.
 *
 * @returns how many changes were added.
 */
export async function foldJobCounts(limit: number): Promise<number> {
  const [row] = await run(foldStatement, [limit]);
  return row?.count ?? 0;
}
