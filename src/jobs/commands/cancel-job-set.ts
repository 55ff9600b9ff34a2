import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { cancelJobsOfSet } from '../store/runs.ts';

/** Cancels all of a set's jobs that have not ended. @returns their ids. */
export function cancelJobSet(caller: Caller, jobSet: string, reason: string, tx?: Tx): Promise<string[]> {
  return cancelJobsOfSet(
    {
      tenantId: caller.tenantId,
      name: jobSet,
      jobIds: null,
      reason,
      requestorId: caller.userId,
    },
    tx,
  );
}
