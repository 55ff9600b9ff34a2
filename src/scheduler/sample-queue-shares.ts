import { sampleQueueShares } from '../jobs/commands/sample-queue-shares.ts';
import { deleteOldSamples, listPoolsToSample } from '../jobs/store/queue-shares.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { schedulerConfig } from '../platform/config/scheduler.ts';
import { type Loop, startLoop } from './loop.ts';
import { poolOf } from './store.ts';

const HOUR_MS = 3_600_000;

/** How many samples one statement deletes. */
const BATCH = 5000;

/** Starts the loop that stores the shares of queues in each pool. */
export function startShareLoop(): Loop {
  const { everySeconds } = schedulerConfig.shareSamples;
  const { silentSeconds } = controlPlaneConfig.executorLimits;
  return startLoop({
    name: 'sample-queue-shares',
    everyMs: everySeconds * 1000,
    concurrency: 1,
    due: () => listPoolsToSample(silentSeconds),
    each: async (pool) => {
      // A little less than the time between two looks, so that none of them comes too early.
      await sampleQueueShares(poolOf(pool), everySeconds * 0.9);
    },
  });
}

/** Starts the loop that deletes old samples. */
export const startShareSweep = (): Loop =>
  startLoop({
    name: 'sweep-queue-shares',
    everyMs: HOUR_MS,
    concurrency: 1,
    due: async () => ['every pool'],
    each: async () => (await deleteOldSamples(schedulerConfig.shareSamples.days, BATCH)) === BATCH,
  });
