import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import { inOrder } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';

export type QueueBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in their order. */
export async function readQueues(tenantId: string, addresses: readonly QueueBy[]): Promise<(Queue | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const names = addresses.flatMap((by) => ('name' in by ? [by.name] : []));
  const rows = await db.queue.findMany({
    where: { tenantId, OR: [{ id: { in: ids } }, { name: { in: names } }] },
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const byName = new Map(rows.map((row) => [row.name, row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byName.get(by.name)) ?? null);
}

const ensureStatement = statement<{ id: string }>(
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

/** Where queues have what decides about them. */
const resources: readonly ResourceColumn[] = [
  { type: 'QUEUE', column: 'queue.id' },
  { type: 'PROJECT', column: 'queue.project_id' },
];

/** The queues that the caller may read, by name; up to one more than the page. */
export async function listQueues(
  reader: Reader,
  page: { limit: number; backward: boolean; from: readonly string[] | null },
): Promise<Queue[]> {
  const readable = readableSql(reader, resources);
  const [beyond, direction] = page.backward ? ['<', 'desc'] : ['>', 'asc'];
  const list = statement<{ id: string }>(
    `${readable.with}
     select queue.id from queues as queue ${readable.joins}
      where queue.tenant_id = $1::uuid and ${readable.condition}
        and ($7::text is null or queue.name collate "C" ${beyond} $7)
      order by queue.name collate "C" ${direction} limit $8`,
  );
  const values = [...readable.values, page.from?.[0] ?? null, page.limit + 1];
  const ids = (await run(list, values)).map(({ id }) => id);
  return inOrder(ids, await db.queue.findMany({ where: { id: { in: ids } } }));
}
