import { sweepExecutions } from '../retention/commands/sweep-executions.ts';
import { listDuePolicies } from '../retention/store/sweeps.ts';
import { type Loop, startLoop } from './loop.ts';

/** How often each policy gets a turn, while its sweep is under way. Between two turns the database has time for others. */
const LOOK_MS = 1000;

/** How many policies one look finds. */
const BATCH = 200;

/** Starts the loop that deletes executions as the retention policies say. */
export const startExecutionSweep = (): Loop =>
  startLoop({
    name: 'sweep-executions',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: () => listDuePolicies(BATCH),
    each: async (id) => {
      await sweepExecutions(id);
    },
  });
