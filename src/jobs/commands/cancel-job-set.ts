import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { cancelJobsOfOwner } from '../store/runs.ts';

/** Cancels all jobs that have not ended, in the job set of `ownerId`. @returns their ids. */
export function cancelJobSet(caller: Caller, tx: Tx, ownerId: string, reason: string): Promise<string[]> {
  return cancelJobsOfOwner(tx, { ownerId, reason, requestorId: caller.userId });
}
