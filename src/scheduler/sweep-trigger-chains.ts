import { forgetOldChains } from '../executions/store/trigger-firings.ts';
import { type Loop, startLoop } from './loop.ts';

const HOUR_MS = 3_600_000;

/** How many counts one statement deletes. */
const BATCH = 1000;

/** Starts the loop that deletes old counts of what triggers have started. */
export const startChainSweep = (): Loop =>
  startLoop({
    name: 'sweep-trigger-chains',
    everyMs: HOUR_MS,
    concurrency: 1,
    due: async () => ['every count'],
    each: () => sweepTriggerChains(),
  });

/**
 * Deletes some of the old counts. They need no owner: what they count may be deleted long before.
 *
 * @returns whether there may be more to delete.
 */
export async function sweepTriggerChains(batch = BATCH): Promise<boolean> {
  return (await forgetOldChains(batch)) === batch;
}
