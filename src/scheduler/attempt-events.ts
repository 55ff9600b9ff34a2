import type { TaskEvent } from '../executions/commands/record-task-events.ts';
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
}

/** Job events as events of attempts, in their order; those of jobs that run no attempt are left out. */
export function toTaskEvents(events: readonly JobSetEvent[]): TaskEvent[] {
  return events.flatMap((event) => {
    const attempt = attemptOf(event.clientId);
    const phase = phaseOf[event.kind] ?? null;
    if (!attempt || !phase) return [];
    const { error = null, outputs = null, reason = null } = event.detail as Detail;
    return [
      {
        ...attempt,
        phase,
        at: event.createdAt,
        reason,
        error: error ?? preempted(event.kind),
        outputs,
      },
    ];
  });
}

function preempted(kind: string): TaskEvent['error'] {
  return kind === 'PREEMPTED' ? { code: 'Preempted', message: 'it had to give way', kind: 'SYSTEM' } : null;
}
