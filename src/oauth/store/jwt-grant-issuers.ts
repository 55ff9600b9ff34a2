import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type JwtGrantIssuer, Prisma } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import type { Order, Page } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, query } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';
import type { JwtGrantTrust } from '../domain/jwt-grant-issuers.ts';

const columns = columnsOf(Prisma.JwtGrantIssuerScalarFieldEnum, 'trusted');

/** @throws a unique violation if the tenant trusts this key of the issuer for the same subject already. */
export function insertJwtGrantIssuer(
  tx: Tx,
  tenantId: string,
  { issuer, subject, scopes, kid, publicJwk, expiresAt }: JwtGrantTrust,
): Promise<JwtGrantIssuer> {
  const key = { kid, publicJwk: publicJwk as Prisma.InputJsonObject };
  const data = {
    id: newId(),
    tenantId,
    issuer,
    subject: subject ?? '',
    scopes: [...scopes],
    expiresAt,
    ...key,
  };
  return tx.jwtGrantIssuer.create({ data });
}

export interface JwtGrantIssuerBy {
  readonly id: string;
}

/** One row or null for each address, in the order of the addresses. */
export async function readJwtGrantIssuers(
  tenantId: string,
  addresses: readonly JwtGrantIssuerBy[],
): Promise<(JwtGrantIssuer | null)[]> {
  const ids = addresses.map(({ id }) => id).filter(isId);
  const rows = await db.jwtGrantIssuer.findMany({ where: { tenantId, id: { in: ids } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return addresses.map(({ id }) => byId.get(id) ?? null);
}

/** @returns the row; null if there was none. */
export async function removeJwtGrantIssuer(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<JwtGrantIssuer | null> {
  if (!isId(id)) return null;
  const [row = null] = await query<JwtGrantIssuer>(
    sql`delete from jwt_grant_issuers as trusted where tenant_id = ${tenantId}::uuid and id = ${id}::uuid
      returning ${columns}`,
    tx,
  );
  return row;
}

/** What the tenant trusts of an issuer and one of its keys, for this subject and now. */
export function listTrusts(
  tenantId: string,
  { issuer, kid, subject }: { readonly issuer: string; readonly kid: string; readonly subject: string },
): Promise<JwtGrantIssuer[]> {
  const where = { tenantId, issuer, kid, subject: { in: [subject, ''] }, expiresAt: { gt: new Date() } };
  return db.jwtGrantIssuer.findMany({ where });
}

const ofTenant = (tenantId: string, issuer: string | null): Rows => ({
  from: sql`jwt_grant_issuers as trusted where trusted.tenant_id = ${tenantId}::uuid
    ${issuer === null ? nothing : sql`and trusted.issuer = ${issuer}`}`,
});

/** The newest first: ids are in the order of their creation. */
export const jwtGrantIssuerOrder: Order<Pick<JwtGrantIssuer, 'id'>> = [
  { column: 'trusted.id', type: 'uuid', direction: 'desc', of: ({ id }) => id },
];

export const listJwtGrantIssuers = (tenantId: string, issuer: string | null, page: Page) =>
  list<JwtGrantIssuer>(ofTenant(tenantId, issuer), columns, jwtGrantIssuerOrder, page);

/** The number of these issuers. It is read only if a query asks for it. */
export const countJwtGrantIssuers = (tenantId: string, issuer: string | null) =>
  count(ofTenant(tenantId, issuer));

/** Roles decide about them: the rule of the lookup asks for the role. */
export const jwtGrantIssuerNodes: NodeRows = {
  from: 'jwt_grant_issuers as trusted',
  id: 'trusted.id',
  tenant: 'trusted.tenant_id',
  isShown: ({ tenantId, role }) =>
    sql`(trusted.tenant_id = ${tenantId}::uuid and ${isRoleAtLeast(role, 'ADMIN')}::boolean)`,
};
