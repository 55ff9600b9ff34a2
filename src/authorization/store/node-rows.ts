import type { ResourceType } from '../../generated/prisma/enums.ts';
import { join, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import { isId } from '../../platform/ids.ts';
import { type Reader, type ResourceColumn, readableSql } from './readable.ts';

/**
 * How to find the objects of a type by their ids, and what decides who may read them. If an object has several rows, it
 * is enough to be allowed to read one of them.
 */
export interface NodeRows {
  /** The text after `from`: the table with its alias, and its joins. */
  readonly from: string;
  /** The columns, of type uuid, with the ids of the object and of its tenant. */
  readonly id: string;
  readonly tenant: string;
  /** Set if grants decide, as in a list. */
  readonly resources?: readonly ResourceColumn[];
  readonly publicColumn?: string;
  /** Set if roles decide: an expression that is true for the objects whose rule must be asked. */
  readonly isShown?: (reader: Reader) => Sql;
}

/** The resources that decide about an object, nearest first. */
const types: readonly ResourceType[] = ['WORKFLOW', 'QUEUE', 'EXPERIMENT', 'REGISTERED_MODEL', 'PROJECT'];
const columnOf = (type: ResourceType) => `node.${type.toLowerCase()}_id`;

export interface NodeRow {
  readonly id: string;
  readonly type: string;
  /** Whether the grants allow the reader to read it. */
  readonly isShown: boolean;
}

/**
 * The types of the objects with these ids, and whether the reader may read them. One statement for all, the same for
 * hidden and absent objects. Absent objects are left out.
 */
export function readNodes(
  reader: Reader,
  rowsOf: ReadonlyMap<string, NodeRows>,
  ids: readonly string[],
): Promise<NodeRow[]> {
  const readable = readableSql(
    reader,
    types.map((type) => ({ type, column: columnOf(type) })),
    'node.is_public',
  );
  const asked = ids.filter(isId);
  const all = [...rowsOf].map(([type, rows]) => sql`(${ofType(reader, type, rows, asked)})`);
  return query<NodeRow>(sql`${readable.with}
    select node.id, node.type,
           bool_or(
             node.is_shown or (node.tenant_id = ${reader.tenantId}::uuid or node.is_public) and ${readable.condition}
           ) as "isShown"
      from (${join(all, ' union all ')}) as node ${readable.joins} group by node.id, node.type`);
}

function ofType(reader: Reader, type: string, rows: NodeRows, ids: readonly string[]): Sql {
  const { from, id, tenant, resources = [], publicColumn = 'false', isShown } = rows;
  const resourceIds = types.map((one) => {
    const column = resources.find((resource) => resource.type === one)?.column ?? 'null';
    return `${column}::uuid as ${one.toLowerCase()}_id`;
  });
  return sql`
    select ${type}::text as type, ${raw(id)} as id, ${raw(tenant)} as tenant_id, ${raw(resourceIds.join(', '))},
           ${raw(publicColumn)} as is_public, ${isShown?.(reader) ?? sql`false`} as is_shown
      from ${raw(from)} where ${raw(id)} = any(${ids}::uuid[])`;
}
