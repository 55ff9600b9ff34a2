import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** The key and the owner of a job set. */
export interface JobSetKey {
  readonly tenantId: string;
  readonly queueId: string;
  readonly name: string;
  /** The owner of the job set; null if everybody who may use the queue may use it. */
  readonly ownerId: string | null;
  /** The project of the work. It may read and write the files of this project. Null for none. */
  readonly projectId: string | null;
  /** The workflow of the execution that owns it; null for none. */
  readonly workflowEntityId: string | null;
}

/*
 * The statements about many jobs join no query of their `with` to another one. The planner expects one row of each, and
 * would compare each row of the one with each row of the other: reports about 500 jobs in 500 job sets would take 250,000
 * comparisons. So they look up what they need by `in`, or in one JSON object, both of which PostgreSQL does by key.
 */

/**
 * The queries `counted`, `numbered`, `bumped` and `numbers` of a `with`. They take as many event numbers of each job set as
 * `rows` has rows with its `job_set_id`. See `numberOf`. From then on, whoever else needs numbers of these job sets waits
 * until the transaction ends.
 *
 * @param after  other queries of the `with` that change rows. They are done before, so that others wait less.
 */
export const numbersFor = (rows: string, ...after: readonly string[]): string => `counted as (
     select job_set_id, count(*) as n from ${rows}
      where ${['true', ...after.map((name) => `(select count(*) from ${name}) >= 0`)].join(' and ')}
      group by job_set_id
   ),
   numbered as materialized (
     select set.id, n from counted join job_sets as set on set.id = counted.job_set_id
      order by set.id for no key update of set
   ),
   bumped as (
     update job_sets as set set last_sequence = last_sequence + n from numbered where set.id = numbered.id
     returning set.id, coalesce(set.owner_id, set.id) as news, set.last_sequence - n as base
   ),
   numbers as (select jsonb_object_agg(id, base) as bases, jsonb_object_agg(id, news) as news from bumped)`;

/** Whether the query `stream`, which locks job sets, has locked this one. `is true` keeps this from becoming a join. */
export const isLocked = (jobSetId: string): string => `(${jobSetId} in (select id from stream)) is true`;

/** The event number of a row, in a query over all `rows` of `numbersFor`. */
export const numberOf = (jobSetId: string, order: string): string =>
  `((select bases from numbers)->>${jobSetId}::text)::bigint
            + row_number() over (partition by ${jobSetId} order by ${order})`;

/** The id under which listeners know the job set of a row. */
export const newsOf = (jobSetId: string): string => `((select news from numbers)->>${jobSetId}::text)`;

const ensureJobSet = statement<{ id: string; ownerId: string | null }>(
  `insert into job_sets as known (id, tenant_id, queue_id, name, owner_id, project_id, workflow_entity_id)
   values ($1::uuid, $2::uuid, $3::uuid, $4, $5::uuid, $6::uuid, $7::uuid)
   on conflict (tenant_id, queue_id, name) do update set name = known.name
   returning id, owner_id as "ownerId"`,
);

/**
 * Finds or creates a job set, and locks its row until the transaction ends: also against reports and assignments, because
 * `name` is a part of its key. Null if the job set has another owner.
 */
export async function lockJobSet(tx: Tx, newId: string, key: JobSetKey): Promise<string | null> {
  const { tenantId, queueId, name, ownerId, projectId, workflowEntityId } = key;
  const values = [newId, tenantId, queueId, name, ownerId, projectId, workflowEntityId];
  const [row] = await run(ensureJobSet, values, tx);
  if (!row) throw new Error('the job set does not exist and cannot be created');
  return row.ownerId === key.ownerId ? row.id : null;
}

const lockSetsOfJobs = statement<{ id: string }>(
  `select id from job_sets where id in (select job_set_id from jobs where id = any($1::uuid[]))
    order by id for update`,
);

/** Locks the job sets of these jobs. The next statement sees every run of the jobs that was created before. */
export async function lockJobSetsOf(tx: Tx, jobIds: readonly string[]): Promise<void> {
  await run(lockSetsOfJobs, [jobIds], tx);
}

export interface JobSetEvent {
  readonly sequence: bigint;
  readonly jobId: string;
  readonly clientId: string | null;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** How many bytes of events one read returns, in whole events, because outputs may be large. */
export const MAX_EVENTS_BYTES = 8 * 1024 * 1024;

const readNews = statement<JobSetEvent>(
  `with news as (
     select event.*, sum(length(event.detail::text)) over (order by event.sequence) as bytes,
            row_number() over (order by event.sequence) as number
       from job_sets as set
       join lateral (select * from job_events
                      where job_set_id = set.id and sequence > set.owner_sequence
                      order by sequence limit $2) as event on true
      where set.owner_id = $1::uuid
   )
   select news.sequence, news.job_id as "jobId", job.client_id as "clientId", news.kind::text as kind, news.detail,
          news.created_at as "createdAt"
     from news join jobs as job on job.id = news.job_id
    where news.bytes <= ${MAX_EVENTS_BYTES} or news.number = 1
    order by news.sequence`,
);

/**
 * The next events that the owner of a job set has not read yet, in their order: at most `limit` events, and at most 8
 * MiB.
 */
export function listNews(tx: Tx, ownerId: string, limit: number): Promise<JobSetEvent[]> {
  return run(readNews, [ownerId, limit], tx);
}

const acknowledge = statement<{ hasMore: boolean }>(
  `update job_sets set owner_sequence = $2 where owner_id = $1::uuid
   returning last_sequence > owner_sequence as "hasMore"`,
);

/** Stores up to which event the owner has read. @returns whether there are more events. */
export async function acknowledgeNews(tx: Tx, ownerId: string, sequence: bigint): Promise<boolean> {
  const [row] = await run(acknowledge, [ownerId, sequence], tx);
  return row?.hasMore === true;
}

const openJobs = statement<{ some: boolean }>(
  `select exists (
     select from job_sets as set join jobs as job on job.job_set_id = set.id
      where set.owner_id = $1::uuid and job.ended_at is null
   ) as some`,
);

/** Whether the owner's job set has a job that has not ended. */
export async function hasOpenJobs(tx: Tx, ownerId: string): Promise<boolean> {
  const [row] = await run(openJobs, [ownerId], tx);
  return row?.some === true;
}

const withoutJob = statement<{ clientId: string }>(
  `select asked.client_id as "clientId" from unnest($2::text[]) as asked(client_id)
    where not exists (
      select from job_sets as set join jobs as job on job.job_set_id = set.id and job.client_id = asked.client_id
       where set.owner_id = $1::uuid
         and (job.ended_at is null
              or exists (select from job_events as event
                          where event.job_set_id = set.id and event.job_id = job.id
                            and event.sequence > set.owner_sequence)))`,
);

/** Those client ids for which the owner will never get another event: their jobs do not exist or have ended. */
export async function listWithoutJob(
  tx: Tx,
  ownerId: string,
  clientIds: readonly string[],
): Promise<string[]> {
  if (clientIds.length === 0) return [];
  return (await run(withoutJob, [ownerId, clientIds], tx)).map((row) => row.clientId);
}

const ownersWithNews = statement<{ ownerId: string }>(
  `select owner_id as "ownerId" from job_sets
    where owner_id is not null and last_sequence > owner_sequence limit $1`,
);

/** Owners of job sets that have not read all events. */
export async function listOwnersWithNews(limit: number): Promise<string[]> {
  return (await run(ownersWithNews, [limit])).map((row) => row.ownerId);
}

const freeStatement = statement<{ isFree: boolean }>(
  'select exists (select from job_sets where id = $1::uuid and owner_id is null) as "isFree"',
);

/** Whether this is the id of a job set that no execution owns. */
export async function isFreeJobSet(id: string): Promise<boolean> {
  const [row] = await run(freeStatement, [id]);
  return row?.isFree === true;
}
