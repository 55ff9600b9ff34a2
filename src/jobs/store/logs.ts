import type { LogStream } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { LogChunkRow } from './reads.ts';

/** How much output of a run is stored. The executor itself stops earlier. */
const MAX_RUN_BYTES = 2 * 1024 * 1024;
/** How many pieces a log has at most, so that many short ones do not fill the table. */
const MAX_RUN_CHUNKS = 1_000_000;

const cutNote = '\n[truncated: the server keeps the first 2 MiB of the output of a run]\n';

/** A piece of a log as its executor sends it. */
export interface NewLogChunk {
  readonly sequence: number;
  readonly stream: LogStream;
  readonly text: string;
  readonly printedAt: Date;
  /** Whether it says that output is missing here. */
  readonly isCut: boolean;
}

/** What an executor says about the log of a run. */
export interface LogReport {
  readonly chunks: readonly NewLogChunk[];
  /** Whether nothing more comes after these pieces. */
  readonly isComplete: boolean;
}

/**
 * The row of the run is locked first, so that pieces become visible in the order of their numbers. A number that is not
 * higher than all stored ones is a repeat.
 */
const storeStatement = statement<{ stored: number }>(
  `with run as (
     select job_runs.id, job_runs.tenant_id, log_bytes, log_next, log_is_full
       from job_runs join executors on executors.id = job_runs.executor_id and executors.user_id = $1::uuid
      where job_runs.id = $2::uuid and log_completed_at is null and log_deleted_at is null
        for update of job_runs
   ),
   asked as (
     select distinct on (sequence) *
       from jsonb_to_recordset($3::jsonb)
            as chunk(sequence int, stream log_stream, text text, "printedAt" timestamptz, "isCut" boolean)
      order by sequence
   ),
   fresh as (
     select asked.*, run.log_bytes + sum(octet_length(asked.text)) over (order by sequence) <= ${MAX_RUN_BYTES}
              and sequence < ${MAX_RUN_CHUNKS} as fits
       from asked cross join run where asked.sequence >= run.log_next and not run.log_is_full
   ),
   mark as (
     select sequence, stream, '${cutNote}' as text, "printedAt", true as "isCut", false as fits
       from fresh where not fits order by sequence limit 1
   ),
   stored as (
     insert into job_run_logs (run_id, sequence, tenant_id, stream, text, is_cut, created_at)
     select run.id, part.sequence, run.tenant_id, part.stream, part.text, part."isCut", part."printedAt"
       from run cross join (select * from fresh where fits union all select * from mark) as part
     on conflict (run_id, sequence) do nothing
     returning sequence, octet_length(text) as bytes
   ),
   kept as (select stored.* from stored join fresh using (sequence) where fresh.fits),
   counted as (
     update job_runs
        set log_bytes = job_runs.log_bytes + (select coalesce(sum(bytes), 0) from kept),
            log_next = greatest(job_runs.log_next, (select max(sequence) + 1 from stored)),
            log_is_full = run.log_is_full or exists (select from mark),
            log_completed_at = case when $4::boolean then now() end
       from run where job_runs.id = run.id and ($4::boolean or exists (select from stored))
     returning job_runs.id
   )
   select (select count(*)::int from kept) as stored, ${notifySql('run-log', 'counted.id')} as notified from counted`,
);

/**
 * Stores the new pieces of a run's log, up to its limit. After the limit, one piece says that the rest is missing.
 *
 * @returns how many pieces were stored.
 */
export async function storeLog(
  userId: string,
  runId: string,
  { chunks, isComplete }: LogReport,
): Promise<number> {
  const [row] = await run(storeStatement, [userId, runId, JSON.stringify(chunks), isComplete]);
  return row?.stored ?? 0;
}

/** How many bytes of a log one read of a watcher returns, in whole pieces. */
const MAX_READ_BYTES = 256 * 1024;

const afterStatement = statement<LogChunkRow>(
  `select "runId", sequence, stream, text, "isCut", "createdAt" from (
     select run_id as "runId", sequence, stream::text as stream, text, is_cut as "isCut", created_at as "createdAt",
            sum(octet_length(text)) over (order by sequence) as bytes, row_number() over (order by sequence) as number
       from (select * from job_run_logs where run_id = $1::uuid and sequence > $2 order by sequence limit $3) as page
   ) as measured
   where bytes <= ${MAX_READ_BYTES} or number = 1
   order by sequence`,
);

/** The pieces of a log after this one, in their order: at most `limit` pieces, and at most 256 KiB or one piece. */
export const readLogAfter = (runId: string, sequence: number, limit: number): Promise<LogChunkRow[]> =>
  run(afterStatement, [runId, sequence, limit]);

/** How a log is at one moment. */
export interface LogEnd {
  /** The number of the next piece. */
  readonly next: number;
  /** Whether the executor said that nothing more comes. */
  readonly isComplete: boolean;
  /** Whether the run has ended. */
  readonly isEnded: boolean;
  /** Whether the run has ended without ever having begun, or so long ago that its executor will not send anything. */
  readonly isAbandoned: boolean;
  /** Whether the log was deleted. */
  readonly isDeleted: boolean;
  /** What the news about the job set of the run is sent under. */
  readonly jobSetNews: string;
}

/** How long after its end the executor of a run may still send output. */
const LATE_SECONDS = 60;

const endStatement = statement<LogEnd>(
  `select run.log_next as next, run.log_completed_at is not null as "isComplete",
          run.ended_at is not null as "isEnded", run.log_deleted_at is not null as "isDeleted",
          coalesce(run.started_at is null and run.log_next = 0 and run.state <> 'LEASE_EXPIRED' and run.ended_at is not null
                   or run.ended_at < now() - interval '${LATE_SECONDS} seconds', false) as "isAbandoned",
          coalesce(set.owner_id, set.id)::text as "jobSetNews"
     from job_runs as run join jobs as job on job.id = run.job_id join job_sets as set on set.id = job.job_set_id
    where run.id = $1::uuid`,
);

/** How the log of a run is now; null if the run was deleted. */
export async function readLogEnd(runId: string): Promise<LogEnd | null> {
  const [row] = await run(endStatement, [runId]);
  return row ?? null;
}
