import type { ResourceType } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { join, nothing, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { exists } from '../../platform/database/statement.ts';
import { managesTenant } from '../domain/roles.ts';
import { grantsAbout } from './grant-levels.ts';

/** As much of a caller as decides what its lists show. */
export type Reader = Pick<
  Caller,
  'tenantId' | 'userId' | 'role' | 'defaultLevel' | 'groupIds' | 'confinedTo'
>;

/** Where a row of a list has the ids of the resources that decide about it, nearest first. */
export interface ResourceColumn {
  readonly type: ResourceType;
  /** An SQL expression of type uuid; null in rows that have no such resource. */
  readonly column: string;
}

/** The parts of a statement that shows only what its caller may read. */
export interface ReadableSql {
  /** Begins the statement; `with recursive` and further queries cannot be added. */
  readonly with: Sql;
  /** After the tables that the columns are of. */
  readonly joins: Sql;
  /** Besides the tenant, which the statement asks itself. */
  readonly condition: Sql;
}

/**
 * The same decision as `decide`, for every row of a list at once: at least READ. Role ceilings play no part, since the
 * lowest of them is READ.
 *
 * @param publicColumn  an SQL expression that is true for rows that everyone may read.
 */
export function readableSql(
  reader: Reader,
  columns: readonly ResourceColumn[],
  publicColumn?: string,
): ReadableSql {
  const within = withinSql(reader, columns);
  if (managesTenant(reader.role)) return { with: nothing, joins: nothing, condition: within };
  const nearest = columns.map((_, at) => `granted_${at}.level`);
  // What a row has no resource of says nothing about it either: the queue of no project is not asked about projects.
  const ofTypes = columns.map(
    ({ column }, at) => `case when ${column} is not null then (select type_${at} from elsewhere) end`,
  );
  const level = `coalesce(${[...nearest, ...ofTypes, '(select level from elsewhere)'].join(', ')}) >= 'READ'`;
  const wide = (type: string) =>
    `(select level from granted where resource_type = '${type}' and resource_id is null)`;
  const types = columns.map(({ type }, at) => `${wide(type)} as type_${at}`);
  const isReadable = publicColumn ? `(${publicColumn} or ${level})` : level;
  return {
    with: sql`with ${grantsAbout(reader)},
      granted as materialized (
        select resource_type, resource_id, coalesce(max(level) filter (where is_own), max(level)) as level
          from about_user group by resource_type, resource_id
      ),
      elsewhere as materialized (
        select ${raw(types.join(', '))}, coalesce(${raw(wide('TENANT'))}, ${reader.defaultLevel}::text::level) as level
      )`,
    joins: join(
      columns.map(({ type, column }, at) =>
        raw(
          `left join granted as granted_${at}
             on granted_${at}.resource_type = '${type}' and granted_${at}.resource_id = ${column}`,
        ),
      ),
      ' ',
    ),
    condition: sql`(${raw(isReadable)} and ${within})`,
  };
}

/** Of a caller that is confined to some resources: only what is one of them, or in one of them. */
function withinSql({ confinedTo }: Reader, columns: readonly ResourceColumn[]): Sql {
  if (confinedTo === null) return sql`true`;
  const ids = confinedTo.map(({ id }) => id);
  const among = columns.map(({ column }) => sql`coalesce(${raw(column)} = any(${ids}::uuid[]), false)`);
  return sql`(${join(among, ' or ')})`;
}

/** Rows that belong to a project, and what decides about them. */
export interface ProjectRows {
  readonly table: string;
  readonly alias: string;
  readonly resources: readonly ResourceColumn[];
  readonly publicColumn?: string;
}

/** Whether the reader may read some row of a project: then it may list what is there. */
export function hasReadable(
  reader: Reader,
  { table, alias, resources, publicColumn }: ProjectRows,
  projectId: string | null,
): Promise<boolean> {
  const readable = readableSql(reader, resources, publicColumn);
  return exists({
    with: readable.with,
    from: sql`${raw(`${table} as ${alias}`)} ${readable.joins}
      where ${raw(alias)}.tenant_id = ${reader.tenantId}::uuid and ${raw(alias)}.project_id = ${projectId}::uuid
        and ${readable.condition}`,
  });
}
