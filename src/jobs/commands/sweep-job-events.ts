import { inTransaction } from '../../platform/database/transaction.ts';
import { dropJobSet, expireEvents, lockToLookAt, lookLater, readLockedSet } from '../store/expired-events.ts';

/** A job set is looked at this often at least, so that a shorter time that the operator sets has an effect. */
const DAY_SECONDS = 86_400;

/**
 * Looks at a job set without an owner: if nothing was written to it for so long, and all its jobs have ended, some of its
 * events are deleted, the oldest first. When neither events nor jobs are left, the job set is deleted. A reader of
 * deleted events is told so. If the process dies, the next call goes on.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepJobEvents(jobSetId: string, keepSeconds: number, now: Date): Promise<boolean> {
  return await inTransaction(async (tx) => {
    if (!(await lockToLookAt(tx, jobSetId))) return false;
    const { writtenAt, hasJobs, hasOpenJobs } = await readLockedSet(tx, jobSetId);
    const leftSeconds = keepSeconds - (now.getTime() - writtenAt.getTime()) / 1000;
    if (hasOpenJobs || leftSeconds > 0) {
      await lookLater(tx, jobSetId, hasOpenJobs ? DAY_SECONDS : Math.min(leftSeconds, DAY_SECONDS));
      return false;
    }
    if (await expireEvents(tx, jobSetId)) return true;
    if (hasJobs) await lookLater(tx, jobSetId, DAY_SECONDS);
    else await dropJobSet(tx, jobSetId);
    return false;
  });
}

/** Has the next look at a job set wait a day. */
export async function postponeJobSet(jobSetId: string): Promise<void> {
  await inTransaction((tx) => lookLater(tx, jobSetId, DAY_SECONDS));
}
