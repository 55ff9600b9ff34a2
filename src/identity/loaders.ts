import DataLoader from 'dataloader';
import type { Tenant, User } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';
import { readTenants } from './store/tenants.ts';
import { countUsers, readUsers, type UserAddress } from './store/users.ts';

export function identityLoaders(tenantId: string) {
  return {
    user: new DataLoader<string, User | null>(async (ids) => {
      const rows = await db.user.findMany({
        where: { id: { in: [...ids] }, tenantId },
      });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    userAt: new DataLoader<UserAddress, User | null, string>((addresses) => readUsers(addresses), {
      cacheKeyFn: (address) => JSON.stringify(address),
    }),
    tenant: new DataLoader<string, Tenant | null>((ids) => readTenants(ids)),
    userCount: new DataLoader<string, number>((ids) =>
      Promise.all(ids.map((id) => countUsers({ tenantId: id }))),
    ),
  };
}

export type IdentityLoaders = ReturnType<typeof identityLoaders>;
