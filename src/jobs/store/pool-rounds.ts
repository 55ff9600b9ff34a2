import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Pool } from './leases.ts';

const recordStatement = statement(
  `insert into pool_rounds as known (tenant_id, pool, last_round_at) values ($1::uuid, $2, now())
   on conflict (tenant_id, pool) do update set last_round_at = now()
    where known.last_round_at is null or known.last_round_at < now() - interval '1 second'`,
);

/** Stores that a round looks at the pool now, but not more than once in a second. */
export async function recordRound(tx: Tx, { tenantId, name }: Pool): Promise<void> {
  await run(recordStatement, [tenantId, name], tx);
}
