import type { JobRunState, JobState } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** One report of a run, with the states from which it is believed. */
export interface RunMove {
  readonly position: number;
  readonly runId: string;
  readonly to: JobRunState;
  readonly from: readonly JobRunState[];
  readonly at: string;
  readonly exitCode: number | null;
  readonly error: object | null;
  readonly outputs: object | null;
}

export interface RunMoved {
  readonly runId: string;
  readonly before: JobRunState;
  readonly moved: boolean;
}

/*
 * Every statement here locks the job sets first, then runs, then jobs, each by id, so that none waits for another in a
 * circle. What another transaction *changes* meanwhile is seen all the same: a row is looked at again once its lock is
 * had. What another *inserts* is seen only by a statement that begins after the lock.
 */

const moveRunsStatement = statement<RunMoved>(
  `with asked as materialized (
     select * from jsonb_to_recordset($2::jsonb) as asked(
       "position" int, "runId" uuid, "to" job_run_state, "from" job_run_state[], at timestamptz, "exitCode" int,
       error jsonb, outputs jsonb)
   ),
   stream as materialized (
     select id, coalesce(owner_id, id) as news from job_sets
      where tenant_id = $1::uuid
        and id in (select job.job_set_id from asked join job_runs as run on run.id = asked."runId"
                     join jobs as job on job.id = run.job_id)
      order by id for update
   ),
   before as materialized (
     select run.id, run.state, run.job_id, job.job_set_id, job.pool, stream.news
       from asked join job_runs as run on run.id = asked."runId"
       join executors as executor on executor.id = run.executor_id and executor.user_id = $3::uuid
       join jobs as job on job.id = run.job_id
       join stream on stream.id = job.job_set_id
      order by run.id for update of run
   ),
   moved as (
     update job_runs as run
        set state = asked."to",
            pending_at = case when asked."to" = 'PENDING' then asked.at else run.pending_at end,
            started_at = case when asked."to" = 'RUNNING' then asked.at else run.started_at end,
            ended_at = case when asked."to" in ('PENDING', 'RUNNING') then null else now() end,
            acknowledged_at = coalesce(run.acknowledged_at, now()),
            exit_code = asked."exitCode",
            error_code = asked.error->>'code',
            error_message = asked.error->>'message',
            error_kind = (asked.error->>'kind')::error_kind
       from asked join before on before.id = asked."runId"
      where run.id = asked."runId" and run.state = any(asked."from")
     returning run.id, run.job_id, run.state, before.job_set_id, before.pool, asked."position", asked.error,
               asked.outputs, asked."exitCode", asked.at
   ),
   moved_jobs as (
     update jobs as job
        set state = moved.state::text::job_state,
            ended_at = case when moved.state in ('PENDING', 'RUNNING') then null else now() end,
            updated_at = now()
       from moved where job.id = moved.job_id and job.ended_at is null
     returning job.id
   ),
   bumped as (
     update job_sets as set set last_sequence = last_sequence + n
       from (select job_set_id, count(*) as n from moved group by job_set_id) as counted
      where set.id = counted.job_set_id
     returning set.id, set.last_sequence - n as base
   ),
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select bumped.id, bumped.base + row_number() over (partition by bumped.id order by moved."position"), $1::uuid,
            moved.job_id, moved.id, moved.state::text::job_event_kind,
            jsonb_strip_nulls(jsonb_build_object('error', moved.error, 'exitCode', moved."exitCode",
              'occurredAt', to_char(moved.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
              || case when moved.outputs is null then '{}'::jsonb else jsonb_build_object('outputs', moved.outputs) end
       from moved join bumped on bumped.id = moved.job_set_id
   )
   select before.id as "runId", before.state::text as before, moved.id is not null as moved,
          case when moved.id is not null then pg_notify('slipway', 'job-set:' || before.news)::text end,
          case when moved.state not in ('PENDING', 'RUNNING')
               then pg_notify('slipway', 'pool:' || $1::text || '/' || before.pool)::text end
     from before left join moved on moved.id = before.id`,
);

/** Whose executors may speak of a run: those of the tenant that this service account made known. */
export interface Reporter {
  readonly tenantId: string;
  readonly userId: string;
}

/** Applies reports of distinct runs, in one statement. Runs that are not the reporter's are absent from the answer. */
export function moveRuns(reporter: Reporter, moves: readonly RunMove[]): Promise<RunMoved[]> {
  return run(moveRunsStatement, [reporter.tenantId, JSON.stringify(moves), reporter.userId]);
}

/** A lease that ends without a result. */
export interface LeaseEnding {
  readonly position: number;
  readonly runId: string;
  readonly reason: string;
  /** Whether the work may have begun; null: it may have if the executor had acknowledged the run. */
  readonly attempted: boolean | null;
}

/** A run that was given back without an attempt this many times counts as attempted: something is wrong with it. */
const MAX_UNATTEMPTED = 20;

const endLeasesStatement = statement<{ runId: string; state: JobState }>(
  `with asked as materialized (
     select * from jsonb_to_recordset($1::jsonb) as asked("position" int, "runId" uuid, reason text, attempted boolean)
   ),
   stream as materialized (
     select id, coalesce(owner_id, id) as news from job_sets
      where id in (select job.job_set_id from asked join job_runs as run on run.id = asked."runId"
                     join jobs as job on job.id = run.job_id)
      order by id for update
   ),
   held as materialized (
     select run.id, job.job_set_id
       from asked join job_runs as run on run.id = asked."runId"
       join executors as executor on executor.id = run.executor_id
       join jobs as job on job.id = run.job_id
       join stream on stream.id = job.job_set_id
      where run.ended_at is null and ($3::uuid is null or executor.user_id = $3::uuid)
      order by run.id for update of run
   ),
   ended as (
     update job_runs as run
        set state = $2::text::job_run_state, ended_at = now()
       from held join asked on asked."runId" = held.id
      where run.id = held.id and run.ended_at is null
        and ($2::text <> 'LEASE_EXPIRED' or run.lease_expires_at <= now())
     returning run.id, run.job_id, run.tenant_id, held.job_set_id, asked."position", asked.reason,
               coalesce(asked.attempted, run.acknowledged_at is not null)
                 or (select count(*) from job_runs as other where other.job_id = run.job_id) > ${MAX_UNATTEMPTED}
                 as attempted
   ),
   requeued as (
     update jobs as job
        set attempted_runs = attempted_runs + ended.attempted::int,
            state = case when attempted_runs + ended.attempted::int >= max_attempts
                         then 'FAILED' else 'QUEUED' end::job_state,
            ended_at = case when attempted_runs + ended.attempted::int >= max_attempts then now() end,
            updated_at = now()
       from ended where job.id = ended.job_id
     returning job.id, job.state, job.attempted_runs, job.pool
   ),
   news as (
     select ended.*, step, requeued.state, requeued.attempted_runs
       from ended join requeued on requeued.id = ended.job_id cross join generate_series(0, 1) as step
      where step = 0 or requeued.state = 'FAILED'
   ),
   bumped as (
     update job_sets as set set last_sequence = last_sequence + n
       from (select job_set_id, count(*) as n from news group by job_set_id) as counted
      where set.id = counted.job_set_id
     returning set.id, set.last_sequence - n as base
   ),
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select bumped.id, bumped.base + row_number() over (partition by bumped.id order by news."position", step),
            news.tenant_id, news.job_id, news.id,
            case step when 0 then $2::text else 'FAILED' end::job_event_kind,
            case step when 0 then jsonb_build_object('reason', news.reason, 'attempted', news.attempted)
                 else jsonb_build_object('error', jsonb_build_object('code', 'LeaseLost', 'kind', 'SYSTEM', 'message',
                   'the lease was lost ' || news.attempted_runs || ' times; last: ' || news.reason)) end
       from news join bumped on bumped.id = news.job_set_id
   )
   select ended.id as "runId", requeued.state::text as state,
          pg_notify('slipway', 'pool:' || ended.tenant_id || '/' || requeued.pool)::text,
          pg_notify('slipway', 'job-set:' || stream.news)::text
     from ended join requeued on requeued.id = ended.job_id join stream on stream.id = ended.job_set_id`,
);

/** Ends leases that an executor gives back. Runs that have ended, or are another's, are left alone. */
export function returnLeases(reporter: Reporter, endings: readonly LeaseEnding[]) {
  return run(endLeasesStatement, [JSON.stringify(endings), 'LEASE_RETURNED', reporter.userId]);
}

/** Ends leases that were not renewed in time; one renewed in the meantime is left alone. */
export function expireLeases(endings: readonly LeaseEnding[]) {
  return run(endLeasesStatement, [JSON.stringify(endings), 'LEASE_EXPIRED', null]);
}

const listExpiredStatement = statement<{ runId: string }>(
  `select id as "runId" from job_runs where ended_at is null and lease_expires_at <= now()
    order by lease_expires_at limit $1`,
);

export function listExpiredLeases(limit: number) {
  return run(listExpiredStatement, [limit]);
}

const lockOwned = statement<{ id: string }>(`select id from job_sets where owner_id = $1::uuid for update`);

const cancelStatement = statement<{ id: string }>(
  `with waiting as materialized (
     select id from jobs where job_set_id = $1::uuid and ended_at is null
   ),
   held as materialized (
     select run.id from job_runs as run join waiting on waiting.id = run.job_id
      where run.ended_at is null order by run.id for update of run
   ),
   ended as (
     update job_runs as run set state = 'CANCELLED', ended_at = now()
       from held where run.id = held.id and run.ended_at is null
     returning run.id, run.job_id, run.executor_id
   ),
   cancelled as (
     update jobs as job
        set state = 'CANCELLED', ended_at = now(), updated_at = now(), cancel_reason = $2, cancelled_by_id = $3::uuid
       from waiting where job.id = waiting.id and job.ended_at is null
     returning job.id, job.tenant_id, job.pool
   ),
   numbered as (
     select cancelled.*, ended.id as run_id, ended.executor_id, row_number() over (order by cancelled.id) as number
       from cancelled left join ended on ended.job_id = cancelled.id
   ),
   bumped as (
     update job_sets set last_sequence = last_sequence + 2 * (select count(*) from cancelled)
      where id = $1::uuid and exists (select from cancelled)
     returning id, coalesce(owner_id, id) as news, last_sequence - 2 * (select count(*) from cancelled) as base
   ),
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select bumped.id, bumped.base + 2 * number - 1 + step, numbered.tenant_id, numbered.id, numbered.run_id,
            case step when 0 then 'CANCELLING' else 'CANCELLED' end::job_event_kind,
            jsonb_build_object('reason', $2::text, 'requestor', $3::text)
       from numbered cross join bumped cross join generate_series(0, 1) as step
   )
   select numbered.id, pg_notify('slipway', 'job-set:' || bumped.news)::text,
          pg_notify('slipway', 'pool:' || numbered.tenant_id || '/' || numbered.pool)::text,
          case when numbered.executor_id is not null
               then pg_notify('slipway', 'executor:' || numbered.executor_id)::text end
     from numbered cross join bumped`,
);

/**
 * Cancels the jobs of an owner's set that have not ended, at once: what a run says afterwards is not believed, and its
 * executor hears of it with its next lease call. The set is locked by a statement of its own, so that runs which the
 * assigner makes meanwhile are seen.
 *
 * @returns the ids of those that were cancelled.
 */
export async function cancelJobsOfOwner(
  tx: Tx,
  { ownerId, reason, requestorId }: { ownerId: string; reason: string; requestorId: string },
): Promise<string[]> {
  const [set] = await run(lockOwned, [ownerId], tx);
  if (!set) return [];
  const rows = await run(cancelStatement, [set.id, reason, requestorId], tx);
  return rows.map((row) => row.id);
}
