import { run, statement } from '../../platform/database/statement.ts';

/** Characters of log kept for a run; the executor stops at a smaller bound of its own. */
const MAX_RUN_CHARACTERS = 2 * 1024 * 1024;

const storeStatement = statement<{ sequence: number }>(
  'store_run_log',
  `with run as (
     select id, tenant_id, coalesce((select sum(length(text)) from job_run_logs where run_id = job_runs.id), 0) as used
       from job_runs where id = $2::uuid and tenant_id = $1::uuid
   )
   insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
   select run.id, chunk.sequence, run.tenant_id, chunk.stream, chunk.text, chunk.at
     from run cross join jsonb_to_recordset($3::jsonb) as chunk(sequence int, stream log_stream, text text, at timestamptz)
    where run.used < ${MAX_RUN_CHARACTERS}
   on conflict (run_id, sequence) do nothing
   returning sequence`,
);

/** Keeps what is new of a run's log, while the run is under its bound. @returns how many pieces were stored. */
export async function storeLog(tenantId: string, runId: string, chunks: readonly object[]): Promise<number> {
  return (await run(storeStatement, [tenantId, runId, JSON.stringify(chunks)])).length;
}
