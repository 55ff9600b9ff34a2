import type { Queue } from '../../generated/prisma/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import type { StoredLimits } from '../domain/queue-settings.ts';
import type { QueueBy } from './queues.ts';

/** The columns of a queue that a caller can set. */
export interface QueueColumns {
  readonly priorityFactor: number;
  readonly cordoned: boolean;
  readonly cordonReason: string | null;
  readonly labels: Record<string, string>;
  readonly resourceLimits: StoredLimits;
  readonly retryPolicies: string[];
}

/** @throws a unique violation if the name is taken. */
export const insertQueue = (
  tx: Tx,
  key: { readonly id: string; readonly tenantId: string; readonly name: string },
  columns: QueueColumns,
): Promise<Queue> =>
  tx.queue.create({ data: { ...key, ...(columns as QueueColumns & { resourceLimits: object }) } });

export const storeQueue = (tx: Tx, id: string, columns: Partial<QueueColumns>): Promise<Queue> =>
  tx.queue.update({ where: { id }, data: columns as Partial<QueueColumns> & { resourceLimits?: object } });

export const markDeleted = (tx: Tx, id: string, deletedAt: Date): Promise<Queue> =>
  tx.queue.update({ where: { id }, data: { deletedAt } });

const lockStatement = statement<{ id: string }>(
  `select id from queues
    where tenant_id = $1::uuid and (id = $2::uuid or name = $3) and deleted_at is null
      for update`,
);

/**
 * Locks a queue until the transaction ends; null if there is none. Nobody can submit jobs to it in the meantime: see
 * `lockForSubmission`.
 */
export async function lockQueue(tx: Tx, tenantId: string, by: QueueBy): Promise<Queue | null> {
  const id = 'id' in by && isId(by.id) ? by.id : null;
  const name = 'name' in by ? by.name : null;
  const [held] = await run(lockStatement, [tenantId, id, name], tx);
  return held ? await tx.queue.findUnique({ where: { id: held.id } }) : null;
}

const shareStatement = statement<{ id: string }>(
  'select id from queues where id = $1::uuid and deleted_at is null for key share',
);

/**
 * Keeps a queue from being deleted until the transaction ends, so that no accepted job is in a deleted queue. Any number
 * of transactions can do this at the same time. It comes before all other locks.
 *
 * @returns whether the queue exists.
 */
export async function lockForSubmission(tx: Tx, queueId: string): Promise<boolean> {
  return (await run(shareStatement, [queueId], tx)).length > 0;
}

/** Enough to say that there are many. */
const MAX_OPEN = 1000;

const openStatement = statement<{ count: number }>(
  `select count(*)::int as count
     from (select from jobs where queue_id = $1::uuid and ended_at is null limit ${MAX_OPEN}) as open`,
);

/** How many jobs of the queue have not ended, at most 1000. */
export async function countOpenJobs(tx: Tx, queueId: string): Promise<number> {
  const [row] = await run(openStatement, [queueId], tx);
  return row?.count ?? 0;
}

const wakeStatement = statement<Record<string, never>>(
  `with recursive waiting as (
     (select pool from jobs where tenant_id = $1::uuid and state = 'QUEUED' and gang_id is null
       order by pool limit 1)
     union all
     (select next.pool from waiting cross join lateral (
        select pool from jobs
         where tenant_id = $1::uuid and pool > waiting.pool and state = 'QUEUED' and gang_id is null
         order by pool limit 1) as next)
   ),
   whole as (select distinct pool from gangs where tenant_id = $1::uuid and queue_id = $2::uuid)
   select ${notifySql('pool', "$1::uuid::text || '/' || pool")} as woken
     from (select pool from waiting union select pool from whole) as pools
    where exists (select from jobs where tenant_id = $1::uuid and pool = pools.pool and queue_id = $2::uuid
                                     and state = 'QUEUED')`,
);

/** Tells the assigners of all pools in which jobs of this queue wait that its jobs may start now, or more of them. */
export async function wakePoolsOf(tx: Tx, tenantId: string, queueId: string): Promise<void> {
  await run(wakeStatement, [tenantId, queueId], tx);
}
