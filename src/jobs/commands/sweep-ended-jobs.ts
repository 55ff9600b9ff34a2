import { inTransaction } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import { deleteEndedJobs, dropEmptyGangs } from '../store/ended-jobs.ts';

/**
 * Deletes some of the plain jobs that ended before this moment, with their runs and logs, and gangs that have no jobs
 * any more. Their events stay as long as those of their job set. If the process dies, the next call goes on.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepEndedJobs(before: Date): Promise<boolean> {
  const { jobs, hasMore } = await inTransaction(async (tx) => {
    const deleted = await deleteEndedJobs(tx, before);
    await dropEmptyGangs(tx, deleted.gangIds);
    return deleted;
  });
  if (jobs > 0) log.info({ jobs }, 'jobs were deleted, because their time was over');
  return hasMore;
}
