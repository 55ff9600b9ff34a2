import type { JobRunState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import { jobRunStates } from '../domain/states.ts';
import type { RunMove, RunMoved } from '../store/run-moves.ts';
import { applyRunMoves } from './apply-run-moves.ts';

/** What the server knows about a run that its executor is done with. */
export type DoneOutcome =
  /** This call ended the run. */
  | 'ENDED'
  /** The run had ended before, and nothing changed. */
  | 'ALREADY_ENDED'
  /** There is no such run, or it belongs to another service account. */
  | 'NOT_FOUND';

const MAX_RUNS = 500;

const noResult = {
  code: 'ResultMissing',
  message: 'the executor is done with the run and has not said how it ended',
  kind: 'SYSTEM',
} as const;

/**
 * Takes note that nothing is left of these runs on the machines of their executor.
 *
 * A run ends only once, in the same statement as with `reportJobEvents`. If it has ended, nothing changes. Otherwise the
 * executor has not said how it ended: then the job is CANCELLED or PREEMPTED if it was to be stopped. In other cases it
 * has FAILED and is not leased again, because its work may have been done. This is also so for a job that waits again
 * because the lease of the run has expired.
 *
 * @returns one outcome for each run, in the order of the runs. It is safe to repeat the call.
 * @throws InvalidArgumentError for more than 500 runs. Source: Armada's ReportDone.
 */
export async function reportJobsDone(
  caller: Caller,
  runIds: readonly string[],
  { leaseSeconds, now }: { readonly leaseSeconds: number; readonly now: Date },
): Promise<DoneOutcome[]> {
  if (runIds.length > MAX_RUNS)
    throw InvalidArgumentError.of(['input', 'runs'], `must have at most ${MAX_RUNS} runs`, 'TooLarge');
  const ids = [...new Set(runIds.filter(isId))];
  const moveTo = (to: JobRunState) => (runId: string) => moveOf(runId, to, now);
  // A report of CANCELLED counts only for jobs that were to be stopped.
  const stopped = await applyRunMoves(caller, ids.map(moveTo('CANCELLED')), leaseSeconds);
  const open = ids.filter((id) => isOpen(stopped.get(id)));
  const failed = await applyRunMoves(caller, open.map(moveTo('FAILED')), leaseSeconds);
  const unread = new Set(ids);
  return runIds.map((id) => {
    const answers = [stopped.get(id), failed.get(id)].filter((answer) => answer !== undefined);
    if (answers.length === 0) return 'NOT_FOUND';
    const isFirst = unread.delete(id);
    return isFirst && answers.some(({ moved }) => moved) ? 'ENDED' : 'ALREADY_ENDED';
  });
}

/** Whether a run has not ended, or has only lost its lease. */
const isOpen = (answer: RunMoved | undefined): boolean =>
  answer?.moved === false && (answer.before === 'LEASE_EXPIRED' || !isTerminal(jobRunStates, answer.before));

function moveOf(runId: string, to: JobRunState, now: Date): RunMove {
  return {
    ...{ runId, to, at: now.toISOString() },
    ...{ exitCode: null, outputs: null, outputLiterals: null },
    error: to === 'FAILED' ? noResult : null,
  };
}
