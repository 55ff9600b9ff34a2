import type { Grant } from '../../generated/prisma/client.ts';
import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { Place } from '../domain/decision.ts';
import { managesTenant } from '../domain/levels.ts';
import { type GrantSubject, spokenOf } from './grants.ts';
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
  readonly place: Place;
}

/** The condition in a form that the unique index serves: it knows no `is not distinct from`. $1 to $4 are its values. */
function whereKey({ tenantId, subject, place }: GrantKey) {
  const [column, id] = 'userId' in subject ? ['user_id', subject.userId] : ['group_id', subject.groupId];
  const ofPlace = place.id === null ? '$4::uuid is null and resource_id is null' : 'resource_id = $4::uuid';
  return {
    where: `tenant_id = $1::uuid and ${column} = $2::uuid and resource_type = $3::text::resource_type and ${ofPlace}`,
    values: [tenantId, id, place.type, place.id] satisfies Value[],
  };
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
  { tenantId, subject, place }: GrantKey,
  level: Level,
): Promise<Grant | null> {
  const userId = 'userId' in subject ? subject.userId : null;
  const groupId = 'groupId' in subject ? subject.groupId : null;
  const values = [newId(), tenantId, userId, groupId, place.type, place.id, level];
  const [row] = await run(insertStatement, values, tx);
  return row ?? null;
}

/** Null when there is no row. */
export async function updateGrant(
  tx: Tx,
  key: GrantKey,
  level: Level,
): Promise<{ readonly grant: Grant; readonly before: Level } | null> {
  const { where, values } = whereKey(key);
  const update = statement<Grant & { readonly before: Level }>(
    `with old as (select id, level from grants where ${where} for update)
     update grants set level = $5::text::level, updated_at = now() from old where grants.id = old.id
     returning ${columns}, old.level::text as before`,
  );
  const [row] = await run(update, [...values, level], tx);
  if (!row) return null;
  const { before, ...grant } = row;
  return { grant, before };
}

/** The row as it was; null when there is none. */
export async function deleteGrant(tx: Tx, key: GrantKey): Promise<Grant | null> {
  const { where, values } = whereKey(key);
  const remove = statement<Grant>(`delete from grants where ${where} returning ${columns}`);
  const [row] = await run(remove, values, tx);
  return row ?? null;
}

/** The stored row, never a default; null when there is none. */
export async function findGrant(key: GrantKey): Promise<Grant | null> {
  const { where, values } = whereKey(key);
  const find = statement<Grant>(`select ${columns} from grants where ${where}`);
  const [row] = await run(find, values);
  return row ?? null;
}

interface RowPage {
  readonly limit: number;
  readonly backward: boolean;
  readonly from: readonly string[] | null;
}

/** A row, and which of the places that were asked it is at, counted from 1. */
export type GrantAt = Grant & { readonly position: number };

/** Rows at those places, place by place, the newest first at each; up to one more than the page. */
export async function listGrantsAt(
  tenantId: string,
  places: readonly Place[],
  page: RowPage,
): Promise<GrantAt[]> {
  const [beyond, order] = page.backward
    ? ['(found.position, $4::uuid) < ($3::int, found.id)', 'position desc, id asc']
    : ['(found.position, $4::uuid) > ($3::int, found.id)', 'position asc, id desc'];
  const list = statement<GrantAt>(
    `with place as (
       select type::resource_type as type, id, position::int as position
         from jsonb_to_recordset($2::jsonb) as place(type text, id uuid, position int)
     ),
     found as (
       select ${columns}, place.position from place join grants
           on grants.tenant_id = $1::uuid and grants.resource_type = place.type and grants.resource_id = place.id
       union all
       select ${columns}, place.position from place join grants
           on grants.tenant_id = $1::uuid and grants.resource_type = place.type and grants.resource_id is null
        where place.id is null
     )
     select * from found where $3::int is null or ${beyond} order by ${order} limit $5`,
  );
  const asked = places.map((place, at) => ({ ...place, position: at + 1 }));
  const [position = null, id = null] = page.from ?? [];
  return await run(list, [
    tenantId,
    JSON.stringify(asked),
    position === null ? null : Number(position),
    id,
    page.limit + 1,
  ]);
}

/**
 * The caller's own rows and those of its groups, newest first; up to one more than the page. What they close to the
 * caller is left out, as it is everywhere; of a caller confined to some resources, so are rows on others.
 */
export async function listGrantsFor(
  reader: Reader,
  type: ResourceType | null,
  page: RowPage,
): Promise<Grant[]> {
  const [beyond, order] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const list = statement<Grant>(
    `with ${spokenOf},
     decided as (
       select id, resource_id,
              coalesce(max(level) filter (where is_own) over place, max(level) over place) as effective
         from spoken window place as (partition by resource_type, resource_id)
     )
     select ${columns} from decided join grants on grants.id = decided.id
      where (decided.resource_id is null or $4::boolean or decided.effective >= 'READ')
        and (not $5::boolean or decided.resource_id = any($6::uuid[]))
        and ($7::text is null or grants.resource_type = $7::text::resource_type)
        and ($8::uuid is null or grants.id ${beyond} $8::uuid)
      order by grants.id ${order} limit $9`,
  );
  const { tenantId, userId, groupIds, role, confinedTo } = reader;
  const confined = (confinedTo ?? []).map(({ id }) => id);
  return await run(list, [
    ...[tenantId, userId, groupIds, managesTenant(role), confinedTo !== null, confined, type],
    ...[page.from?.[0] ?? null, page.limit + 1],
  ]);
}

/**
 * The users' own rows on resources of a type, newest first; of each user, up to one more than the page.
 *
 * @param shown.withClosed  also NO_PERMISSIONS, which tell of what is hidden.
 * @param shown.within  only those on these resources; null for all.
 */
export async function listGrantsOfUsers(
  tenantId: string,
  userIds: readonly string[],
  type: ResourceType,
  page: RowPage,
  shown: { readonly withClosed: boolean; readonly within: readonly string[] | null },
): Promise<Grant[]> {
  const [beyond, order] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const list = statement<Grant>(
    `select of_user.* from unnest($2::uuid[]) as subject(id) cross join lateral (
       select ${columns} from grants
        where grants.user_id = subject.id and grants.tenant_id = $1::uuid
          and grants.resource_type = $3::text::resource_type and grants.resource_id is not null
          and ($4::uuid is null or grants.id ${beyond} $4::uuid)
          and ($6::boolean or grants.level <> 'NO_PERMISSIONS')
          and ($7::uuid[] is null or grants.resource_id = any($7::uuid[]))
        order by grants.id ${order} limit $5
     ) as of_user`,
  );
  const { withClosed, within } = shown;
  const values = [tenantId, userIds, type, page.from?.[0] ?? null, page.limit + 1, withClosed, within];
  return await run(list, values);
}

const MAX_SPOKEN = 1000;

/** A row that speaks about a user, and the name of the group that it is for; null for the user's own. */
export type SpokenRow = Grant & { readonly groupName: string | null };

const spokenStatement = statement<SpokenRow>(
  `with ${spokenOf}
   select ${columns}, groups.name as "groupName"
     from spoken join grants on grants.id = spoken.id left join groups on groups.id = grants.group_id
    where grants.resource_id is null or grants.resource_id = any($4::uuid[])
    order by grants.level desc, grants.id limit ${MAX_SPOKEN}`,
);

/** The rows behind what was granted to a user on those resources, on all of a type and on the tenant; highest first. */
export async function listSpoken(
  subject: GrantSubject,
  resourceIds: readonly string[],
): Promise<SpokenRow[]> {
  return await run(spokenStatement, [subject.tenantId, subject.userId, subject.groupIds, resourceIds]);
}
