import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { submissionProblems } from '../domain/submission.ts';
import { jobEnvironment } from '../domain/submitting/job-environment.ts';
import { valuesForCopy } from '../domain/submitting/job-texts.ts';
import type { PlainJob } from '../domain/submitting/read-job.ts';
import { type JobDetails, readJobDetails } from '../store/job-details.ts';
import { readQueues } from '../store/queues.ts';
import type { JobRow } from '../store/reads.ts';
import { requireProject, type SubmittedJob, storePlainJobs } from './submit-plain-jobs.ts';

/**
 * Submits a copy of a job that has ended, to the same job set, with the priority that the job had last.
 *
 * @param clientId  of the copy; null: always a new job.
 * @throws FailedPreconditionError if the job has not ended, or belongs to an execution or a gang; NotFoundError if its
 * queue was deleted; InvalidArgumentError for the client id, or if the priority class does not exist any more;
 * PermissionDeniedError: see `submitPlainJobs`.
 */
export async function resubmitJob(
  caller: Caller,
  job: JobRow,
  clientId: string | null,
): Promise<SubmittedJob> {
  requireCopyable(job);
  const [[queue = null], [details = null]] = await Promise.all([
    readQueues(job.tenantId, [{ id: job.queueId }]),
    readJobDetails([job.id]),
  ]);
  if (!queue) throw new NotFoundError('queue', job.queue, ['input', 'by']);
  if (!details) throw new NotFoundError('job', job.id, ['input', 'by']);
  const copy = copyOf(job, details, clientId);
  const set = { name: job.jobSet, ownerId: null };
  const problems = submissionProblems(set, [copy], controlPlaneConfig.priorityClasses, ['input']);
  if (problems.length > 0)
    throw new InvalidArgumentError(
      problems.map(({ path, ...problem }) => ({ ...problem, path: ['input', ...path.slice(3)] })),
    );
  await requireProject(caller, queue, [copy]);
  const [submitted] = await storePlainJobs(caller, queue, job.jobSet, [copy]);
  if (!submitted) throw new Error('the copy was not stored');
  return submitted;
}

function requireCopyable({ isOwned, endedAt, state, gangId }: JobRow): void {
  const refuse = (message: string) => {
    throw new FailedPreconditionError(message, { current: state, path: ['input', 'by'] });
  };
  if (isOwned) refuse('the job belongs to an execution; use relaunchExecution or recoverExecution');
  if (!endedAt) refuse(`the job is ${state}; only a job that has ended can be submitted again`);
  if (gangId !== null) refuse('the job belongs to a gang; submit all its jobs again under another id');
}

function copyOf(job: JobRow, details: JobDetails, clientId: string | null): PlainJob {
  const id = newId();
  const { spec } = details;
  return {
    id,
    clientId,
    priority: Number(job.priority),
    priorityClass: job.priorityClass,
    pool: job.pool,
    namespace: job.namespace,
    failFast: job.failFast,
    onPreemption: job.onPreemption,
    externalUri: job.externalUri,
    maxAttempts: job.maxAttempts,
    activeDeadlineSeconds: job.activeDeadlineSeconds,
    nodeSelector: details.nodeSelector,
    tolerations: details.tolerations,
    labels: valuesForCopy(details.labels, job.id, id),
    annotations: valuesForCopy(details.annotations, job.id, id),
    spec: {
      ...spec,
      environment: jobEnvironment(
        { jobId: id, queue: job.queue, jobSet: job.jobSet },
        null,
        spec.container.env,
      ),
    },
  };
}
