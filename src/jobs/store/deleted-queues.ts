import type { Queue } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { QueueBy } from './queues.ts';

/** Queues that were deleted and whose jobs and rows are still there. */

/** A queue that exists counts before deleted ones with its name, and of those the one that was deleted last. */
const inOrder = [{ deletedAt: { sort: 'asc', nulls: 'last' } }] as const;

/**
 * One row or null for each address, in the order of the addresses. Deleted queues are found too, so that a deletion can
 * be repeated.
 */
export function readQueuesWithDeleted(
  tenantId: string,
  addresses: readonly QueueBy[],
): Promise<(Queue | null)[]> {
  // Of several rows with one name, the last one counts.
  const orderBy = [...inOrder];
  return readAddressed(
    addresses,
    ['name'],
    (ids) => db.queue.findMany({ where: { tenantId, id: { in: ids } } }),
    (names) => db.queue.findMany({ where: { tenantId, name: { in: names } }, orderBy }),
  );
}

const dueStatement = statement<{ id: string }>(
  'select id from queues where deleted_at is not null order by deleted_at limit $1',
);

/** Deleted queues whose rows are still there, the oldest first. */
export async function listDeletedQueues(limit: number): Promise<string[]> {
  return (await run(dueStatement, [limit])).map(({ id }) => id);
}

const lockStatement = statement<{ id: string; tenantId: string }>(
  `select id, tenant_id as "tenantId" from queues where id = $1::uuid and deleted_at is not null
      for update skip locked`,
);

/** Locks a deleted queue until the transaction ends; null if another transaction has locked it, or if it is gone. */
export async function lockDeletedQueue(
  tx: Tx,
  id: string,
): Promise<{ readonly id: string; readonly tenantId: string } | null> {
  return (await run(lockStatement, [id], tx))[0] ?? null;
}

const nextSetStatement = statement<{ id: string }>(
  'select id from job_sets where queue_id = $1::uuid order by id limit 1 for update skip locked',
);

/** One of the job sets of the queue, which is locked until the transaction ends; null if there is none, or all are locked. */
export async function lockSomeJobSet(tx: Tx, queueId: string): Promise<string | null> {
  return (await run(nextSetStatement, [queueId], tx))[0]?.id ?? null;
}

const dropStatement = statement<{ id: string }>(
  `delete from queues as queue
    where id = $1::uuid and deleted_at is not null
      and not exists (select from job_sets where queue_id = queue.id)
      and not exists (select from jobs where queue_id = queue.id)
   returning id`,
);

const gangsStatement = statement<{ id: string }>(
  `with batch as (select id from gangs where queue_id = $1::uuid limit $2)
   delete from gangs using batch where gangs.id = batch.id returning gangs.id`,
);

/** @returns how many gangs of the queue were deleted, at most `limit`. Its jobs must be gone. */
export async function dropGangs(tx: Tx, queueId: string, limit: number): Promise<number> {
  return (await run(gangsStatement, [queueId, limit], tx)).length;
}

/** Deletes the row of a queue that has no jobs any more. @returns whether it is gone. */
export async function dropQueue(tx: Tx, id: string): Promise<boolean> {
  return (await run(dropStatement, [id], tx)).length > 0;
}
