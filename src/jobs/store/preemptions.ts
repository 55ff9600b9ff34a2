import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newsOf, numberOf, numbersFor } from './job-sets.ts';
import { isLive } from './runs.ts';

/** A run that must make room for another job. */
export interface NewPreemption {
  readonly runId: string;
  readonly reason: string;
  /** Who asked for it; null for the scheduler. */
  readonly requestorId: string | null;
  /** The job that gets the room; null if it is only taken away. */
  readonly preemptingJobId: string | null;
}

const lockStreams = statement<{ id: string }>(
  `select id from job_sets
    where id in (select job.job_set_id from job_runs as run join jobs as job on job.id = run.job_id
                  where run.id = any($1::uuid[]))
    order by id for update`,
);

const preemptStatement = statement<{ runId: string }>(
  `with asked as materialized (
     select * from jsonb_to_recordset($1::jsonb) as asked(
       "position" int, "runId" uuid, reason text, "requestorId" uuid, "preemptingJobId" uuid)
   ),
   held as materialized (
     select run.id, run.acknowledged_at is not null as begun
       from asked join job_runs as run on run.id = asked."runId"
       join jobs as job on job.id = run.job_id and job.state in ('LEASED', 'PENDING', 'RUNNING')
      where ${isLive('run')} order by job.id, run.id for update of job, run
   ),
   ended as (
     update job_runs as run set state = 'PREEMPTED', ended_at = now()
       from held where run.id = held.id and not held.begun
   ),
   stopped as (
     update jobs as job
        set state = case when held.begun then 'PREEMPTING' when job.on_preemption = 'REQUEUE' then 'QUEUED'
                         else 'PREEMPTED' end::job_state,
            ended_at = case when not held.begun and job.on_preemption = 'FAIL' then now() end,
            updated_at = now(), preempt_reason = asked.reason, preempted_by_id = asked."requestorId"
       from held join asked on asked."runId" = held.id join job_runs as run on run.id = held.id
      where job.id = run.job_id
     returning job.id, job.tenant_id, job.job_set_id, job.pool, job.state, held.id as run_id, held.begun,
               run.executor_id, asked.*
   ),
   steps as (
     select stopped.*, step from stopped cross join generate_series(0, 1) as step where step = 0 or not begun
   ),
   ${numbersFor('steps')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select steps.job_set_id, ${numberOf('steps.job_set_id', 'steps."position", step')},
            steps.tenant_id, steps.id, steps.run_id,
            case step when 0 then 'PREEMPTING' else 'PREEMPTED' end::job_event_kind,
            jsonb_strip_nulls(jsonb_build_object('reason', steps.reason, 'requestor', steps."requestorId",
              'preemptingJob', case when step = 0 then steps."preemptingJobId" end,
              'requeued', case when step = 1 then steps.state = 'QUEUED' end))
       from steps
   )
   select stopped.run_id as "runId", ${notifySql('job-set', newsOf('stopped.job_set_id'))},
          ${notifySql('executor', 'stopped.executor_id')},
          case when not stopped.begun then ${notifySql('pool', poolIdSql('stopped.tenant_id', 'stopped.pool'))} end
     from stopped`,
);

/**
 * Takes runs their place. If an executor has confirmed a run, its job is PREEMPTING until the run has ended; the executor
 * is told by its next call. All other runs end at once, and their jobs are PREEMPTED or wait again. Jobs that are being
 * stopped already do not change.
 *
 * @returns the runs that this call stopped.
 */
export async function preemptRuns(tx: Tx, preemptions: readonly NewPreemption[]): Promise<string[]> {
  await run(lockStreams, [preemptions.map(({ runId }) => runId)], tx);
  const asked = preemptions.map((preemption, position) => ({ position, ...preemption }));
  return (await run(preemptStatement, [JSON.stringify(asked)], tx)).map((row) => row.runId);
}

const weights = statement<JobWeight>(
  `select job.id, job.gang_id as "gangId", coalesce(gang.size, 1) as weight
     from jobs as job left join gangs as gang on gang.id = job.gang_id
    where job.id = any($1::uuid[]) order by job.id`,
);

/** A job that is to be preempted, and how many jobs must go with it. */
export interface JobWeight {
  readonly id: string;
  readonly gangId: string | null;
  /** The number of jobs of its gang that were submitted; 1 without a gang. */
  readonly weight: number;
}

export function listWeights(ids: readonly string[]): Promise<JobWeight[]> {
  return run(weights, [ids]);
}

const liveRuns = statement<{ runId: string; jobId: string }>(
  `with asked as (select id, gang_id from jobs where id = any($1::uuid[])),
   member as (
     select id from asked
     union
     select job.id from jobs as job where job.gang_id in (select gang_id from asked where gang_id is not null)
   )
   select run.id as "runId", run.job_id as "jobId"
     from member join job_runs as run on run.job_id = member.id and ${isLive('run')}
    order by run.job_id`,
);

/** The runs of these jobs, and of the other jobs of their gangs, that have not ended. */
export function listLiveRuns(tx: Tx, jobIds: readonly string[]) {
  return run(liveRuns, [jobIds], tx);
}
