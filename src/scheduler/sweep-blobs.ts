import { deleteRemains } from '../blobs/commands/delete-remains.ts';
import { schedulerConfig } from '../platform/config/scheduler.ts';
import { sweepBlobs } from '../retention/commands/sweep-blobs.ts';
import { type Loop, startLoop } from './loop.ts';

/** A sweep reads all values of a tenant, so it runs rarely. */
const SWEEP_MS = 3_600_000;
const REMAINS_MS = 60_000;
const DAY_MS = 86_400_000;

/** How many objects one turn deletes. */
const BATCH = 100;

/** Starts the loops that delete files that nothing names any more. */
export function startBlobSweeps(): Loop[] {
  const { unusedBlobDays } = schedulerConfig;
  return [
    startLoop({
      name: 'sweep-blobs',
      everyMs: SWEEP_MS,
      concurrency: 1,
      due: async () => (unusedBlobDays === 0 ? [] : ['every file']),
      each: () => sweepBlobs(new Date(Date.now() - unusedBlobDays * DAY_MS)),
    }),
    startLoop({
      name: 'sweep-blob-remains',
      everyMs: REMAINS_MS,
      concurrency: 1,
      due: async () => ['every object'],
      each: () => deleteRemains(BATCH),
    }),
  ];
}
