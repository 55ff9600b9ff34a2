import type { Caller } from '../../platform/caller.ts';
import { moveRuns, type RunMove, type RunMoved } from '../store/run-moves.ts';
import { resumeRuns } from '../store/runs.ts';
import { judgeFailures } from './judge-failures.ts';

/**
 * Applies reports about different runs of the caller. This is the only way in which the report of an executor moves a
 * run, so a run has one end, whatever is reported about it and how often.
 *
 * A report about a run whose lease ended because its executor was silent counts too, if no other executor has the job.
 * If the report is that the run was stopped, the job goes on waiting.
 *
 * @returns the answers in the order in which they were found; a later answer about a run replaces an earlier one. There
 * is none about a run that does not belong to the caller.
 */
export async function applyRunMoves(
  caller: Caller,
  moves: readonly RunMove[],
  leaseSeconds: number,
): Promise<ReadonlyMap<string, RunMoved>> {
  const moved = await move(caller, moves);
  const late = await moveAfterSilence(caller, moves, moved, leaseSeconds);
  return new Map([...moved, ...late].map((answer) => [answer.runId, answer]));
}

async function moveAfterSilence(
  caller: Caller,
  moves: readonly RunMove[],
  moved: readonly RunMoved[],
  leaseSeconds: number,
): Promise<RunMoved[]> {
  const lost = new Set(moved.flatMap(({ runId, before }) => (before === 'LEASE_EXPIRED' ? [runId] : [])));
  const late = moves.filter(({ runId, to }) => to !== 'CANCELLED' && lost.has(runId));
  if (late.length === 0) return [];
  await resumeRuns(
    caller,
    late.map(({ runId }) => runId),
    leaseSeconds,
  );
  // All of them again, because a call of the executor may have got the leases back in the meantime.
  return await move(caller, late);
}

/** Applies reports, with what the retry policies say about the failures among them. */
async function move(caller: Caller, moves: readonly RunMove[]): Promise<RunMoved[]> {
  const failures = moves.filter(({ to }) => to === 'FAILED');
  return await moveRuns(caller, moves, await judgeFailures(caller, failures));
}
