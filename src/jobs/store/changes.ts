import { type Reader, readableSql } from '../../authorization/store/readable.ts';
import type { JobState } from '../../generated/prisma/enums.ts';
import { nothing, sql } from '../../platform/database/sql.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { lockJobSetsOf, newsOf, numberOf, numbersFor } from './job-sets.ts';
import { jobResources } from './reads.ts';
import { isLive } from './runs.ts';

/*
 * Changes of jobs that users ask for. As in runs.ts, a statement of its own first locks the job sets, so that the
 * statement after it sees the runs that were created in the meantime.
 */

const cancelStatement = statement<{ id: string }>(
  `with open as materialized (
     select id from jobs
      where id = any($1::uuid[]) and ended_at is null and state <> 'CANCELLING'
        and ($4::text[] is null or state = any($4::text[]::job_state[]))
      order by id for update
   ),
   held as materialized (
     select run.id, run.job_id, run.executor_id, run.acknowledged_at is not null as begun
       from job_runs as run join open on open.id = run.job_id
      where ${isLive('run')} order by run.job_id, run.id for update of run
   ),
   ended as (
     update job_runs as run set state = 'CANCELLED', ended_at = now()
       from held where run.id = held.id and not held.begun
   ),
   work as (
     select job_id, id as run_id, executor_id, begun from held
     union all
     select id, null, null, false from open where id not in (select job_id from held)
   ),
   cancelled as (
     update jobs as job
        set state = case when work.begun then 'CANCELLING' else 'CANCELLED' end::job_state,
            ended_at = case when work.begun then null else now() end,
            updated_at = now(), cancel_reason = $2, cancelled_by_id = $3::uuid, cancelled_at = now()
       from work where job.id = work.job_id
     returning job.id, job.tenant_id, job.job_set_id, job.pool, work.run_id, work.executor_id, work.begun
   ),
   steps as (
     select cancelled.*, step from cancelled cross join generate_series(0, 1) as step where step = 0 or not begun
   ),
   ${numbersFor('steps')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select steps.job_set_id, ${numberOf('steps.job_set_id', 'steps.id, step')},
            steps.tenant_id, steps.id, steps.run_id,
            case step when 0 then 'CANCELLING' else 'CANCELLED' end::job_event_kind,
            jsonb_strip_nulls(jsonb_build_object('reason', $2::text, 'requestor', $3::text))
       from steps
   )
   select cancelled.id, ${notifySql('job-set', newsOf('cancelled.job_set_id'))},
          ${notifySql('pool', poolIdSql('cancelled.tenant_id', 'cancelled.pool'))},
          case when cancelled.executor_id is not null
               then ${notifySql('executor', 'cancelled.executor_id')} end
     from cancelled`,
);

export interface Cancellation {
  /** Null if the caller says none. */
  readonly reason: string | null;
  readonly requestorId: string;
  /** Only jobs in one of these states; null means all. */
  readonly states: readonly JobState[] | null;
}

/**
 * Cancels those of the jobs that have not ended and are not CANCELLING. If an executor has confirmed the run of a job,
 * the job is CANCELLING until the run has ended; the executor is told by its next call. All other jobs are CANCELLED at
 * once.
 *
 * @returns the ids of the jobs that were cancelled by this call.
 */
export async function cancelJobsById(
  tx: Tx,
  ids: readonly string[],
  { reason, requestorId, states }: Cancellation,
): Promise<string[]> {
  await lockJobSetsOf(tx, ids);
  return (await run(cancelStatement, [ids, reason, requestorId, states], tx)).map(({ id }) => id);
}

const reprioritizeStatement = statement<{ id: string }>(
  `with changed as (
     update jobs as job set priority = $2::bigint
      where job.id = any($1::uuid[]) and job.ended_at is null and job.priority <> $2::bigint
     returning job.id, job.tenant_id, job.job_set_id, job.pool
   ),
   steps as (select changed.*, step from changed cross join generate_series(0, 1) as step),
   ${numbersFor('steps')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, kind, detail)
     select steps.job_set_id, ${numberOf('steps.job_set_id', 'steps.id, step')},
            steps.tenant_id, steps.id,
            case step when 0 then 'REPRIORITIZING' else 'REPRIORITIZED' end::job_event_kind,
            jsonb_build_object('newPriority', $2::bigint, 'requestor', $3::text)
       from steps
   )
   select changed.id, ${notifySql('job-set', newsOf('changed.job_set_id'))},
          ${notifySql('pool', poolIdSql('changed.tenant_id', 'changed.pool'))}
     from changed`,
);

/**
 * Gives jobs that have not ended another priority, also those that run: they keep it if their lease comes back.
 *
 * @returns the ids of the jobs that had another priority before.
 */
export async function reprioritizeJobsById(
  tx: Tx,
  ids: readonly string[],
  priority: number,
  requestorId: string,
): Promise<string[]> {
  await lockJobSetsOf(tx, ids);
  return (await run(reprioritizeStatement, [ids, priority, requestorId], tx)).map(({ id }) => id);
}

const openOfOwner = statement<{ id: string }>(
  `select job.id
     from job_sets as set join jobs as job on job.queue_id = set.queue_id and job.job_set_id = set.id
    where set.owner_id = $1::uuid and job.ended_at is null and job.state <> 'CANCELLING'
      and ($2::text[] is null or job.client_id = any($2::text[]))`,
);

/** The jobs of an owner's job set that have not ended and are not CANCELLING: all, or those with one of `clientIds`. */
export async function listOpenOfOwner(
  tx: Tx,
  ownerId: string,
  clientIds: readonly string[] | null,
): Promise<string[]> {
  return (await run(openOfOwner, [ownerId, clientIds], tx)).map(({ id }) => id);
}

/** Which open jobs of a queue are to be changed. Null leaves a condition out. */
export interface OpenJobs {
  readonly queueId: string;
  readonly jobSetId?: string | null;
  readonly states?: readonly JobState[] | null;
  readonly priorityClasses?: readonly string[] | null;
  readonly pools?: readonly string[] | null;
  /** Only jobs that have another priority. */
  readonly priorityOtherThan?: number | null;
  readonly isPreemptible?: boolean | null;
}

/** Jobs on which the reader has EDIT, that have not ended and are not CANCELLING, in no order: at most `limit`. */
export async function listOpenJobs(reader: Reader, filter: OpenJobs, limit: number): Promise<string[]> {
  const readable = readableSql(reader, jobResources, undefined, 'EDIT');
  const { jobSetId, states, priorityClasses, pools, priorityOtherThan = null, isPreemptible = null } = filter;
  const rows = await query<{ id: string }>(sql`${readable.with}
    select job.id from jobs as job join job_sets as set on set.id = job.job_set_id ${readable.joins}
     where job.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}
       and job.queue_id = ${filter.queueId}::uuid and job.ended_at is null and job.state <> 'CANCELLING'
       ${jobSetId ? sql`and job.job_set_id = ${jobSetId}::uuid` : nothing}
       ${states ? sql`and job.state = any(${states}::job_state[])` : nothing}
       ${priorityClasses ? sql`and job.priority_class = any(${priorityClasses}::text[])` : nothing}
       ${pools ? sql`and job.pool = any(${pools}::text[])` : nothing}
       ${priorityOtherThan === null ? nothing : sql`and job.priority <> ${priorityOtherThan}::bigint`}
       ${isPreemptible === null ? nothing : sql`and job.is_preemptible = ${isPreemptible}::boolean`}
     limit ${limit}`);
  return rows.map(({ id }) => id);
}

const jobSetByName = statement<JobSetRow>(
  `select set.id, set.tenant_id as "tenantId", set.queue_id as "queueId", set.owner_id as "ownerId",
          set.project_id as "projectId", set.workflow_entity_id as "workflowEntityId"
     from job_sets as set where set.tenant_id = $1::uuid and set.queue_id = $2::uuid and set.name = $3`,
);

export interface JobSetRow {
  readonly id: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly ownerId: string | null;
  readonly projectId: string | null;
  readonly workflowEntityId: string | null;
}

export async function findJobSet(tenantId: string, queueId: string, name: string): Promise<JobSetRow | null> {
  const [row] = await run(jobSetByName, [tenantId, queueId, name]);
  return row ?? null;
}
