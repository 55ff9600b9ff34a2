import { groupNameKey } from '../../authorization/domain/group-names.ts';
import type { User } from '../../generated/prisma/client.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { inOrder } from '../../platform/by-id.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import type { UserBy } from '../domain/addresses.ts';
import { usernameKey } from '../domain/usernames.ts';

/** An address, and the tenant that it is looked for in: null for all, which an id alone can name. */
export interface UserAddress {
  readonly tenantId: string | null;
  readonly by: UserBy;
}

/** One row or null for each address, in their order. */
export async function readUsers(addresses: readonly UserAddress[]): Promise<(User | null)[]> {
  const wheres = addresses.flatMap((address) => whereOf(address) ?? []);
  if (wheres.length === 0) return addresses.map(() => null);
  const rows = await db.user.findMany({ where: { OR: wheres } });
  return addresses.map((address) => rows.find((row) => isAt(row, address)) ?? null);
}

function whereOf({ tenantId, by }: UserAddress) {
  const within = tenantId === null ? {} : { tenantId };
  if ('id' in by) return isId(by.id) ? { ...within, id: by.id } : null;
  if (tenantId === null) return null;
  if ('username' in by) return { tenantId, usernameKey: usernameKey(by.username) };
  return { tenantId, emailKey: usernameKey(by.email) };
}

function isAt(row: User, { tenantId, by }: UserAddress): boolean {
  if (tenantId !== null && row.tenantId !== tenantId) return false;
  if ('id' in by) return row.id === by.id;
  if ('username' in by) return row.usernameKey === usernameKey(by.username);
  return row.emailKey === usernameKey(by.email);
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

interface UserPage {
  readonly limit: number;
  readonly backward: boolean;
  /** In the order by name its key; in the order by age createdAt and id. */
  readonly from: readonly string[] | null;
}

/** Parameters $1 to $7. */
const shown = `account.tenant_id = $1::uuid
  and ($2::text[] is null or account.role::text = any($2::text[]))
  and ($3::text is null or account.kind::text = $3)
  and ($4::boolean is null or (account.disabled_at is not null) = $4)
  and ($5::text is null or starts_with(account.username_key, $5))
  and ($6::text is null and $7::text is null or exists (
    select 1 from groups as team
     where team.tenant_id = account.tenant_id and (team.id = $6::uuid or team.name_key = $7)
       and (team.is_everyone or exists (
         select 1 from group_members as member where member.group_id = team.id and member.user_id = account.id))))`;

const NOBODY = '00000000-0000-0000-0000-000000000000';

function valuesOf({ tenantId, roles, kind, isDisabled, prefix, group }: UserFilter) {
  const id = group && 'id' in group ? (isId(group.id) ? group.id : NOBODY) : null;
  const name = group && 'name' in group ? groupNameKey(group.name) : null;
  const start = prefix == null ? null : usernameKey(prefix);
  return [tenantId, roles ?? null, kind ?? null, isDisabled ?? null, start, id, name];
}

const orders = {
  USERNAME: { by: ['account.username_key collate "C"'], from: '$9' },
  NEWEST: { by: ['account.created_at', 'account.id'], from: '$9::timestamptz, $10::uuid' },
} as const satisfies Record<UserOrder, { by: readonly string[]; from: string }>;

/** Users of a tenant, by name ascending or the newest first; up to one more than the page. */
export async function listUsers(filter: UserFilter, order: UserOrder, page: UserPage): Promise<User[]> {
  const isAscending = (order === 'USERNAME') !== page.backward;
  const [beyond, direction] = isAscending ? ['>', 'asc'] : ['<', 'desc'];
  const { by, from } = orders[order];
  const list = statement<{ id: string }>(
    `select account.id from users as account where ${shown}
        ${page.from ? `and (${by.join(', ')}) ${beyond} (${from})` : ''}
      order by ${by.map((column) => `${column} ${direction}`).join(', ')} limit $8`,
  );
  const ids = (await run(list, [...valuesOf(filter), page.limit + 1, ...(page.from ?? [])])).map(
    ({ id }) => id,
  );
  return inOrder(ids, await db.user.findMany({ where: { id: { in: ids } } }));
}

const countStatement = statement<{ count: bigint }>(
  `select count(*) as count from users as account where ${shown}`,
);

/** How many there are in all; read only where it is asked for. */
export async function countUsers(filter: UserFilter): Promise<number> {
  const [row] = await run(countStatement, valuesOf(filter));
  return Number(row?.count ?? 0n);
}
