import { foldJobCounts } from '../jobs/store/job-counts.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 1000;

/** How many changes one statement adds. */
const BATCH = 5000;

/** Starts the loop that adds the changes of the numbers of jobs to these numbers, so that few rows are left to read. */
export const startJobCountLoop = (): Loop =>
  startLoop({
    name: 'fold-job-counts',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: async () => ['every queue'],
    each: async () => (await foldJobCounts(BATCH)) === BATCH,
  });
