import { delayRemains, findRemains, forgetRemains, listDueRemains } from '../executions/store/remains.ts';
import { sweepJobSet } from '../jobs/commands/sweep-job-set.ts';
import { systemCaller } from '../platform/caller.ts';
import { type Loop, startLoop } from './loop.ts';

/** How often to look for deleted executions whose job sets remain, in case news was lost. */
const LOOK_MS = 1000;

/** How many of them one look finds. */
const BATCH = 200;

/** How long to wait for jobs that have not ended. */
const OPEN_SECONDS = 30;

/** Starts the loop that deletes the job sets of deleted executions. */
export const startJobSetSweep = (): Loop =>
  startLoop({
    name: 'sweep-job-sets',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: () => listDueRemains(BATCH),
    each: sweepRemains,
  });

/**
 * Deletes some of what a deleted execution has left behind. Whatever dies, the row in `execution_remains` is there until
 * nothing is left.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepRemains(executionId: string): Promise<boolean> {
  const remains = await findRemains(executionId);
  if (!remains) return false;
  const state = await sweepJobSet(systemCaller(remains.tenantId, remains.deletedById), executionId);
  if (state === 'GONE') await forgetRemains(executionId);
  if (state === 'OPEN') await delayRemains(executionId, OPEN_SECONDS);
  return state === 'MORE';
}
