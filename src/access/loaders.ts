import DataLoader from 'dataloader';
import {
  countGrantsOfUsers,
  type GrantsOfUserFilter,
  type GrantsOfUserPage,
  listGrantsOfUsers,
} from '../authorization/store/grant-rows.ts';
import {
  countMembers,
  type GroupBy,
  type GroupFor,
  groupReader,
  listGroupsOf,
  readGroups,
  readGroupsById,
} from '../authorization/store/groups.ts';
import type { Reader } from '../authorization/store/readable.ts';
import type { Grant, Group } from '../generated/prisma/client.ts';
import { childCounter, childLoader } from '../platform/loaders.ts';

export function accessLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    /** With whether the caller may see it. Not cached, so that an operation sees its own changes. */
    groupAt: new DataLoader<GroupBy, GroupFor | null>(
      (addresses) => readGroups(groupReader(reader), addresses),
      { cache: false },
    ),
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
