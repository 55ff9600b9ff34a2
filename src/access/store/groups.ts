import type { Group } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, newId } from '../../platform/ids.ts';

/** The group that all users of a tenant are in, made with the tenant. Source: Armada's `everyone`. */
export async function createEveryone(tx: Tx, tenantId: string): Promise<void> {
  await tx.group.create({
    data: {
      id: newId(),
      tenantId,
      name: 'everyone',
      nameKey: 'everyone',
      description: 'All users of the tenant',
      isEveryone: true,
    },
  });
}

/** How a group is addressed; its name is compared as user names are. */
export type GroupBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in their order. */
export async function readGroups(tenantId: string, addresses: readonly GroupBy[]): Promise<(Group | null)[]> {
  const keyOf = (name: string) => name.normalize('NFKC').toLowerCase();
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const nameKeys = addresses.flatMap((by) => ('name' in by ? [keyOf(by.name)] : []));
  const rows = await db.group.findMany({
    where: { tenantId, OR: [{ id: { in: ids } }, { nameKey: { in: nameKeys } }] },
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const byName = new Map(rows.map((row) => [row.nameKey, row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byName.get(keyOf(by.name))) ?? null);
}
