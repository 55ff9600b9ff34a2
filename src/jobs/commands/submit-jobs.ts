import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, PermissionDeniedError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { JobSpec } from '../domain/job-spec.ts';
import { placementOf } from '../domain/placement.ts';
import { classNamed, type PriorityClass } from '../domain/priority-classes.ts';
import type { Labels, Toleration } from '../domain/scheduling/matching.ts';
import { type JobRequest, roundedPriority, submissionProblems } from '../domain/submission.ts';
import { ensureGangs, type NewGang, requireRightGrowth } from '../store/gangs.ts';
import { type JobSetKey, lockJobSet } from '../store/job-sets.ts';
import { lockForSubmission } from '../store/queue-writes.ts';
import { storeJobs } from '../store/submission.ts';

const DEFAULT_POOL = 'default';
export const DEFAULT_MAX_ATTEMPTS = 3;

export interface NewJobRequest extends JobRequest {
  /** A new id, if the caller needs it before the job is stored. */
  readonly id?: string;
  readonly spec: JobSpec;
  readonly labels: Readonly<Record<string, string>>;
  /** None if left out. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly activeDeadlineSeconds: number | null;
  /** `default` if left out. */
  readonly pool?: string;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  /** Whether it fails when its first attempt is lost. False if left out. */
  readonly failFast?: boolean;
  /** What becomes of it when it must make room for others: it ends if left out. */
  readonly onPreemption?: 'FAIL' | 'REQUEUE';
  /** `default` if left out. */
  readonly namespace?: string;
  /** The submitter's own reference to it; none if left out. */
  readonly externalUri?: string | null;
  /** How many leases can be lost before it fails. 3 if left out. */
  readonly maxAttempts?: number;
}

/**
 * Submits jobs to a queue, all or none. The same client id means the same job, even within one request: submitting it
 * twice creates one job, and both answers have its id. In a job set with an owner, client ids are those of the owner; all
 * other job sets of a queue share theirs.
 *
 * @returns the ids of the jobs, in the given order.
 * @throws InvalidArgumentError with all problems; NotFoundError if the queue was deleted in the meantime;
 * PermissionDeniedError if the job set has another owner; FailedPreconditionError if a job of the gang of a new job has
 * ended.
 */
export async function submitJobs(
  caller: Caller,
  tx: Tx,
  queue: { readonly id: string; readonly tenantId: string; readonly name?: string },
  jobSet: Omit<JobSetKey, 'tenantId' | 'queueId'>,
  jobs: readonly NewJobRequest[],
): Promise<string[]> {
  const { priorityClasses } = controlPlaneConfig;
  const problems = submissionProblems(jobSet, jobs, priorityClasses, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId, id: queueId } = queue;
  if (!(await lockForSubmission(tx, queueId)))
    throw new NotFoundError('queue', queue.name ?? queueId, ['input', 'queue']);
  const jobSetId = await lockJobSet(tx, newId(), { tenantId, queueId, ...jobSet });
  if (!jobSetId) throw new PermissionDeniedError('the job set belongs to another owner');
  const gangs = gangsOf(jobs, priorityClasses);
  const known = await ensureGangs(tx, { tenantId, queueId }, gangs);
  const newIds = jobs.map(({ id }) => id ?? newId());
  const ids = await storeJobs(
    tx,
    { tenantId, queueId, jobSetId, isOwned: jobSet.ownerId !== null, ownerId: caller.userId },
    jobs.map((job, position) => ({
      position,
      id: newIds[position] as string,
      clientId: job.clientId,
      priority: roundedPriority(job.priority),
      spec: job.spec,
      labels: job.labels,
      annotations: job.annotations ?? {},
      activeDeadlineSeconds: job.activeDeadlineSeconds,
      pool: job.pool ?? DEFAULT_POOL,
      gangId: job.gang ? (known.get(job.gang.name)?.id ?? null) : null,
      failFast: job.failFast ?? (job.gang?.cardinality ?? 1) > 1,
      onPreemption: job.onPreemption ?? 'FAIL',
      namespace: job.namespace ?? 'default',
      externalUri: job.externalUri ?? null,
      maxAttempts: job.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      ...placementOf(
        job.spec,
        classNamed(priorityClasses, job.priorityClass ?? null) as PriorityClass,
        job.nodeSelector ?? {},
        job.tolerations ?? [],
      ),
    })),
  );
  const isNew = (index: number) => ids[index] === newIds[index];
  await requireRightGrowth(tx, known, (name) =>
    jobs.findIndex(({ gang }, index) => gang?.name === name && isNew(index)),
  );
  return ids;
}

/** One gang of each name. Its jobs are known to agree about it. A gang of one job is a single job. */
function gangsOf(jobs: readonly NewJobRequest[], priorityClasses: readonly PriorityClass[]) {
  const gangs = new Map<string, NewGang>();
  for (const [index, { gang, pool, priorityClass }] of jobs.entries()) {
    if (!gang || gang.cardinality === 1 || gangs.has(gang.name)) continue;
    gangs.set(gang.name, {
      ...gang,
      index,
      pool: pool ?? DEFAULT_POOL,
      priorityClass: classNamed(priorityClasses, priorityClass ?? null)?.name ?? '',
    });
  }
  return [...gangs.values()];
}
