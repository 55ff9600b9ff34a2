import type { ResourceType } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Value } from '../../platform/database/statement.ts';
import { managesTenant } from '../domain/levels.ts';
import { spokenOf } from './grants.ts';

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
  /** The parameters that the parts use: $1 to $6. */
  readonly values: readonly Value[];
  /** `with …`, to begin the statement with; `with recursive` and further queries cannot be added. */
  readonly with: string;
  /** After the tables that the columns are of. */
  readonly joins: string;
  /** Besides the tenant, which the statement asks itself. */
  readonly condition: string;
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
  const confined = reader.confinedTo;
  const values: Value[] = [
    reader.tenantId,
    reader.userId,
    reader.groupIds,
    reader.defaultLevel,
    (confined ?? []).map(({ id }) => id),
    confined !== null,
  ];
  const within = `(not $6::boolean or ${columns.map(({ column }) => `coalesce(${column} = any($5::uuid[]), false)`).join(' or ')})`;
  // Every parameter is used in every form, so that PostgreSQL knows its type.
  const parameters = `parameters as (select $1::uuid, $2::uuid, $3::uuid[], $4::text)`;
  if (managesTenant(reader.role)) return { values, with: `with ${parameters}`, joins: '', condition: within };
  const nearest = columns.map((_, at) => `granted_${at}.level`);
  // What a row has no resource of says nothing about it either: the queue of no project is not asked about projects.
  const ofTypes = columns.map(
    ({ column }, at) => `case when ${column} is not null then (select type_${at} from elsewhere) end`,
  );
  const level = `coalesce(${[...nearest, ...ofTypes, '(select level from elsewhere)'].join(', ')}) >= 'READ'`;
  const wide = (type: string) =>
    `(select level from granted where resource_type = '${type}' and resource_id is null)`;
  const types = columns.map(({ type }, at) => `${wide(type)} as type_${at}`);
  return {
    values,
    with: `with ${parameters}, ${spokenOf},
      granted as materialized (
        select resource_type, resource_id, coalesce(max(level) filter (where is_own), max(level)) as level
          from spoken group by resource_type, resource_id
      ),
      elsewhere as materialized (
        select ${types.join(', ')}, coalesce(${wide('TENANT')}, $4::text::level) as level
      )`,
    joins: columns
      .map(
        ({ type, column }, at) =>
          `left join granted as granted_${at}
             on granted_${at}.resource_type = '${type}' and granted_${at}.resource_id = ${column}`,
      )
      .join(' '),
    condition: publicColumn ? `((${publicColumn} or ${level}) and ${within})` : `(${level} and ${within})`,
  };
}
