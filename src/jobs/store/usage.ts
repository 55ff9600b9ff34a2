import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Resources } from '../domain/scheduling/resources.ts';
import type { NodeTypeUsage, ReportedQueueUsage, RunUsage } from '../domain/usage-report.ts';
import { numberOf, numbersFor } from './job-sets.ts';
import { isLive } from './runs.ts';

export interface UsageCall {
  readonly tenantId: string;
  /** The service account that calls. */
  readonly userId: string;
  readonly executor: string;
  /** The id of the calling process; null if it has none. */
  readonly instance: string | null;
  readonly at: Date;
  readonly nodeTypes: readonly NodeTypeUsage<Resources>[];
  readonly runs: readonly RunUsage<Resources>[];
}

/** A run has at most one event about its usage in this time, however often its executor reports. */
const EVENT_SECONDS = 60;

/** Locks job sets, then runs, then the executor, as all statements do. */
const storeStatement = statement<{ executorId: string; runs: number }>(
  `with reporter as materialized (
     select id from executors as executor
      where executor.tenant_id = $1::uuid and executor.user_id = $2::uuid and executor.name = $3
        and (executor.instance_id is null or executor.instance_id is not distinct from $4::uuid)
   ),
   asked as materialized (
     select * from jsonb_to_recordset($7::jsonb) as asked("runId" uuid, usage jsonb)
   ),
   stream as materialized (
     select id, owner_id from job_sets
      where id in (select job.job_set_id from asked join job_runs as run on run.id = asked."runId"
                     join reporter on reporter.id = run.executor_id join jobs as job on job.id = run.job_id)
      order by id for update
   ),
   held as materialized (
     select run.id, run.tenant_id, run.job_id, job.job_set_id
       from asked join job_runs as run on run.id = asked."runId"
       join reporter on reporter.id = run.executor_id
       join jobs as job on job.id = run.job_id
       join stream on stream.id = job.job_set_id
      where ${isLive('run')}
        and (run.usage_at is null or run.usage_at <= now() - interval '${EVENT_SECONDS} seconds')
      order by run.job_id, run.id for update of run
   ),
   used as (
     update job_runs as run set usage = asked.usage, usage_at = now()
       from held join asked on asked."runId" = held.id where run.id = held.id
     returning run.id, held.tenant_id, held.job_id, held.job_set_id, asked.usage
   ),
   ${numbersFor('used')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select used.job_set_id, ${numberOf('used.job_set_id', 'used.id')}, used.tenant_id,
            used.job_id, used.id, 'UTILISATION',
            jsonb_build_object('usage', used.usage, 'occurredAt',
              to_char($5::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
       from used
   ),
   executor as (
     update executors as executor set usage = $6::jsonb, usage_at = now()
       from reporter where executor.id = reporter.id and (select count(*) from held) >= 0
     returning executor.id
   )
   select executor.id as "executorId", (select count(*) from used)::int as runs,
          (select count(${notifySql('job-set', 'stream.id')}) from stream
            where stream.owner_id is null and stream.id in (select id from bumped)) as woken
     from executor`,
);

/**
 * Replaces the last report of an executor, and stores what its runs use. Runs that have ended, that belong to others, or
 * that were reported within the last minute do not change.
 *
 * @returns null if the executor does not exist, belongs to another service account, or is used by another process.
 */
export async function storeUsage(call: UsageCall): Promise<{ readonly runs: number } | null> {
  const runs = call.runs.map(({ runId, ...usage }) => ({ runId, usage }));
  const [row] = await run(storeStatement, [
    ...[call.tenantId, call.userId, call.executor, call.instance, call.at],
    ...[JSON.stringify({ reportedAt: call.at, nodeTypes: call.nodeTypes }), JSON.stringify(runs)],
  ]);
  return row ?? null;
}

/** Reports that are older say nothing about now. Executors report every 5 minutes. */
const FRESH_SECONDS = 900;

export interface ExecutorUsage {
  /** By the clock of the executor. */
  readonly reportedAt: string;
  readonly nodeTypes: readonly NodeTypeUsage<Resources>[];
}

const ofExecutors = statement<{ id: string; usage: ExecutorUsage }>(
  'select id, usage from executors where id = any($1::uuid[]) and usage is not null',
);

/** The last report of each executor; null if there is none. */
export async function readUsage(executorIds: readonly string[]): Promise<(ExecutorUsage | null)[]> {
  const rows = new Map((await run(ofExecutors, [executorIds])).map(({ id, usage }) => [id, usage]));
  return executorIds.map((id) => rows.get(id) ?? null);
}

const ofQueues = statement<ReportedQueueUsage>(
  `select queue.value->>'name' as name, queue.value->'resources' as resources,
          queue.value->'resourcesUsed' as "resourcesUsed", queue.value->'runsByState' as "runsByState",
          executor.pool, executor.usage_at as "reportedAt"
     from executors as executor
    cross join lateral jsonb_array_elements(executor.usage->'nodeTypes') as type
    cross join lateral jsonb_array_elements(type.value->'queues') as queue
    where executor.tenant_id = $1::uuid and executor.usage_at > now() - interval '${FRESH_SECONDS} seconds'
      and queue.value->>'name' = any($2::text[])`,
);

/** What the executors of a tenant say about queues in their last reports, if these are not older than 15 minutes. */
export const readUsageOfQueues = (
  tenantId: string,
  names: readonly string[],
): Promise<ReportedQueueUsage[]> => run(ofQueues, [tenantId, names]);

const ofRuns = statement<{ id: string; usage: Omit<RunUsage<Resources>, 'runId'>; usageAt: Date }>(
  `select id, usage, usage_at as "usageAt" from job_runs where id = any($1::uuid[]) and usage is not null`,
);

export interface StoredRunUsage extends Omit<RunUsage<Resources>, 'runId'> {
  readonly usageAt: Date;
}

/** The last usage of each run; null if none was reported. */
export async function readUsageOfRuns(runIds: readonly string[]): Promise<(StoredRunUsage | null)[]> {
  const rows = await run(ofRuns, [runIds]);
  const byId = new Map(rows.map(({ id, usage, usageAt }) => [id, { ...usage, usageAt }]));
  return runIds.map((id) => byId.get(id) ?? null);
}
