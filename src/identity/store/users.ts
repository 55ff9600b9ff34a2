import { Prisma, type User } from '../../generated/prisma/client.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { eachAt } from '../../platform/by-address.ts';
import { eachOf } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { byText, newestFirst, type Order, type Page, pageOfEach } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Sql, sql } from '../../platform/database/sql.ts';
import { anyOf, count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, NO_ID } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { parseUsername, type UserBy } from '../domain/addresses.ts';

const columns = columnsOf(Prisma.UserScalarFieldEnum, 'account');

const byIds = statement<User>(
  `select ${columns.text} from users as account where account.tenant_id = $1::uuid and account.id = ${anyOf('$2', 'uuid')}`,
);

/** One row or null for each id, in the order of the ids. */
export async function readUsersById(tenantId: string, ids: readonly string[]): Promise<(User | null)[]> {
  return eachOf(ids, await run(byIds, [tenantId, ids]));
}

export interface UserAddress {
  readonly by: UserBy;
  /** The tenant in which we look for the user. */
  readonly tenantId: string;
  /** Whether we look in all tenants for an id and for a name with a tenant in front. */
  readonly inAllTenants?: boolean;
}

/**
 * One row or null for each address, in the order of the addresses. Absent users and users out of reach take the same
 * statements.
 */
export async function readUsers(addresses: readonly UserAddress[]): Promise<(User | null)[]> {
  const tenantIds = await namedTenantIds(addresses);
  const places = addresses.map((address) => placeOf(address, tenantIds));
  const rows = await db.user.findMany({ where: { OR: places.flatMap((place) => place ?? []) } });
  return eachAt(places, (place) => place && JSON.stringify(place), rows.flatMap(placesOf));
}

/** The tenants whose names are in front of user names. */
async function namedTenantIds(addresses: readonly UserAddress[]): Promise<Map<string, string>> {
  const names = addresses.flatMap(({ by }) =>
    'username' in by ? (parseUsername(by.username).tenantKey ?? []) : [],
  );
  if (names.length === 0) return new Map();
  const tenants = await db.tenant.findMany({
    where: { nameKey: { in: names } },
    select: { id: true, nameKey: true },
  });
  return new Map(tenants.map(({ id, nameKey: key }) => [key, id]));
}

type Place = Partial<Pick<User, 'tenantId' | 'id' | 'usernameKey' | 'emailKey'>>;

/** Null for an address that no row can have, and for users out of reach. */
function placeOf(
  { tenantId, by, inAllTenants = false }: UserAddress,
  tenantIds: Map<string, string>,
): Place | null {
  if ('id' in by) return isId(by.id) ? { ...(inAllTenants ? {} : { tenantId }), id: by.id } : null;
  if ('email' in by) return { tenantId, emailKey: nameKey(by.email) };
  const { tenantKey, key: usernameKey } = parseUsername(by.username);
  if (tenantKey === null) return { tenantId, usernameKey };
  const named = tenantIds.get(tenantKey);
  return named && (inAllTenants || named === tenantId) ? { tenantId: named, usernameKey } : null;
}

/** All addresses of a row. */
function placesOf(row: User): (readonly [string, User])[] {
  const { id, tenantId, usernameKey, emailKey } = row;
  const places: Place[] = [{ id }, { tenantId, id }, { tenantId, usernameKey }, { tenantId, emailKey }];
  return places.map((place) => [JSON.stringify(place), row]);
}

const lockStatement = statement<{ id: string }>(
  'select id from users where (id, tenant_id) = ($1::uuid, $2::uuid) for update',
);

interface UserPlace {
  readonly tenantId: string;
  readonly id: string;
}

/** Locks a user until the transaction ends; null if the user was deleted. */
export async function lockUser(tx: Tx, { tenantId, id }: UserPlace): Promise<User | null> {
  await run(lockStatement, [id, tenantId], tx);
  return await tx.user.findUnique({ where: { id, tenantId } });
}

const administratorsStatement = statement<{ id: string }>(
  `select id from users
    where tenant_id = $1::uuid
      and (id = $2::uuid or (role in ('ADMIN', 'ROOT') and kind = 'PERSON' and disabled_at is null))
    order by id for update`,
);

/**
 * Locks a user and all active administrators of its tenant until the transaction ends, in the order of their ids. If
 * two administrators take the role from each other at the same time, one waits for the other and then sees who is left.
 *
 * @returns null if the user was deleted.
 */
export async function lockUserAmongAdministrators(
  tx: Tx,
  { tenantId, id }: UserPlace,
): Promise<{ user: User; otherAdministrators: number } | null> {
  const held = await run(administratorsStatement, [tenantId, id], tx);
  const user = await tx.user.findUnique({ where: { id, tenantId } });
  return user && { user, otherAdministrators: held.filter((row) => row.id !== id).length };
}

/** Stores the hash of the password. The new version ends all tokens that were issued before. */
export const storePasswordHash = (tx: Tx, id: string, passwordHash: string): Promise<User> =>
  tx.user.update({ where: { id }, data: { passwordHash, version: { increment: 1 } } });

/** Which unique name of a user is taken in the tenant: the first of the two; null if both are free. */
export async function findTakenName(
  tenantId: string,
  names: { readonly usernameKey: string; readonly emailKey: string | null },
  exceptId: string | null = null,
): Promise<'username' | 'email' | null> {
  const { usernameKey: username, emailKey: email } = names;
  const rows = await db.user.findMany({
    where: {
      tenantId,
      OR: [{ usernameKey: username }, ...(email === null ? [] : [{ emailKey: email }])],
      ...(exceptId === null ? {} : { id: { not: exceptId } }),
    },
    select: { usernameKey: true },
  });
  if (rows.length === 0) return null;
  return rows.some((row) => row.usernameKey === username) ? 'username' : 'email';
}

/** Which users a list shows; null means no condition. */
export interface UserFilter {
  readonly tenantId: string;
  readonly roles?: readonly Role[] | null;
  readonly kind?: UserKind | null;
  readonly isDisabled?: boolean | null;
  /** The beginning of the user name. */
  readonly prefix?: string | null;
  readonly group?: { readonly id: string } | { readonly name: string } | null;
}

export type UserOrder = 'USERNAME' | 'NEWEST';

const isMember = sql`(team.is_everyone or exists (
  select 1 from group_members as member where member.group_id = team.id and member.user_id = account.id))`;

function shown({ tenantId, roles, kind, isDisabled, prefix, group }: UserFilter): Sql {
  return sql`users as account where account.tenant_id = ${tenantId}::uuid
    ${roles ? sql`and account.role::text = any(${roles}::text[])` : nothing}
    ${kind ? sql`and account.kind::text = ${kind}` : nothing}
    ${isDisabled == null ? nothing : sql`and (account.disabled_at is not null) = ${isDisabled}::boolean`}
    ${prefix ? sql`and starts_with(account.username_key, ${nameKey(prefix)})` : nothing}
    ${group ? sql`and ${isInGroup(group)}` : nothing}`;
}

function isInGroup(group: NonNullable<UserFilter['group']>): Sql {
  const isNamed =
    'id' in group
      ? sql`team.id = ${isId(group.id) ? group.id : NO_ID}::uuid`
      : sql`team.name_key = ${nameKey(group.name)}`;
  return sql`exists (
    select 1 from groups as team
     where team.tenant_id = account.tenant_id and ${isNamed} and ${isMember})`;
}

export const userOrders: Readonly<Record<UserOrder, Order<User>>> = {
  USERNAME: byText('account.username_key', 'usernameKey'),
  NEWEST: newestFirst('account'),
};

/** The users of a tenant, by name ascending or newest first: one page, and one more row if there is one. */
export const listUsers = (filter: UserFilter, order: UserOrder, page: Page) =>
  list<User>({ from: shown(filter) }, columns, userOrders[order], page);

/** The number of these users. It is read only if a query asks for it. */
export const countUsers = (filter: UserFilter) => count({ from: shown(filter) });

/** The part of a member that everybody who sees the group may see. */
export interface GroupMemberRow extends Pick<User, 'id' | 'username' | 'name' | 'usernameKey'> {
  readonly groupId: string;
}

export const membersOfGroups = {
  columns:
    'team.id as "groupId", account.id, account.username, account.name, account.username_key as "usernameKey"',
  source: 'users as account join groups as team on team.tenant_id = account.tenant_id',
  parent: 'team.id',
  order: byText<GroupMemberRow>('account.username_key', 'usernameKey'),
};

/** The members of each group of the tenant, by name: one page, and one more row if there is one. */
export const readMembersOfGroups = (tenantId: string, groupIds: readonly string[], page: Page) =>
  query<GroupMemberRow>(
    pageOfEach(membersOfGroups, groupIds, page, sql`and team.tenant_id = ${tenantId}::uuid and ${isMember}`),
  );

const tenantCountStatement = statement<{ tenantId: string; count: bigint }>(
  'select tenant_id as "tenantId", count(*) as count from users where tenant_id = any($1::uuid[]) group by tenant_id',
);

/** The number of users of each tenant. */
export async function countUsersOf(tenantIds: readonly string[]): Promise<number[]> {
  const rows = await run(tenantCountStatement, [tenantIds]);
  const counts = eachAt(
    tenantIds,
    (id) => id,
    rows.map((row) => [row.tenantId, Number(row.count)]),
  );
  return counts.map((count) => count ?? 0);
}
