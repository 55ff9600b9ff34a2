import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { join, nothing, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { exists } from '../../platform/database/statement.ts';
import { managesTenant } from '../domain/roles.ts';
import { grantsAbout } from './grant-levels.ts';

/** The parts of a caller that decide what its lists show. */
export type Reader = Pick<
  Caller,
  'tenantId' | 'userId' | 'role' | 'defaultLevel' | 'groupIds' | 'confinedTo'
>;

/**
 * The column of a list with the ids of one kind of resource that decides about its rows. Columns are listed nearest
 * first.
 */
export interface ResourceColumn {
  readonly type: ResourceType;
  /** An SQL expression of type uuid. It is null in rows without such a resource. */
  readonly column: string;
}

/** The parts of a statement that lists only what its caller may read. */
export interface ReadableSql {
  /** The beginning of the statement. `with recursive` and further queries cannot be added. */
  readonly with: Sql;
  /** Comes after the tables of the columns. */
  readonly joins: Sql;
  /** The condition, without the tenant: the statement must check the tenant itself. */
  readonly condition: Sql;
}

/**
 * Makes the same decision as `decide`, for every row of a list at once. The limits of roles do not matter: the lowest
 * one is READ, and a permission that requires more also requires a role that can have it.
 *
 * @param publicColumn  an SQL expression that is true for public rows.
 * @param atLeast  the level that the caller must have.
 */
export function readableSql(
  reader: Reader,
  columns: readonly ResourceColumn[],
  publicColumn?: string,
  atLeast: Level = 'READ',
): ReadableSql {
  const within = withinSql(reader, columns);
  if (managesTenant(reader.role)) return { with: nothing, joins: nothing, condition: within };
  const nearest = columns.map((_, at) => `granted_${at}.level`);
  // If a row has no resource of a type, grants on the type do not count for it: grants on projects do not open a queue
  // that belongs to no project.
  const ofTypes = columns.map(
    ({ column }, at) => `case when ${column} is not null then (select type_${at} from elsewhere) end`,
  );
  const level = `coalesce(${[...nearest, ...ofTypes, '(select level from elsewhere)'].join(', ')}) >= '${atLeast}'`;
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

/** For a caller that is limited to some resources: only these resources, and rows inside of them. */
function withinSql({ confinedTo }: Reader, columns: readonly ResourceColumn[]): Sql {
  if (confinedTo === null) return sql`true`;
  const ids = confinedTo.map(({ id }) => id);
  const among = columns.map(({ column }) => sql`coalesce(${raw(column)} = any(${ids}::uuid[]), false)`);
  return sql`(${join(among, ' or ')})`;
}

/** The rows of a project, and the resources that decide about them. */
export interface ProjectRows {
  readonly table: string;
  readonly alias: string;
  readonly resources: readonly ResourceColumn[];
  readonly publicColumn?: string;
}

/** Whether the caller may read at least one row of a project. Then the caller may list the rows of the project. */
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
