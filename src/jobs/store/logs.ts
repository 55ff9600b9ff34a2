import { run, statement } from '../../platform/database/statement.ts';

/** How much log of a run is stored. The executor itself stops earlier. */
const MAX_RUN_BYTES = 2 * 1024 * 1024;

const storeStatement = statement<{ stored: number }>(
  `with run as (
     select job_runs.id, job_runs.tenant_id, log_bytes
       from job_runs join executors on executors.id = job_runs.executor_id and executors.user_id = $1::uuid
      where job_runs.id = $2::uuid for update of job_runs
   ),
   asked as (
     select *, sum(octet_length(text)) over (order by sequence) as bytes
       from jsonb_to_recordset($3::jsonb) as chunk(sequence int, stream log_stream, text text, "printedAt" timestamptz)
   ),
   stored as (
     insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
     select run.id, asked.sequence, run.tenant_id, asked.stream, asked.text, asked."printedAt"
       from run cross join asked
      where run.log_bytes + asked.bytes <= ${MAX_RUN_BYTES}
     on conflict (run_id, sequence) do nothing
     returning octet_length(text) as bytes
   ),
   counted as (
     update job_runs set log_bytes = job_runs.log_bytes + (select sum(bytes) from stored)
       from run where job_runs.id = run.id and exists (select from stored)
   )
   select count(*)::int as stored from stored`,
);

/** Stores the new pieces of a run's log, up to its limit. @returns how many pieces were stored. */
export async function storeLog(userId: string, runId: string, chunks: readonly object[]): Promise<number> {
  const [row] = await run(storeStatement, [userId, runId, JSON.stringify(chunks)]);
  return row?.stored ?? 0;
}
