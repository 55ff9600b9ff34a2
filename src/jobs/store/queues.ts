import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { inOrder } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page, pageSql } from '../../platform/database/page.ts';
import { sql } from '../../platform/database/sql.ts';
import { count, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';

export type QueueBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in their order. */
export function readQueues(tenantId: string, addresses: readonly QueueBy[]): Promise<(Queue | null)[]> {
  return readAddressed(
    addresses,
    ['name'],
    (ids) => db.queue.findMany({ where: { tenantId, id: { in: ids } } }),
    (names) => db.queue.findMany({ where: { tenantId, name: { in: names } } }),
  );
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

export const queueOrder = byText<Queue>('queue.name', ({ name }) => name);

/** What a list shows to a reader: what follows `from`. */
function shownTo(reader: Reader) {
  const readable = readableSql(reader, resources);
  const from = sql`queues as queue ${readable.joins}
    where queue.tenant_id = ${reader.tenantId}::uuid and ${readable.condition}`;
  return { with: readable.with, from };
}

/** How many there are in all; read only where it is asked for. */
export function countQueues(reader: Reader): Promise<number> {
  const list = shownTo(reader);
  return count(list.from, list.with);
}

/** The queues that the caller may read, by name; up to one more than the page. */
export async function listQueues(reader: Reader, page: Page): Promise<Queue[]> {
  const list = shownTo(reader);
  const { beyond, end } = pageSql(queueOrder, page);
  const rows = await query<{ id: string }>(
    sql`${list.with} select queue.id from ${list.from} ${beyond} ${end}`,
  );
  const ids = rows.map(({ id }) => id);
  return inOrder(ids, await db.queue.findMany({ where: { id: { in: ids } } }));
}
