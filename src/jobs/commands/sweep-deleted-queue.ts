import { dropGrants } from '../../authorization/store/grant-levels.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { dropGangs, dropQueue, lockDeletedQueue, lockSomeJobSet } from '../store/deleted-queues.ts';
import { sweepRows } from '../store/sweep.ts';

/** How many gangs one transaction deletes. */
const MAX_GANGS = 2000;

/**
 * Deletes what is left of a deleted queue, a limited number of rows at a time: its job sets with their jobs, which have
 * all ended, then its gangs, and at last its row with the grants on it. If the process dies, the next call goes on.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepDeletedQueue(queueId: string): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const queue = await lockDeletedQueue(tx, queueId);
    if (!queue) return false;
    const jobSetId = await lockSomeJobSet(tx, queueId);
    // A job set that another transaction uses is swept later.
    if (jobSetId) return (await sweepRows(tx, jobSetId)) !== 'BUSY';
    if ((await dropGangs(tx, queueId, MAX_GANGS)) === MAX_GANGS) return true;
    if (await dropQueue(tx, queueId)) await dropGrants(tx, queue.tenantId, { type: 'QUEUE', id: queueId });
    return false;
  });
}
