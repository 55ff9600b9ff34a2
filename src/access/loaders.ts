import DataLoader from 'dataloader';
import {
  countGrantsOfUsers,
  type GrantsOfUserFilter,
  type GrantsOfUserPage,
  listGrantsOfUsers,
} from '../authorization/store/grant-rows.ts';
import { countMembers, listGroupsOf, readGroupsById } from '../authorization/store/groups.ts';
import type { Grant, Group } from '../generated/prisma/client.ts';
import { childCounter, childLoader } from '../platform/loaders.ts';

export function accessLoaders(tenantId: string) {
  return {
    group: new DataLoader<string, Group | null>((ids) => readGroupsById(tenantId, ids)),
    groupsOfUser: new DataLoader<string, Group[]>((userIds) => listGroupsOf(tenantId, userIds)),
    /** Not for `everyone`, whose members have no rows. */
    memberCount: new DataLoader<string, number>((groupIds) => countMembers(groupIds)),
    grantsOfUser: childLoader<GrantsOfUserPage, Grant>(
      (userIds, page) => listGrantsOfUsers(tenantId, userIds, page),
      (grant) => grant.userId,
    ),
    grantCountOfUser: childCounter<GrantsOfUserFilter>((userIds, filter) =>
      countGrantsOfUsers(tenantId, userIds, filter),
    ),
  };
}

type AccessLoaders = ReturnType<typeof accessLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends AccessLoaders {}
}
