import type { Tenant } from '../../generated/prisma/client.ts';
import { eachOf, inOrder } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page, pageSql } from '../../platform/database/page.ts';
import { sql } from '../../platform/database/sql.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';

export type TenantBy = { readonly id: string } | { readonly name: string };

export const tenantKeyOf = (by: TenantBy): string => ('id' in by ? by.id : by.name);

export async function findTenant(by: TenantBy, tx: Tx = db): Promise<Tenant | null> {
  if ('name' in by) return await tx.tenant.findUnique({ where: { nameKey: nameKey(by.name) } });
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

export const tenantOrder = byText<Tenant>('tenant.name', ({ name }) => name);

export const countTenants = (): Promise<number> => db.tenant.count();

/** All tenants by name, ascending; up to one more than the page. */
export async function listTenants(page: Page): Promise<Tenant[]> {
  const { beyond, end } = pageSql(tenantOrder, page);
  const rows = await query<{ id: string }>(
    sql`select tenant.id from tenants as tenant where true ${beyond} ${end}`,
  );
  const ids = rows.map(({ id }) => id);
  return inOrder(ids, await db.tenant.findMany({ where: { id: { in: ids } } }));
}

const lockStatement = statement<{ id: string }>('select id from tenants where id = $1::uuid for update');

/** Holds the tenant until commit; null when there is none. */
export async function lockTenant(tx: Tx, id: string): Promise<Tenant | null> {
  await run(lockStatement, [id], tx);
  return await tx.tenant.findUnique({ where: { id } });
}
