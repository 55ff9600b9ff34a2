import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { hasOpenJobs } from '../store/job-sets.ts';
import { abandonNews, lockToSweep, ownsJobSet, sweepRows } from '../store/sweep.ts';
import { cancelJobSet } from './cancel-job-set.ts';

/** How far the deletion of a job set is. */
export type SweepState =
  /** It does not exist any more. */
  | 'GONE'
  /** There is more to delete. */
  | 'MORE'
  /** It has jobs that have not ended. They are cancelled, and nothing is deleted before they have ended. */
  | 'OPEN'
  /** Another transaction uses it. */
  | 'BUSY';

/**
 * Deletes the job set of an owner that is gone, a limited number of rows at a time. The ids of runs fence their executors,
 * so the job set stays as long as one of its jobs has not ended. If the process dies, the next call goes on.
 *
 * @param caller  the one who deleted the owner, named as the one who cancels the open jobs.
 */
export async function sweepJobSet(caller: Caller, ownerId: string): Promise<SweepState> {
  return await inTransaction(async (tx) => {
    const jobSetId = await lockToSweep(tx, ownerId);
    if (jobSetId === null) return (await ownsJobSet(tx, ownerId)) ? 'BUSY' : 'GONE';
    await cancelJobSet(caller, tx, ownerId, 'the execution was deleted');
    if (await hasOpenJobs(tx, ownerId)) {
      await abandonNews(tx, jobSetId);
      return 'OPEN';
    }
    return await sweepRows(tx, jobSetId);
  });
}
