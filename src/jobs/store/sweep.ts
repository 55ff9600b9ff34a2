import { run, type Statement, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** How the job set of an owner that is gone is deleted, a few rows at a time. */

const lockStatement = statement<{ id: string }>(
  'select id from job_sets where owner_id = $1::uuid for update skip locked',
);
const existsStatement = statement<{ some: boolean }>(
  'select exists (select from job_sets where owner_id = $1::uuid) as some',
);

/** The id of the owner's job set, which is locked until the transaction ends; null if somebody else has the lock, or if it is gone. */
export async function lockToSweep(tx: Tx, ownerId: string): Promise<string | null> {
  const [row] = await run(lockStatement, [ownerId], tx);
  return row?.id ?? null;
}

export async function ownsJobSet(tx: Tx, ownerId: string): Promise<boolean> {
  const [row] = await run(existsStatement, [ownerId], tx);
  return row?.some === true;
}

/** The largest number of an event. */
const LAST = 2n ** 63n - 1n;

const abandonStatement = statement<{ id: string }>(
  'update job_sets set owner_sequence = $2 where id = $1::uuid returning id',
);

/** Nobody reads the events of the job set any more. Otherwise the scheduler would be asked again and again to read them. */
export const abandonNews = (tx: Tx, jobSetId: string) => run(abandonStatement, [jobSetId, LAST], tx);

/** How many rows one statement deletes, and of how many jobs. */
const BATCH = 2000;

/**
 * The first jobs of the set, so that a turn does not read those that it leaves to the next one. Only the index of job sets
 * has this order: by the id alone, PostgreSQL might go through the jobs of all other sets.
 */
const head = `head as materialized (
  select id from jobs
   where (job_set_id, id) >= ($1::uuid, '00000000-0000-0000-0000-000000000000')
     and (job_set_id, id) <= ($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
   order by job_set_id, id limit ${BATCH}
)`;

const deletion = (
  table: string,
  key: readonly string[],
  from: string,
  condition = 'true',
): Statement<{ count: number }> =>
  statement(
    `with ${head},
     batch as materialized (
       select ${key.map((column) => `part.${column}`).join(', ')} from ${from} where ${condition}
        limit ${BATCH} for update of part skip locked
     ),
     gone as (
       delete from ${table} as part using batch
        where ${key.map((column) => `part.${column} = batch.${column}`).join(' and ')} returning 1
     )
     select count(*)::int as count from gone`,
  );

/**
 * From the inside to the outside, because the foreign keys of jobs delete nothing by themselves. A row stays if another
 * transaction has locked something inside of it.
 */
const batches: readonly Statement<{ count: number }>[] = [
  deletion(
    'job_run_logs',
    ['run_id', 'sequence'],
    'head join job_runs as run on run.job_id = head.id join job_run_logs as part on part.run_id = run.id',
  ),
  deletion('job_runs', ['id'], 'head join job_runs as part on part.job_id = head.id'),
  deletion(
    'jobs',
    ['id'],
    'head join jobs as part on part.id = head.id',
    'not exists (select from job_runs as run where run.job_id = part.id)',
  ),
  deletion('job_events', ['job_set_id', 'sequence'], 'job_events as part', 'part.job_set_id = $1::uuid'),
];

const deleteStatement = statement<{ id: string }>(
  `delete from job_sets as set where id = $1::uuid
      and not exists (select from jobs where job_set_id = set.id)
      and not exists (select from job_events where job_set_id = set.id)
   returning id`,
);

/**
 * Deletes rows of a job set: those of up to 2,000 jobs, at most 2,000 of one table after the other; then its events; in
 * the end the job set.
 *
 * @returns MORE if there is more to delete, BUSY if the rest is locked by other transactions.
 */
export async function sweepRows(tx: Tx, jobSetId: string): Promise<'GONE' | 'MORE' | 'BUSY'> {
  for (const batch of batches) {
    const [row] = await run(batch, [jobSetId], tx);
    if ((row?.count ?? 0) === BATCH) return 'MORE';
  }
  return (await run(deleteStatement, [jobSetId], tx)).length > 0 ? 'GONE' : 'BUSY';
}
