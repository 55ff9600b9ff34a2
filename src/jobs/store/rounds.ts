import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { StoredLimits } from '../domain/queue-settings.ts';
import type { ReportedNode } from '../domain/reported-nodes.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';
import type { Resources } from '../domain/scheduling/resources.ts';
import type { Pool } from './leases.ts';

/*
 * What one round of scheduling reads. Nothing here reads the specs of jobs, and nothing takes longer because a queue is
 * longer: of each queue and shape, only the jobs at the front are read.
 */

const lockPool = statement<{ mine: boolean }>(
  `select pg_try_advisory_xact_lock(hashtextextended('slipway:pool:' || $1 || '/' || $2, 0)) as mine`,
);

/** Whether this transaction may assign the jobs of the pool. If not, another transaction is doing it. */
export async function tryLockPool(tx: Tx, pool: Pool): Promise<boolean> {
  const [row] = await run(lockPool, [pool.tenantId, pool.name], tx);
  return row?.mine === true;
}

/** Everything about a job that decides where it can run, in the columns of a row. */
export interface ShapeColumns {
  readonly shape: string;
  readonly priorityClass: string;
  readonly classPriority: number;
  readonly isPreemptible: boolean;
  readonly resources: Resources;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
}

const shapeColumns = (job: string) => `
  ${job}.shape, ${job}.priority_class as "priorityClass", ${job}.class_priority as "classPriority",
  ${job}.is_preemptible as "isPreemptible", ${job}.resources, ${job}.node_selector as "nodeSelector",
  ${job}.tolerations`;

/** Where the jobs of one queue and shape begin that wait. */
export interface Front {
  readonly queueId: string;
  readonly shape: string;
  /** The order of its first job. */
  readonly firstPriority: bigint;
  /** As PostgreSQL writes it, with all digits. */
  readonly firstSubmittedAt: string;
  readonly firstId: string;
}

export interface WaitingShape extends ShapeColumns, Front {}

/** How many kinds of jobs one round looks at. */
const MAX_SHAPES = 10_000;

const inOrder = 'queue_id, shape, priority, submitted_at, id';

const waitingShapes = statement<WaitingShape>(
  `with recursive kind as (
     (select ${inOrder} from jobs
       where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is null
       order by ${inOrder} limit 1)
     union all
     (select next.* from kind cross join lateral (
        select ${inOrder} from jobs
         where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is null
           and (queue_id, shape) > (kind.queue_id, kind.shape)
         order by ${inOrder} limit 1) as next)
   )
   select kind.queue_id as "queueId", kind.priority as "firstPriority", kind.submitted_at::text as "firstSubmittedAt",
          kind.id as "firstId", ${shapeColumns('job')}
     from (select * from kind limit ${MAX_SHAPES}) as kind
     join queues as queue on queue.id = kind.queue_id and not queue.cordoned
     join jobs as job on job.id = kind.id`,
);

/** The shapes of the single jobs that wait in each queue that is not cordoned. */
export function listWaitingShapes(tx: Tx, pool: Pool): Promise<WaitingShape[]> {
  return run(waitingShapes, [pool.tenantId, pool.name], tx);
}

export interface WaitingRow {
  readonly queueId: string;
  readonly shape: string;
  readonly id: string;
  readonly priority: bigint;
  readonly submittedAt: Date;
  readonly avoidedNodes: readonly string[];
}

const waitingJobs = statement<WaitingRow>(
  `select kind.queue_id as "queueId", kind.shape, job.id, job.priority, job.submitted_at as "submittedAt",
          job.avoided_nodes as "avoidedNodes"
     from unnest($3::uuid[], $4::text[], $5::bigint[], $6::timestamptz[], $7::uuid[])
            as kind(queue_id, shape, priority, submitted_at, id) cross join lateral (
       select id, priority, submitted_at, avoided_nodes from jobs
        where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is null
          and queue_id = kind.queue_id and shape = kind.shape
          and (jobs.priority, jobs.submitted_at, jobs.id) >= (kind.priority, kind.submitted_at, kind.id)
        order by priority, submitted_at, id limit $8) as job`,
);

/**
 * So many jobs from each front. They are looked for from its first job on, because before it there may be the entries of
 * thousands of jobs in the index that no longer wait.
 */
export function listWaitingJobs(
  tx: Tx,
  pool: Pool,
  fronts: readonly Front[],
  limit: number,
): Promise<WaitingRow[]> {
  return run(
    waitingJobs,
    [
      ...[pool.tenantId, pool.name, fronts.map(({ queueId }) => queueId), fronts.map(({ shape }) => shape)],
      fronts.map(({ firstPriority }) => String(firstPriority)),
      fronts.map(({ firstSubmittedAt }) => firstSubmittedAt),
      fronts.map(({ firstId }) => firstId),
      limit,
    ],
    tx,
  );
}

export interface GangMember extends WaitingRow, ShapeColumns {
  readonly gangId: string;
  readonly uniformityLabel: string | null;
}

/** How many gangs of one queue, how many queues, and how many jobs of all these gangs one round looks at. */
const MAX_GANGS_OF_QUEUE = 250;
const MAX_GANG_QUEUES = 1000;
const MAX_GANG_JOBS = 10_000;

/** Of each queue, the oldest gangs. Their jobs are read in turns, so that no queue hides the gangs of the others. */
const waitingGangs = statement<GangMember>(
  `with recursive line as (
     (select queue_id from jobs
       where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is not null
       order by queue_id limit 1)
     union all
     (select next.queue_id from line cross join lateral (
        select queue_id from jobs
         where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is not null
           and queue_id > line.queue_id
         order by queue_id limit 1) as next)
   ),
   kind as (
     select line.queue_id, one.gang_id, one.number
       from (select queue_id from line limit ${MAX_GANG_QUEUES}) as line
       join queues as queue on queue.id = line.queue_id and not queue.cordoned
       cross join lateral (
         with recursive one as (
           (select gang_id, 1 as number from jobs
             where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is not null
               and queue_id = line.queue_id
             order by gang_id limit 1)
           union all
           (select next.gang_id, one.number + 1 from one cross join lateral (
              select gang_id from jobs
               where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is not null
                 and queue_id = line.queue_id and gang_id > one.gang_id
               order by gang_id limit 1) as next
             where one.number < ${MAX_GANGS_OF_QUEUE})
         )
         select gang_id, number from one) as one
   ),
   complete as (
     select gang.id, gang.uniformity_label,
            sum(gang.cardinality) over (order by kind.number, gang.id) as jobs
       from kind
       join gangs as gang on gang.id = kind.gang_id and gang.size = gang.cardinality
      where gang.cardinality = (select count(*) from jobs
                                 where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED'
                                   and queue_id = kind.queue_id and gang_id = kind.gang_id)
   )
   select complete.id as "gangId", complete.uniformity_label as "uniformityLabel", job.queue_id as "queueId", job.id,
          job.priority, job.submitted_at as "submittedAt", job.avoided_nodes as "avoidedNodes",
          ${shapeColumns('job')}
     from complete
     join jobs as job on job.gang_id = complete.id
    where complete.jobs <= ${MAX_GANG_JOBS}
    order by complete.id, job.priority, job.submitted_at, job.id`,
);

/** The jobs of the gangs of which all jobs wait, in queues that are not cordoned. */
export function listWaitingGangs(tx: Tx, pool: Pool): Promise<GangMember[]> {
  return run(waitingGangs, [pool.tenantId, pool.name], tx);
}

export interface ExecutorRow {
  readonly id: string;
  readonly name: string;
  /** How many runs it can have. */
  readonly slots: number;
  /** Whether it gets no new work. */
  readonly isClosed: boolean;
  readonly nodesDigest: string;
  /** Null if the caller knows the nodes with this digest. */
  readonly nodes: readonly ReportedNode[] | null;
  readonly cordonedNodes: readonly string[];
}

const executors = statement<ExecutorRow>(
  `select executor.id, executor.name, executor.slots,
          coalesce(settings.cordoned, false) as "isClosed",
          executor.nodes_digest as "nodesDigest",
          case when executor.nodes_digest = any($4::text[]) then null else executor.nodes end as nodes,
          array(select node from node_cordons
                 where tenant_id = executor.tenant_id and executor_name = executor.name) as "cordonedNodes"
     from executors as executor
     left join executor_settings as settings
            on settings.tenant_id = executor.tenant_id and settings.name = executor.name
    where executor.tenant_id = $1::uuid and executor.pool = $2
      and executor.last_seen_at > now() - make_interval(secs => $3)
    order by executor.name, executor.id`,
);

/**
 * The executors of the pool that called in the last `seconds`, by name. An executor that was silent for longer gets no
 * new work.
 *
 * @param knownDigests  lists of nodes that the caller knows already.
 */
export function listExecutors(
  tx: Tx,
  pool: Pool,
  seconds: number,
  knownDigests: readonly string[],
): Promise<ExecutorRow[]> {
  return run(executors, [pool.tenantId, pool.name, seconds, knownDigests], tx);
}

export interface HeldRow extends ShapeColumns {
  readonly executorId: string;
  readonly node: string | null;
  readonly queueId: string;
  readonly isStopping: boolean;
  readonly count: number;
  /** How many of them the executor has not named yet. */
  readonly unacknowledged: number;
}

const held = statement<HeldRow>(
  `with stopping as materialized (
     select id from jobs where tenant_id = $2::uuid and state in ('CANCELLING', 'PREEMPTING')
   ),
   held as (
     select run.executor_id, run.node, run.queue_id, run.shape,
            (run.job_id in (select id from stopping)) is true as is_stopping,
            count(*)::int as count, (count(*) filter (where run.acknowledged_at is null))::int as unacknowledged,
            (array_agg(run.job_id))[1] as one_of_them
       from job_runs as run
      where run.executor_id = any($1::uuid[]) and run.ended_at is null
      group by run.executor_id, run.node, run.queue_id, run.shape, is_stopping
   )
   select held.executor_id as "executorId", held.node, held.queue_id as "queueId", ${shapeColumns('job')},
          held.is_stopping as "isStopping", held.count, held.unacknowledged
     from held join jobs as job on job.id = held.one_of_them`,
);

/**
 * What the runs of these executors of the tenant hold: how many runs of each queue and shape there are on each node. Jobs
 * are read only where they must stop, and one for each row of the answer.
 */
export function listHeld(tx: Tx, tenantId: string, executorIds: readonly string[]): Promise<HeldRow[]> {
  return run(held, [executorIds, tenantId], tx);
}

export interface QueueRow {
  readonly id: string;
  readonly name: string;
  readonly priorityFactor: number;
  readonly resourceLimits: StoredLimits;
}

const queuesById = statement<QueueRow>(
  `select id, name, priority_factor as "priorityFactor", resource_limits as "resourceLimits"
     from queues where id = any($1::uuid[])`,
);

export function listQueueStates(tx: Tx, ids: readonly string[]): Promise<QueueRow[]> {
  return run(queuesById, [ids], tx);
}

export interface LiveRow extends ShapeColumns {
  readonly runId: string;
  readonly jobId: string;
  readonly queueId: string;
  readonly priority: bigint;
  readonly leasedAt: Date;
  readonly executorId: string;
  readonly node: string | null;
  readonly gangId: string | null;
}

/** How many runs one round may take a place from. */
const MAX_PREEMPTIBLE = 10_000;

const preemptible = statement<LiveRow>(
  `select run.id as "runId", job.id as "jobId", job.queue_id as "queueId", job.priority,
          run.leased_at as "leasedAt", run.executor_id as "executorId", run.node, job.gang_id as "gangId",
          ${shapeColumns('job')}
     from job_runs as run join jobs as job on job.id = run.job_id
    where run.executor_id = any($1::uuid[]) and run.ended_at is null and job.is_preemptible
      and job.state not in ('CANCELLING', 'PREEMPTING')
    order by run.leased_at desc, run.id limit ${MAX_PREEMPTIBLE}`,
);

/** The runs of these executors that may be stopped to make room for others, newest first. */
export function listPreemptible(tx: Tx, executorIds: readonly string[]): Promise<LiveRow[]> {
  return run(preemptible, [executorIds], tx);
}
