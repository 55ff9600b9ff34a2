import type { JobRunState, JobState } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import { liveRunStates } from '../domain/states.ts';
import { isLocked, newsOf, numberOf, numbersFor } from './job-sets.ts';

/*
 * How the statements about jobs lock, so that no two transactions wait for each other in a circle:
 *
 * 1. the job sets, sorted by id. Assignments and reports, of which there are many, take the weak lock `for key share`, and
 *    so run side by side. All others take `for update`, which excludes them and each other.
 * 2. jobs and their runs, sorted by the id of the job, each job before its runs. Calls that only renew leases lock runs
 *    alone, in the same order.
 * 3. the job sets again, for the numbers of events: see `numbersFor` in job-sets.ts. Until then, and while another
 *    transaction has the weak lock, nobody waits.
 *
 * A transaction that has numbered events must not ask for the strong lock of a job set that it did not have before.
 *
 * A statement sees what another transaction *changes* in the meantime, because PostgreSQL reads a row again after locking
 * it. It does not see what another transaction *inserts*; only a statement that begins after the lock does.
 */

/** The service account whose executors may report about a run, in its tenant. */
export interface Reporter {
  readonly tenantId: string;
  readonly userId: string;
}

/** A lease that ends without a result. */
export interface LeaseEnding {
  readonly position: number;
  readonly runId: string;
  readonly reason: string;
  /** Whether the work has possibly begun. Null: it has if the executor had confirmed the run. */
  readonly attempted: boolean | null;
}

/**
 * If a job was returned this many times without an attempt, the next return counts as an attempt, because something is
 * wrong with the job.
 */
const MAX_UNATTEMPTED = 20;
const hasManyRuns = `(select count(*) from job_runs as other where other.job_id = run.job_id) > ${MAX_UNATTEMPTED}`;

/**
 * Whether a run has not ended, for statements that find runs by their ids, their jobs or the ends of their leases. Those
 * that look for the runs of executors say `ended_at is null`, which lets PostgreSQL use the index of these runs.
 */
export const isLive = (name: string): string => inStates(`${name}.state`, liveRunStates);

/** A condition on the state of a run or a job, as an SQL expression. */
export const inStates = (state: string, states: readonly (JobRunState | JobState)[]): string =>
  `${state} in (${states.map((name) => `'${name}'`).join(', ')})`;

/**
 * Whether the executor of a run was silent for so long that the run expires, although its lease lasts longer: the
 * executor has neither called nor renewed this run for that time. Leases that are shorter have expired by then.
 *
 * @param lease  the parameter with the length of a lease.
 * @param lost  the parameter with this time.
 */
const isLost = (lease: string, lost: string) =>
  `(executor.last_seen_at <= now() - make_interval(secs => ${lost}::float8)
    and run.lease_expires_at <= now() + make_interval(secs => ${lease}::float8 - ${lost}::float8))`;

const endLeasesStatement = statement<{ runId: string; state: JobState }>(
  `with asked as materialized (
     select * from jsonb_to_recordset($1::jsonb) as asked("position" int, "runId" uuid, reason text, attempted boolean)
   ),
   stream as materialized (
     select id from job_sets
      where id in (select job.job_set_id from asked join job_runs as run on run.id = asked."runId"
                     join jobs as job on job.id = run.job_id)
      order by id for update
   ),
   held as materialized (
     select run.id, run.node, job.job_set_id, job.pool, job.state as before, job.cancel_reason, job.cancelled_by_id,
            job.preempt_reason, job.preempted_by_id, job.on_preemption, job.fail_fast, job.gang_id,
            job.attempted_runs, job.max_attempts, executor.name as executor,
            ${isLost('$4', '$5')} as is_lost
       from asked join job_runs as run on run.id = asked."runId"
       join executors as executor on executor.id = run.executor_id
       join jobs as job on job.id = run.job_id
      where ${isLocked('job.job_set_id')} and ${isLive('run')} and ($3::uuid is null or executor.user_id = $3::uuid)
      order by job.id, run.id for update of job, run
   ),
   ended as (
     update job_runs as run
        set state = case when $2::text = 'LEASE_EXPIRED' and held.before = 'PREEMPTING' then 'PREEMPTED'
                         else $2::text end::job_run_state,
            ended_at = now()
       from held join asked on asked."runId" = held.id
      where run.id = held.id and ($2::text <> 'LEASE_EXPIRED' or run.lease_expires_at <= now() or held.is_lost)
     returning run.job_id, run.tenant_id, asked."position", asked.reason, held.*,
               coalesce(asked.attempted, run.acknowledged_at is not null) or ${hasManyRuns} as attempted
   ),
   judged as (
     select ended.*, attempted_runs + counts::int as attempts,
            'the lease was lost ' || attempted_runs + counts::int || ' times; last: ' || reason as loss,
            case when before = 'CANCELLING' then 'CANCELLED'
                 when before = 'PREEMPTING' and on_preemption = 'FAIL' then 'PREEMPTED'
                 when before = 'PREEMPTING' then 'QUEUED'
                 when attempted_runs + counts::int >= max_attempts then 'FAILED'
                 when fail_fast and (attempted or gang_id is not null) then 'FAILED'
                 else 'QUEUED' end as next
       from ended cross join lateral (select attempted and before <> 'PREEMPTING' as counts) as counted
   ),
   requeued as (
     update jobs as job
        set attempted_runs = judged.attempts, state = judged.next::job_state,
            ended_at = case when judged.next <> 'QUEUED' then now() end,
            avoided_nodes = case when judged.attempted and judged.node is not null and $2::text = 'LEASE_RETURNED'
                                 then array_append(job.avoided_nodes, judged.executor || '/' || judged.node)
                                 else job.avoided_nodes end,
            error_code = case when judged.next = 'FAILED' then 'LeaseLost' else job.error_code end,
            error_message = case when judged.next = 'FAILED' then judged.loss else job.error_message end,
            updated_at = now()
       from judged where job.id = judged.job_id
   ),
   news as (
     select judged.*, step from judged cross join generate_series(0, 1) as step
      where step = 0 or next <> 'QUEUED' or before = 'PREEMPTING'
   ),
   ${numbersFor('news')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select news.job_set_id, ${numberOf('news.job_set_id', 'news."position", step')},
            news.tenant_id, news.job_id, news.id,
            case when step = 0 then $2::text when before = 'PREEMPTING' then 'PREEMPTED' else news.next
                 end::job_event_kind,
            case when step = 0 then jsonb_build_object('reason', news.reason, 'attempted', news.attempted,
                   'requeued', news.next = 'QUEUED' and before <> 'PREEMPTING')
                 when before = 'PREEMPTING'
                   then jsonb_strip_nulls(jsonb_build_object('reason', news.preempt_reason,
                     'requestor', news.preempted_by_id, 'requeued', news.next = 'QUEUED'))
                 when news.next = 'CANCELLED'
                   then jsonb_build_object('reason', news.cancel_reason, 'requestor', news.cancelled_by_id)
                 else jsonb_build_object('error', jsonb_build_object('code', 'LeaseLost', 'kind', 'SYSTEM', 'message',
                   news.loss)) end
       from news
   )
   select judged.id as "runId", judged.next as state,
          ${notifySql('pool', poolIdSql('judged.tenant_id', 'judged.pool'))},
          ${notifySql('job-set', newsOf('judged.job_set_id'))}
     from judged`,
);

/** Ends leases that an executor returns. Runs that have ended or belong to others do not change. */
export function returnLeases(reporter: Reporter, endings: readonly LeaseEnding[]) {
  return run(endLeasesStatement, [JSON.stringify(endings), 'LEASE_RETURNED', reporter.userId, 0, 0]);
}

export interface LeaseLimits {
  readonly leaseSeconds: number;
  /** After how long without a call the runs of an executor expire, however long their leases are. */
  readonly lostSeconds: number;
}

/**
 * Ends leases that were not renewed in time, and those of executors that are lost. A lease that was renewed in the
 * meantime does not change. A run that had to make room is PREEMPTED then, so its executor does not get it back.
 */
export function expireLeases(endings: readonly LeaseEnding[], { leaseSeconds, lostSeconds }: LeaseLimits) {
  const values = [JSON.stringify(endings), 'LEASE_EXPIRED', null, leaseSeconds, lostSeconds];
  return run(endLeasesStatement, values);
}

const resumeStatement = statement<{ runId: string }>(
  `with stream as materialized (
     select id from job_sets
      where tenant_id = $1::uuid
        and id in (select job.job_set_id from job_runs as run join jobs as job on job.id = run.job_id
                    where run.id = any($3::uuid[]) and run.state = 'LEASE_EXPIRED' and job.state = 'QUEUED')
      order by id for update
   ),
   lost as materialized (
     select run.id, job.job_set_id, run.acknowledged_at is not null or ${hasManyRuns} as attempted,
            case when run.started_at is not null then 'RUNNING' when run.pending_at is not null then 'PENDING'
                 else 'LEASED' end as state
       from job_runs as run
       join executors as executor on executor.id = run.executor_id and executor.user_id = $2::uuid
                                 and ($5::text is null or executor.name = $5)
       join jobs as job on job.id = run.job_id
      where ${isLocked('job.job_set_id')} and run.id = any($3::uuid[]) and run.state = 'LEASE_EXPIRED' and job.state = 'QUEUED'
      order by job.id, run.id for update of job, run
   ),
   resumed as (
     update job_runs as run
        set state = lost.state::job_run_state, ended_at = null,
            lease_expires_at = now() + make_interval(secs => $4),
            acknowledged_at = coalesce(run.acknowledged_at, now())
       from lost where run.id = lost.id
     returning run.id, run.tenant_id, run.job_id, lost.job_set_id, lost.state, lost.attempted
   ),
   taken as (
     update jobs as job
        set state = resumed.state::job_state, attempted_runs = attempted_runs - resumed.attempted::int,
            updated_at = now()
       from resumed where job.id = resumed.job_id
   ),
   ${numbersFor('resumed')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select resumed.job_set_id, ${numberOf('resumed.job_set_id', 'resumed.id')},
            resumed.tenant_id, resumed.job_id, resumed.id, resumed.state::job_event_kind,
            jsonb_build_object('reason', 'the executor is back, and nobody else had the job')
       from resumed
   )
   select resumed.id as "runId", ${notifySql('job-set', newsOf('resumed.job_set_id'))}
     from resumed`,
);

/**
 * Gives runs back to an executor whose leases ended because it was silent, if no other executor has the job, and confirms
 * them. They no longer count as attempts.
 *
 * @param executor  only runs of the executor with this name; null for all executors of the service account.
 * @returns the ids of the runs that continue.
 */
export async function resumeRuns(
  { tenantId, userId }: Reporter,
  runIds: readonly string[],
  leaseSeconds: number,
  executor: string | null = null,
): Promise<string[]> {
  if (runIds.length === 0) return [];
  const rows = await run(resumeStatement, [tenantId, userId, runIds, leaseSeconds, executor]);
  return rows.map((row) => row.runId);
}

const forgiveStatement = statement<{ id: string }>(
  `with lost as materialized (
     select run.id, run.job_id, run.acknowledged_at is not null or ${hasManyRuns} as attempted
       from job_runs as run
       join executors as executor on executor.id = run.executor_id and executor.user_id = $1::uuid
       join jobs as job on job.id = run.job_id
      where run.id = $2::uuid and run.state = 'LEASE_EXPIRED'
        for update of job, run
   ),
   returned as (update job_runs as run set state = 'LEASE_RETURNED' from lost where run.id = lost.id),
   forgiven as (
     update jobs as job set attempted_runs = attempted_runs - lost.attempted::int
       from lost where job.id = lost.job_id and job.state <> 'FAILED'
   )
   select id from lost`,
);

/**
 * Lets a lease that ended because its executor was silent count as returned without an attempt. The state of the job
 * does not change, because it may have another run or have ended. If the job has failed, it keeps its number of
 * attempts.
 *
 * @returns whether the lease had ended in this way.
 */
export async function forgiveLostLease({ userId }: Reporter, runId: string): Promise<boolean> {
  return (await run(forgiveStatement, [userId, runId])).length === 1;
}

const listExpiredStatement = statement<{ runId: string; isOverdue: boolean }>(
  `select run.id as "runId", run.lease_expires_at <= now() as "isOverdue"
     from job_runs as run join executors as executor on executor.id = run.executor_id
    where ${isLive('run')} and run.lease_expires_at <= now() + make_interval(secs => greatest($2::float8 - $3::float8, 0))
      and (run.lease_expires_at <= now() or ${isLost('$2', '$3')})
    order by run.lease_expires_at limit $1`,
);

/** Leases that have ended. Those that are not overdue end because their executor is lost. */
export function listExpiredLeases(limit: number, { leaseSeconds, lostSeconds }: LeaseLimits) {
  return run(listExpiredStatement, [limit, leaseSeconds, lostSeconds]);
}
