import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { answerParts, type JobExplanation, type JobVerdict, MAX_COUNTED } from '../domain/job-explanation.ts';
import { countBefore, explainItem } from '../domain/scheduling/explain-item.ts';
import type { Obstacle } from '../domain/scheduling/obstacles.ts';
import type { Item, QueueState } from '../domain/scheduling/plan-round.ts';
import { whyImpossible } from '../domain/scheduling/possibility.ts';
import { sharesOf } from '../domain/scheduling/shares.ts';
import { readBrakes } from '../store/brakes.ts';
import {
  countExecutors,
  countWaitingBefore,
  type ExecutorCounts,
  findGangProgress,
  findPlacedJob,
  type PlacedJob,
  readOneMoment,
} from '../store/explanations.ts';
import type { Pool } from '../store/leases.ts';
import { listQueueStates } from '../store/rounds.ts';
import { MAX_ASSIGNMENTS } from './assign-jobs.ts';
import { readKnownFleet } from './read-known-fleet.ts';
import { limitsOf, readRound, shapeOf, waitingJob } from './read-round.ts';

/** What is known if no round was planned. */
const noRound = {
  ...{ before: null, share: null, otherQueuesServed: 0, limit: null, impossible: null, fittingNodes: null },
  obstacles: [] as readonly Obstacle[],
};

/**
 * Why a job does not run, at this moment. It reads what the next round would read, and plans this round with the same
 * code. All of it is from one moment, and takes no longer because a queue is longer.
 *
 * @returns null if the job does not exist.
 */
export async function explainJob(tenantId: string, id: string): Promise<JobExplanation | null> {
  const { brakes, executorLimits, fleetMemorySeconds } = controlPlaneConfig;
  const { silentSeconds } = executorLimits;
  return await inTransaction(async (tx) => {
    await readOneMoment(tx);
    const job = await findPlacedJob(tx, id);
    if (!job) return null;
    const pool: Pool = { tenantId, name: job.pool };
    const gang = job.gangId === null ? null : await findGangProgress(tx, job.gangId);
    const executors = await countExecutors(
      tx,
      pool,
      silentSeconds,
      Math.max(fleetMemorySeconds, silentSeconds),
    );
    const base = { ...basics(job, executors), gang };
    const without = (verdict: JobVerdict) => ({ ...base, ...noRound, verdict });
    if (job.state !== 'QUEUED') return without('NOT_WAITING');
    if (gang && gang.ended > 0) return without('GANG_BROKEN');
    if (job.queueIsCordoned) return without('QUEUE_CORDONED');
    if (gang && (gang.waiting < gang.cardinality || gang.submitted !== gang.cardinality))
      return without('GANG_INCOMPLETE');
    const read = await readRound(tx, pool, executorLimits, MAX_ASSIGNMENTS);
    const round = read && { ...read, brakes: await readBrakes(tx, pool, brakes) };
    const queue = round?.queues.find((one) => one.id === job.queueId);
    const item = (queue && itemOf(job.id, queue)) ?? alone(job);
    const impossible = await findImpossible(tx, pool, job, item);
    if (impossible !== null) return { ...without('IMPOSSIBLE'), impossible };
    if (!round || !queue) return without('NO_EXECUTOR');
    const answer = answerParts(explainItem(item, job.queueId, round, MAX_ASSIGNMENTS));
    return {
      ...base,
      ...noRound,
      ...answer,
      obstacles: withSilent(answer.obstacles, executors),
      before: await countAllBefore(tx, pool, job, item, queue),
      share: sharesOf(round.queues, round.totals).find(({ queueId }) => queueId === job.queueId) ?? null,
    };
  });
}

const basics = (job: PlacedJob, { live, cordoned, silent }: ExecutorCounts) => ({
  ...{
    jobId: job.id,
    state: job.state,
    pool: job.pool,
    queueId: job.queueId,
    cordonReason: job.cordonReason,
  },
  ...{ explainedAt: new Date(), lastRoundAt: job.lastRoundAt, executors: { live, cordoned, silent } },
});

const itemOf = (jobId: string, { waiting }: QueueState): Item | undefined =>
  waiting.flatMap(({ items }) => items).find(({ jobs }) => jobs.some(({ id }) => id === jobId));

/** The job as a round would read it, if it is too far behind to be read. */
const alone = (job: PlacedJob): Item => ({ jobs: [waitingJob(job, shapeOf(job))], uniformityLabel: null });

async function findImpossible(tx: Tx, pool: Pool, job: PlacedJob, item: Item): Promise<string | null> {
  const fleet = await readKnownFleet(tx, pool, controlPlaneConfig.fleetMemorySeconds);
  const [queue] = await listQueueStates(tx, [job.queueId]);
  return fleet && queue ? whyImpossible(item, fleet, limitsOf(queue, pool.name, fleet.totals)) : null;
}

function withSilent(obstacles: readonly Obstacle[], { silentNodes }: ExecutorCounts): readonly Obstacle[] {
  if (silentNodes === 0) return obstacles;
  return [...obstacles, { kind: 'SILENT', nodes: silentNodes, text: 'the executor is silent' }];
}

/** The jobs before this one: gangs were read whole, and single jobs are counted, because most of them were not read. */
async function countAllBefore(
  tx: Tx,
  pool: Pool,
  job: PlacedJob,
  item: Item,
  queue: QueueState,
): Promise<number> {
  const [first] = item.jobs;
  if (!first) return 0;
  const isSingle = ({ jobs }: Item) => jobs.length === 1;
  const gangs = queue.waiting.map(({ items, ...list }) => ({
    ...list,
    items: items.filter((one) => !isSingle(one)),
  }));
  const heads = queue.waiting.flatMap(({ items }) => items.slice(0, 1)).filter(isSingle);
  const shapes = heads.flatMap(({ jobs }) => jobs.map(({ shape }) => shape));
  const singles = await countWaitingBefore(
    tx,
    pool,
    { ...job, id: first.id, priority: BigInt(first.priority), submittedAt: new Date(first.submittedAt) },
    shapes
      .filter(({ classPriority }) => classPriority >= first.shape.classPriority)
      .map(({ digest, classPriority }) => ({ digest, isHigher: classPriority > first.shape.classPriority })),
    MAX_COUNTED,
  );
  return Math.min(singles + countBefore(item, { ...queue, waiting: gangs }), MAX_COUNTED);
}
