import { sweepDeletedQueue } from '../jobs/commands/sweep-deleted-queue.ts';
import { listDeletedQueues } from '../jobs/store/deleted-queues.ts';
import { type Loop, startLoop } from './loop.ts';

/** Nobody waits for it, so it looks rarely. */
const LOOK_MS = 10_000;

/** How many deleted queues one look finds. */
const BATCH = 100;

/** Starts the loop that deletes the jobs and the rows of deleted queues. */
export const startDeletedQueueSweep = (): Loop =>
  startLoop({
    name: 'sweep-deleted-queues',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: () => listDeletedQueues(BATCH),
    each: sweepDeletedQueue,
  });
