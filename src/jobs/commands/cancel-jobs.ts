import type { JobState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { hindranceToCancel, type JobSetState, statesOfFilter } from '../domain/job-changes.ts';
import { cancelJobsById, listOpenJobs, type OpenJobs } from '../store/changes.ts';
import {
  changeInBatches,
  changeJobs,
  type JobChange,
  type JobPlaces,
  type Progress,
  requireReason,
} from './change-jobs.ts';
import { findPlainJobSet } from './find-plain-job-set.ts';

/**
 * Cancels jobs. If an executor has confirmed the run of a job, the job is CANCELLING until the run has ended.
 *
 * @returns one result for each id, in the order of the ids.
 * @throws InvalidArgumentError for the reason, or if there are too many ids.
 */
export function cancelJobs(
  caller: Caller,
  ids: readonly string[],
  places: JobPlaces,
  reason: string | null,
): Promise<JobChange[]> {
  requireReason(reason);
  const cancellation = { reason, requestorId: caller.userId, states: null };
  return changeJobs(caller, 'job:cancel', ids, places, hindranceToCancel, (allowed) =>
    inTransaction((tx) => cancelJobsById(tx, allowed, cancellation)),
  );
}

/**
 * Cancels the jobs of a job set that have not ended, up to 10,000 of them.
 *
 * @throws InvalidArgumentError for the reason or the states; FailedPreconditionError for the job set of an execution.
 */
export async function cancelWholeJobSet(
  caller: Caller,
  queueId: string,
  jobSet: string,
  filter: readonly JobSetState[],
  reason: string | null,
): Promise<Progress> {
  requireReason(reason);
  const states = filter.length === 0 ? null : statesOfFilter(filter);
  if (filter.length > 0 && !states)
    throw InvalidArgumentError.of(['input', 'states'], 'PENDING and RUNNING can only be given together');
  const jobSetId = await findPlainJobSet(
    caller,
    queueId,
    jobSet,
    'use terminateExecution or terminateNodeExecution',
  );
  return jobSetId === null
    ? { count: 0, hasMore: false }
    : await cancelOpenJobs(caller, { queueId, jobSetId, states }, reason);
}

/**
 * Cancels open jobs of a queue, up to 10,000 of them. Jobs of executions are included; jobs on which the caller does not
 * have EDIT are left out.
 *
 * @throws InvalidArgumentError for the reason.
 */
export function cancelOpenJobs(caller: Caller, filter: OpenJobs, reason: string | null): Promise<Progress> {
  requireReason(reason);
  const states: readonly JobState[] | null = filter.states ?? null;
  return changeInBatches(
    (limit) => listOpenJobs(caller, filter, limit),
    (tx, ids) => cancelJobsById(tx, ids, { reason, requestorId: caller.userId, states }),
  );
}
