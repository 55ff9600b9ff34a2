import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';
import type { Resources } from '../domain/scheduling/resources.ts';
import type { Pool } from './leases.ts';
import type { ShapeColumns, WaitingRow } from './rounds.ts';
import { endedOfGang } from './waiting-gangs.ts';

const snapshot = statement('set transaction isolation level repeatable read read only');

/** All that this transaction reads is from one moment. It must be the first statement. */
export async function readOneMoment(tx: Tx): Promise<void> {
  await run(snapshot, [], tx);
}

/** What the scheduler reads of a job, and what else keeps it from its round. */
export interface PlacedJob extends WaitingRow, ShapeColumns {
  readonly resources: Resources;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  readonly state: string;
  readonly pool: string;
  readonly gangId: string | null;
  readonly queueIsCordoned: boolean;
  readonly cordonReason: string | null;
  /** When the last round looked at the pool; null if none did. */
  readonly lastRoundAt: Date | null;
}

const placedJob = statement<PlacedJob>(
  `select job.id, job.queue_id as "queueId", job.shape, job.priority, job.submitted_at as "submittedAt",
          job.avoided_nodes as "avoidedNodes", job.priority_class as "priorityClass",
          job.class_priority as "classPriority", job.is_preemptible as "isPreemptible", job.resources,
          job.node_selector as "nodeSelector", job.tolerations, job.state::text as state, job.pool,
          job.gang_id as "gangId", queue.cordoned as "queueIsCordoned", queue.cordon_reason as "cordonReason",
          round.last_round_at as "lastRoundAt"
     from jobs as job join queues as queue on queue.id = job.queue_id
     left join pool_rounds as round on round.tenant_id = job.tenant_id and round.pool = job.pool
    where job.id = $1::uuid`,
);

export async function findPlacedJob(tx: Tx, id: string): Promise<PlacedJob | null> {
  return (await run(placedJob, [id], tx))[0] ?? null;
}

/** A gang of a job, and how much of it waits. */
export interface GangProgress {
  readonly cardinality: number;
  readonly uniformityLabel: string | null;
  /** How many of its jobs were submitted, how many of them wait, and how many have ended. */
  readonly submitted: number;
  readonly waiting: number;
  readonly ended: number;
}

const gangProgress = statement<GangProgress>(
  `select gang.cardinality, gang.uniformity_label as "uniformityLabel", gang.size as submitted,
          (select count(*)::int from jobs where gang_id = gang.id and state = 'QUEUED') as waiting,
          ${endedOfGang('gang')} as ended
     from gangs as gang where gang.id = $1::uuid`,
);

export async function findGangProgress(tx: Tx, id: string): Promise<GangProgress | null> {
  return (await run(gangProgress, [id], tx))[0] ?? null;
}

/** The executors of a pool, in numbers. */
export interface ExecutorCounts {
  /** How many called not long ago, and how many of them get no new work. */
  readonly live: number;
  readonly cordoned: number;
  /** How many did not, and how many nodes they had. */
  readonly silent: number;
  readonly silentNodes: number;
}

const executorCounts = statement<ExecutorCounts>(
  `select (count(*) filter (where is_live))::int as live,
          (count(*) filter (where is_live and cordoned))::int as cordoned,
          (count(*) filter (where not is_live))::int as silent,
          coalesce(sum(nodes) filter (where not is_live), 0)::int as "silentNodes"
     from (select executor.last_seen_at > now() - make_interval(secs => $3) as is_live,
                  coalesce(settings.cordoned, false) as cordoned,
                  greatest(jsonb_array_length(executor.nodes), 1) as nodes
             from executors as executor
             left join executor_settings as settings
                    on settings.tenant_id = executor.tenant_id and settings.name = executor.name
            where executor.tenant_id = $1::uuid and executor.pool = $2
              and executor.last_seen_at > now() - make_interval(secs => $4)) as executor`,
);

/**
 * @param liveSeconds  an executor that was silent for longer is silent.
 * @param knownSeconds  one that was silent for longer than this does not count at all.
 */
export async function countExecutors(
  tx: Tx,
  pool: Pool,
  liveSeconds: number,
  knownSeconds: number,
): Promise<ExecutorCounts> {
  const [row] = await run(executorCounts, [pool.tenantId, pool.name, liveSeconds, knownSeconds], tx);
  return row ?? { live: 0, cordoned: 0, silent: 0, silentNodes: 0 };
}

const MAX_BIGINT = 2n ** 63n - 1n;

const waitingBefore = statement<{ count: number }>(
  `select count(*)::int as count from (
     select from unnest($4::text[], $5::bigint[]) as kind(shape, priority) cross join lateral (
       select from jobs
        where tenant_id = $1::uuid and pool = $2 and state = 'QUEUED' and gang_id is null
          and queue_id = $3::uuid and shape = kind.shape
          and (priority, submitted_at, id) < (kind.priority, $6::timestamptz, $7::uuid)
        order by priority, submitted_at, id limit $8) as job
      limit $8) as before`,
);

/**
 * How many single jobs of a queue wait before a job: those of higher classes, and of its own class those that come
 * earlier. Counts at most `limit`.
 *
 * @param shapes  the shapes of the queue whose class is at least as high as that of the job.
 */
export async function countWaitingBefore(
  tx: Tx,
  pool: Pool,
  job: WaitingRow,
  shapes: readonly { readonly digest: string; readonly isHigher: boolean }[],
  limit: number,
): Promise<number> {
  const [row] = await run(
    waitingBefore,
    [
      ...[pool.tenantId, pool.name, job.queueId],
      shapes.map(({ digest }) => digest),
      // All jobs of a higher class go before, whatever their priority is. One comparison for both is read by the index.
      shapes.map(({ isHigher }) => String(isHigher ? MAX_BIGINT : job.priority)),
      ...[job.submittedAt, job.id, limit],
    ],
    tx,
  );
  return row?.count ?? 0;
}
