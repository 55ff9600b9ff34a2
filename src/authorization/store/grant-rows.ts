import type { Grant } from '../../generated/prisma/client.ts';
import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import { countOfEach, lastIdFirst, type Order, type Page, pageOfEach } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import type { GrantResource } from '../domain/decision.ts';
import { managesTenant } from '../domain/roles.ts';
import { type Grantee, grantsAbout } from './grant-levels.ts';
import type { Reader } from './readable.ts';

/** The rows of `grants` one by one, as the API of permissions shows and writes them; decisions read `grants.ts`. */

const columns = `
  grants.id, grants.tenant_id as "tenantId", grants.user_id as "userId", grants.group_id as "groupId",
  grants.resource_type::text as "resourceType", grants.resource_id as "resourceId", grants.level::text as level,
  grants.created_at as "createdAt", grants.updated_at as "updatedAt"`;

/** Whose row: a user's or a group's. */
export type SubjectId = { readonly userId: string } | { readonly groupId: string };

/** What identifies a row, its level apart. */
export interface GrantKey {
  readonly tenantId: string;
  readonly subject: SubjectId;
  readonly resource: GrantResource;
}

/** The condition in a form that the unique index serves: it knows no `is not distinct from`. */
function whereKey({ tenantId, subject, resource }: GrantKey): Sql {
  const ofSubject =
    'userId' in subject ? sql`user_id = ${subject.userId}::uuid` : sql`group_id = ${subject.groupId}::uuid`;
  const ofResource =
    resource.id === null ? sql`resource_id is null` : sql`resource_id = ${resource.id}::uuid`;
  return sql`tenant_id = ${tenantId}::uuid and ${ofSubject}
    and resource_type = ${resource.type}::text::resource_type and ${ofResource}`;
}

const insertStatement = statement<Grant>(
  `insert into grants (id, tenant_id, user_id, group_id, resource_type, resource_id, level, updated_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text::resource_type, $6::uuid, $7::text::level, now())
   on conflict (tenant_id, resource_type, resource_id, user_id, group_id) do nothing
   returning ${columns}`,
);

/** Null when there is a row already, whatever its level. Of several at once, one is made. */
export async function insertGrant(
  tx: Tx,
  { tenantId, subject, resource }: GrantKey,
  level: Level,
): Promise<Grant | null> {
  const userId = 'userId' in subject ? subject.userId : null;
  const groupId = 'groupId' in subject ? subject.groupId : null;
  const values = [newId(), tenantId, userId, groupId, resource.type, resource.id, level];
  const [row] = await run(insertStatement, values, tx);
  return row ?? null;
}

/** Null when there is no row. */
export async function updateGrant(
  tx: Tx,
  key: GrantKey,
  level: Level,
): Promise<{ readonly grant: Grant; readonly before: Level } | null> {
  const [row] = await query<Grant & { readonly before: Level }>(
    sql`with old as (select id, level from grants where ${whereKey(key)} for update)
        update grants set level = ${level}::text::level, updated_at = now() from old where grants.id = old.id
        returning ${raw(columns)}, old.level::text as before`,
    tx,
  );
  if (!row) return null;
  const { before, ...grant } = row;
  return { grant, before };
}

/** The row as it was; null when there is none. */
export async function deleteGrant(tx: Tx, key: GrantKey): Promise<Grant | null> {
  const [row] = await query<Grant>(
    sql`delete from grants where ${whereKey(key)} returning ${raw(columns)}`,
    tx,
  );
  return row ?? null;
}

/** The stored row, never a default; null when there is none. */
export async function findGrant(key: GrantKey): Promise<Grant | null> {
  const [row] = await query<Grant>(sql`select ${raw(columns)} from grants where ${whereKey(key)}`);
  return row ?? null;
}

/** A row, and which of the given resources it is on, counted from 1. */
export type GrantOn = Grant & { readonly position: number };

/** Resource by resource, the newest first on each. */
export const resourceOrder: Order<GrantOn> = [
  { column: 'found.position', type: 'int', direction: 'asc', of: ({ position }) => String(position) },
  ...lastIdFirst('found'),
];

/** The rows at those resources. */
function grantsOn(tenantId: string, resources: readonly GrantResource[]): Rows {
  const asked = JSON.stringify(resources.map((resource, at) => ({ ...resource, position: at + 1 })));
  const queries = sql`
    with resource as (
      select type::resource_type as type, id, position::int as position
        from jsonb_to_recordset(${asked}::jsonb) as resource(type text, id uuid, position int)
    ),
    found as (
      select ${raw(columns)}, resource.position from resource join grants
          on grants.tenant_id = ${tenantId}::uuid and grants.resource_type = resource.type
         and grants.resource_id = resource.id
      union all
      select ${raw(columns)}, resource.position from resource join grants
          on grants.tenant_id = ${tenantId}::uuid and grants.resource_type = resource.type
         and grants.resource_id is null
       where resource.id is null
    )`;
  return { with: queries, from: sql`found where true` };
}

/** Rows at those resources; up to one more than the page. */
export function listGrantsOn(
  tenantId: string,
  resources: readonly GrantResource[],
  page: Page,
): Promise<GrantOn[]> {
  return list<GrantOn>(grantsOn(tenantId, resources), raw('found.*'), resourceOrder, page);
}

/** How many there are in all; read only where it is asked for. */
export const countGrantsOn = (tenantId: string, resources: readonly GrantResource[]): Promise<number> =>
  count(grantsOn(tenantId, resources));

/** The newest first. */
export const grantOrder: Order<Grant> = lastIdFirst('grants');

/** What `listGrantsFor` shows. */
function grantsTo(reader: Reader, type: ResourceType | null): Rows {
  const isOpen = managesTenant(reader.role)
    ? sql`true`
    : sql`(decided.resource_id is null or decided.effective >= 'READ')`;
  const ids = reader.confinedTo?.map(({ id }) => id);
  return {
    with: sql`
      with ${grantsAbout(reader)},
      decided as (
        select id, resource_id,
               coalesce(max(level) filter (where is_own) over resource, max(level) over resource) as effective
          from about_user window resource as (partition by resource_type, resource_id)
      )`,
    from: sql`decided join grants on grants.id = decided.id
       where ${isOpen} ${ids ? sql`and decided.resource_id = any(${ids}::uuid[])` : nothing}
         ${type ? sql`and grants.resource_type = ${type}::text::resource_type` : nothing}`,
  };
}

/**
 * The caller's own rows and those of its groups, newest first; up to one more than the page. What they close to the
 * caller is left out, as it is everywhere; of a caller confined to some resources, so are rows on others.
 */
export const listGrantsFor = (reader: Reader, type: ResourceType | null, page: Page) =>
  list<Grant>(grantsTo(reader, type), raw(columns), grantOrder, page);

/** How many there are in all; read only where it is asked for. */
export const countGrantsFor = (reader: Reader, type: ResourceType | null) => count(grantsTo(reader, type));

/** Which of the users' own rows are listed. */
export interface GrantsOfUserFilter {
  readonly type: ResourceType;
  /** Also NO_PERMISSIONS, which tell of what is hidden. */
  readonly withClosed: boolean;
  /** Only those on these resources; null for all. */
  readonly within: readonly string[] | null;
}

export interface GrantsOfUserPage extends Page, GrantsOfUserFilter {}

const ofUsers = { columns, source: 'grants', parent: 'grants.user_id', order: grantOrder };

const isOfUser = (tenantId: string, { type, withClosed, within }: GrantsOfUserFilter): Sql => sql`
  and grants.tenant_id = ${tenantId}::uuid and grants.resource_type = ${type}::text::resource_type
  and grants.resource_id is not null ${withClosed ? nothing : sql`and grants.level <> 'NO_PERMISSIONS'`}
  ${within ? sql`and grants.resource_id = any(${within}::uuid[])` : nothing}`;

/** The users' own rows on resources of a type, newest first; of each user, up to one more than the page. */
export function listGrantsOfUsers(
  tenantId: string,
  userIds: readonly string[],
  page: GrantsOfUserPage,
): Promise<Grant[]> {
  return query<Grant>(pageOfEach(ofUsers, userIds, page, isOfUser(tenantId, page)));
}

export const countGrantsOfUsers = (
  tenantId: string,
  userIds: readonly string[],
  filter: GrantsOfUserFilter,
) => query<ChildCount>(countOfEach(ofUsers, userIds, isOfUser(tenantId, filter)));

const MAX_ABOUT_USER = 1000;

/** A grant to a user or to one of its groups, and the name of that group; null for the user's own. */
export type GrantAbout = Grant & { readonly groupName: string | null };

/** The grants to a user and its groups on those resources, on all of a type and on the tenant; highest level first. */
export function listGrantsAbout(subject: Grantee, resourceIds: readonly string[]): Promise<GrantAbout[]> {
  return query<GrantAbout>(sql`
    with ${grantsAbout(subject)}
    select ${raw(columns)}, groups.name as "groupName"
      from about_user join grants on grants.id = about_user.id left join groups on groups.id = grants.group_id
     where grants.resource_id is null or grants.resource_id = any(${resourceIds}::uuid[])
     order by grants.level desc, grants.id limit ${MAX_ABOUT_USER}`);
}
