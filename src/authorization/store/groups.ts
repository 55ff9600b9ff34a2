import type { Group } from '../../generated/prisma/client.ts';
import { eachOf, inOrder } from '../../platform/by-id.ts';
import type { Caller } from '../../platform/caller.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';
import { isId, newId } from '../../platform/ids.ts';
import { groupNameKey } from '../domain/group-names.ts';

export type GroupBy = { readonly id: string } | { readonly name: string };

export const groupKeyOf = (by: GroupBy): string => ('id' in by ? by.id : by.name);

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

/** @throws a unique violation for a taken name. */
export const insertGroup = (tx: Tx, group: Omit<Group, 'isEveryone' | 'createdAt' | 'updatedAt'>) =>
  tx.group.create({ data: group });

/** @throws a unique violation for a taken name. */
export const updateGroup = (
  tx: Tx,
  id: string,
  changes: Partial<Pick<Group, 'name' | 'nameKey' | 'description'>>,
) => tx.group.update({ where: { id }, data: changes });

/** Deletes the group with its memberships and grants. */
export const removeGroup = (tx: Tx, id: string) => tx.group.delete({ where: { id } });

/** As much of a caller as decides which groups it sees. */
export interface GroupReader extends Pick<Caller, 'tenantId' | 'userId' | 'groupIds'> {
  /** Whether it sees those that it is not in. */
  readonly seesAll: boolean;
}

/** Parameters $1 to $4. */
const visible = `team.tenant_id = $1::uuid
  and ($2::boolean or team.is_everyone or team.id = any($3::uuid[]) or exists (
    select 1 from group_members as member where member.group_id = team.id and member.user_id = $4::uuid))`;

const readerValues = ({ tenantId, userId, groupIds, seesAll }: GroupReader) => [
  tenantId,
  seesAll,
  groupIds,
  userId,
];

const findStatement = statement<{ id: string }>(
  `select team.id from groups as team
    where ${visible} and (team.id = any($5::uuid[]) or team.name_key = any($6::text[]))`,
);

/** One row or null for each address, in their order: hidden and absent are the same. */
export async function readGroups(
  reader: GroupReader,
  addresses: readonly GroupBy[],
): Promise<(Group | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const names = addresses.flatMap((by) => ('name' in by ? [groupNameKey(by.name)] : []));
  const found = await run(findStatement, [...readerValues(reader), ids, names]);
  const rows = await db.group.findMany({ where: { id: { in: found.map(({ id }) => id) } } });
  return addresses.map(
    (by) =>
      rows.find((row) => ('id' in by ? row.id === by.id : row.nameKey === groupNameKey(by.name))) ?? null,
  );
}

/** One row or null for each id, in their order: to name whom a permission is of. */
export async function readGroupsById(tenantId: string, ids: readonly string[]): Promise<(Group | null)[]> {
  return eachOf(ids, await db.group.findMany({ where: { tenantId, id: { in: [...ids] } } }));
}

/** The groups that a reader sees, by name, ascending; up to one more than the page. */
export async function listGroups(
  reader: GroupReader,
  { prefix }: { readonly prefix: string | null },
  page: { limit: number; backward: boolean; from: readonly string[] | null },
): Promise<Group[]> {
  const [beyond, direction] = page.backward ? ['<', 'desc'] : ['>', 'asc'];
  const list = statement<{ id: string }>(
    `select team.id from groups as team
      where ${visible} and ($5::text is null or starts_with(team.name_key, $5))
        and ($6::text is null or team.name_key collate "C" ${beyond} $6)
      order by team.name_key collate "C" ${direction} limit $7`,
  );
  const start = prefix === null ? null : groupNameKey(prefix);
  const values = [...readerValues(reader), start, page.from?.[0] ?? null, page.limit + 1];
  const ids = (await run(list, values)).map(({ id }) => id);
  return inOrder(ids, await db.group.findMany({ where: { id: { in: ids } } }));
}

const countStatement = statement<{ count: bigint }>(
  `select count(*) as count from groups as team
    where ${visible} and ($5::text is null or starts_with(team.name_key, $5))`,
);

/** How many there are in all; read only where it is asked for. */
export async function countGroups(
  reader: GroupReader,
  { prefix }: { readonly prefix: string | null },
): Promise<number> {
  const start = prefix === null ? null : groupNameKey(prefix);
  const [row] = await run(countStatement, [...readerValues(reader), start]);
  return Number(row?.count ?? 0n);
}

const MAX_GROUPS_OF_USER = 1000;

const groupsOfUsersStatement = statement<{ userId: string; id: string }>(
  `select asked.id as "userId", joined.id
     from unnest($2::uuid[]) as asked(id)
    cross join lateral (
      select team.id from groups as team
       where team.tenant_id = $1::uuid and (team.is_everyone or exists (
               select 1 from group_members as member where member.group_id = team.id and member.user_id = asked.id))
       order by team.name_key collate "C" limit ${MAX_GROUPS_OF_USER}
    ) as joined`,
);

/** The groups of each user, by name, ascending, at most 1000 each. */
export async function listGroupsOf(tenantId: string, userIds: readonly string[]): Promise<Group[][]> {
  const pairs = await run(groupsOfUsersStatement, [tenantId, userIds]);
  const ids = [...new Set(pairs.map(({ id }) => id))];
  const rows = new Map((await db.group.findMany({ where: { id: { in: ids } } })).map((row) => [row.id, row]));
  const byUser = groupBy(pairs, ({ userId }) => userId);
  return userIds.map((userId) => (byUser.get(userId) ?? []).flatMap(({ id }) => rows.get(id) ?? []));
}

const membersStatement = statement<{ groupId: string; count: bigint }>(
  `select group_id as "groupId", count(*) as count from group_members
    where group_id = any($1::uuid[]) group by group_id`,
);

/** How many members each group has by a row of its own; `everyone` has none of these. */
export async function countMembers(groupIds: readonly string[], tx?: Tx): Promise<number[]> {
  const rows = await run(membersStatement, [groupIds], tx);
  const counts = new Map(rows.map((row) => [row.groupId, Number(row.count)]));
  return groupIds.map((id) => counts.get(id) ?? 0);
}

const lockStatement = statement<{ id: string }>(
  `select id from groups where tenant_id = $1::uuid and (id = $2::uuid or name_key = $3) for update`,
);

/** Holds a group of the tenant until commit; null when there is none. */
export async function lockGroup(tx: Tx, tenantId: string, by: GroupBy): Promise<Group | null> {
  const id = 'id' in by && isId(by.id) ? by.id : null;
  const key = 'name' in by ? groupNameKey(by.name) : null;
  const [held] = await run(lockStatement, [tenantId, id, key], tx);
  return held ? await tx.group.findUnique({ where: { id: held.id } }) : null;
}

/** Those who were not members before become members. @returns who they are. */
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

/** Those who were members are none any more. @returns who they are. */
export async function deleteMembers(tx: Tx, groupId: string, userIds: readonly string[]): Promise<string[]> {
  return (await run(removeStatement, [groupId, userIds], tx)).map(({ userId }) => userId);
}
