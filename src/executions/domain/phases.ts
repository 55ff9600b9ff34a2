import type { ExecutionPhase, NodeExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { isTerminal, type PhaseTable, phasesThatMayMoveTo } from '../../platform/phase-table.ts';

/**
 *  ──▶ QUEUED ──▶ RUNNING ──▶ SUCCEEDING ──▶ SUCCEEDED
 *         │          ├───────▶ FAILING ─────▶ FAILED · TIMED_OUT
 *         └──────────┴──┬────▶ ABORTING ────▶ ABORTED
 *                       └─ and each phase may change directly to a final one
 *
 * After ABORTING, only a final phase can follow: if the work ends before it is stopped, SUCCEEDED or FAILED counts.
 * Aborting again replaces the cause, so ABORTING may follow itself. Flyte lets SUCCEEDING and FAILING go back to
 * RUNNING; we do not.
 * Source: Flyte's CreateWorkflowEvent.
 */
export const executionPhases: PhaseTable<ExecutionPhase> = {
  QUEUED: ['RUNNING', 'SUCCEEDING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTING', 'ABORTED', 'TIMED_OUT'],
  RUNNING: ['SUCCEEDING', 'SUCCEEDED', 'FAILING', 'FAILED', 'ABORTING', 'ABORTED', 'TIMED_OUT'],
  SUCCEEDING: ['FAILING', 'SUCCEEDED', 'FAILED', 'ABORTING', 'ABORTED', 'TIMED_OUT'],
  FAILING: ['SUCCEEDING', 'SUCCEEDED', 'FAILED', 'ABORTING', 'ABORTED', 'TIMED_OUT'],
  ABORTING: ['ABORTING', 'SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'],
  SUCCEEDED: [],
  FAILED: [],
  ABORTED: [],
  TIMED_OUT: [],
};

/** The phases of executions that an abort reaches for the first time. A second one would only replace the cause. */
export const phasesBeforeAbort: readonly ExecutionPhase[] = phasesThatMayMoveTo(
  executionPhases,
  'ABORTING',
).filter((phase) => phase !== 'ABORTING');

/**
 *  ──▶ QUEUED ◀──▶ RUNNING ──▶ (DYNAMIC_RUNNING) ──▶ (FAILING) ──▶ SUCCEEDED · FAILED · ABORTED · TIMED_OUT
 *         └──▶ SKIPPED · RECOVERED · SUCCEEDED (cache hit)
 *
 * A node may go back, as in Flyte: RUNNING becomes QUEUED when its lease is lost and its work waits again. The time of
 * its first start stays. Source: Flyte's CreateNodeEvent.
 */
const nodeEnds = ['SUCCEEDED', 'FAILED', 'ABORTED', 'SKIPPED', 'TIMED_OUT', 'RECOVERED'] as const;
export const nodeExecutionPhases: PhaseTable<NodeExecutionPhase> = {
  QUEUED: ['RUNNING', 'DYNAMIC_RUNNING', 'FAILING', ...nodeEnds],
  RUNNING: ['QUEUED', 'DYNAMIC_RUNNING', 'FAILING', ...nodeEnds],
  DYNAMIC_RUNNING: ['QUEUED', 'RUNNING', 'FAILING', ...nodeEnds],
  FAILING: ['QUEUED', 'RUNNING', 'DYNAMIC_RUNNING', ...nodeEnds],
  SUCCEEDED: [],
  FAILED: [],
  ABORTED: [],
  SKIPPED: [],
  TIMED_OUT: [],
  RECOVERED: [],
};

/**
 *  ──▶ QUEUED ◀─▶ WAITING_FOR_RESOURCES ◀─▶ INITIALIZING ◀─▶ RUNNING ──▶ SUCCEEDED · FAILED · ABORTED
 *                                                              └──▶ RETRYABLE_FAILED, and another attempt begins
 *
 * Each phase that is not final may follow each other one: an attempt whose lease was lost waits again. An attempt that
 * is RETRYABLE_FAILED keeps its error and the time of its end; its node continues. Source: Flyte's CreateTaskEvent.
 */
const taskMoves = ['QUEUED', 'WAITING_FOR_RESOURCES', 'INITIALIZING', 'RUNNING', 'RETRYABLE_FAILED'] as const;
const taskEnds = ['SUCCEEDED', 'FAILED', 'ABORTED'] as const;
const everyOther = (phase: (typeof taskMoves)[number]): readonly TaskExecutionPhase[] => [
  ...taskMoves.filter((other) => other !== phase),
  ...taskEnds,
];
export const taskExecutionPhases: PhaseTable<TaskExecutionPhase> = {
  QUEUED: everyOther('QUEUED'),
  WAITING_FOR_RESOURCES: everyOther('WAITING_FOR_RESOURCES'),
  INITIALIZING: everyOther('INITIALIZING'),
  RUNNING: everyOther('RUNNING'),
  RETRYABLE_FAILED: everyOther('RETRYABLE_FAILED'),
  SUCCEEDED: [],
  FAILED: [],
  ABORTED: [],
};

/** Whether an attempt in this phase has ended. It has, even if another attempt follows. */
export const isEndOfAttempt = (phase: TaskExecutionPhase): boolean =>
  phase === 'RETRYABLE_FAILED' || isTerminal(taskExecutionPhases, phase);
