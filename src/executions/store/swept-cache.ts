import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * The statements that keep the cache of outputs small. They leave out entries that executions take at the moment, so
 * that they never wait for a turn of the engine.
 */

const lockStatement = statement<{ mine: boolean }>(
  `select pg_try_advisory_xact_lock(hashtextextended('slipway:sweep-cached-outputs', 0)) as mine`,
);

/** Whether this transaction is the only one that sweeps the cache. */
export async function tryLockSweep(tx: Tx): Promise<boolean> {
  const [row] = await run(lockStatement, [], tx);
  return row?.mine === true;
}

const unusedStatement = statement<{ id: string }>(
  `delete from cache_entries where id in (
     select id from cache_entries where last_used_at < $1::timestamptz
      order by last_used_at, id limit $2 for update skip locked)
   returning id`,
);

/** Deletes entries that no execution has taken since `before`, those that were used least recently first. */
export async function deleteUnusedEntries(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await run(unusedStatement, [before, limit], tx)).length;
}

const surplusStatement = statement<{ id: string }>(
  `with crowded as materialized (
     select project_id, task_domain, count(*) - $1 as surplus from cache_entries
      group by project_id, task_domain having count(*) > $1 order by project_id, task_domain
   )
   delete from cache_entries where id in (
     select least_used.id from crowded cross join lateral (
       select entry.id from cache_entries as entry
        where (entry.project_id, entry.task_domain) = (crowded.project_id, crowded.task_domain)
        order by entry.last_used_at, entry.id limit least(crowded.surplus, $2) for update skip locked) as least_used
      limit $2)
   returning id`,
);

/**
 * Deletes what each project has stored for tasks of one domain beyond `most` entries, those that were used least
 * recently first. The caller must have locked the sweep.
 */
export async function deleteSurplusEntries(tx: Tx, most: number, limit: number): Promise<number> {
  return (await run(surplusStatement, [most, limit], tx)).length;
}
