import { sweepEndedJobs } from '../jobs/commands/sweep-ended-jobs.ts';
import { postponeJobSet, sweepJobEvents } from '../jobs/commands/sweep-job-events.ts';
import { sweepRunLogs } from '../jobs/commands/sweep-run-logs.ts';
import { listJobSetsToLookAt } from '../jobs/store/expired-events.ts';
import { schedulerConfig } from '../platform/config/scheduler.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import { log } from '../platform/log.ts';
import { type Loop, startLoop } from './loop.ts';

/** Nobody waits for it, so it looks rarely. */
const LOOK_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How many job sets one look finds. */
const BATCH = 200;

const before = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

/**
 * Looks at some job sets. One that cannot be swept waits a day, so that it does not keep all others for ever.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepJobSets(keepSeconds: number, now = new Date()): Promise<boolean> {
  const ids = await listJobSetsToLookAt(BATCH);
  let hasMore = ids.length === BATCH;
  for (const id of ids) {
    try {
      if (await sweepJobEvents(id, keepSeconds, now)) hasMore = true;
    } catch (error) {
      if (isDatabaseLost(error)) throw error;
      log.error({ err: error, jobSetId: id }, 'the events of a job set could not be deleted');
      await postponeJobSet(id);
    }
  }
  return hasMore;
}

/** Starts the loops that delete plain jobs, the events of job sets and the logs of runs when their time is over. */
export function startJobSweeps(): Loop[] {
  const { jobHours, eventHours, logHours } = schedulerConfig.jobKeeping;
  return [
    startLoop({
      name: 'sweep-ended-jobs',
      everyMs: LOOK_MS,
      concurrency: 1,
      due: async () => (jobHours === 0 ? [] : ['every job']),
      each: () => sweepEndedJobs(before(jobHours)),
    }),
    startLoop({
      name: 'sweep-job-events',
      everyMs: LOOK_MS,
      concurrency: 1,
      due: async () => (eventHours === 0 ? [] : ['every job set']),
      each: () => sweepJobSets(eventHours * 3600),
    }),
    startLoop({
      name: 'sweep-run-logs',
      everyMs: LOOK_MS,
      concurrency: 1,
      due: async () => (logHours === 0 ? [] : ['every log']),
      each: () => sweepRunLogs(before(logHours)),
    }),
  ];
}
