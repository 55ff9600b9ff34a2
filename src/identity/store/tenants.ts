import type { NodeRows } from '../../authorization/store/node-rows.ts';
import type { Reader } from '../../authorization/store/readable.ts';
import { Prisma, type Tenant } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';

export type TenantBy = { readonly id: string } | { readonly name: string };

export const tenantKeyOf = (by: TenantBy): string => ('id' in by ? by.id : by.name);

export async function findTenant(by: TenantBy, tx: Tx = db): Promise<Tenant | null> {
  if ('name' in by) return await tx.tenant.findUnique({ where: { nameKey: nameKey(by.name) } });
  return isId(by.id) ? await tx.tenant.findUnique({ where: { id: by.id } }) : null;
}

/** The first tenant, which belongs to the operator of the server. Null before there is one. */
export async function findFirstTenant(tx: Tx = db): Promise<Tenant | null> {
  return await tx.tenant.findFirst({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] });
}

/** One row or null for each id, in the order of the ids. */
export async function readTenants(ids: readonly string[]): Promise<(Tenant | null)[]> {
  return eachOf(ids, await db.tenant.findMany({ where: { id: { in: [...ids] } } }));
}

/** True if the reader reaches all tenants: see ../reach.ts. */
const reachesAll = ({ role, tenantId }: Reader): Sql => sql`
  (${role === 'ROOT'}::boolean or ${role === 'SYSTEM'}::boolean and ${tenantId}::uuid = (
    select first.id from tenants as first order by first.created_at, first.id limit 1))`;

const isReached = (column: string) => (reader: Reader) =>
  sql`(${raw(column)} = ${reader.tenantId}::uuid or ${reachesAll(reader)})`;

export const tenantNodes: NodeRows = {
  from: 'tenants as tenant',
  id: 'tenant.id',
  tenant: 'tenant.id',
  isShown: isReached('tenant.id'),
};

/** Users of the tenants that the reader reaches. The rule decides which of them the reader may see. */
export const userNodes: NodeRows = {
  from: 'users as account',
  id: 'account.id',
  tenant: 'account.tenant_id',
  isShown: isReached('account.tenant_id'),
};

export const tenantOrder = byText<Tenant>('tenant.name', 'name');

export const countTenants = (): Promise<number> => db.tenant.count();

const columns = columnsOf(Prisma.TenantScalarFieldEnum, 'tenant');

/** All tenants by name, ascending: one page, and one more row if there is one. */
export const listTenants = (page: Page) =>
  list<Tenant>({ from: sql`tenants as tenant where true` }, columns, tenantOrder, page);

const lockStatement = statement<{ id: string }>('select id from tenants where id = $1::uuid for update');

/** Locks a tenant until the transaction ends; null if it does not exist. */
export async function lockTenant(tx: Tx, id: string): Promise<Tenant | null> {
  await run(lockStatement, [id], tx);
  return await tx.tenant.findUnique({ where: { id } });
}
