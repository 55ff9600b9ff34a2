import type { JobState } from '../../generated/prisma/enums.ts';
import { type DomainError, FailedPreconditionError } from '../../platform/errors.ts';

/** What became of one job that a request names. */
export type JobChangeOutcome =
  | 'DONE'
  | 'UNCHANGED'
  | 'ALREADY_ENDED'
  | 'BELONGS_TO_EXECUTION'
  | 'NOT_RUNNING'
  | 'NOT_PREEMPTIBLE'
  | 'NOT_FOUND'
  | 'NOT_ALLOWED';

/** Why a job is not changed. */
export interface Hindrance {
  readonly outcome: JobChangeOutcome;
  readonly error: DomainError;
}

/** How many jobs one request names. */
export const MAX_JOB_IDS = 1000;

/** The longest reason. Armada allows 50 bytes. */
export const MAX_REASON = 512;

export interface JobToChange {
  readonly state: JobState;
  readonly endedAt: Date | null;
  readonly isOwned: boolean;
  readonly isPreemptible: boolean;
}

export const hasEnded = ({ state }: Pick<JobToChange, 'state'>): Hindrance => ({
  outcome: 'ALREADY_ENDED',
  error: new FailedPreconditionError(`the job is ${state} already`, {
    current: state,
    reason: 'ALREADY_IN_TERMINAL_STATE',
  }),
});

const ofExecution = (use: string): Hindrance => ({
  outcome: 'BELONGS_TO_EXECUTION',
  error: new FailedPreconditionError(`the job belongs to an execution; ${use}`),
});

/** Jobs of executions are changed through their execution, which would otherwise not know what it has asked for. */
export const hindranceToCancel = (job: JobToChange): Hindrance | null =>
  job.isOwned
    ? ofExecution('use terminateExecution or terminateNodeExecution')
    : job.endedAt
      ? hasEnded(job)
      : null;

export const hindranceToReprioritize = (job: JobToChange): Hindrance | null =>
  job.isOwned
    ? ofExecution('its priority cannot be changed; use terminateExecution and relaunchExecution')
    : job.endedAt
      ? hasEnded(job)
      : null;

/** Only jobs that hold a place on an executor and are of a preemptible class can make room. */
export function hindranceToPreempt(job: JobToChange): Hindrance | null {
  if (job.endedAt) return hasEnded(job);
  if (!job.isPreemptible)
    return {
      outcome: 'NOT_PREEMPTIBLE',
      error: new FailedPreconditionError('jobs of this priority class are not preempted'),
    };
  if (job.state === 'QUEUED')
    return {
      outcome: 'NOT_RUNNING',
      error: new FailedPreconditionError('the job waits and has no place to give', { current: 'QUEUED' }),
    };
  return null;
}

/** The states that `cancelJobSet` can be limited to. */
export type JobSetState = 'QUEUED' | 'PENDING' | 'RUNNING';

const leased: readonly JobState[] = ['LEASED', 'PENDING', 'RUNNING', 'PREEMPTING'];

/**
 * The states of jobs behind a filter: QUEUED means not leased, PENDING together with RUNNING means leased. Null if only
 * one of the two is given. Source: Armada's CancelJobSet.
 */
export function statesOfFilter(filter: readonly JobSetState[]): readonly JobState[] | null {
  const isPending = filter.includes('PENDING');
  if (isPending !== filter.includes('RUNNING')) return null;
  return [...(filter.includes('QUEUED') ? (['QUEUED'] as const) : []), ...(isPending ? leased : [])];
}
