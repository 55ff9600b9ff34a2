import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import { Prisma, type Queue } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, listOfEach, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';

export type QueueBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in the order of the addresses. */
export function readQueues(tenantId: string, addresses: readonly QueueBy[]): Promise<(Queue | null)[]> {
  return readAddressed(
    addresses,
    ['name'],
    (ids) => db.queue.findMany({ where: { tenantId, id: { in: ids }, deletedAt: null } }),
    (names) => db.queue.findMany({ where: { tenantId, name: { in: names }, deletedAt: null } }),
  );
}

const ensureStatement = statement<{ id: string }>(
  `with made as (
     insert into queues (id, tenant_id, project_id, name, updated_at)
     values ($1::uuid, $2::uuid, $3::uuid, $4, now())
     on conflict (tenant_id, name) where deleted_at is null do nothing
     returning id
   )
   select id from made
   union all
   select id from queues where tenant_id = $2::uuid and name = $4 and project_id = $3::uuid
      and deleted_at is null`,
);

/**
 * The queue of a project and domain, which is created with its first job. Its name contains a slash, which callers
 * cannot use in the names of queues. So nobody can take the name first.
 */
export async function ensureProjectQueue(
  tx: Tx,
  { tenantId, projectId, name }: { tenantId: string; projectId: string; name: string },
): Promise<{ id: string; tenantId: string }> {
  const ensure = async () => (await run(ensureStatement, [newId(), tenantId, projectId, name], tx))[0];
  // There is no row if another transaction created it since the statement began. The next statement sees it.
  const row = (await ensure()) ?? (await ensure());
  if (!row) throw new Error(`the queue ${name} belongs to another project`);
  return { id: row.id, tenantId };
}

/** The columns with the resources that decide about a queue. */
const resources: readonly ResourceColumn[] = [
  { type: 'QUEUE', column: 'queue.id' },
  { type: 'PROJECT', column: 'queue.project_id' },
];

export const queueNodes: NodeRows = {
  from: 'queues as queue',
  id: 'queue.id',
  tenant: 'queue.tenant_id',
  resources,
};

export const queueOrder = byText<Queue>('queue.name', 'name');

/** The rows that a reader may see. */
export function queuesShownTo(reader: Reader): Rows {
  const readable = readableSql(reader, resources);
  const from = sql`queues as queue ${readable.joins}
    where queue.tenant_id = ${reader.tenantId}::uuid and queue.deleted_at is null and ${readable.condition}`;
  return { with: readable.with, from };
}

/** The number of these queues. It is read only if a query asks for it. */
export const countQueues = (reader: Reader) => count(queuesShownTo(reader));

export const queueColumns = columnsOf(Prisma.QueueScalarFieldEnum, 'queue');

/** The queues of each project that the reader may read, by name. */
export const queuesOfProjects = (reader: Reader) =>
  listOfEach<null, Queue>(
    'queue.project_id',
    () => queuesShownTo(reader),
    queueColumns,
    () => queueOrder,
  );

/** The queues that the caller may read, by name: one page, and one more row if there is one. */
export const listQueues = (reader: Reader, page: Page) =>
  list<Queue>(queuesShownTo(reader), queueColumns, queueOrder, page);
