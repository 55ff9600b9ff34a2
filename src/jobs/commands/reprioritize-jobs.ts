import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { hindranceToReprioritize } from '../domain/job-changes.ts';
import { roundedPriority } from '../domain/submission.ts';
import { listOpenJobs, reprioritizeJobsById } from '../store/changes.ts';
import { changeInBatches, changeJobs, type JobChange, type JobPlaces, type Progress } from './change-jobs.ts';
import { findPlainJobSet } from './find-plain-job-set.ts';

/**
 * Gives jobs another priority in their queue, also those that run. Of a gang, only the named jobs change.
 *
 * @returns one result for each id, in the order of the ids.
 * @throws InvalidArgumentError for the priority, or if there are too many ids.
 */
export function reprioritizeJobs(
  caller: Caller,
  ids: readonly string[],
  places: JobPlaces,
  newPriority: number,
): Promise<JobChange[]> {
  const priority = storedPriority(newPriority);
  return changeJobs(caller, 'job:reprioritize', ids, places, hindranceToReprioritize, (allowed) =>
    inTransaction((tx) => reprioritizeJobsById(tx, allowed, priority, caller.userId)),
  );
}

/**
 * Gives the jobs of a job set that have not ended another priority, up to 10,000 of them.
 *
 * @throws InvalidArgumentError for the priority; FailedPreconditionError for the job set of an execution.
 */
export async function reprioritizeJobSet(
  caller: Caller,
  queueId: string,
  jobSet: string,
  newPriority: number,
): Promise<Progress> {
  const priority = storedPriority(newPriority);
  const use = 'the priority of its jobs cannot be changed';
  const jobSetId = await findPlainJobSet(caller, queueId, jobSet, use);
  if (jobSetId === null) return { count: 0, hasMore: false };
  return await changeInBatches(
    (limit) => listOpenJobs(caller, { queueId, jobSetId, priorityOtherThan: priority }, limit),
    (tx, ids) => reprioritizeJobsById(tx, ids, priority, caller.userId),
  );
}

function storedPriority(priority: number): number {
  if (!Number.isFinite(priority))
    throw InvalidArgumentError.of(['input', 'newPriority'], 'the priority must be a number');
  return roundedPriority(priority);
}
