import type { JobEventKind, JobRunState } from '../../generated/prisma/enums.ts';
import type { PhaseTable } from '../../platform/phase-table.ts';

/**
 * How a job moves: with its run, in the statement that moves that.
 *
 *            ┌───────────── lease returned or expired, attempts left ─────────────┐
 *            ▼                                                                    │
 *  ──▶ QUEUED ──▶ LEASED ──▶ PENDING ──▶ RUNNING ──▶ SUCCEEDED                    │
 *        │           └──────────┴───────────┴──────────────────────────────────▶──┘
 *        │                                  └──▶ FAILED · PREEMPTED
 *        └──▶ REJECTED           any that has not ended ──▶ CANCELLED
 *
 * Below, one lease of a job. A run never comes back: the job's next lease is a run of its own. A state that leads nowhere
 * is terminal: whatever comes later changes nothing and writes no event. Source: Armada's job states.
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

/** What an executor may report of a run. Each kind has the name of the state that it moves run and job to. */
export const reportableKinds = [
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
] as const satisfies readonly JobEventKind[];
export type ReportableKind = (typeof reportableKinds)[number];
