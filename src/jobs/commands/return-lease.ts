import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { storable } from '../../platform/text.ts';
import { forgiveLostLease, returnLeases } from '../store/runs.ts';

const MAX_REASON = 512;

/**
 * Gives a run back without a result: its job waits again, is CANCELLED if it was CANCELLING, or fails when its attempts
 * are used up. Only an attempted return counts. A run that has ended, or is somebody else's, is left as it is; so repeating it is safe.
 *
 * @returns whether this call ended the run.
 */
export async function returnLease(
  caller: Caller,
  { runId, reason, attempted }: { runId: string; reason: string; attempted: boolean },
): Promise<boolean> {
  if (!isId(runId)) return false;
  const ending = {
    position: 0,
    runId,
    reason: storable(reason, MAX_REASON),
    attempted,
  };
  if ((await returnLeases(caller, [ending])).length === 1) return true;
  // The lease was lost before, which counted as an attempt, and the executor knows better.
  if (!attempted) await forgiveLostLease(caller, runId);
  return false;
}
