import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { BrakeSettings } from '../domain/scheduling/brakes.ts';
import { planPreemption } from '../domain/scheduling/plan-preemption.ts';
import { planAssignments, type Unplaced } from '../domain/scheduling/plan-round.ts';
import { readBrakes, storeBrakes } from '../store/brakes.ts';
import { type Pool, storeRuns } from '../store/leases.ts';
import { recordRound } from '../store/pool-rounds.ts';
import { preemptRuns } from '../store/preemptions.ts';
import { tryLockPool } from '../store/rounds.ts';
import { type ExecutorLimits, type Round, readLiveRuns, readRound } from './read-round.ts';

/** The largest number of runs that one turn creates, except for a gang that is larger. */
export const MAX_ASSIGNMENTS = 1000;

/**
 * Assigns the queued jobs of a pool to executors with room, in fair shares. Only one process at a time assigns the jobs
 * of a pool; the others do nothing. If jobs find no room, runs of a lower class, and of queues that hold more than their
 * share, are asked to stop.
 *
 * @param mayPreempt  whether runs may be asked to stop in this turn.
 * @param limits  which executors get no new work.
 * @param settings  how fast jobs may start.
 * @returns how many jobs were assigned, and how many runs must stop. After a full turn, there may be more.
 */
export async function assignPool(
  pool: Pool,
  leaseSeconds: number,
  mayPreempt = true,
  limits: ExecutorLimits = controlPlaneConfig.executorLimits,
  settings: BrakeSettings = controlPlaneConfig.brakes,
): Promise<{ assigned: number; preempted: number; mayHaveMore: boolean }> {
  return await inTransaction(async (tx) => {
    const none = { assigned: 0, preempted: 0, mayHaveMore: false };
    if (!(await tryLockPool(tx, pool))) return none;
    await recordRound(tx, pool);
    const round = await readRound(tx, pool, limits, MAX_ASSIGNMENTS);
    if (!round) return none;
    const brakeState = await readBrakes(tx, pool, settings);
    const { plan, brakes } = planAssignments({ ...round, brakes: brakeState }, MAX_ASSIGNMENTS);
    const runs = plan.assignments.map(({ jobId, executorId, node }) => ({
      runId: newId(),
      jobId,
      executorId,
      node,
    }));
    const assigned = runs.length === 0 ? 0 : await storeRuns(tx, runs, leaseSeconds);
    if (brakes && runs.length > 0) await storeBrakes(tx, pool, settings, brakes.buckets);
    const hasHungry = mayPreempt && plan.unplaced.length > 0;
    if (assigned > 0) return { assigned, preempted: 0, mayHaveMore: plan.isPartial || hasHungry };
    return { ...none, preempted: hasHungry ? await preempt(tx, round, plan.unplaced) : 0 };
  });
}

async function preempt(tx: Tx, round: Round, unplaced: readonly Unplaced[]): Promise<number> {
  const runs = await readLiveRuns(tx, round.executors);
  const preemptions = planPreemption({ ...round, runs, unplaced });
  if (preemptions.length === 0) return 0;
  const reason = 'a job of a higher class, or of a queue with less than its share, needs the room';
  const stopped = await preemptRuns(
    tx,
    preemptions.map((preemption) => ({ ...preemption, reason, requestorId: null })),
  );
  return stopped.length;
}
