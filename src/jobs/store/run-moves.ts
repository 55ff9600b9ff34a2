import type { JobRunState } from '../../generated/prisma/enums.ts';
import { tenantGroups } from '../../platform/database/group-commit.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import { isTerminal, phasesOf, phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { jobRunStates } from '../domain/states.ts';
import { isLocked, newsOf, numberOf, numbersFor } from './job-sets.ts';
import { inStates, type Reporter } from './runs.ts';

/** One report about a run. */
export interface RunMove {
  readonly runId: string;
  readonly to: JobRunState;
  readonly at: string;
  readonly exitCode: number | null;
  readonly error: WorkError | null;
  readonly outputs: object | null;
  readonly outputLiterals: object | null;
}

export interface RunMoved {
  readonly runId: string;
  readonly before: JobRunState;
  readonly moved: boolean;
}

const isFinal = (state: string) =>
  inStates(
    state,
    phasesOf(jobRunStates).filter((name) => isTerminal(jobRunStates, name)),
  );

/** Whether a run in the state `from` may move to the state `to`, by the table of states. */
const mayMove = (from: string, to: string) =>
  `case ${to} ${phasesOf(jobRunStates)
    .map((next) => [next, phasesThatMayMoveTo(jobRunStates, next)] as const)
    .filter(([, states]) => states.length > 0)
    .map(([next, states]) => `when '${next}' then ${inStates(from, states)}`)
    .join(' ')} end`;

/**
 * Locks as described in runs.ts. The limits in `named` make PostgreSQL look up each run by its id. Without them it may
 * begin with the executors of the reporter, and look up each run once for each of them.
 */
const moveRunsStatement = statement<RunMoved>(
  `with asked as materialized (
     select * from rows from (jsonb_to_recordset($1::jsonb) as (
       "userId" uuid, "runId" uuid, "to" job_run_state, at timestamptz, "exitCode" int, error jsonb, outputs jsonb,
       "outputLiterals" jsonb)) with ordinality
       as asked("userId", "runId", "to", at, "exitCode", error, outputs, "outputLiterals", "position")
   ),
   retry as materialized (
     select * from json_to_recordset($2::json) as retry(
       "runId" uuid, "avoidsNode" boolean, spec json, resources jsonb, shape text)
   ),
   named as materialized (
     select run.id, run.job_id, run.job_set_id, executor.name || '/' || run.node as place
       from asked
       cross join lateral (select * from job_runs where id = asked."runId" limit 1) as run
       cross join lateral (select * from executors where id = run.executor_id limit 1) as executor
      where executor.user_id = asked."userId"
   ),
   stream as materialized (
     select id from job_sets where id in (select job_set_id from named) order by id for key share
   ),
   before as materialized (
     select run.id, run.tenant_id, run.state, run.job_id, named.job_set_id, named.place, job.pool,
            job.state as job_state,
            job.ended_at is null as job_is_open,
            case when job.state = 'PREEMPTING' then job.preempt_reason else job.cancel_reason end as reason,
            case when job.state = 'PREEMPTING' then job.preempted_by_id else job.cancelled_by_id end as requestor,
            job.on_preemption = 'REQUEUE' as may_requeue
       from named
       join job_runs as run on run.id = named.id
       join jobs as job on job.id = named.job_id
      where ${isLocked('named.job_set_id')}
      order by job.id, run.id for update of job, run
   ),
   moved as (
     update job_runs as run
        set state = case when asked."to" = 'CANCELLED' and before.job_state = 'PREEMPTING' then 'PREEMPTED'
                         else asked."to" end,
            pending_at = case when asked."to" = 'PENDING' then asked.at else run.pending_at end,
            started_at = case when asked."to" = 'RUNNING' then asked.at else run.started_at end,
            ended_at = case when ${isFinal('asked."to"')} then now() end,
            acknowledged_at = coalesce(run.acknowledged_at, now()),
            exit_code = asked."exitCode",
            error_code = asked.error->>'code',
            error_message = asked.error->>'message',
            error_kind = (asked.error->>'kind')::error_kind
       from asked join before on before.id = asked."runId"
      where run.id = asked."runId" and ${mayMove('run.state', 'asked."to"')}
        and (asked."to" <> 'CANCELLED' or before.job_state in ('CANCELLING', 'PREEMPTING'))
     returning run.id, run.tenant_id, run.job_id, run.state, before.job_set_id, before.pool, asked."position", asked.error,
               asked.outputs, asked."outputLiterals", asked."exitCode", asked.at,
               ${isFinal('asked."to"')} as is_end,
               case when asked."to" = 'CANCELLED' then before.reason end as reason,
               case when asked."to" = 'CANCELLED' then before.requestor end as requestor,
               before.place, before.job_state, before.job_is_open,
               case when run.state = 'PREEMPTED' then before.may_requeue end as requeued
   ),
   judged as (
     select moved.*, retry.spec, retry.resources, retry.shape,
            case when retry."avoidsNode" then moved.place end as avoided,
            case when retry."runId" is not null then true end as retryable
       from moved left join retry on retry."runId" = moved.id and moved.state = 'FAILED'
                                 and moved.job_state <> 'CANCELLING'
   ),
   moved_jobs as (
     update jobs as job
        set state = case when job.state in ('CANCELLING', 'PREEMPTING') and not judged.is_end then job.state
                         when judged.requeued or judged.retryable then 'QUEUED'
                         else judged.state::text::job_state end,
            ended_at = case when judged.is_end and judged.requeued is not true and judged.retryable is not true
                            then now() end,
            failures = job.failures + coalesce(judged.retryable, false)::int,
            spec = coalesce(judged.spec, job.spec), shape = coalesce(judged.shape, job.shape),
            resources = coalesce(judged.resources, job.resources),
            avoided_nodes = case when judged.avoided is null then job.avoided_nodes
                                 else array_append(job.avoided_nodes, judged.avoided) end,
            updated_at = now()
       from judged where job.id = judged.job_id and judged.job_is_open
     returning job.id
   ),
   ${numbersFor('moved', 'moved_jobs')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select judged.job_set_id, ${numberOf('judged.job_set_id', 'judged."position"')},
            judged.tenant_id, judged.job_id, judged.id, judged.state::text::job_event_kind,
            jsonb_strip_nulls(jsonb_build_object('error', judged.error, 'exitCode', judged."exitCode",
              'reason', judged.reason, 'requestor', judged.requestor, 'requeued', judged.requeued,
              'retryable', judged.retryable,
              'occurredAt', to_char(judged.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
              || case when judged.outputs is null then '{}'::jsonb else jsonb_build_object('outputs', judged.outputs) end
              || case when judged."outputLiterals" is null then '{}'::jsonb
                      else jsonb_build_object('outputLiterals', judged."outputLiterals") end
       from judged
   )
   select before.id as "runId", before.state::text as before, before.id in (select id from moved) as moved,
          case when before.id in (select id from moved) then ${notifySql('job-set', newsOf('before.job_set_id'))} end,
          case when before.id in (select id from moved where is_end)
               then ${notifySql('pool', poolIdSql('before.tenant_id', 'before.pool'))} end
     from before`,
);

/** A run whose job is tried again if the run now fails. A job that was cancelled in the meantime is not. */
export interface Retry {
  readonly runId: string;
  /** Whether the next run goes to another node, if there is one. */
  readonly avoidsNode: boolean;
  /** What is different in the next run; null for nothing. */
  readonly changed: { readonly spec: object; readonly resources: object; readonly shape: string } | null;
}

/** What one call reports. */
interface Moves {
  readonly runIds: readonly string[];
  /** The reports as rows of JSON, separated by commas. */
  readonly rows: string;
  readonly retries: readonly Retry[];
}

/** How many characters of reports one transaction applies: those of about 2,000 runs without outputs. */
const MAX_TEXT = 512 * 1024;

const groups = tenantGroups<Moves, RunMoved[]>({
  apply: applyMoves,
  sizeOf: ({ rows }) => rows.length,
  most: MAX_TEXT,
  mostWaiting: 64 * MAX_TEXT,
  // The statement must not name a run twice.
  keysOf: ({ runIds }) => runIds,
});

/** The row of a report. What is null is left out, which means the same and is less to read. */
function rowOf({ runId, to, at, exitCode, error, outputs, outputLiterals }: RunMove, userId: string): string {
  const row = { userId, runId, to, at, exitCode: exitCode ?? undefined, error: error ?? undefined };
  return JSON.stringify({
    ...row,
    outputs: outputs ?? undefined,
    outputLiterals: outputLiterals ?? undefined,
  });
}

async function applyMoves(calls: readonly Moves[]): Promise<RunMoved[][]> {
  const retries = calls.flatMap((call) => call.retries);
  const again = retries.map(({ changed, ...retry }) => ({ ...retry, ...changed }));
  const rows = calls.map((call) => call.rows).join(',');
  const moved = await run(moveRunsStatement, [`[${rows}]`, JSON.stringify(again)]);
  const byRun = new Map(moved.map((row) => [row.runId, row]));
  return calls.map(({ runIds }) => runIds.flatMap((runId) => byRun.get(runId) ?? []));
}

/**
 * Applies reports about different runs in one statement, together with those that other calls of the tenant bring at the
 * same time. Runs that do not belong to the reporter are missing in the answer.
 */
export async function moveRuns(
  { tenantId, userId }: Reporter,
  moves: readonly RunMove[],
  retries: readonly Retry[],
): Promise<RunMoved[]> {
  if (moves.length === 0) return [];
  const rows = moves.map((move) => rowOf(move, userId));
  const runIds = moves.map(({ runId }) => runId);
  return await groups.submit(tenantId, { runIds, rows: rows.join(','), retries });
}
