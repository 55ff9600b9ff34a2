import type { User } from '../../generated/prisma/client.ts';
import { eachOf } from '../../platform/by-id.ts';
import { sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** As much of a user as everyone may know who sees what the user did; also of users who were deleted. */
export interface PublicUser {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  /** Null or left out for a user who is there. */
  readonly deletedAt?: Date | null;
}

/** One row or null for each id, in their order. */
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
 * Deletes a user with its access keys, ended sessions, memberships and grants, which its keys take along. What the user
 * did keeps its author.
 */
export async function removeUser(tx: Tx, { id, tenantId, username, name }: User): Promise<void> {
  await tx.user.delete({ where: { id } });
  await tx.formerUser.create({ data: { id, tenantId, username, name } });
}
