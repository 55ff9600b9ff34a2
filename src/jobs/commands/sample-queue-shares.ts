import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { sharesOf } from '../domain/scheduling/shares.ts';
import type { Pool } from '../store/leases.ts';
import { mayTakeSamples, storeSamples } from '../store/queue-shares.ts';
import { MAX_ASSIGNMENTS } from './assign-jobs.ts';
import { type ExecutorLimits, readRound } from './read-round.ts';

/**
 * Stores what each queue has of a pool and should have, as a round would compute it, unless this was done less than so
 * many seconds ago. Only one process at a time does this for a pool; rounds go on meanwhile.
 *
 * @returns how many queues take part: those with jobs that wait or run.
 */
export async function sampleQueueShares(
  pool: Pool,
  everySeconds: number,
  limits: ExecutorLimits = controlPlaneConfig.executorLimits,
): Promise<number> {
  return await inTransaction(async (tx) => {
    if (!(await mayTakeSamples(tx, pool, everySeconds))) return 0;
    const round = await readRound(tx, pool, limits, MAX_ASSIGNMENTS, { evenIfIdle: true });
    return await storeSamples(tx, pool, round ? sharesOf(round.queues, round.totals) : []);
  });
}
