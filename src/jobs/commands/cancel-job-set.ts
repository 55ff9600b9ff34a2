import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { cancelJobsOfOwner } from '../store/runs.ts';

/**
 * Cancels jobs of the job set of `ownerId` that have not ended.
 *
 * @param clientIds  of the jobs; null means all.
 * @returns the ids of the jobs that were cancelled.
 */
export function cancelJobSet(
  caller: Caller,
  tx: Tx,
  ownerId: string,
  reason: string,
  clientIds: readonly string[] | null = null,
): Promise<string[]> {
  return cancelJobsOfOwner(tx, { ownerId, clientIds, reason, requestorId: caller.userId });
}
