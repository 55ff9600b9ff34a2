import type { TaskEvent } from '../executions/domain/attempts.ts';
import { attemptOf } from '../executions/domain/client-id.ts';
import type { JobSetEvent } from '../jobs/store/job-sets.ts';

/** The phase of the attempt after an event of its job; null if the event does not change it. */
const phaseOf: Readonly<Record<string, TaskEvent['phase'] | null>> = {
  LEASED: 'INITIALIZING',
  PENDING: 'INITIALIZING',
  RUNNING: 'RUNNING',
  LEASE_RETURNED: 'QUEUED',
  LEASE_EXPIRED: 'QUEUED',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  CANCELLED: 'ABORTED',
  PREEMPTED: 'FAILED',
  REJECTED: 'FAILED',
};

interface Detail {
  readonly error?: TaskEvent['error'];
  readonly outputs?: TaskEvent['outputs'];
  readonly outputLiterals?: TaskEvent['outputLiterals'];
  readonly reason?: string;
  /**
   * Only if a lease has ended or the job was preempted: whether the job waits again. If a lease has ended and the job does
   * not, the next event says what happened to it.
   */
  readonly requeued?: boolean;
  /** When it happened by the clock of the executor; only in events that an executor reported. */
  readonly occurredAt?: string;
}

/** An event of an attempt, and its position in the job set. */
export interface AttemptEvent extends TaskEvent {
  readonly sequence: bigint;
}

/** Turns job events into events of attempts, in their order. Events of jobs that run no attempt are left out. */
export function toTaskEvents(events: readonly JobSetEvent[]): AttemptEvent[] {
  return events.flatMap((event) => {
    const attempt = attemptOf(event.clientId);
    const { error = null, outputs = null, outputLiterals = null, reason = null } = event.detail as Detail;
    const { occurredAt, requeued } = event.detail as Detail;
    const isPreempted = event.kind === 'PREEMPTED';
    const phase = isPreempted && requeued ? 'QUEUED' : (phaseOf[event.kind] ?? null);
    if (!attempt || !phase || (requeued === false && !isPreempted)) return [];
    return [
      {
        ...attempt,
        sequence: event.sequence,
        phase,
        at: occurredAt === undefined ? event.createdAt : new Date(occurredAt),
        reason,
        error: error ?? (isPreempted && !requeued ? preempted : null),
        outputs,
        outputLiterals,
      },
    ];
  });
}

const preempted: TaskEvent['error'] = {
  code: 'Preempted',
  message: 'another job took its place',
  kind: 'SYSTEM',
};
