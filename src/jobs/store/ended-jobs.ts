import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * How plain jobs are deleted whose time is over. Jobs of executions go with their execution. What another transaction
 * has locked waits for a later turn.
 */

/** How many rows one statement deletes. */
const BATCH = 2000;
/** How many jobs one turn looks at. */
const JOBS = 500;

const due = `due as materialized (
  select id from jobs where ended_at is not null and not is_owned and ended_at < $1::timestamptz
   order by ended_at, id limit ${JOBS}
)`;

/** Nobody takes a part of a log for the whole. */
const markStatement = statement<{ count: number }>(
  `with ${due},
   batch as materialized (
     select part.id from due join job_runs as part on part.job_id = due.id
      where part.log_next > 0 and part.log_deleted_at is null limit ${BATCH} for update of part skip locked
   ),
   marked as (
     update job_runs as part set log_deleted_at = now() from batch where part.id = batch.id returning 1
   )
   select count(*)::int as count from marked`,
);

const logsStatement = statement<{ count: number }>(
  `with ${due},
   batch as materialized (
     select part.run_id, part.sequence from due join job_runs as run on run.job_id = due.id
       join job_run_logs as part on part.run_id = run.id where run.log_deleted_at is not null limit ${BATCH}
   ),
   gone as (
     delete from job_run_logs as part using batch
      where part.run_id = batch.run_id and part.sequence = batch.sequence returning 1
   )
   select count(*)::int as count from gone`,
);

const runsStatement = statement<{ count: number }>(
  `with ${due},
   batch as materialized (
     select part.id from due join job_runs as part on part.job_id = due.id
      where not exists (select from job_run_logs where run_id = part.id)
      limit ${BATCH} for update of part skip locked
   ),
   gone as (delete from job_runs as part using batch where part.id = batch.id returning 1)
   select count(*)::int as count from gone`,
);

const jobsStatement = statement<{ gangId: string | null }>(
  `with ${due},
   batch as materialized (
     select part.id from due join jobs as part on part.id = due.id
      where not exists (select from job_runs where job_id = part.id) for update of part skip locked
   )
   delete from jobs as part using batch where part.id = batch.id returning part.gang_id as "gangId"`,
);

/**
 * Deletes up to 2,000 rows of jobs that ended before this moment: first of their logs, which are marked before, then of
 * their runs, and then up to 500 jobs, the oldest first.
 *
 * @returns the gangs of the deleted jobs, and whether there may be more to delete at once.
 */
export async function deleteEndedJobs(
  tx: Tx,
  before: Date,
): Promise<{ readonly jobs: number; readonly gangIds: readonly string[]; readonly hasMore: boolean }> {
  for (const batch of [markStatement, logsStatement, runsStatement]) {
    const [row] = await run(batch, [before], tx);
    if ((row?.count ?? 0) === BATCH) return { jobs: 0, gangIds: [], hasMore: true };
  }
  const rows = await run(jobsStatement, [before], tx);
  const gangIds = new Set(rows.flatMap(({ gangId }) => (gangId === null ? [] : [gangId])));
  return { jobs: rows.length, gangIds: [...gangIds], hasMore: rows.length === JOBS };
}

const lockGangs = statement<{ id: string }>(
  'select id from gangs where id = any($1::uuid[]) order by id for update skip locked',
);
const dropStatement = statement<{ id: string }>(
  `delete from gangs as gang where id = any($1::uuid[]) and not exists (select from jobs where gang_id = gang.id)
   returning id`,
);

/** Deletes those of these gangs that have no job any more. A submission that adds jobs to one has locked it. */
export async function dropEmptyGangs(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const locked = await run(lockGangs, [ids], tx);
  await run(dropStatement, [locked.map(({ id }) => id)], tx);
}
