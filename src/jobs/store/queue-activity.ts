import type { Reader } from '../../authorization/store/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { JobState } from '../../generated/prisma/enums.ts';
import type { Page } from '../../platform/database/page.ts';
import { byText, lastIdFirst, type Order } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach, query } from '../../platform/database/statement.ts';
import { queueColumns, queuesShownTo } from './queues.ts';
import { jobsShownTo } from './reads.ts';

export interface JobStateCount {
  readonly queueId: string;
  readonly state: JobState;
  readonly count: number;
}

/** How many of the jobs that the reader may read are in each state, for each queue. States without jobs are left out. */
export function countJobsByState(reader: Reader, queueIds: readonly string[]): Promise<JobStateCount[]> {
  const { with: queries = nothing, from } = jobsShownTo(reader);
  return query<JobStateCount>(sql`${queries}
    select job.queue_id as "queueId", job.state::text as state, count(*)::int as count
      from ${from} and job.queue_id = any(${queueIds}::uuid[])
     group by job.queue_id, job.state order by job.state`);
}

/** A job set with jobs that have not ended. */
export interface ActiveJobSet {
  readonly id: string;
  readonly queueId: string;
  readonly name: string;
  /** How many of its jobs wait for an executor. */
  readonly queuedJobs: number;
  /** How many of its jobs an executor has, also those that are being stopped. */
  readonly leasedJobs: number;
}

/** The newest job set first. */
export const activeJobSetOrder: Order<ActiveJobSet> = lastIdFirst('active');

/** All numbers are from one moment, because one statement counts them. */
function activeJobSets(reader: Reader): Rows {
  const { with: queries, from } = jobsShownTo(reader);
  return {
    ...(queries ? { with: queries } : {}),
    from: sql`(
      select set.id, job.queue_id as "queueId", set.name,
             (count(*) filter (where job.state = 'QUEUED'))::int as "queuedJobs",
             (count(*) filter (where job.state <> 'QUEUED'))::int as "leasedJobs"
        from ${from} and job.ended_at is null
       group by set.id, job.queue_id, set.name) as active where true`,
  };
}

/** The active job sets of each queue, of which the reader may read at least one job that has not ended. */
export const activeJobSetsOf = (reader: Reader) =>
  listOfEach<null, ActiveJobSet>(
    'active."queueId"',
    () => activeJobSets(reader),
    raw('active.*'),
    () => activeJobSetOrder,
  );

/** A pool and a queue with jobs in this pool that have not ended. */
export interface ActiveQueue extends Queue {
  readonly pool: string;
}

/** Pool by pool, and the queues of each by name. */
export const activeQueueOrder: Order<ActiveQueue> = [
  ...byText<ActiveQueue>('open.pool', ({ pool }) => pool),
  ...byText<ActiveQueue>('queue.name', ({ name }) => name),
];

/** Which of the pools are listed: one, or null for all. */
function activeQueues(reader: Reader, pool: string | null): Rows {
  const { with: queries, from } = queuesShownTo(reader);
  const inPool = pool === null ? nothing : sql`and open.pool = ${pool}`;
  return {
    ...(queries ? { with: queries } : {}),
    from: sql`(select queue_id, pool from jobs
                where tenant_id = ${reader.tenantId}::uuid and ended_at is null
                group by queue_id, pool) as open
      cross join ${from} and queue.id = open.queue_id ${inPool}`,
  };
}

/** The queues that the reader may read and that have jobs which have not ended, once for each pool of these jobs. */
export const listActiveQueues = (reader: Reader, pool: string | null, page: Page) =>
  list<ActiveQueue>(activeQueues(reader, pool), sql`open.pool, ${queueColumns}`, activeQueueOrder, page);

/** The number of these entries. It is read only if a query asks for it. */
export const countActiveQueues = (reader: Reader, pool: string | null) => count(activeQueues(reader, pool));
