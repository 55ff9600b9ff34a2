import DataLoader from 'dataloader';
import type { Tenant, User } from '../generated/prisma/client.ts';
import { eachOf } from '../platform/by-id.ts';
import { childLoader } from '../platform/child-loader.ts';
import { db } from '../platform/database/client.ts';
import type { Page } from '../platform/database/page.ts';
import { readTenants } from './store/tenants.ts';
import { countUsers, readMembersOfGroups, readUsers, type UserAddress } from './store/users.ts';

export function identityLoaders(tenantId: string) {
  return {
    user: new DataLoader<string, User | null>(async (ids) =>
      eachOf(ids, await db.user.findMany({ where: { id: { in: [...ids] }, tenantId } })),
    ),
    userAt: new DataLoader<UserAddress, User | null, string>((addresses) => readUsers(addresses), {
      cacheKeyFn: (address) => JSON.stringify(address),
    }),
    membersOfGroup: childLoader<Page, { readonly groupId: string; readonly id: string }>(
      readMembersOfGroups,
      ({ groupId }) => groupId,
    ),
    tenant: new DataLoader<string, Tenant | null>((ids) => readTenants(ids)),
    userCount: new DataLoader<string, number>((ids) =>
      Promise.all(ids.map((id) => countUsers({ tenantId: id }))),
    ),
  };
}

type IdentityLoaders = ReturnType<typeof identityLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends IdentityLoaders {}
}
