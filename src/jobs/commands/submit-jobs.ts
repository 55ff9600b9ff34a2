import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, PermissionDeniedError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import { type JobRequest, roundedPriority, submissionProblems } from '../domain/submission.ts';
import { type JobSetKey, lockJobSet } from '../store/job-sets.ts';
import { storeJobs } from '../store/submission.ts';

export interface NewJobRequest extends JobRequest {
  readonly spec: JobSpec;
  readonly labels: Readonly<Record<string, string>>;
  /** None if left out. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly activeDeadlineSeconds: number | null;
}

/**
 * Submits jobs to a queue, all or none. The same client id in the same queue always means the same job, even within one
 * request: submitting it twice creates one job, and both answers have its id.
 *
 * @returns the ids of the jobs, in the given order.
 * @throws InvalidArgumentError with all problems; PermissionDeniedError if the job set has another owner.
 */
export async function submitJobs(
  caller: Caller,
  tx: Tx,
  queue: { readonly id: string; readonly tenantId: string },
  jobSet: Omit<JobSetKey, 'tenantId' | 'queueId'>,
  jobs: readonly NewJobRequest[],
): Promise<string[]> {
  const problems = submissionProblems(jobSet.name, jobs, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId, id: queueId } = queue;
  const jobSetId = await lockJobSet(tx, newId(), { tenantId, queueId, ...jobSet });
  if (!jobSetId) throw new PermissionDeniedError('the job set belongs to another owner');
  return await storeJobs(
    tx,
    { tenantId, queueId, jobSetId, ownerId: caller.userId },
    jobs.map((job, position) => ({
      position,
      id: newId(),
      clientId: job.clientId,
      priority: roundedPriority(job.priority),
      spec: job.spec,
      labels: job.labels,
      annotations: job.annotations ?? {},
      activeDeadlineSeconds: job.activeDeadlineSeconds,
    })),
  );
}
