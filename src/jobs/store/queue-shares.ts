import type { Reader } from '../../authorization/store/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import { byText, type Order, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { QueueShare } from '../domain/scheduling/shares.ts';
import type { Pool } from './leases.ts';
import { queueColumns, queuesShownTo } from './queues.ts';

const tryLock = statement<{ mine: boolean }>(
  `select pg_try_advisory_xact_lock(hashtextextended('slipway:shares:' || $1 || '/' || $2, 0)) as mine`,
);
const isFresh = statement<{ fresh: boolean }>(
  `select last_sample_at > now() - make_interval(secs => $3) as fresh from pool_rounds
    where tenant_id = $1::uuid and pool = $2`,
);

/** Whether this transaction is to take samples of a pool: nobody else does, and the last ones are so many seconds old. */
export async function mayTakeSamples(tx: Tx, pool: Pool, everySeconds: number): Promise<boolean> {
  const [lock] = await run(tryLock, [pool.tenantId, pool.name], tx);
  if (lock?.mine !== true) return false;
  const [last] = await run(isFresh, [pool.tenantId, pool.name, everySeconds], tx);
  return last?.fresh !== true;
}

const storeStatement = statement<{ count: number }>(
  `with asked as (
     select * from jsonb_to_recordset($3::jsonb) as asked(
       "queueId" uuid, weight float8, "fairShare" float8, "adjustedShare" float8, "actualShare" float8,
       demand float8, cost float8)
   ),
   stored as (
     insert into queue_share_samples (tenant_id, pool, queue_id, taken_at, weight, fair_share, adjusted_share,
                                      actual_share, demand, cost)
     select $1::uuid, $2, "queueId", now(), weight, "fairShare", "adjustedShare", "actualShare", demand, cost
       from asked join queues as queue on queue.id = asked."queueId" and queue.deleted_at is null
     returning 1
   ),
   marked as (
     insert into pool_rounds as known (tenant_id, pool, last_sample_at) values ($1::uuid, $2, now())
     on conflict (tenant_id, pool) do update set last_sample_at = now()
   )
   select count(*)::int as count from stored`,
);

/** Stores the shares in a pool as of now. @returns how many. */
export async function storeSamples(tx: Tx, pool: Pool, shares: readonly QueueShare[]): Promise<number> {
  const [row] = await run(storeStatement, [pool.tenantId, pool.name, JSON.stringify(shares)], tx);
  return row?.count ?? 0;
}

const sampledPools = statement<{ pool: string }>(
  `select tenant_id || '/' || pool as pool from executors
    where last_seen_at > now() - make_interval(secs => $1) group by tenant_id, pool
   union
   select tenant_id || '/' || pool from pool_rounds as round
    where exists (select from queue_share_samples as sample
                   where sample.tenant_id = round.tenant_id and sample.pool = round.pool
                     and sample.taken_at = round.last_sample_at)`,
);

/**
 * The pools whose executors called in the last `seconds`, or in which queues had shares when samples were taken last;
 * each as `tenant/name`.
 */
export async function listPoolsToSample(seconds: number): Promise<string[]> {
  return (await run(sampledPools, [seconds])).map(({ pool }) => pool);
}

const deleteStatement = statement<{ count: number }>(
  `with batch as (
     select tenant_id, pool, queue_id, taken_at from queue_share_samples
      where taken_at <= now() - make_interval(days => $1::int) order by taken_at limit $2 for update skip locked
   ),
   gone as (
     delete from queue_share_samples as sample using batch
      where (sample.tenant_id, sample.pool, sample.queue_id, sample.taken_at)
            = (batch.tenant_id, batch.pool, batch.queue_id, batch.taken_at) returning 1
   )
   select count(*)::int as count from gone`,
);

/** Deletes some of the samples that are older than so many days, the oldest first. @returns how many. */
export async function deleteOldSamples(days: number, limit: number): Promise<number> {
  const [row] = await run(deleteStatement, [days, limit]);
  return row?.count ?? 0;
}

export interface ShareFigures {
  readonly weight: number;
  readonly fairShare: number;
  readonly adjustedShare: number;
  readonly actualShare: number;
  readonly demand: number;
  readonly cost: number;
}

/** The share of a queue in a pool, at the last moment when samples of the pool were taken. */
export interface LatestShare extends Queue, ShareFigures {
  readonly pool: string;
  readonly takenAt: Date;
}

/** Pool by pool, and the queues of each by name. */
export const latestShareOrder: Order<LatestShare> = [
  ...byText<LatestShare>('sample.pool', 'pool'),
  ...byText<LatestShare>('queue.name', 'name'),
];

function latestShares(reader: Reader, pool: string | null): Rows {
  const { with: queries, from } = queuesShownTo(reader);
  const inPool = pool === null ? nothing : sql`and round.pool = ${pool}`;
  return {
    ...(queries ? { with: queries } : {}),
    from: sql`(select sample.* from pool_rounds as round
                 join queue_share_samples as sample
                   on sample.tenant_id = round.tenant_id and sample.pool = round.pool
                  and sample.taken_at = round.last_sample_at
                where round.tenant_id = ${reader.tenantId}::uuid ${inPool}) as sample
      cross join ${from} and queue.id = sample.queue_id`,
  };
}

const shareColumns = sql`${queueColumns}, sample.pool, sample.taken_at as "takenAt", sample.weight,
  sample.fair_share as "fairShare", sample.adjusted_share as "adjustedShare", sample.actual_share as "actualShare",
  sample.demand, sample.cost`;

/** The latest shares of the queues that the reader may read and that take part in a pool. */
export const listLatestShares = (reader: Reader, pool: string | null, page: Page) =>
  list<LatestShare>(latestShares(reader, pool), shareColumns, latestShareOrder, page);

/** The number of these entries. It is read only if a query asks for it. */
export const countLatestShares = (reader: Reader, pool: string | null) => count(latestShares(reader, pool));

/** A time window, and the length of its steps. */
export interface ShareWindow {
  readonly from: Date;
  readonly to: Date;
  readonly stepMs: number;
}

/** The average of the samples of one step. */
export interface ShareStep extends ShareFigures {
  readonly queueId: string;
  readonly pool: string;
  /** When the step begins. */
  readonly at: Date;
}

const historyStatement = statement<ShareStep>(
  `select sample.queue_id as "queueId", sample.pool,
          $4::timestamptz + (floor(extract(epoch from sample.taken_at - $4::timestamptz) * 1000 / $6) * $6)
                            * interval '1 millisecond' as at,
          avg(sample.weight) as weight, avg(sample.fair_share) as "fairShare",
          avg(sample.adjusted_share) as "adjustedShare", avg(sample.actual_share) as "actualShare",
          avg(sample.demand) as demand, avg(sample.cost) as cost
     from unnest($2::uuid[], $3::text[]) as parent(queue_id, pool)
     join queue_share_samples as sample
       on sample.tenant_id = $1::uuid and sample.pool = parent.pool and sample.queue_id = parent.queue_id
      and sample.taken_at >= $4::timestamptz and sample.taken_at < $5::timestamptz
    group by 1, 2, 3 order by 1, 2, 3`,
);

/** A queue in a pool, as one key. Names of pools have no slash. */
export const shareKey = ({ queueId, pool }: { readonly queueId: string; readonly pool: string }) =>
  `${queueId}/${pool}`;

/** The shares of each queue in a pool in the window, step by step. Steps without samples are left out. */
export function listShareSteps(
  tenantId: string,
  keys: readonly string[],
  { from, to, stepMs }: ShareWindow,
): Promise<ShareStep[]> {
  const parts = keys.map((key) => key.split('/'));
  const queueIds = parts.map(([queueId = '']) => queueId);
  const pools = parts.map(([, pool = '']) => pool);
  return run(historyStatement, [tenantId, queueIds, pools, from, to, stepMs]);
}
