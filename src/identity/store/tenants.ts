import type { Tenant } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';

export type TenantBy = { readonly id: string } | { readonly name: string };

export const tenantKeyOf = (by: TenantBy): string => ('id' in by ? by.id : by.name);

export async function findTenant(by: TenantBy, tx: Tx = db): Promise<Tenant | null> {
  if ('name' in by) return await tx.tenant.findUnique({ where: { name: by.name } });
  return isId(by.id) ? await tx.tenant.findUnique({ where: { id: by.id } }) : null;
}

/** The tenant of whoever runs the server: the first. Null before there is one. */
export async function findFirstTenant(tx: Tx = db): Promise<Tenant | null> {
  return await tx.tenant.findFirst({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] });
}

/** One row or null for each id, in their order. */
export async function readTenants(ids: readonly string[]): Promise<(Tenant | null)[]> {
  return eachOf(ids, await db.tenant.findMany({ where: { id: { in: [...ids] } } }));
}

/** All tenants by name, ascending; up to one more than the page. */
export async function listTenants(page: {
  limit: number;
  backward: boolean;
  from: readonly string[] | null;
}): Promise<Tenant[]> {
  const [beyond, direction] = page.backward ? ['<', 'desc'] : ['>', 'asc'];
  const list = statement<{ id: string }>(
    `select id from tenants where $1::text is null or name collate "C" ${beyond} $1
      order by name collate "C" ${direction} limit $2`,
  );
  const ids = (await run(list, [page.from?.[0] ?? null, page.limit + 1])).map(({ id }) => id);
  const rows = await readTenants(ids);
  return rows.flatMap((row) => row ?? []);
}

const lockStatement = statement<{ id: string }>('select id from tenants where id = $1::uuid for update');

/** Holds the tenant until commit; null when there is none. */
export async function lockTenant(tx: Tx, id: string): Promise<Tenant | null> {
  await run(lockStatement, [id], tx);
  return await tx.tenant.findUnique({ where: { id } });
}
