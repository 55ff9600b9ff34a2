import { join, nothing, type Rows, raw, type Sql, sql } from './sql.ts';

/** The sort key of a row: its columns in the order of the list. */
export type SortKey = readonly string[];

/**
 * What a list reads: up to `limit` rows after `from`, in the order of the list, or in the opposite order if `backward`.
 */
export interface Page {
  readonly limit: number;
  readonly backward: boolean;
  /** The sort key of the row to continue from; null to begin at the first row of this direction. */
  readonly from: SortKey | null;
  /** False if nobody asks whether there are more rows. Otherwise one more row is read if there is one. */
  readonly tellsMore?: boolean;
  /** True if all that is read of the rows is in their brief set of columns: see `ColumnSets`. */
  readonly isBrief?: boolean;
}

export type SortType = 'timestamptz' | 'uuid' | 'int' | 'bigint' | 'text';

/** A column by which a list is sorted, in SQL and in a row. */
export interface SortColumn<Row> {
  readonly column: string;
  readonly type: SortType;
  readonly direction: 'asc' | 'desc';
  readonly of: (row: Row) => string;
  /** The columns that `of` reads. If left out, it may read all of them. */
  readonly reads?: readonly (keyof Row & string)[];
}

/** The part of a `SortColumn` that makes its text from some columns of a row. */
export const textOf =
  <Row>() =>
  <const Name extends keyof Row & string>(reads: readonly Name[], of: (row: Pick<Row, Name>) => string) => ({
    of,
    reads,
  });

/**
 * The columns by which a list is sorted. The last column makes the order unique. The store and the cursors use the same
 * order.
 */
export type Order<Row> = readonly SortColumn<Row>[];

export function newestFirst(alias: string): Order<{ readonly id: string; readonly createdAt: Date }> {
  return [
    {
      column: `${alias}.created_at`,
      type: 'timestamptz',
      direction: 'desc',
      ...textOf<{ readonly createdAt: Date }>()(['createdAt'], ({ createdAt }) => createdAt.toISOString()),
    },
    ...lastIdFirst(alias),
  ];
}

/** Ids grow with time, so this is the order of creation for all rows whose id the server creates. */
export function lastIdFirst(alias: string): Order<{ readonly id: string }> {
  return [{ column: `${alias}.id`, type: 'uuid', direction: 'desc', of: ({ id }) => id, reads: ['id'] }];
}

/** The opposite order. */
export function reversed<Row>(order: Order<Row>): Order<Row> {
  return order.map((one) => ({ ...one, direction: one.direction === 'asc' ? 'desc' : 'asc' }));
}

/**
 * Compares byte by byte, as a unique index with `collate "C"` does.
 *
 * @param name  the property of a row with the column.
 */
export function byText<Row>(column: string, name: NamesOf<Row, string>): Order<Row> {
  return [{ ...{ column: `${column} collate "C"`, type: 'text', direction: 'asc' }, ...textIn<Row>(name) }];
}

/** @param name  as for `byText`. */
export function highestFirst<Row>(column: string, name: NamesOf<Row, number>): Order<Row> {
  return [{ ...{ column, type: 'int', direction: 'desc' }, ...textIn<Row>(name) }];
}

/** The properties of a row whose values are of this type. */
type NamesOf<Row, Value> = {
  [Name in keyof Row & string]: Row[Name] extends Value ? Name : never;
}[keyof Row & string];

const textIn = <Row>(name: keyof Row & string) => textOf<Row>()([name], (row) => String(row[name]));

/** The parts of a statement that lists one page. */
export interface PageSql {
  /** Added to the list's own conditions: `and …`, or nothing. */
  readonly beyond: Sql;
  /** The end of the statement: order and limit. */
  readonly end: Sql;
}

export function pageSql<Row>(order: Order<Row>, page: Page): PageSql {
  const columns = order.map(({ column, type, direction }, at) => ({
    column,
    from: sql`${page.from?.[at] ?? null}::${raw(type)}`,
    isAscending: (direction === 'asc') !== page.backward,
  }));
  // One comparison works for columns of both directions: the value that comes later in the list counts as greater.
  const later = columns.map(({ column, from, isAscending }) => (isAscending ? raw(column) : from));
  const earlier = columns.map(({ column, from, isAscending }) => (isAscending ? from : raw(column)));
  const sorted = columns.map(({ column, isAscending }) => raw(`${column} ${isAscending ? 'asc' : 'desc'}`));
  return {
    beyond: page.from ? sql`and (${join(later)}) > (${join(earlier)})` : nothing,
    end: sql`order by ${join(sorted)} limit ${page.limit + (page.tellsMore === false ? 0 : 1)}`,
  };
}

/**
 * The same page of a list for each parent, whose id each row has as `listedIn`.
 *
 * @param parent  the column with the id of the parent.
 */
export function pageOfEachParent<Row>(
  { with: queries = nothing, from }: Rows,
  parent: string,
  parentIds: readonly string[],
  columns: Sql,
  order: Order<Row>,
  page: Page,
): Sql {
  const { beyond, end } = pageSql(order, page);
  return sql`${queries}
    select child.*, parent.id as "listedIn" from unnest(${parentIds}::uuid[]) as parent(id)
     cross join lateral (
       select ${columns} from ${from} and ${raw(parent)} = parent.id ${beyond} ${end}
     ) as child`;
}

/** The length of the list of each parent. Parents without rows are left out. Rows: `parentId`, `count`. */
export function countOfEachParent(
  { with: queries = nothing, from }: Rows,
  parent: string,
  parentIds: readonly string[],
): Sql {
  return sql`${queries}
    select ${raw(parent)} as "parentId", count(*) as count from ${from} and ${raw(parent)} = any(${parentIds}::uuid[])
     group by ${raw(parent)}`;
}

/** The table of the children of some parents. */
export interface ChildTable<Row> {
  readonly columns: string;
  readonly source: string;
  /** The column with the id of the parent. */
  readonly parent: string;
  readonly order: Order<Row>;
}

/**
 * The same page of the children of each parent.
 *
 * @param and  further conditions: `and …`.
 */
export function pageOfEach<Row>(
  { columns, source, parent, order }: ChildTable<Row>,
  parentIds: readonly string[],
  page: Page,
  and: Sql = nothing,
): Sql {
  const from = sql`${raw(source)} where true ${and}`;
  return pageOfEachParent({ from }, parent, parentIds, raw(columns), order, page);
}

/** The number of children of each parent. Parents without children are left out. Rows: `parentId`, `count`. */
export function countOfEach(
  { source, parent }: Pick<ChildTable<never>, 'source' | 'parent'>,
  parentIds: readonly string[],
  and: Sql = nothing,
): Sql {
  return countOfEachParent({ from: sql`${raw(source)} where true ${and}` }, parent, parentIds);
}
