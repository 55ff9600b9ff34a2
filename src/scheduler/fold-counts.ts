import { foldExecutionCounts } from '../executions/store/execution-counts.ts';
import { foldJobCounts } from '../jobs/store/job-counts.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 1000;

/** How many changes one statement adds. */
const BATCH = 5000;

const folds: Readonly<Record<string, (limit: number) => Promise<number>>> = {
  jobs: foldJobCounts,
  executions: foldExecutionCounts,
};

/** Starts the loop that adds the changes of stored numbers to these numbers, so that few rows are left to read. */
export const startCountLoop = (): Loop =>
  startLoop({
    name: 'fold-counts',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: async () => Object.keys(folds),
    each: async (kind) => (await folds[kind]?.(BATCH)) === BATCH,
  });
