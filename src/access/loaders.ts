import DataLoader from 'dataloader';
import { listGrantsOfUsers } from '../authorization/store/grant-rows.ts';
import { countMembers, listGroupsOf, readGroupsById } from '../authorization/store/groups.ts';
import type { Grant, Group } from '../generated/prisma/client.ts';
import type { ResourceType } from '../generated/prisma/enums.ts';
import { groupBy } from '../platform/group-by.ts';

/** A page of one user's own rows on resources of a type. */
interface RowsOfUser {
  readonly userId: string;
  readonly type: ResourceType;
  readonly page: {
    readonly limit: number;
    readonly backward: boolean;
    readonly from: readonly string[] | null;
  };
  readonly shown: { readonly withClosed: boolean; readonly within: readonly string[] | null };
}

export function accessLoaders(tenantId: string) {
  return {
    group: new DataLoader<string, Group | null>((ids) => readGroupsById(tenantId, ids)),
    groupsOfUser: new DataLoader<string, Group[]>((userIds) => listGroupsOf(tenantId, userIds)),
    /** Not of `everyone`, whose members have no rows. */
    memberCount: new DataLoader<string, number>((groupIds) => countMembers(groupIds)),
    grantsOfUser: new DataLoader<RowsOfUser, Grant[], string>(
      async (keys) => {
        // One selection asks the same page of every user; another, under an alias, is a statement of its own.
        const alike = groupBy(keys, ({ type, page, shown }) => JSON.stringify([type, page, shown]));
        const answers = await Promise.all(
          [...alike.values()].map(async (group) => {
            const [{ type, page, shown }] = group as [RowsOfUser];
            const userIds = group.map(({ userId }) => userId);
            const found = await listGrantsOfUsers(tenantId, userIds, type, page, shown);
            const rows = groupBy(found, (row) => row.userId);
            return group.map((key) => [JSON.stringify(key), rows.get(key.userId) ?? []] as const);
          }),
        );
        const byKey = new Map(answers.flat());
        return keys.map((key) => byKey.get(JSON.stringify(key)) ?? []);
      },
      { cacheKeyFn: (key) => JSON.stringify(key) },
    ),
  };
}

type AccessLoaders = ReturnType<typeof accessLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends AccessLoaders {}
}
