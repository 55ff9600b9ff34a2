import DataLoader from 'dataloader';
import type { Tenant, User } from '../generated/prisma/client.ts';
import { eachOf } from '../platform/by-id.ts';
import { db } from '../platform/database/client.ts';
import { findPrincipal, type Principal, plainSignIn } from '../sign-in/principals.ts';
import { readTenants } from './store/tenants.ts';
import { countUsers, readUsers, type UserAddress } from './store/users.ts';

export function identityLoaders(tenantId: string) {
  return {
    user: new DataLoader<string, User | null>(async (ids) =>
      eachOf(ids, await db.user.findMany({ where: { id: { in: [...ids] }, tenantId } })),
    ),
    userAt: new DataLoader<UserAddress, User | null, string>((addresses) => readUsers(addresses), {
      cacheKeyFn: (address) => JSON.stringify(address),
    }),
    tenant: new DataLoader<string, Tenant | null>((ids) => readTenants(ids)),
    /** As a sign-in of the user would be: its role and default level; null for who is disabled or gone. */
    principal: new DataLoader<string, Principal | null>((ids) =>
      Promise.all(ids.map((id) => findPrincipal(plainSignIn(id)))),
    ),
    userCount: new DataLoader<string, number>((ids) =>
      Promise.all(ids.map((id) => countUsers({ tenantId: id }))),
    ),
  };
}

export type IdentityLoaders = ReturnType<typeof identityLoaders>;
