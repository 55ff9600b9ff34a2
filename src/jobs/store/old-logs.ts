import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** How the logs of ended runs are deleted whose time is over: first they are marked, and then their pieces go. */

/** How many logs one turn marks, and how many pieces it deletes. */
const LOGS = 500;
const BATCH = 2000;

const markStatement = statement<{ id: string; notified: string }>(
  `with due as materialized (
     select id from job_runs
      where log_next > 0 and ended_at < $1::timestamptz and log_deleted_at is null
      order by ended_at limit ${LOGS} for update skip locked
   )
   update job_runs set log_deleted_at = now() from due where job_runs.id = due.id
   returning job_runs.id, ${notifySql('run-log', 'job_runs.id')} as notified`,
);

/** Marks the logs of runs that ended before this moment as deleted. @returns how many. */
export const markOldLogs = async (tx: Tx, before: Date): Promise<number> =>
  (await run(markStatement, [before], tx)).length;

const marked = `marked as materialized (
  select id from job_runs where log_next > 0 and log_deleted_at is not null
   order by ended_at limit ${LOGS} for update skip locked
)`;

const piecesStatement = statement<{ count: number }>(
  `with ${marked},
   batch as materialized (
     select part.run_id, part.sequence from marked join job_run_logs as part on part.run_id = marked.id limit ${BATCH}
   ),
   gone as (
     delete from job_run_logs as part using batch
      where part.run_id = batch.run_id and part.sequence = batch.sequence returning 1
   )
   select count(*)::int as count from gone`,
);

const clearStatement = statement<{ id: string }>(
  `with ${marked}
   update job_runs set log_next = 0, log_bytes = 0 from marked
    where job_runs.id = marked.id and not exists (select from job_run_logs where run_id = marked.id)
   returning job_runs.id`,
);

/** Deletes up to 2,000 pieces of marked logs. @returns whether there may be more. */
export async function deletePieces(tx: Tx): Promise<boolean> {
  const [row] = await run(piecesStatement, [], tx);
  const cleared = await run(clearStatement, [], tx);
  return row?.count === BATCH || cleared.length === LOGS;
}
