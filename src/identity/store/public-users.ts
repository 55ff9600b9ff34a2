import type { User } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** The public part of a user, for everybody who may see what the user did. It also exists for deleted users. */
export interface PublicUser {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  /** Null or left out if the user is not deleted. */
  readonly deletedAt?: Date | null;
}

/** One row or null for each id, in the order of the ids. */
export async function readPublicUsers(
  tenantId: string,
  ids: readonly string[],
): Promise<(PublicUser | null)[]> {
  const rows = await query<PublicUser>(sql`
    select id, username, name, null::timestamptz as "deletedAt" from users
     where tenant_id = ${tenantId}::uuid and id = any(${ids}::uuid[])
     union all
    select id, username, name, deleted_at from former_users
     where tenant_id = ${tenantId}::uuid and id = any(${ids}::uuid[])`);
  return eachOf(ids, rows);
}

/**
 * Deletes a user. The foreign keys delete its access keys, ended sessions, memberships and grants. The things that the
 * user did keep their author.
 */
export async function removeUser(tx: Tx, { id, tenantId, username, name }: User): Promise<void> {
  await tx.user.delete({ where: { id } });
  await tx.formerUser.create({ data: { id, tenantId, username, name } });
}
