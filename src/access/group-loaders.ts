import DataLoader from 'dataloader';
import type { Group } from '../generated/prisma/client.ts';
import { countMembers, listGroupsOf } from './store/groups.ts';

export function groupLoaders(tenantId: string) {
  return {
    groupsOfUser: new DataLoader<string, Group[]>((userIds) => listGroupsOf(tenantId, userIds)),
    /** Not of `everyone`, whose members have no rows. */
    memberCount: new DataLoader<string, number>((groupIds) => countMembers(groupIds)),
  };
}

export type GroupLoaders = ReturnType<typeof groupLoaders>;
