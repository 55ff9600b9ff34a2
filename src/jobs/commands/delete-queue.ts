import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError } from '../../platform/errors.ts';
import { countOpenJobs, lockQueue, markDeleted } from '../store/queue-writes.ts';
import type { QueueBy } from '../store/queues.ts';

/**
 * Deletes a queue. Its name is free at once. A loop of the scheduler deletes its jobs, which have all ended, and at last
 * its row with the grants on it.
 *
 * @returns the queue; null if there is none, which is not an error.
 * @throws FailedPreconditionError while it has jobs that have not ended, and for the queue of a project.
 * Source: Armada's DeleteQueue.
 */
export async function deleteQueue(caller: Caller, by: QueueBy, now: Date): Promise<Queue | null> {
  return await inTransaction(async (tx) => {
    const queue = await lockQueue(tx, caller.tenantId, by);
    if (!queue) return null;
    if (queue.projectId)
      throw new FailedPreconditionError(
        `${queue.name} is the queue of a project and exists as long as the project does`,
        { path: ['input', 'by'] },
      );
    // After the lock: nobody can submit a job between this look and the deletion.
    const open = await countOpenJobs(tx, queue.id);
    if (open > 0)
      throw new FailedPreconditionError(
        `the queue has jobs that have not ended (${open >= 1000 ? '1000 or more' : open}); cancel them first, or wait`,
        { path: ['input', 'by'] },
      );
    return await markDeleted(tx, queue.id, now);
  });
}
