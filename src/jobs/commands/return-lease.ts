import type { Caller } from '../../platform/caller.ts';
import { isId } from '../../platform/ids.ts';
import { storable } from '../../platform/text.ts';
import { MAX_REASON } from '../domain/job-changes.ts';
import { forgiveLostLease, returnLeases } from '../store/runs.ts';

/**
 * Returns a lease without a result. The job waits again, is CANCELLED if it was CANCELLING, or fails if it has no
 * attempts left. The lease counts as an attempt only if the work has possibly begun. A run that has ended, or that
 * belongs to somebody else, does not change, so it is safe to repeat the call.
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
  const end = async () => (await returnLeases(caller, [ending])).length === 1;
  if (await end()) return true;
  // The lease had already ended and was counted as an attempt, but the executor knows that the work had not begun.
  if (!attempted && (await forgiveLostLease(caller, runId))) return false;
  // A call of the executor may have got the lease back in the meantime.
  return await end();
}
