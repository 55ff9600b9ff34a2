import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { hindranceToPreempt } from '../domain/job-changes.ts';
import { listOpenJobs, type OpenJobs } from '../store/changes.ts';
import { type JobWeight, listLiveRuns, listWeights, preemptRuns } from '../store/preemptions.ts';
import { changeJobs, type JobChange, type Progress, requireReason } from './change-jobs.ts';

const DEFAULT_REASON = 'somebody asked for it through the API';

/** How many jobs one transaction stops, gangs as a whole, and how many one request stops. */
const BATCH = 1000;
const MAX_JOBS = 10_000;
const MAX_BATCHES = MAX_JOBS / BATCH;

const LIVE = ['LEASED', 'PENDING', 'RUNNING'] as const;

/**
 * Stops jobs that hold a place on an executor and whose class lets others take it. A job of a gang takes the whole gang
 * with it. Jobs of executions are included. Jobs that say so wait again, and the others end as PREEMPTED.
 *
 * @returns one result for each id, in the order of the ids.
 * @throws InvalidArgumentError for the reason, or if there are too many jobs, their gangs included.
 */
export function preemptJobs(
  caller: Caller,
  ids: readonly string[],
  reason: string | null,
): Promise<JobChange[]> {
  requireReason(reason);
  return changeJobs(caller, 'job:preempt', ids, {}, hindranceToPreempt, async (allowed) => {
    const jobs = oneOfEachGang(await listWeights(allowed));
    if (jobs.reduce((sum, { weight }) => sum + weight, 0) > MAX_JOBS)
      throw InvalidArgumentError.of(
        ['input', 'ids'],
        `these jobs and the other jobs of their gangs are more than ${MAX_JOBS}`,
        'TooLarge',
      );
    const done: string[] = [];
    for (const batch of batchesOf(jobs)) done.push(...(await preemptWithGangs(caller, batch, reason)));
    return done;
  });
}

/**
 * Stops the jobs of a queue that hold a place and whose class lets others take it, with their gangs, about 10,000 of
 * them. Jobs on which the caller does not have EDIT are left out.
 *
 * @throws InvalidArgumentError for the reason.
 */
export async function preemptOpenJobs(
  caller: Caller,
  filter: Omit<OpenJobs, 'states' | 'isPreemptible'>,
  reason: string | null,
): Promise<Progress> {
  requireReason(reason);
  const live: OpenJobs = { ...filter, states: LIVE, isPreemptible: true };
  let count = 0;
  for (let turn = 0; turn < MAX_BATCHES && count < MAX_JOBS; turn += 1) {
    const ids = await listOpenJobs(caller, live, BATCH);
    const before = count;
    for (const batch of batchesOf(oneOfEachGang(await listWeights(ids))))
      count += (await preemptWithGangs(caller, batch, reason)).length;
    if (ids.length < BATCH || count === before) return { count, hasMore: ids.length === BATCH };
  }
  return { count, hasMore: true };
}

function oneOfEachGang(jobs: readonly JobWeight[]): JobWeight[] {
  const gangs = new Set<string>();
  return jobs.filter(({ gangId }) => {
    const isNew = gangId === null || !gangs.has(gangId);
    if (gangId !== null) gangs.add(gangId);
    return isNew;
  });
}

/** Batches that are not too heavy. A gang has at most as many jobs as a batch. */
function batchesOf(jobs: readonly JobWeight[]): string[][] {
  const batches: string[][] = [];
  let free = 0;
  for (const { id, weight } of jobs) {
    if (weight > free) {
      batches.push([]);
      free = BATCH;
    }
    batches.at(-1)?.push(id);
    free -= weight;
  }
  return batches;
}

/** @returns the ids of the jobs that were stopped, those of the gangs included. */
async function preemptWithGangs(
  caller: Caller,
  jobIds: readonly string[],
  reason: string | null,
): Promise<string[]> {
  return await inTransaction(async (tx) => {
    const runs = await listLiveRuns(tx, jobIds);
    if (runs.length === 0) return [];
    const stopped = new Set(
      await preemptRuns(
        tx,
        runs.map(({ runId }) => ({
          runId,
          reason: reason || DEFAULT_REASON,
          requestorId: caller.userId,
          preemptingJobId: null,
        })),
      ),
    );
    return runs.filter(({ runId }) => stopped.has(runId)).map(({ jobId }) => jobId);
  });
}
