import { type Reader, readableSql } from '../../authorization/store/readable.ts';
import type { JobState } from '../../generated/prisma/enums.ts';
import { lastIdFirst, type Order, type Page, reversed } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, exists, list } from '../../platform/database/statement.ts';
import { openStates, unsuccessfulStates } from '../domain/states.ts';
import { type JobRow, jobColumns, jobResources, jobTables } from './reads.ts';
import { inStates } from './runs.ts';

export type JobOrder = 'NEWEST' | 'OLDEST' | 'PRIORITY';

/** Which jobs a list shows, and in which order. Null leaves a condition out. */
export interface JobListFilter {
  readonly queueId: string | null;
  readonly jobSet: string | null;
  readonly states: readonly JobState[] | null;
  readonly ids: readonly string[] | null;
  readonly clientIds: readonly string[] | null;
  readonly externalUri: string | null;
  readonly priorityClasses: readonly string[] | null;
  readonly pools: readonly string[] | null;
  /** All of these labels. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** At this time or later. */
  readonly submittedAfter: Date | null;
  readonly submittedBefore: Date | null;
  readonly orderBy: JobOrder;
}

const newest = lastIdFirst('job');

const orders: Readonly<Record<JobOrder, Order<JobRow>>> = {
  NEWEST: newest,
  OLDEST: reversed(newest),
  PRIORITY: [
    {
      column: 'job.class_priority',
      type: 'int',
      direction: 'desc',
      of: ({ classPriority }) => String(classPriority),
    },
    { column: 'job.priority', type: 'bigint', direction: 'asc', of: ({ priority }) => String(priority) },
    {
      column: 'job.submitted_at',
      type: 'timestamptz',
      direction: 'asc',
      of: ({ submittedAt }) => submittedAt.toISOString(),
    },
    ...reversed(newest),
  ],
};

export const jobListOrder = ({ orderBy }: Pick<JobListFilter, 'orderBy'>): Order<JobRow> => orders[orderBy];

function shownTo(reader: Reader, filter: JobListFilter): Rows {
  const readable = readableSql(reader, jobResources);
  const { queueId, jobSet, states, ids, clientIds, externalUri, priorityClasses, pools, labels } = filter;
  const { submittedAfter, submittedBefore } = filter;
  const areAll = (of: readonly JobState[]) => states?.every((state) => of.includes(state));
  // The states say already what the two lines after them say, but only by these does PostgreSQL see that the index of open
  // jobs, or that of unsuccessful jobs, has all of them.
  const from = sql`${raw(jobTables)} ${readable.joins}
    where job.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}
      ${queueId === null ? nothing : sql`and job.queue_id = ${queueId}::uuid`}
      ${jobSet === null ? nothing : sql`and set.name = ${jobSet}`}
      ${states ? sql`and job.state = any(${states}::job_state[])` : nothing}
      ${areAll(openStates) ? sql`and job.ended_at is null` : nothing}
      ${areAll(unsuccessfulStates) ? sql`and ${raw(inStates('job.state', unsuccessfulStates))}` : nothing}
      ${ids ? sql`and job.id = any(${ids}::uuid[])` : nothing}
      ${clientIds ? sql`and job.client_id = any(${clientIds}::text[])` : nothing}
      ${externalUri === null ? nothing : sql`and job.external_uri = ${externalUri}`}
      ${priorityClasses ? sql`and job.priority_class = any(${priorityClasses}::text[])` : nothing}
      ${pools ? sql`and job.pool = any(${pools}::text[])` : nothing}
      ${labels ? sql`and job.labels @> ${JSON.stringify(labels)}::jsonb` : nothing}
      ${submittedAfter ? sql`and job.submitted_at >= ${submittedAfter}::timestamptz` : nothing}
      ${submittedBefore ? sql`and job.submitted_at < ${submittedBefore}::timestamptz` : nothing}`;
  return { with: readable.with, from };
}

/** The jobs that the reader may read: one page, and one more row if there is one. */
export const listJobs = (reader: Reader, filter: JobListFilter, page: Page): Promise<JobRow[]> =>
  list<JobRow>(shownTo(reader, filter), raw(jobColumns), jobListOrder(filter), page);

/** The number of these jobs. It is read only if a query asks for it. */
export const countJobs = (reader: Reader, filter: JobListFilter): Promise<number> =>
  count(shownTo(reader, filter));

/** Whether the reader may read at least one job of a queue. Then the reader may list its jobs. */
export function hasReadableJob(reader: Reader, queueId: string | null): Promise<boolean> {
  const readable = readableSql(reader, jobResources);
  return exists({
    with: readable.with,
    from: sql`${raw(jobTables)} ${readable.joins}
      where job.tenant_id = ${reader.tenantId}::uuid and job.queue_id = ${queueId}::uuid and ${readable.condition}`,
  });
}
