import type { IdentityProvider } from '../../generated/prisma/client.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';
import { open, seal } from '../../platform/secrets.ts';
import { nameKey } from '../../platform/text.ts';
import type { GroupRule, ProviderSettings, UsernameClaim } from '../domain/provider-settings.ts';

export interface ProviderRow extends Omit<IdentityProvider, 'usernameClaim'> {
  readonly usernameClaim: UsernameClaim;
}

export type ProviderBy = { readonly id: string } | { readonly name: string };

const PURPOSE = 'identity-provider-secret';

export const clientSecretOf = ({ clientSecretSealed }: ProviderRow): string | null =>
  clientSecretSealed === null ? null : open(PURPOSE, clientSecretSealed);

/** @param secret  undefined keeps the secret. */
const dataOf = (settings: ProviderSettings, secret: string | null | undefined) => ({
  ...settings,
  nameKey: nameKey(settings.name),
  ...(secret === undefined
    ? {}
    : { clientSecretSealed: secret === null ? null : new Uint8Array(seal(PURPOSE, secret)) }),
});

/** @throws a unique violation if the name is taken. */
export async function insertProvider(
  tx: Tx,
  tenantId: string,
  settings: ProviderSettings,
  secret: string | null,
): Promise<ProviderRow> {
  const data = { id: newId(), tenantId, ...dataOf(settings, secret) };
  return (await tx.identityProvider.create({ data })) as ProviderRow;
}

/**
 * @param secret  undefined keeps the secret.
 * @returns null if the provider is gone.
 * @throws a unique violation if the name is taken.
 */
export async function storeProvider(
  tx: Tx,
  id: string,
  settings: ProviderSettings,
  secret: string | null | undefined,
): Promise<ProviderRow | null> {
  const data = dataOf(settings, secret);
  await tx.identityProvider.updateMany({ where: { id }, data });
  return (await tx.identityProvider.findUnique({ where: { id } })) as ProviderRow | null;
}

/** @returns false if the provider is gone. */
export async function removeProvider(tx: Tx, id: string): Promise<boolean> {
  return (await tx.identityProvider.deleteMany({ where: { id } })).count > 0;
}

/** One row or null for each address, in the order of the addresses. */
export async function readProviders(
  tenantId: string,
  addresses: readonly ProviderBy[],
): Promise<(ProviderRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const nameKeys = addresses.flatMap((by) => ('name' in by ? [nameKey(by.name)] : []));
  const rows = (await db.identityProvider.findMany({
    where: { tenantId, OR: [{ id: { in: ids } }, { nameKey: { in: nameKeys } }] },
  })) as ProviderRow[];
  return addresses.map(
    (by) => rows.find((row) => ('id' in by ? row.id === by.id : row.nameKey === nameKey(by.name))) ?? null,
  );
}

/** The providers of a tenant with which people can sign in now, by name. */
export const listEnabledProviders = async (tenantId: string): Promise<ProviderRow[]> =>
  (await db.identityProvider.findMany({
    where: { tenantId, isEnabled: true },
    orderBy: { nameKey: 'asc' },
    take: MAX_SHOWN,
  })) as ProviderRow[];
const MAX_SHOWN = 20;

const ofTenant = (tenantId: string): Rows => ({
  from: sql`identity_providers as provider where provider.tenant_id = ${tenantId}::uuid`,
});

/** By name. */
export const providerOrder = byText<ProviderRow>('provider.name_key', 'nameKey');

const columns = columnsOf(Prisma.IdentityProviderScalarFieldEnum, 'provider');

export const listProviders = (tenantId: string, page: Page) =>
  list<ProviderRow>(ofTenant(tenantId), columns, providerOrder, page);

/** The number of these providers. It is read only if a query asks for it. */
export const countProviders = (tenantId: string) => count(ofTenant(tenantId));

/** Replaces the groups of a provider. */
export async function replaceRules(
  tx: Tx,
  { id: identityProviderId, tenantId }: Pick<ProviderRow, 'id' | 'tenantId'>,
  rules: readonly GroupRule[],
): Promise<void> {
  await tx.identityProviderGroup.deleteMany({ where: { identityProviderId } });
  await tx.identityProviderGroup.createMany({
    data: rules.map(({ value, groupId }) => ({ identityProviderId, tenantId, value, groupId })),
    skipDuplicates: true,
  });
}

/** The groups of one provider, by value. */
export const readRulesOf = async ({ id }: Pick<ProviderRow, 'id'>, tx: Tx = db): Promise<GroupRule[]> =>
  (await readRules([id], tx))[0] ?? [];

/** The groups of each provider, by value. */
export async function readRules(providerIds: readonly string[], tx: Tx = db): Promise<GroupRule[][]> {
  const rows = await tx.identityProviderGroup.findMany({
    where: { identityProviderId: { in: [...providerIds] } },
    orderBy: [{ value: 'asc' }, { groupId: 'asc' }],
  });
  return providerIds.map((id) => rows.filter(({ identityProviderId }) => identityProviderId === id));
}
