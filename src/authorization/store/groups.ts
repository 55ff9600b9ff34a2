import { type Group, Prisma } from '../../generated/prisma/client.ts';
import { eachAt } from '../../platform/by-address.ts';
import { eachOf } from '../../platform/by-id.ts';
import type { Caller } from '../../platform/caller.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Rows, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';
import { isId, newId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { isRoleAtLeast } from '../domain/roles.ts';
import type { NodeRows } from './node-rows.ts';

export type GroupBy = { readonly id: string } | { readonly name: string };

export const groupKeyOf = (by: GroupBy): string => ('id' in by ? by.id : by.name);

/** Creates the group with all users of a tenant, together with the tenant. Source: Armada's `everyone`. */
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

/** @throws a unique violation if the name is taken. */
export const insertGroup = (tx: Tx, group: Omit<Group, 'isEveryone' | 'createdAt' | 'updatedAt'>) =>
  tx.group.create({ data: group });

/** @throws a unique violation if the name is taken. */
export const storeGroup = (
  tx: Tx,
  id: string,
  changes: Partial<Pick<Group, 'name' | 'nameKey' | 'description'>>,
) => tx.group.update({ where: { id }, data: changes });

/** Deletes the group with its memberships and grants. */
export const removeGroup = (tx: Tx, id: string) => tx.group.delete({ where: { id } });

/** The parts of a caller that decide which groups it sees. */
export interface GroupReader extends Pick<Caller, 'tenantId' | 'userId' | 'groupIds'> {
  /** Whether the caller sees groups that it is not in. */
  readonly seesAll: boolean;
}

/**
 * Which groups a caller sees: superusers and administrators see all groups of the tenant, others only the groups that
 * they are in.
 */
export function groupReader(caller: Pick<Caller, 'tenantId' | 'userId' | 'groupIds' | 'role'>): GroupReader {
  const { tenantId, userId, groupIds, role } = caller;
  return { tenantId, userId, groupIds, seesAll: isRoleAtLeast(role, 'SUPERUSER') };
}

const isVisibleTo = ({ userId, groupIds, seesAll }: GroupReader): Sql => sql`
  (${seesAll}::boolean or team.is_everyone or team.id = any(${groupIds}::uuid[]) or exists (
    select 1 from group_members as member where member.group_id = team.id and member.user_id = ${userId}::uuid))`;

export const groupNodes: NodeRows = {
  from: 'groups as team',
  id: 'team.id',
  tenant: 'team.tenant_id',
  isShown: (reader) =>
    sql`(team.tenant_id = ${reader.tenantId}::uuid and ${isVisibleTo(groupReader(reader))})`,
};

/** A group of the tenant, and whether the caller may see it. */
export type GroupFor = Group & { readonly isVisible: boolean };

/** One row or null for each address, in the order of the addresses. Groups that the caller may not see are included. */
export async function readGroups(
  reader: GroupReader,
  addresses: readonly GroupBy[],
): Promise<(GroupFor | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const names = addresses.flatMap((by) => ('name' in by ? [nameKey(by.name)] : []));
  const rows = await query<GroupFor>(sql`
    select team.id, team.tenant_id as "tenantId", team.name, team.name_key as "nameKey", team.description,
           team.is_everyone as "isEveryone", team.created_at as "createdAt", team.updated_at as "updatedAt",
           ${isVisibleTo(reader)} as "isVisible"
      from groups as team
     where team.tenant_id = ${reader.tenantId}::uuid
       and (team.id = any(${ids}::uuid[]) or team.name_key = any(${names}::text[]))`);
  return eachAt(
    addresses,
    (by) => ('id' in by ? by.id : nameText(nameKey(by.name))),
    rows.flatMap((row) => [[row.id, row] as const, [nameText(row.nameKey), row] as const]),
  );
}

/** An id never looks like this. */
const nameText = (key: string) => `name ${key}`;

/** One row or null for each id, in the order of the ids: to show the subject of a grant. */
export async function readGroupsById(tenantId: string, ids: readonly string[]): Promise<(Group | null)[]> {
  return eachOf(ids, await db.group.findMany({ where: { tenantId, id: { in: [...ids] } } }));
}

/** Which of the groups a list shows. */
export interface GroupFilter {
  /** The beginning of the name; null for all. */
  readonly prefix: string | null;
}

const shownTo = (reader: GroupReader, { prefix }: GroupFilter): Rows => ({
  from: sql`groups as team where team.tenant_id = ${reader.tenantId}::uuid and ${isVisibleTo(reader)}
    ${prefix === null ? nothing : sql`and starts_with(team.name_key, ${nameKey(prefix)})`}`,
});

/** By name. */
export const groupOrder = byText<Group>('team.name_key', 'nameKey');

const columns = columnsOf(Prisma.GroupScalarFieldEnum, 'team');

/** The groups that the caller may see: one page, and one more row if there is one. */
export const listGroups = (reader: GroupReader, filter: GroupFilter, page: Page) =>
  list<Group>(shownTo(reader, filter), columns, groupOrder, page);

/** The number of these groups. It is read only if a query asks for it. */
export const countGroups = (reader: GroupReader, filter: GroupFilter) => count(shownTo(reader, filter));

const MAX_GROUPS_OF_USER = 1000;

/** The groups of each user by name, ascending, at most 1000 for each user. */
export async function listGroupsOf(tenantId: string, userIds: readonly string[]): Promise<Group[][]> {
  const rows = await query<Group & { readonly memberId: string }>(sql`
    select joined.*, asked.id as "memberId" from unnest(${userIds}::uuid[]) as asked(id)
     cross join lateral (
       select ${columns} from groups as team
        where team.tenant_id = ${tenantId}::uuid and (team.is_everyone or exists (
                select 1 from group_members as member where member.group_id = team.id and member.user_id = asked.id))
        order by team.name_key collate "C" limit ${MAX_GROUPS_OF_USER}
     ) as joined`);
  const byUser = groupBy(rows, ({ memberId }) => memberId);
  return userIds.map((userId) => byUser.get(userId) ?? []);
}

const membersStatement = statement<{ groupId: string; count: bigint }>(
  `select group_id as "groupId", count(*) as count from group_members
    where group_id = any($1::uuid[]) group by group_id`,
);

/** The number of rows in `group_members` for each group. The group `everyone` has none. */
export async function countMembers(groupIds: readonly string[], tx?: Tx): Promise<number[]> {
  const rows = await run(membersStatement, [groupIds], tx);
  const counts = eachAt(
    groupIds,
    (id) => id,
    rows.map((row) => [row.groupId, Number(row.count)]),
  );
  return counts.map((count) => count ?? 0);
}

const lockStatement = statement<{ id: string }>(
  `select id from groups where tenant_id = $1::uuid and (id = $2::uuid or name_key = $3) for update`,
);

/** Locks a group of the tenant until the transaction ends; null if it does not exist. */
export async function lockGroup(tx: Tx, tenantId: string, by: GroupBy): Promise<Group | null> {
  const id = 'id' in by && isId(by.id) ? by.id : null;
  const key = 'name' in by ? nameKey(by.name) : null;
  const [held] = await run(lockStatement, [tenantId, id, key], tx);
  return held ? await tx.group.findUnique({ where: { id: held.id } }) : null;
}

/** Adds users who are not members yet. @returns the ids of the users who were added. */
export async function insertMembers(
  tx: Tx,
  { id: groupId, tenantId }: { readonly id: string; readonly tenantId: string },
  userIds: readonly string[],
): Promise<string[]> {
  const made = await tx.groupMember.createManyAndReturn({
    data: userIds.map((userId) => ({ groupId, userId, tenantId })),
    skipDuplicates: true,
    select: { userId: true },
  });
  return made.map(({ userId }) => userId);
}

const removeStatement = statement<{ userId: string }>(
  `delete from group_members where group_id = $1::uuid and user_id = any($2::uuid[]) returning user_id as "userId"`,
);

/** Removes users who are members. @returns the ids of the users who were removed. */
export async function deleteMembers(tx: Tx, groupId: string, userIds: readonly string[]): Promise<string[]> {
  return (await run(removeStatement, [groupId, userIds], tx)).map(({ userId }) => userId);
}
