import type { JobEventKind, JobRunState, JobState } from '../../generated/prisma/enums.ts';
import { isTerminal, type PhaseTable } from '../../platform/phase-table.ts';

/**
 * The states of a job. The statement that moves a run also moves its job.
 *
 *            ┌───────────── lease returned or expired, attempts left ─────────────┐
 *            ▼                                                                    │
 *  ──▶ QUEUED ──▶ LEASED ──▶ PENDING ──▶ RUNNING ──▶ SUCCEEDED                    │
 *        │           └──────────┴───────────┴──────────────────────────────────▶──┘
 *        │                      │           └──▶ FAILED · PREEMPTED
 *        └──▶ REJECTED          │
 *        └──▶ CANCELLED         ├──▶ CANCELLING ──▶ CANCELLED · SUCCEEDED · FAILED
 *                               └──▶ PREEMPTING ──▶ PREEMPTED · QUEUED · CANCELLING · SUCCEEDED · FAILED
 *
 * If a job is cancelled after an executor has confirmed its run, it is CANCELLING. It is CANCELLED when the executor has
 * confirmed the end, or when the lease has expired. If the work ends before it is stopped, its result counts. An executor
 * can get an expired lease back while the job is QUEUED; the run and the job then have their old states again.
 *
 * A job that must make room for others is PREEMPTING until its run has ended, or until the lease has expired. Then it is
 * PREEMPTED, or it waits again; this does not count as an attempt. The run is PREEMPTED in any case and does not come back.
 *
 * The table below is for one lease of a job. Except for an expired lease, a run never comes back from a final state: the
 * next lease of the job is another run. After a final state, reports change nothing and write no event. Source: Armada's
 * job states.
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

/** The states of runs that have not ended. */
export const liveRunStates = Object.keys(jobRunStates).filter(
  (state) => !isTerminal(jobRunStates, state as JobRunState),
) as JobRunState[];

/** The states of jobs that have not ended. */
export const openStates = [
  'QUEUED',
  'LEASED',
  'PENDING',
  'RUNNING',
  'CANCELLING',
  'PREEMPTING',
] as const satisfies readonly JobState[];

/** The last states of jobs that have not succeeded. */
export const unsuccessfulStates = [
  'FAILED',
  'CANCELLED',
  'PREEMPTED',
  'REJECTED',
] as const satisfies readonly JobState[];

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
  // An executor reports the end of a run that it was told to stop, whatever the reason was.
  if (reported === 'CANCELLED' && state === 'PREEMPTED') return true;
  return state === reported || (ownStates.has(state) && jobRunStates[reported].includes(state));
}
