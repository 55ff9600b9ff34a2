import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { BrakeSettings, BrakeState, Bucket } from '../domain/scheduling/brakes.ts';
import type { Pool } from './leases.ts';

/** Stands for the whole pool in place of a queue. */
const WHOLE_POOL = '00000000-0000-0000-0000-000000000000';

const readStatement = statement<{
  queueId: string | null;
  tokens: number | null;
  at: Date | null;
  now: Date;
}>(
  `select bucket.queue_id as "queueId", bucket.tokens, bucket.at, clock_timestamp() as now
     from (select 1) as one
     left join scheduling_buckets as bucket on bucket.tenant_id = $1::uuid and bucket.pool = $2`,
);

/** Without a rate, nothing is remembered from one round to the next. */
const hasRate = ({ pool, queue }: BrakeSettings): boolean => pool !== null || queue !== null;

/** The buckets of a pool, by the clock of the database. Who assigns jobs has locked the pool before. */
export async function readBrakes(tx: Tx, pool: Pool, settings: BrakeSettings): Promise<BrakeState> {
  if (!hasRate(settings)) return { settings, pool: null, queues: new Map(), atMs: 0 };
  const rows = await run(readStatement, [pool.tenantId, pool.name], tx);
  const buckets = new Map<string, Bucket>();
  for (const { queueId, tokens, at } of rows)
    if (queueId !== null && tokens !== null && at !== null)
      buckets.set(queueId, { tokens, atMs: at.getTime() });
  const whole = buckets.get(WHOLE_POOL) ?? null;
  buckets.delete(WHOLE_POOL);
  return { settings, pool: whole, queues: buckets, atMs: rows[0]?.now.getTime() ?? 0 };
}

const storeStatement = statement<Record<string, never>>(
  `with given as (
     select * from jsonb_to_recordset($3::jsonb) as given("queueId" uuid, tokens float8, "atMs" float8)
   ),
   gone as (
     delete from scheduling_buckets
      where tenant_id = $1::uuid and pool = $2 and queue_id not in (select "queueId" from given)
   )
   insert into scheduling_buckets (tenant_id, pool, queue_id, tokens, at)
   select $1::uuid, $2, "queueId", tokens, to_timestamp("atMs" / 1000) from given
   on conflict (tenant_id, pool, queue_id) do update set tokens = excluded.tokens, at = excluded.at`,
);

/** Replaces all buckets of a pool. */
export async function storeBrakes(
  tx: Tx,
  pool: Pool,
  settings: BrakeSettings,
  { pool: whole, queues }: { readonly pool: Bucket | null; readonly queues: ReadonlyMap<string, Bucket> },
): Promise<void> {
  if (!hasRate(settings)) return;
  const ofPool = whole ? [[WHOLE_POOL, whole] as const] : [];
  const rows = [...ofPool, ...queues].map(([queueId, bucket]) => ({ queueId, ...bucket }));
  await run(storeStatement, [pool.tenantId, pool.name, JSON.stringify(rows)], tx);
}
