import type { JobEventKind, JobRunState } from '../../generated/prisma/enums.ts';
import type { PhaseTable } from '../../platform/phase-table.ts';

/**
 * How a job moves: with its run, in the statement that moves that.
 *
 *            ┌───────────── lease returned or expired, attempts left ─────────────┐
 *            ▼                                                                    │
 *  ──▶ QUEUED ──▶ LEASED ──▶ PENDING ──▶ RUNNING ──▶ SUCCEEDED                    │
 *        │           └──────────┴───────────┴──────────────────────────────────▶──┘
 *        │                      │           └──▶ FAILED · PREEMPTED
 *        └──▶ REJECTED          │
 *        └──▶ CANCELLED         └──▶ CANCELLING ──▶ CANCELLED · SUCCEEDED · FAILED
 *
 * A job that an executor has taken up is CANCELLING from the wish to the end: CANCELLED when the executor has confirmed
 * the end or the lease is over; when the work finished first, its result counts. A lease that expired may be given back
 * to its executor while the job is QUEUED: the run, and the job with it, is what it was before.
 *
 * Below, one lease of a job. A run never comes back from another end: the job's next lease is a run of its own. A state
 * that leads nowhere is terminal: whatever comes later changes nothing and writes no event. Source: Armada's job states.
 */
export const jobRunStates: PhaseTable<JobRunState> = {
  LEASED: [
    'PENDING',
    'RUNNING',
    'SUCCEEDED',
    'FAILED',
    'PREEMPTED',
    'CANCELLED',
    'LEASE_EXPIRED',
    'LEASE_RETURNED',
  ],
  PENDING: ['RUNNING', 'SUCCEEDED', 'FAILED', 'PREEMPTED', 'CANCELLED', 'LEASE_EXPIRED', 'LEASE_RETURNED'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'PREEMPTED', 'CANCELLED', 'LEASE_EXPIRED', 'LEASE_RETURNED'],
  SUCCEEDED: [],
  FAILED: [],
  PREEMPTED: [],
  CANCELLED: [],
  LEASE_EXPIRED: [],
  LEASE_RETURNED: [],
};

/** What an executor can report about a run. Each kind has the name of the state to which the run and the job move. */
export const reportableKinds = [
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
] as const satisfies readonly JobEventKind[];
export type ReportableKind = (typeof reportableKinds)[number];

/** States that an executor has reported, as opposed to states that the server has set. */
const ownStates: ReadonlySet<JobRunState> = new Set(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED']);

/** Whether a run is, or was, in the reported state. */
export function hasBeen(reported: ReportableKind, state: JobRunState): boolean {
  return state === reported || (ownStates.has(state) && jobRunStates[reported].includes(state));
}
