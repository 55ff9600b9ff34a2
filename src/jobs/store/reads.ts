import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { JobRunState, JobState, LogStream, OnPreemption } from '../../generated/prisma/enums.ts';
import { eachAt } from '../../platform/by-address.ts';
import { eachOf } from '../../platform/by-id.ts';
import { lastIdFirst } from '../../platform/database/page.ts';
import { type Rows, raw, sql } from '../../platform/database/sql.ts';
import { listOfEach, run, statement } from '../../platform/database/statement.ts';
import { groupBy } from '../../platform/group-by.ts';
import { isId } from '../../platform/ids.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';

export interface JobRow {
  readonly id: string;
  readonly tenantId: string;
  readonly queueId: string;
  readonly queue: string;
  readonly projectId: string | null;
  readonly workflowEntityId: string | null;
  /** The owner of the job set: the execution of the job. Null for none. */
  readonly setOwnerId: string | null;
  readonly jobSet: string;
  readonly clientId: string | null;
  readonly state: JobState;
  readonly priority: bigint;
  readonly priorityClass: string;
  /** The priority of the class, higher numbers first. */
  readonly classPriority: number;
  readonly pool: string;
  readonly attemptedRuns: number;
  readonly maxAttempts: number;
  readonly isOwned: boolean;
  readonly isPreemptible: boolean;
  readonly onPreemption: OnPreemption;
  readonly failFast: boolean;
  readonly namespace: string;
  readonly externalUri: string | null;
  readonly gangId: string | null;
  readonly activeDeadlineSeconds: number | null;
  readonly ownerId: string;
  readonly cancelReason: string | null;
  readonly cancelledById: string | null;
  readonly cancelledAt: Date | null;
  readonly preemptReason: string | null;
  readonly preemptedById: string | null;
  /** Why it failed, if no run of it says so. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly submittedAt: Date;
  readonly endedAt: Date | null;
  /** When its state changed last. */
  readonly updatedAt: Date;
}

export const jobColumns = `
  job.id, job.tenant_id as "tenantId", job.queue_id as "queueId", queue.name as queue,
  set.project_id as "projectId", set.workflow_entity_id as "workflowEntityId", set.owner_id as "setOwnerId",
  set.name as "jobSet", job.client_id as "clientId", job.state::text as state, job.priority,
  job.priority_class as "priorityClass", job.class_priority as "classPriority", job.pool, job.attempted_runs as "attemptedRuns",
  job.max_attempts as "maxAttempts", job.is_owned as "isOwned", job.is_preemptible as "isPreemptible",
  job.on_preemption::text as "onPreemption", job.fail_fast as "failFast", job.namespace,
  job.external_uri as "externalUri", job.gang_id as "gangId",
  job.active_deadline_seconds as "activeDeadlineSeconds", job.owner_id as "ownerId",
  job.cancel_reason as "cancelReason", job.cancelled_by_id as "cancelledById", job.cancelled_at as "cancelledAt",
  job.preempt_reason as "preemptReason", job.preempted_by_id as "preemptedById", job.error_code as "errorCode",
  job.error_message as "errorMessage", job.submitted_at as "submittedAt", job.ended_at as "endedAt",
  job.updated_at as "updatedAt"`;
export const jobTables = `jobs as job join queues as queue on queue.id = job.queue_id
  join job_sets as set on set.id = job.job_set_id`;

/** The columns with the resources that decide about a job. */
export const jobResources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'set.workflow_entity_id' },
  { type: 'QUEUE', column: 'job.queue_id' },
  { type: 'PROJECT', column: 'set.project_id' },
];

export const jobNodes: NodeRows = {
  from: 'jobs as job join job_sets as set on set.id = job.job_set_id',
  id: 'job.id',
  tenant: 'job.tenant_id',
  resources: jobResources,
};

export const jobRunNodes: NodeRows = {
  ...jobNodes,
  from: `job_runs as run join jobs as job on job.id = run.job_id join job_sets as set on set.id = job.job_set_id`,
  id: 'run.id',
};

const jobsById = statement<JobRow>(
  `select ${jobColumns} from ${jobTables} where job.tenant_id = $1::uuid and job.id = any($2::uuid[])`,
);

export async function readJobs(tenantId: string, ids: readonly string[]): Promise<(JobRow | null)[]> {
  return eachOf(ids, await run(jobsById, [tenantId, ids.filter(isId)]));
}

export const jobOrder = lastIdFirst('job');

/** The jobs of each queue that the reader may read, newest first. */
export const jobsOfQueues = (reader: Reader) =>
  listOfEach<null, JobRow>(
    'job.queue_id',
    () => jobsShownTo(reader),
    raw(jobColumns),
    () => jobOrder,
  );

/** The jobs that a reader may see. */
export function jobsShownTo(reader: Reader): Rows {
  const readable = readableSql(reader, jobResources);
  const from = sql`${raw(jobTables)} ${readable.joins}
    where job.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}`;
  return { with: readable.with, from };
}

const jobsByClientId = statement<JobRow & { readonly number: bigint }>(
  `select asked.number, ${jobColumns}
     from unnest($2::uuid[], $3::text[]) with ordinality as asked("ownerId", "clientId", number)
     join job_sets as set on set.owner_id = asked."ownerId" and set.tenant_id = $1::uuid
     join jobs as job on job.job_set_id = set.id and job.client_id = asked."clientId"
     join queues as queue on queue.id = job.queue_id`,
);

/** The address of a job for the owner of its job set. */
export interface ClientKey {
  readonly ownerId: string;
  readonly clientId: string;
}

export async function readJobsByClientId(
  tenantId: string,
  keys: readonly ClientKey[],
): Promise<(JobRow | null)[]> {
  const values = [tenantId, keys.map((key) => key.ownerId), keys.map((key) => key.clientId)];
  const rows = await run(jobsByClientId, values);
  return eachAt(
    keys.map((_, at) => at + 1),
    String,
    rows.map((row) => [String(row.number), row]),
  );
}

export interface JobRunRow extends WorkErrorColumns {
  readonly id: string;
  readonly tenantId: string;
  readonly jobId: string;
  readonly queueId: string;
  readonly projectId: string | null;
  readonly workflowEntityId: string | null;
  readonly executorId: string;
  readonly executor: string;
  readonly node: string | null;
  readonly state: JobRunState;
  readonly exitCode: number | null;
  readonly leasedAt: Date;
  readonly pendingAt: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

/** The columns of a `JobRunRow`, and the tables that they are in. */
export const runColumns = `
  run.id, run.tenant_id as "tenantId", run.job_id as "jobId", job.queue_id as "queueId",
  set.project_id as "projectId", set.workflow_entity_id as "workflowEntityId", run.executor_id as "executorId",
  executor.name as executor, run.node,
  run.state::text as state, run.exit_code as "exitCode", run.error_code as "errorCode",
  run.error_message as "errorMessage", run.error_kind::text as "errorKind", run.leased_at as "leasedAt",
  run.pending_at as "pendingAt", run.started_at as "startedAt", run.ended_at as "endedAt"`;
export const runTables = `job_runs as run join executors as executor on executor.id = run.executor_id
  join jobs as job on job.id = run.job_id join job_sets as set on set.id = job.job_set_id`;

/** How many runs of a job are shown, newest first. */
const MAX_RUNS = 100;

const runsOfJobs = statement<JobRunRow>(
  `select child.* from unnest($1::uuid[]) as parent(id) cross join lateral (
     select ${runColumns} from ${runTables} where run.job_id = parent.id
      order by run.leased_at desc, run.id desc limit $2) as child`,
);

/** The runs of each job, newest first. */
export async function readRunsOfJobs(jobIds: readonly string[]): Promise<JobRunRow[][]> {
  const byJob = groupBy(await run(runsOfJobs, [jobIds, MAX_RUNS]), (row) => row.jobId);
  return jobIds.map((id) => byJob.get(id) ?? []);
}

/** The newest run of each job; null if it has none. */
export async function readLatestRuns(jobIds: readonly string[]): Promise<(JobRunRow | null)[]> {
  const byJob = new Map((await run(runsOfJobs, [jobIds, 1])).map((row) => [row.jobId, row]));
  return jobIds.map((id) => byJob.get(id) ?? null);
}

const runsById = statement<JobRunRow>(
  `select ${runColumns} from ${runTables} where run.tenant_id = $1::uuid and run.id = any($2::uuid[])`,
);

export async function readRuns(tenantId: string, ids: readonly string[]): Promise<(JobRunRow | null)[]> {
  return eachOf(ids, await run(runsById, [tenantId, ids.filter(isId)]));
}

export interface LogChunkRow {
  readonly runId: string;
  readonly sequence: number;
  readonly stream: LogStream;
  readonly text: string;
  /** Whether it says that output is missing here. */
  readonly isCut: boolean;
  readonly createdAt: Date;
}

/** Which pieces of each log are read. */
export interface LogPage {
  /** The number of the piece before the first one. */
  readonly after: number;
  readonly first: number;
}

const logsOfRuns = statement<LogChunkRow>(
  `select chunk.* from unnest($1::uuid[]) as parent(id) cross join lateral (
     select run_id as "runId", sequence, stream::text as stream, text, is_cut as "isCut", created_at as "createdAt"
       from job_run_logs
      where run_id = parent.id and sequence > $2 order by sequence limit $3) as chunk`,
);

/** The output of each run, in its order. */
export function readLogsOfRuns(runIds: readonly string[], { after, first }: LogPage): Promise<LogChunkRow[]> {
  return run(logsOfRuns, [runIds, after, first]);
}

/** A run, and the service account of its executor. */
export interface HeldRun {
  readonly userId: string;
  readonly runId: string;
}

const projectsOfRuns = statement<{ userId: string; runId: string; projectId: string | null }>(
  `select executor.user_id as "userId", run.id as "runId", set.project_id as "projectId"
     from job_runs as run join executors as executor on executor.id = run.executor_id
     join jobs as job on job.id = run.job_id
     join job_sets as set on set.id = job.job_set_id
    where run.id = any($1::uuid[])
      and (run.ended_at is null or run.state = 'LEASE_EXPIRED' and job.state = 'QUEUED')`,
);

/**
 * The project of each run; null if the run has ended, belongs to another service account, or works for no project. A
 * run whose lease has expired is included if no other executor has its job, because it may still come back with its
 * files.
 */
export async function readProjectIdsOfRuns(runs: readonly HeldRun[]): Promise<(string | null)[]> {
  const rows = await run(projectsOfRuns, [runs.map(({ runId }) => runId).filter(isId)]);
  const textOf = ({ userId, runId }: HeldRun) => JSON.stringify([userId, runId]);
  return eachAt(
    runs,
    textOf,
    rows.map((row) => [textOf(row), row.projectId]),
  );
}
