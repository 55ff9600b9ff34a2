import type { TaskEvent } from '../executions/domain/attempts.ts';
import { attemptOf } from '../executions/domain/client-id.ts';
import type { JobSetEvent } from '../jobs/store/job-sets.ts';

/** What a job's move says of the attempt that it runs; null where it says nothing new. */
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
};

interface Detail {
  readonly error?: TaskEvent['error'];
  readonly outputs?: TaskEvent['outputs'];
  readonly reason?: string;
  /** Of a lease that ended: whether the job waits again. If not, the next event tells what became of it. */
  readonly requeued?: boolean;
  /** When it happened by the executor's clock, of events that one reported. */
  readonly occurredAt?: string;
}

/** An event of an attempt, and where it stands in the job set. */
export interface AttemptEvent extends TaskEvent {
  readonly sequence: bigint;
}

/** Job events as events of attempts, in their order; those of jobs that run no attempt are left out. */
export function toTaskEvents(events: readonly JobSetEvent[]): AttemptEvent[] {
  return events.flatMap((event) => {
    const attempt = attemptOf(event.clientId);
    const phase = phaseOf[event.kind] ?? null;
    const { error = null, outputs = null, reason = null, occurredAt, requeued } = event.detail as Detail;
    if (!attempt || !phase || requeued === false) return [];
    return [
      {
        ...attempt,
        sequence: event.sequence,
        phase,
        at: occurredAt === undefined ? event.createdAt : new Date(occurredAt),
        reason,
        error: error ?? preempted(event.kind),
        outputs,
      },
    ];
  });
}

function preempted(kind: string): TaskEvent['error'] {
  return kind === 'PREEMPTED'
    ? { code: 'Preempted', message: 'another job took its place', kind: 'SYSTEM' }
    : null;
}
