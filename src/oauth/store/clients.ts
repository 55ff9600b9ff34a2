import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type OAuth2Client, Prisma } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';
import type { ClientSettings, Lifespans } from '../domain/client-settings.ts';

/** A client with its settings in their own type. */
export interface ClientRow extends Omit<OAuth2Client, 'settings'> {
  readonly settings: StoredSettings;
}

/** The settings and the lifespans, which are set separately. */
export interface StoredSettings extends ClientSettings {
  readonly lifespans: Lifespans;
}

const typed = (row: OAuth2Client): ClientRow => row as unknown as ClientRow;

export type ClientBy = { readonly id: string } | { readonly clientId: string };

/** One row or null for each address, in the order of the addresses. */
export async function readClients(
  tenantId: string,
  addresses: readonly ClientBy[],
): Promise<(ClientRow | null)[]> {
  const rows = await readAddressed(
    addresses,
    ['clientId'],
    (ids) => db.oAuth2Client.findMany({ where: { tenantId, id: { in: ids } } }),
    (clientIds) => db.oAuth2Client.findMany({ where: { tenantId, clientId: { in: clientIds } } }),
  );
  return rows.map((row) => row && typed(row));
}

/** Roles decide about clients: the rule of the lookup asks for the role. */
export const clientNodes: NodeRows = {
  from: 'oauth2_clients as client',
  id: 'client.id',
  tenant: 'client.tenant_id',
  isShown: ({ tenantId, role }) =>
    sql`(client.tenant_id = ${tenantId}::uuid and ${isRoleAtLeast(role, 'ADMIN')}::boolean)`,
};

export interface ClientFilter {
  /** The whole name. */
  readonly clientName: string | null;
  readonly owner: string | null;
  readonly clientIds: readonly string[] | null;
}

const ofTenant = (tenantId: string, { clientName, owner, clientIds }: ClientFilter): Rows => ({
  from: sql`oauth2_clients as client where client.tenant_id = ${tenantId}::uuid
    ${clientName === null ? nothing : sql`and client.name = ${clientName}`}
    ${owner === null ? nothing : sql`and client.owner = ${owner}`}
    ${clientIds === null ? nothing : sql`and client.client_id = any(${clientIds}::text[])`}`,
});

export const clientOrder = byText<Pick<ClientRow, 'clientId'>>('client.client_id', 'clientId');

const columns = columnsOf(Prisma.OAuth2ClientScalarFieldEnum, 'client');

/** The clients of a tenant by client id: one page, and one more row if there is one. */
export const listClients = (tenantId: string, filter: ClientFilter, page: Page) =>
  list<ClientRow>(ofTenant(tenantId, filter), columns, clientOrder, page);

/** The number of these clients. It is read only if a query asks for it. */
export const countClients = (tenantId: string, filter: ClientFilter) => count(ofTenant(tenantId, filter));

/** A client of any tenant, with the hashes of its secrets, newest first. */
export interface EngineClient extends ClientRow {
  readonly secretHashes: readonly string[];
}

/** Null if no tenant has a client with this id. */
export async function findClientOfAnyTenant(clientId: string): Promise<EngineClient | null> {
  const [row] = await run(engineStatement, [clientId]);
  return row ?? null;
}

const engineStatement = statement<EngineClient>(
  `select client.id, client.tenant_id as "tenantId", client.client_id as "clientId", client.name, client.owner,
          client.settings, client.created_at as "createdAt", client.updated_at as "updatedAt",
          array(select hash from oauth2_client_secrets where client_row_id = client.id order by id desc) as "secretHashes"
     from oauth2_clients as client where client.client_id = $1`,
);

const dataOf = (settings: StoredSettings) => ({
  name: settings.clientName,
  owner: settings.owner,
  settings: settings as unknown as Prisma.InputJsonObject,
});

/** @throws a unique violation if a tenant has a client with this id. */
export async function insertClient(
  tx: Tx,
  {
    registrationTokenHash,
    ...key
  }: {
    readonly tenantId: string;
    readonly clientId: string;
    readonly registrationTokenHash?: Buffer | null;
  },
  settings: StoredSettings,
): Promise<ClientRow> {
  const hash = registrationTokenHash ? Uint8Array.from(registrationTokenHash) : null;
  const data = { id: newId(), ...key, registrationTokenHash: hash, ...dataOf(settings) };
  return typed(await tx.oAuth2Client.create({ data }));
}

export async function storeSettings(tx: Tx, id: string, settings: StoredSettings): Promise<ClientRow> {
  return typed(await tx.oAuth2Client.update({ where: { id }, data: dataOf(settings) }));
}

const lockStatement = statement<{ id: string }>(
  'select id from oauth2_clients where id = $1::uuid for update',
);

/** Locks a client until the transaction ends; null if it does not exist. */
export async function lockClient(tx: Tx, id: string): Promise<ClientRow | null> {
  if (!isId(id) || (await run(lockStatement, [id], tx)).length === 0) return null;
  const row = await tx.oAuth2Client.findUnique({ where: { id } });
  return row && typed(row);
}

const actsStatement = statement<{ id: string }>(
  `select id from oauth2_clients where id = $1::uuid and settings ->> 'serviceAccount' = $2 for share`,
);

/** Whether a client acts as a service account. It stays so until the transaction ends. */
export const actsAs = async (tx: Tx, id: string, userId: string): Promise<boolean> =>
  (await run(actsStatement, [id, userId], tx)).length > 0;

export const removeClient = (tx: Tx, id: string) => tx.oAuth2Client.delete({ where: { id } });

export async function insertSecret(
  tx: Tx,
  client: { readonly id: string; readonly tenantId: string },
  hash: string,
): Promise<void> {
  const { id: clientRowId, tenantId } = client;
  await tx.oAuth2ClientSecret.create({ data: { id: newId(), tenantId, clientRowId, hash } });
}

export const hasSecrets = async (tx: Tx, clientRowId: string): Promise<boolean> =>
  (await tx.oAuth2ClientSecret.count({ where: { clientRowId } })) > 0;

const keepStatement = statement<{ id: string }>(
  `delete from oauth2_client_secrets where client_row_id = $1::uuid and id not in (
     select id from oauth2_client_secrets where client_row_id = $1::uuid order by id desc limit $2
   ) returning id`,
);

/** Deletes all secrets of a client but the newest ones. @returns how many it has deleted. */
export async function keepSecrets(tx: Tx, clientRowId: string, kept: number): Promise<number> {
  return (await run(keepStatement, [clientRowId, kept], tx)).length;
}
