import { listDueFirings } from '../executions/store/trigger-firings.ts';
import { fireTrigger } from './fire-trigger.ts';
import { type Loop, startLoop } from './loop.ts';

const LOOK_MS = 1000;
const BATCH = 500;

/** Starts the executions of triggers. News wakes it when an execution has ended. */
export const startTriggerLoop = (): Loop =>
  startLoop({
    name: 'launch-triggers',
    everyMs: LOOK_MS,
    concurrency: 4,
    due: () => listDueFirings(BATCH),
    each: fireTrigger,
  });
