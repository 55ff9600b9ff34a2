import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { cancelJobsById, listOpenOfOwner } from '../store/changes.ts';

/**
 * Cancels jobs of the job set of `ownerId` that have not ended.
 *
 * @param clientIds  of the jobs; null means all.
 * @returns the ids of the jobs that were cancelled now, without those that are already CANCELLING.
 */
export async function cancelJobSet(
  caller: Caller,
  tx: Tx,
  ownerId: string,
  reason: string,
  clientIds: readonly string[] | null = null,
): Promise<string[]> {
  const ids = await listOpenOfOwner(tx, ownerId, clientIds);
  if (ids.length === 0) return [];
  return await cancelJobsById(tx, ids, { reason, requestorId: caller.userId, states: null });
}
