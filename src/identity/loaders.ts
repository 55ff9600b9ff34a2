import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { Tenant, User } from '../generated/prisma/client.ts';
import type { Page } from '../platform/database/page.ts';
import { addressLoader, childLoader } from '../platform/loaders.ts';
import { type PublicUser, readPublicUsers } from './store/public-users.ts';
import { readTenants } from './store/tenants.ts';
import {
  countUsersOf,
  type GroupMemberRow,
  readMembersOfGroups,
  readUsers,
  readUsersById,
  type UserAddress,
} from './store/users.ts';

export function identityLoaders({ tenantId }: Reader) {
  return {
    user: new DataLoader<string, User | null>((ids) => readUsersById(tenantId, ids)),
    publicUser: new DataLoader<string, PublicUser | null>((ids) => readPublicUsers(tenantId, ids)),
    userAt: addressLoader<UserAddress, User | null>(readUsers),
    tenant: new DataLoader<string, Tenant | null>(readTenants),
    membersOfGroup: childLoader<Page, GroupMemberRow>(
      (groupIds, page) => readMembersOfGroups(tenantId, groupIds, page),
      (member) => member.groupId,
    ),
    userCount: new DataLoader<string, number>(countUsersOf),
  };
}

type IdentityLoaders = ReturnType<typeof identityLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends IdentityLoaders {}
}
