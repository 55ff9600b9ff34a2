import type { Grant } from '../../generated/prisma/client.ts';
import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import { countOfEach, lastIdFirst, type Order, type Page, pageOfEach } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import type { GrantResource } from '../domain/decision.ts';
import type { Resource } from '../domain/resources.ts';
import { managesTenant } from '../domain/roles.ts';
import { type Grantee, grantsAbout } from './grant-levels.ts';
import type { Reader } from './readable.ts';

/** Reads and writes single rows of `grants`, for the API. Decisions use `grant-levels.ts`. */

const columns = `
  grants.id, grants.tenant_id as "tenantId", grants.user_id as "userId", grants.group_id as "groupId",
  grants.resource_type::text as "resourceType", grants.resource_id as "resourceId", grants.level::text as level,
  grants.created_at as "createdAt", grants.updated_at as "updatedAt"`;

/** The subject of a grant: a user or a group. */
export type SubjectId = { readonly userId: string } | { readonly groupId: string };

/** What identifies a grant: everything except its level. */
export interface GrantKey {
  readonly tenantId: string;
  readonly subject: SubjectId;
  readonly resource: GrantResource;
}

/** The condition in a form for which PostgreSQL can use the unique index. It cannot for `is not distinct from`. */
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

/** Null if there is already a grant, whatever its level. If several calls run at the same time, only one creates it. */
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

/** Null if there is no grant. */
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

/** The deleted grant; null if there was none. */
export async function deleteGrant(tx: Tx, key: GrantKey): Promise<Grant | null> {
  const [row] = await query<Grant>(
    sql`delete from grants where ${whereKey(key)} returning ${raw(columns)}`,
    tx,
  );
  return row ?? null;
}

const putStatement = statement<Record<string, never>>(
  `insert into grants (id, tenant_id, user_id, group_id, resource_type, resource_id, level, updated_at)
   select id, $1::uuid, "userId", "groupId", $2::text::resource_type, $3::uuid, level, now()
     from jsonb_to_recordset($4::jsonb) as asked(id uuid, "userId" uuid, "groupId" uuid, level level)
   on conflict (tenant_id, resource_type, resource_id, user_id, group_id)
   do update set level = excluded.level, updated_at = now()`,
);

/** Grants these levels on a resource. Existing grants to the same users and groups get the new levels. */
export async function putGrants(
  tx: Tx,
  tenantId: string,
  { type, id }: Resource,
  grants: readonly { readonly subject: SubjectId; readonly level: Level }[],
): Promise<void> {
  if (grants.length === 0) return;
  const asked = grants.map(({ subject, level }) => ({ id: newId(), ...subject, level }));
  await run(putStatement, [tenantId, type, id, JSON.stringify(asked)], tx);
}

const deleteSomeStatement = statement<Record<string, never>>(
  `delete from grants
    where tenant_id = $1::uuid and resource_type = $2::text::resource_type and resource_id = $3::uuid
      and (user_id = any($4::uuid[]) or group_id = any($5::uuid[]))`,
);

/** Deletes the grants of these users and groups on a resource. */
export async function deleteGrants(
  tx: Tx,
  tenantId: string,
  { type, id }: Resource,
  subjects: readonly SubjectId[],
): Promise<void> {
  if (subjects.length === 0) return;
  const userIds = subjects.flatMap((subject) => ('userId' in subject ? [subject.userId] : []));
  const groupIds = subjects.flatMap((subject) => ('groupId' in subject ? [subject.groupId] : []));
  await run(deleteSomeStatement, [tenantId, type, id, userIds, groupIds], tx);
}

/** The stored grant; null if there is none. Default levels do not count. */
export async function findGrant(key: GrantKey): Promise<Grant | null> {
  const [row] = await query<Grant>(sql`select ${raw(columns)} from grants where ${whereKey(key)}`);
  return row ?? null;
}

/** A grant, and the number of its resource in the given list, counted from 1. */
export type GrantOn = Grant & { readonly position: number };

/** Resource by resource, and the newest grant first on each. */
export const resourceOrder: Order<GrantOn> = [
  { column: 'found.position', type: 'int', direction: 'asc', of: ({ position }) => String(position) },
  ...lastIdFirst('found'),
];

/** The grants on these resources. */
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

/** The grants on these resources: one page, and one more row if there is one. */
export function listGrantsOn(
  tenantId: string,
  resources: readonly GrantResource[],
  page: Page,
): Promise<GrantOn[]> {
  return list<GrantOn>(grantsOn(tenantId, resources), raw('found.*'), resourceOrder, page);
}

/** The number of these grants. It is read only if a query asks for it. */
export const countGrantsOn = (tenantId: string, resources: readonly GrantResource[]): Promise<number> =>
  count(grantsOn(tenantId, resources));

/** The newest grant first. */
export const grantOrder: Order<Grant> = lastIdFirst('grants');

/** A grant, and the identifier of its resource if this is a project and if it was read together with the grant. */
export type GrantWithProject = Grant & { readonly projectIdentifier?: string | null };

/** The rows of `listGrantsFor`. */
function grantsTo(reader: Reader, type: ResourceType | null, projects: Sql = nothing): Rows {
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
    from: sql`decided join grants on grants.id = decided.id ${projects}
       where ${isOpen} ${ids ? sql`and decided.resource_id = any(${ids}::uuid[])` : nothing}
         ${type ? sql`and grants.resource_type = ${type}::text::resource_type` : nothing}`,
  };
}

/**
 * The grants to the caller and its groups, newest first: one page, and one more row if there is one. Grants on
 * resources that are hidden from the caller are left out. If the caller is limited to some resources, grants on other
 * resources are left out too.
 *
 * @param withProjects  whether the identifiers of projects are read, too.
 */
export function listGrantsFor(
  reader: Reader,
  type: ResourceType | null,
  page: Page,
  withProjects = false,
): Promise<GrantWithProject[]> {
  if (!withProjects) return list<Grant>(grantsTo(reader, type), raw(columns), grantOrder, page);
  const projects = sql`left join projects as project
    on project.id = grants.resource_id and project.tenant_id = grants.tenant_id`;
  const withIdentifier = raw(`${columns}, project.identifier as "projectIdentifier"`);
  return list<GrantWithProject>(grantsTo(reader, type, projects), withIdentifier, grantOrder, page);
}

/** The number of these grants. It is read only if a query asks for it. */
export const countGrantsFor = (reader: Reader, type: ResourceType | null) => count(grantsTo(reader, type));

/** Which of the users' own grants are listed. */
export interface GrantsOfUserFilter {
  readonly type: ResourceType;
  /** True: include grants with NO_PERMISSIONS, which reveal hidden resources. */
  readonly withClosed: boolean;
  /** Only grants on these resources; null for all. */
  readonly within: readonly string[] | null;
}

export interface GrantsOfUserPage extends Page, GrantsOfUserFilter {}

const ofUsers = { columns, source: 'grants', parent: 'grants.user_id', order: grantOrder };

const isOfUser = (tenantId: string, { type, withClosed, within }: GrantsOfUserFilter): Sql => sql`
  and grants.tenant_id = ${tenantId}::uuid and grants.resource_type = ${type}::text::resource_type
  and grants.resource_id is not null ${withClosed ? nothing : sql`and grants.level <> 'NO_PERMISSIONS'`}
  ${within ? sql`and grants.resource_id = any(${within}::uuid[])` : nothing}`;

/**
 * The users' own grants on resources of a type, newest first: for each user one page, and one more row if there is one.
 */
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

/** A grant to a user or to one of its groups, with the name of the group; null for the user's own grant. */
export type GrantAbout = Grant & { readonly groupName: string | null };

/**
 * The grants to a user and its groups on these resources, on all resources of their types and on the tenant, highest
 * level first.
 */
export function listGrantsAbout(subject: Grantee, resourceIds: readonly string[]): Promise<GrantAbout[]> {
  return query<GrantAbout>(sql`
    with ${grantsAbout(subject)}
    select ${raw(columns)}, groups.name as "groupName"
      from about_user join grants on grants.id = about_user.id left join groups on groups.id = grants.group_id
     where grants.resource_id is null or grants.resource_id = any(${resourceIds}::uuid[])
     order by grants.level desc, grants.id limit ${MAX_ABOUT_USER}`);
}
