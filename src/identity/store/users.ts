import { Prisma, type User } from '../../generated/prisma/client.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { eachAt } from '../../platform/by-address.ts';
import { db } from '../../platform/database/client.ts';
import { byText, newestFirst, type Order, type Page, pageOfEach } from '../../platform/database/page.ts';
import { columnsOf, nothing, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId, NO_ID } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { parseUsername, type UserBy } from '../domain/addresses.ts';

export interface UserAddress {
  readonly by: UserBy;
  /** The tenant that it is looked for in. */
  readonly tenantId: string;
  /** Whether an id, and a name that stands behind its tenant's, is looked for in all tenants. */
  readonly inAllTenants?: boolean;
}

/** One row or null for each address, in their order. What is absent and what is out of reach cost the same. */
export async function readUsers(addresses: readonly UserAddress[]): Promise<(User | null)[]> {
  const tenantIds = await namedTenantIds(addresses);
  const places = addresses.map((address) => placeOf(address, tenantIds));
  const wheres = places.flatMap((place) => place ?? []);
  const rows = wheres.length > 0 ? await db.user.findMany({ where: { OR: wheres } }) : [];
  return eachAt(places, (place) => place && JSON.stringify(place), rows.flatMap(placesOf));
}

/** The tenants whose names stand before user names. */
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

/** Null for what no row can have, and for what is out of reach. */
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

/** Each place that a row is at. */
function placesOf(row: User): (readonly [string, User])[] {
  const { id, tenantId, usernameKey, emailKey } = row;
  const places: Place[] = [{ id }, { tenantId, id }, { tenantId, usernameKey }, { tenantId, emailKey }];
  return places.map((place) => [JSON.stringify(place), row]);
}

const lockStatement = statement<{ id: string }>(
  'select id from users where id = $1::uuid and tenant_id = $2::uuid for update',
);

interface UserPlace {
  readonly tenantId: string;
  readonly id: string;
}

/** Holds a user until commit; null when it is gone. */
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
 * Holds a user and every active administrator of its tenant until commit, in the order of their ids: of those who take
 * away each other's roles at the same time one waits for the other, and sees what is left.
 *
 * @returns null when the user is gone.
 */
export async function lockUserAmongAdministrators(
  tx: Tx,
  { tenantId, id }: UserPlace,
): Promise<{ user: User; otherAdministrators: number } | null> {
  const held = await run(administratorsStatement, [tenantId, id], tx);
  const user = await tx.user.findUnique({ where: { id, tenantId } });
  return user && { user, otherAdministrators: held.filter((row) => row.id !== id).length };
}

/** Sets the password's hash; the new version ends every token made before. */
export const storePasswordHash = (tx: Tx, id: string, passwordHash: string): Promise<User> =>
  tx.user.update({ where: { id }, data: { passwordHash, version: { increment: 1 } } });

/** Which of the unique names of a user somebody else in the tenant has: the first of the two, null when neither. */
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

/** Which users a list shows; what is null is not asked. */
export interface UserFilter {
  readonly tenantId: string;
  readonly roles?: readonly Role[] | null;
  readonly kind?: UserKind | null;
  readonly isDisabled?: boolean | null;
  /** How the user name begins. */
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
  USERNAME: byText('account.username_key', (user) => user.usernameKey),
  NEWEST: newestFirst('account'),
};

const columns = columnsOf(Prisma.UserScalarFieldEnum, 'account');

/** Users of a tenant, by name ascending or the newest first; up to one more than the page. */
export const listUsers = (filter: UserFilter, order: UserOrder, page: Page) =>
  list<User>({ from: shown(filter) }, columns, userOrders[order], page);

/** How many there are in all; read only where it is asked for. */
export const countUsers = (filter: UserFilter) => count({ from: shown(filter) });

/** A member of a group, as everyone who sees the group may know it. */
export interface GroupMemberRow extends Pick<User, 'id' | 'username' | 'name' | 'usernameKey'> {
  readonly groupId: string;
}

export const membersOfGroups = {
  columns:
    'team.id as "groupId", account.id, account.username, account.name, account.username_key as "usernameKey"',
  source: 'users as account join groups as team on team.tenant_id = account.tenant_id',
  parent: 'team.id',
  order: byText<GroupMemberRow>('account.username_key', (member) => member.usernameKey),
};

/** The members of each group of the tenant, by name; up to one more than the page. */
export const readMembersOfGroups = (tenantId: string, groupIds: readonly string[], page: Page) =>
  query<GroupMemberRow>(
    pageOfEach(membersOfGroups, groupIds, page, sql`and team.tenant_id = ${tenantId}::uuid and ${isMember}`),
  );

const tenantCountStatement = statement<{ tenantId: string; count: bigint }>(
  'select tenant_id as "tenantId", count(*) as count from users where tenant_id = any($1::uuid[]) group by tenant_id',
);

/** How many users each tenant has. */
export async function countUsersOf(tenantIds: readonly string[]): Promise<number[]> {
  const rows = await run(tenantCountStatement, [tenantIds]);
  const counts = eachAt(
    tenantIds,
    (id) => id,
    rows.map((row) => [row.tenantId, Number(row.count)]),
  );
  return counts.map((count) => count ?? 0);
}
