import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import { type JobRequest, roundedPriority, submissionProblems } from '../domain/submission.ts';
import { lockJobSet } from '../store/job-sets.ts';
import { storeJobs } from '../store/submission.ts';

export interface NewJobRequest extends JobRequest {
  readonly spec: JobSpec;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly activeDeadlineSeconds: number | null;
}

/**
 * Puts jobs on a queue, all or none. The same client id in the same queue is the same job for ever, also inside one
 * request: submitting twice makes one, and answers the first one's id.
 *
 * @returns the jobs' ids in the order asked.
 * @throws InvalidArgumentError with every fault of the request.
 */
export async function submitJobs(
  caller: Caller,
  tx: Tx,
  queue: { id: string; tenantId: string },
  jobSet: string,
  jobs: readonly NewJobRequest[],
): Promise<string[]> {
  const problems = submissionProblems(jobSet, jobs, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId, id: queueId } = queue;
  const jobSetId = await lockJobSet(tx, {
    id: newId(),
    tenantId,
    queueId,
    name: jobSet,
  });
  const submitted = await storeJobs(
    tx,
    { tenantId, queueId, jobSetId, ownerId: caller.userId },
    jobs.map((job, position) => ({
      position,
      id: newId(),
      clientId: job.clientId,
      priority: roundedPriority(job.priority),
      spec: job.spec,
      labels: job.labels ?? {},
      annotations: job.annotations ?? {},
      activeDeadlineSeconds: job.activeDeadlineSeconds,
    })),
  );
  return submitted.map((job) => job.id);
}
