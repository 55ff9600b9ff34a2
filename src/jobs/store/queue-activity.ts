import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Page } from '../../platform/database/page.ts';
import { byText, lastIdFirst, type Order } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach } from '../../platform/database/statement.ts';
import { openStates } from '../domain/states.ts';
import { countedJobs } from './job-counts.ts';
import { queueColumns, queuesShownTo } from './queues.ts';

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

/** The columns with the resources that decide about the jobs of a job set. */
const setResources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'set.workflow_entity_id' },
  { type: 'QUEUE', column: 'set.queue_id' },
  { type: 'PROJECT', column: 'set.project_id' },
];

/** All numbers are from one moment. The row of a job set has them, so nothing is counted here. */
function activeJobSets(reader: Reader): Rows {
  const readable = readableSql(reader, setResources);
  return {
    with: readable.with,
    from: sql`(
      select set.id, set.queue_id as "queueId", set.name, set.queued_jobs as "queuedJobs",
             set.open_jobs - set.queued_jobs as "leasedJobs"
        from job_sets as set ${readable.joins}
       where set.tenant_id = ${reader.tenantId}::uuid and set.is_active and ${readable.condition}) as active
      where true`,
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
  ...byText<ActiveQueue>('open.pool', 'pool'),
  ...byText<ActiveQueue>('queue.name', 'name'),
];

/** Which of the pools are listed: one, or null for all. */
function activeQueues(reader: Reader, pool: string | null): Rows {
  const { with: queries, from } = queuesShownTo(reader);
  const inPool = pool === null ? nothing : sql`and open.pool = ${pool}`;
  return {
    ...(queries ? { with: queries } : {}),
    from: sql`(select counted.queue_id, counted.pool from ${countedJobs(reader.tenantId, null)} as counted
                where counted.state = any(${openStates}::text[]::job_state[])
                group by counted.queue_id, counted.pool having sum(counted.n) > 0) as open
      cross join ${from} and queue.id = open.queue_id ${inPool}`,
  };
}

/** The queues that the reader may read and that have jobs which have not ended, once for each pool of these jobs. */
export const listActiveQueues = (reader: Reader, pool: string | null, page: Page) =>
  list<ActiveQueue>(activeQueues(reader, pool), sql`open.pool, ${queueColumns}`, activeQueueOrder, page);

/** The number of these entries. It is read only if a query asks for it. */
export const countActiveQueues = (reader: Reader, pool: string | null) => count(activeQueues(reader, pool));
