import { isAllowed } from '../../authorization/can.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, PermissionDeniedError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { Place } from '../../values/problem-list.ts';
import { MAX_JOBS_PER_REQUEST, submissionProblems } from '../domain/submission.ts';
import type { GivenJob } from '../domain/submitting/given-job.ts';
import { type PlainJob, readJob } from '../domain/submitting/read-job.ts';
import { submitJobs } from './submit-jobs.ts';

/** What became of one job of a request. */
export interface SubmittedJob {
  readonly jobId: string;
  readonly clientId: string | null;
  /** Whether there was a job with this client id already. `jobId` is that job. */
  readonly isDuplicate: boolean;
}

const { priorityClasses, jobResourceDefaults, jobLimits } = controlPlaneConfig;
const rules = {
  resources: { defaults: jobResourceDefaults, ...jobLimits },
  deadlines: jobLimits,
  restrictedTolerations: jobLimits.restrictedTolerations,
};

/**
 * Submits jobs that belong to no execution, all or none. Whoever may use the queue may add jobs to all its job sets,
 * except those of executions. A cordoned queue accepts jobs.
 *
 * @returns one answer for each job, in their order.
 * @throws InvalidArgumentError with the problems of all jobs; NotFoundError if the queue was deleted in the meantime;
 * PermissionDeniedError if jobs in the queue of a project have inputs or outputs and the caller may not use the project;
 * FailedPreconditionError if a job of the gang of a new job has ended.
 * Source: Armada's SubmitJobs.
 */
export async function submitPlainJobs(
  caller: Caller,
  queue: Queue,
  jobSet: string,
  given: readonly GivenJob[],
): Promise<SubmittedJob[]> {
  const place = new Place(['input']);
  const jobs = given
    .slice(0, MAX_JOBS_PER_REQUEST)
    .map((job, index) =>
      readJob(job, rules, { jobId: newId(), queue: queue.name, jobSet }, place.at('jobs', index)),
    );
  const set = { name: jobSet, ownerId: null };
  // Of more jobs than a request may have, the rest is only counted.
  const counted = [...jobs, ...given.slice(jobs.length).map(() => ({ clientId: null, priority: 0 }))];
  const problems = [...place.problems.all, ...submissionProblems(set, counted, priorityClasses, ['input'])];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  await requireProject(caller, queue, jobs);
  return await storePlainJobs(caller, queue, jobSet, jobs);
}

/** Stores jobs that were checked. @throws NotFoundError if the queue was deleted in the meantime. */
export async function storePlainJobs(
  caller: Caller,
  queue: Pick<Queue, 'id' | 'tenantId' | 'name' | 'projectId'>,
  jobSet: string,
  jobs: readonly PlainJob[],
): Promise<SubmittedJob[]> {
  const set = { name: jobSet, ownerId: null, projectId: queue.projectId, workflowEntityId: null };
  const ids = await inTransaction((tx) => submitJobs(caller, tx, queue, set, jobs));
  return jobs.map(({ id, clientId }, index) => {
    const jobId = ids[index] ?? id;
    return { jobId, clientId, isDuplicate: jobId !== id };
  });
}

/** Jobs in the queue of a project may read and write its files, so who submits them must be allowed to. */
export async function requireProject(
  caller: Caller,
  { projectId, tenantId }: Queue,
  jobs: readonly PlainJob[],
): Promise<void> {
  const hasFiles = jobs.some(({ spec }) =>
    [spec.interface.inputs, spec.interface.outputs].some((part) => Object.keys(part).length > 0),
  );
  if (projectId === null || !hasFiles) return;
  const target = async (): Promise<Target> => ({ tenantId, resources: [{ type: 'PROJECT', id: projectId }] });
  if (await isAllowed(caller, 'blob:create', { target })) return;
  throw new PermissionDeniedError('jobs with inputs or outputs also require USE on the project of the queue');
}
