import { createHash } from 'node:crypto';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql, poolIdSql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';
import { isLocked, newsOf, numberOf, numbersFor } from './job-sets.ts';
import { isLive, type Reporter } from './runs.ts';

/** A pool of one tenant. Executors get only jobs of their own tenant. */
export interface Pool {
  readonly tenantId: string;
  readonly name: string;
}

/** For jobs that are found by their ids. So that PostgreSQL never looks through all jobs that wait, no index fits this. */
const isQueued = (name: string) => `coalesce(${name}.state = 'QUEUED', false)`;

const insertRunsStatement = statement<{ runId: string }>(
  `with asked as materialized (
     select * from jsonb_to_recordset($1::jsonb) as asked(
       "position" int, "runId" uuid, "jobId" uuid, "executorId" uuid, node text)
   ),
   stream as materialized (
     select id from job_sets
      where id in (select job_set_id from jobs join asked on asked."jobId" = jobs.id) order by id for key share
   ),
   place as materialized (
     select id, tenant_id, name, pool from executors where id in (select "executorId" from asked)
   ),
   ready as materialized (
     select job.id, job.gang_id, asked."position", asked."runId", asked."executorId", asked.node
       from asked join jobs as job on job.id = asked."jobId"
      where ${isQueued('job')} and ${isLocked('job.job_set_id')}
      order by job.id for update of job
   ),
   whole as (
     select ready.gang_id from ready join gangs as gang on gang.id = ready.gang_id
      group by ready.gang_id, gang.cardinality having count(*) = gang.cardinality
   ),
   leased as (
     update jobs as job set state = 'LEASED', updated_at = now()
       from ready
      where job.id = ready.id and ((ready."executorId", job.tenant_id) in (select id, tenant_id from place)) is true
        and (ready.gang_id is null or ready.gang_id in (select gang_id from whole))
     returning job.id, job.tenant_id, job.job_set_id, job.queue_id, job.shape, ready."position", ready."runId",
               ready."executorId", ready.node
   ),
   stored as (
     insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, node, leased_at,
                           lease_expires_at)
     select "runId", tenant_id, id, job_set_id, queue_id, shape, "executorId", node, now(),
            now() + make_interval(secs => $2)
       from leased
     returning id
   ),
   places as (
     select jsonb_object_agg(id, jsonb_build_object('executor', name, 'pool', pool)) as events from place
   ),
   ${numbersFor('leased', 'stored')},
   recorded as (
     insert into job_events (job_set_id, sequence, tenant_id, job_id, run_id, kind, detail)
     select leased.job_set_id, ${numberOf('leased.job_set_id', 'leased."position"')},
            leased.tenant_id, leased.id, leased."runId", 'LEASED',
            (select events from places)->leased."executorId"::text
              || jsonb_strip_nulls(jsonb_build_object('node', leased.node))
       from leased
   )
   select leased."runId", ${notifySql('executor', 'leased."executorId"')},
          ${notifySql('job-set', newsOf('leased.job_set_id'))}
     from leased`,
);

export interface NewRun {
  readonly runId: string;
  readonly jobId: string;
  readonly executorId: string;
  /** Null if the executor reports no nodes. */
  readonly node: string | null;
}

/**
 * Leases these jobs for so many seconds, if they are still queued. If one job of a gang is not, no job of the gang is
 * leased.
 *
 * @returns how many runs were created.
 */
export async function storeRuns(
  tx: Tx,
  assignments: readonly NewRun[],
  leaseSeconds: number,
): Promise<number> {
  const asked = assignments.map((assignment, position) => ({ position, ...assignment }));
  return (await run(insertRunsStatement, [JSON.stringify(asked), leaseSeconds], tx)).length;
}

export interface Heartbeat {
  readonly tenantId: string;
  /** The service account that calls. */
  readonly userId: string;
  /** The id of the executor, if it is new. */
  readonly newId: string;
  readonly name: string;
  readonly pool: string;
  readonly nodes: readonly object[];
  readonly knownRuns: readonly string[];
  /** How many more jobs it can take. */
  readonly maxJobs: number;
  readonly leaseSeconds: number;
  /** The id of the calling process, because only one process may use the name at a time; null if it has none. */
  readonly instance: string | null;
  /** Whether another process may use the name after this call. */
  readonly isLast: boolean;
}

/**
 * Whether the calling process may use the name: it already does, no process does, or the process that did has been
 * silent for as long as a lease.
 *
 * @param instance  the parameter with the id of the process.
 * @param lease  the parameter with the length of a lease.
 */
const hasName = (instance: string, lease: string) =>
  `(known.instance_id is null or known.instance_id is not distinct from ${instance}::uuid
       or known.last_seen_at < now() - make_interval(secs => ${lease}))`;

/** The same text for nodes that differ only in their names. See nodeKindOf of domain/reported-nodes.ts. */
const nodeKind = `md5((node - 'name' - 'unschedulable' #- '{labels,kubernetes.io/hostname}')::text)`;

/**
 * Queries of the heartbeat. If the executor reports other nodes than before, or is in another pool, `forgotten` keeps the
 * kinds of which there are fewer now, so that jobs which only they can run are not rejected at once.
 */
const formerNodes = `
   changed as (
     select id, pool, nodes from before where nodes_digest <> $12 or pool <> $4
   ),
   reported as (
     select $4::text as pool, ${nodeKind} as kind, count(*)::int as count
       from changed cross join jsonb_array_elements($5::jsonb) as node group by 2
   ),
   forgotten as (
     insert into former_nodes as known (tenant_id, executor_id, pool, kind, node, count, left_at)
     select $1::uuid, old.id, old.pool, old.kind, old.node, old.count, now()
       from (select changed.id, changed.pool, ${nodeKind} as kind, (array_agg(node))[1] as node,
                    count(*)::int as count
               from changed cross join jsonb_array_elements(changed.nodes) as node group by 1, 2, 3) as old
       left join reported using (pool, kind)
      where old.count > coalesce(reported.count, 0)
     on conflict (tenant_id, executor_id, pool, kind) do update
        set node = excluded.node, count = greatest(known.count, excluded.count), left_at = now()
   )`;

const heartbeatStatement = statement<{ executorId: string; leaseExpiresAt: Date }>(
  `with before as (
     select known.id, known.slots, known.pool, known.nodes_digest, known.nodes from executors as known
      where known.tenant_id = $1::uuid and known.name = $3 and known.user_id = $9::uuid
        and ${hasName('$10', '$8')}
   ),
   held as materialized (
     select run.id, run.lease_expires_at from job_runs as run join before on before.id = run.executor_id
      where run.id = any($7::uuid[]) and ${isLive('run')}
   ),
   ${formerNodes},
   executor as (
     insert into executors as known (id, tenant_id, name, pool, nodes, nodes_digest, slots, user_id, last_seen_at,
                                     instance_id)
     values ($2::uuid, $1::uuid, $3, $4, $5::jsonb, $12, $6 + (select count(*) from held), $9::uuid, now(),
             case when $11::boolean then null else $10::uuid end)
     on conflict (tenant_id, name) do update
        set pool = excluded.pool, nodes = excluded.nodes, nodes_digest = excluded.nodes_digest, slots = excluded.slots, last_seen_at = now(),
            instance_id = excluded.instance_id
      where known.user_id = excluded.user_id and ${hasName('$10', '$8')}
     returning id, tenant_id, pool, slots
   )
   select executor.id as "executorId",
          least(now() + make_interval(secs => $8), (select min(lease_expires_at) from held)) as "leaseExpiresAt",
          case when not exists (select from before where before.slots >= executor.slots and before.pool = $4
                                                  and before.nodes_digest = $12)
               then ${notifySql('pool', poolIdSql('executor.tenant_id', 'executor.pool'))} end
     from executor`,
);

const digestOf = (nodes: readonly object[]) =>
  nodes.length === 0
    ? ''
    : createHash('sha256').update(JSON.stringify(nodes)).digest('base64url').slice(0, 22);

/**
 * Records that an executor is alive: creates it if it is new. From now on it can get jobs. Its known runs must be renewed
 * before.
 *
 * @returns when the first of the leases ends; null if another process, or another service account, has the name.
 */
export async function recordHeartbeat(beat: Heartbeat) {
  const [row] = await run(heartbeatStatement, [
    beat.tenantId,
    beat.newId,
    beat.name,
    beat.pool,
    JSON.stringify(beat.nodes),
    beat.maxJobs,
    beat.knownRuns,
    beat.leaseSeconds,
    beat.userId,
    beat.instance,
    beat.isLast,
    digestOf(beat.nodes),
  ]);
  return row ?? null;
}

const ownerStatement = statement<{ userId: string }>(
  'select user_id as "userId" from executors where tenant_id = $1::uuid and name = $2',
);

/** Whether the name belongs to this service account. */
export async function ownsExecutor(caller: Reporter, name: string): Promise<boolean> {
  const [row] = await run(ownerStatement, [caller.tenantId, name]);
  return row?.userId === caller.userId;
}

interface Renewed {
  /** Whether another process has the name of the executor. */
  readonly isTaken: boolean;
  /** Null in the only row if no run was renewed. */
  readonly id: string | null;
  readonly mustStop: boolean;
}

const renewStatement = statement<Renewed>(
  `with held as materialized (
     select run.id, job.state in ('CANCELLING', 'PREEMPTING') as "mustStop" from job_runs as run
       join jobs as job on job.id = run.job_id
       join executors as known on known.id = run.executor_id and known.user_id = $1::uuid
                              and ($4::text is null or known.name = $4 and ${hasName('$5', '$3')})
      where run.id = any($2::uuid[]) and ${isLive('run')}
      order by run.job_id, run.id for update of run
   ),
   renewed as (
     update job_runs as run
        set lease_expires_at = now() + make_interval(secs => $3),
            acknowledged_at = coalesce(run.acknowledged_at, now())
       from held where run.id = held.id
     returning run.id, held."mustStop"
   )
   select place."isTaken", renewed.id, renewed."mustStop"
     from (select exists (
             select from executors as known
              where known.user_id = $1::uuid and known.name = $4 and not ${hasName('$5', '$3')}
          ) as "isTaken") as place
     left join renewed on true`,
);

export interface ExecutorProcess {
  /** The name of the executor. */
  readonly name: string;
  /** The id of the process; null if it has none. */
  readonly instance: string | null;
}

/**
 * Renews and confirms the runs that have not ended and belong to this service account, even if they must be stopped.
 *
 * @returns the runs whose leases go on. The others had ended when this returns.
 */
export async function renewRuns(
  userId: string,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<RunHeld[]> {
  if (runIds.length === 0) return [];
  return heldOf(await run(renewStatement, [userId, runIds, leaseSeconds, null, null]));
}

/** The same for the runs of one executor. @returns null, and renews none, if another process has its name. */
export async function renewRunsOf(
  userId: string,
  { name, instance }: ExecutorProcess,
  runIds: readonly string[],
  leaseSeconds: number,
): Promise<RunHeld[] | null> {
  if (runIds.length === 0) return [];
  const rows = await run(renewStatement, [userId, runIds, leaseSeconds, name, instance]);
  return rows[0]?.isTaken ? null : heldOf(rows);
}

const heldOf = (rows: readonly Renewed[]): RunHeld[] =>
  rows.flatMap(({ id, mustStop }) => (id === null ? [] : [{ id, mustStop }]));

/** A run that has not ended. */
export interface RunHeld {
  readonly id: string;
  /** Whether the run must be stopped. */
  readonly mustStop: boolean;
}

export interface LeasedRun {
  readonly runId: string;
  readonly jobId: string;
  readonly jobSet: string;
  readonly queue: string;
  /** The node on which it must run; null if the executor chooses. */
  readonly node: string | null;
  /** The value of the label that all nodes of its gang share; null if there is none. */
  readonly uniformityValue: string | null;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  readonly projectId: string | null;
  readonly tenantId: string;
  readonly spec: JobSpec;
  readonly activeDeadlineSeconds: number | null;
  readonly leaseExpiresAt: Date;
}

const listUnknownStatement = statement<LeasedRun>(
  `with run as materialized (
     select id, tenant_id, job_id, job_set_id, queue_id, executor_id, node, leased_at, lease_expires_at from job_runs
      where executor_id = $1::uuid and ended_at is null and acknowledged_at is null and id <> all($2::uuid[])
      order by leased_at, id
      limit $3
   ),
   set as materialized (select id, name, project_id from job_sets where id in (select job_set_id from run)),
   queue as materialized (select id, name from queues where id in (select queue_id from run))
   select run.id as "runId", job.id as "jobId", set.name as "jobSet", queue.name as queue,
          run.node, job.namespace, job.labels, job.annotations, job.node_selector as "nodeSelector", job.tolerations,
          set.project_id as "projectId", run.tenant_id as "tenantId", job.spec,
          job.active_deadline_seconds as "activeDeadlineSeconds", run.lease_expires_at as "leaseExpiresAt",
          (select reported.node->'labels'->>gang.uniformity_label
             from gangs as gang join executors as executor on executor.id = run.executor_id
             cross join jsonb_array_elements(executor.nodes) as reported(node)
            where gang.id = job.gang_id and gang.uniformity_label is not null and reported.node->>'name' = run.node
            limit 1) as "uniformityValue"
     from run
     join jobs as job on job.id = run.job_id
     join set on set.id = run.job_set_id
     join queue on queue.id = run.queue_id
    order by run.leased_at, run.id`,
);

/** Runs that are assigned to the executor and that it has not named yet, oldest first. */
export function listUnknownRuns(executorId: string, knownRuns: readonly string[], limit: number) {
  return run(listUnknownStatement, [executorId, knownRuns, limit]);
}

const listHeldStatement = statement<RunHeld>(
  `select run.id, job.state in ('CANCELLING', 'PREEMPTING') as "mustStop"
     from job_runs as run join jobs as job on job.id = run.job_id
    where run.executor_id = $1::uuid and run.id = any($2::uuid[]) and ${isLive('run')}`,
);

/** The named runs that still belong to the executor. */
export async function listHeldRuns(executorId: string, knownRuns: readonly string[]): Promise<RunHeld[]> {
  if (knownRuns.length === 0) return [];
  return await run(listHeldStatement, [executorId, knownRuns]);
}
