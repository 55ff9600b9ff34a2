import { mayReadAll, type Reader } from '../../access/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';

export type QueueBy = { readonly id: string } | { readonly name: string };

export async function findQueue(tenantId: string, by: QueueBy): Promise<Queue | null> {
  if ('id' in by) return isId(by.id) ? await db.queue.findUnique({ where: { id: by.id, tenantId } }) : null;
  return await db.queue.findUnique({
    where: { tenantId_name: { tenantId, name: by.name } },
  });
}

const ensureStatement = statement<{ id: string }>(
  'ensure_project_queue',
  `with made as (
     insert into queues (id, tenant_id, project_id, name, updated_at)
     values ($1::uuid, $2::uuid, $3::uuid, $4, now())
     on conflict (tenant_id, name) do nothing
     returning id
   )
   select id from made
   union all
   select id from queues where tenant_id = $2::uuid and name = $4 and project_id = $3::uuid`,
);

/**
 * The queue of a project's domain, made when its first job comes. Its name has a slash, which no queue that somebody
 * makes may have: so nobody can be there first.
 */
export async function ensureProjectQueue(
  tx: Tx,
  { tenantId, projectId, name }: { tenantId: string; projectId: string; name: string },
): Promise<{ id: string; tenantId: string }> {
  for (let tries = 0; tries < 3; tries += 1) {
    const [row] = await run(ensureStatement, [newId(), tenantId, projectId, name], tx);
    // Nothing is seen when another made it since the statement began: the next statement sees it.
    if (row) return { id: row.id, tenantId };
  }
  throw new Error(`the queue ${name} is not its project's`);
}

/** Queues by name; up to one more than the page. */
export function listQueues(
  caller: Reader,
  page: { limit: number; backward: boolean; from: readonly string[] | null },
): Promise<Queue[]> {
  const bound = page.from?.[0];
  const beyond = bound === undefined ? {} : { name: page.backward ? { lt: bound } : { gt: bound } };
  return db.queue.findMany({
    where: {
      tenantId: caller.tenantId,
      ...(mayReadAll(caller) ? {} : { id: { in: [] } }),
      ...beyond,
    },
    orderBy: { name: page.backward ? 'desc' : 'asc' },
    take: page.limit + 1,
  });
}
