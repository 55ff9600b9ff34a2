import type { Level } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { type Sql, sql } from '../../platform/database/sql.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { GrantResource } from '../domain/decision.ts';
import type { Resource } from '../domain/resources.ts';

/** The parts of a caller that decide which grants it has. */
export type Grantee = Pick<Caller, 'tenantId' | 'userId' | 'groupIds'>;

/**
 * The grants to one user and to its groups. The user is a member of a group by a row, by a token, or because all users
 * are members. This is a query for a `with`, named `about_user`.
 */
export const grantsAbout = ({ tenantId, userId, groupIds }: Grantee): Sql => sql`
  about_user as (
    select id, resource_type, resource_id, level, true as is_own from grants
     where user_id = ${userId}::uuid and tenant_id = ${tenantId}::uuid
    union all
    select grants.id, grants.resource_type, grants.resource_id, grants.level, false from grants
      join (select group_id as id from group_members where user_id = ${userId}::uuid
            union
            select id from groups
             where tenant_id = ${tenantId}::uuid and (is_everyone or id = any(${groupIds}::uuid[]))
           ) as joined on joined.id = grants.group_id
     where grants.tenant_id = ${tenantId}::uuid
  )`;

export type GrantLevelsRow = GrantResource & { readonly own: Level | null; readonly group: Level | null };

// Each part finds its grants by an index, also those of a user who has created a hundred thousand resources.
const levelsOn = (ids: string) => `
   with asked as materialized (select unnest(${ids}) as id),
   joined as materialized (
     select group_id as id from group_members where user_id = $1::uuid
     union
     select id from groups where tenant_id = $2::uuid and (is_everyone or id = any($3::uuid[]))
   ),
   about_user as (
     select on_one.*, true as is_own
       from asked cross join lateral (
         select resource_type, resource_id, level from grants
          where user_id = $1::uuid and tenant_id = $2::uuid and resource_id = asked.id offset 0
       ) as on_one
     union all
     select resource_type, resource_id, level, true from grants
      where user_id = $1::uuid and tenant_id = $2::uuid and resource_id is null
     union all
     select on_one.*, false
       from joined cross join asked cross join lateral (
         select resource_type, resource_id, level from grants
          where group_id = joined.id and tenant_id = $2::uuid and resource_id = asked.id offset 0
       ) as on_one
     union all
     select on_all.*, false
       from joined cross join lateral (
         select resource_type, resource_id, level from grants
          where group_id = joined.id and tenant_id = $2::uuid and resource_id is null offset 0
       ) as on_all
   )
   select resource_type::text as type, resource_id as id, max(level) filter (where is_own)::text as own,
          max(level) filter (where not is_own)::text as "group"
     from about_user group by resource_type, resource_id`;

// The ids are in a subquery so that PostgreSQL keeps the plan: see `anyOf`.
const levelsStatement = statement<GrantLevelsRow>(levelsOn('(select $4::uuid[])'));

/**
 * The same as one value of type json, for a statement that reads an object and the levels on its resources. The first
 * three values of the statement are those of `granteeValues`.
 *
 * @param ids  an SQL expression of type uuid[].
 */
export const levelsBeside = (ids: string): string =>
  `(select coalesce(json_agg(levels), '[]') from (${levelsOn(ids)}) as levels)`;

export const granteeValues = ({ userId, tenantId, groupIds }: Grantee) =>
  [userId, tenantId, groupIds] as const;

/** The levels of a user on these resources, on all resources of their types and on the tenant, in one statement. */
export function listGrantLevels(grantee: Grantee, resourceIds: readonly string[]): Promise<GrantLevelsRow[]> {
  return run(levelsStatement, [...granteeValues(grantee), resourceIds]);
}

const grantCreatorStatement = statement<Record<string, never>>(
  `insert into grants (id, tenant_id, user_id, resource_type, resource_id, level, updated_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4::text::resource_type, $5::uuid, 'MANAGE', now())
   on conflict (tenant_id, resource_type, resource_id, user_id, group_id)
   do update set level = 'MANAGE', updated_at = now()`,
);

/** Grants MANAGE to the user who creates a resource. An existing grant is changed to MANAGE. */
export async function storeCreatorGrant(
  tx: Tx,
  { tenantId, userId }: Pick<Caller, 'tenantId' | 'userId'>,
  resource: Resource,
): Promise<void> {
  await run(grantCreatorStatement, [newId(), tenantId, userId, resource.type, resource.id], tx);
}

const dropGrantsStatement = statement<Record<string, never>>(
  `delete from grants where tenant_id = $1::uuid and resource_type = $2::text::resource_type and resource_id = $3::uuid`,
);

/** Deletes all grants on a resource, in the transaction that deletes the resource permanently. */
export async function dropGrants(tx: Tx, tenantId: string, resource: Resource): Promise<void> {
  await run(dropGrantsStatement, [tenantId, resource.type, resource.id], tx);
}
