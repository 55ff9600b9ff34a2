import { createHash } from 'node:crypto';
import pg from 'pg';
import type { ChildCount, ChildLists } from '../loaders.ts';
import { pool } from './client.ts';
import { isWriteConflict } from './failures.ts';
import { countOfEachParent, type Order, type Page, pageOfEachParent, pageSql } from './page.ts';
import { nothing, type Rows, type Sql, sql } from './sql.ts';
import type { Tx } from './transaction.ts';

/**
 * SQL that Prisma cannot say, or that costs too much through it. Each is prepared once a connection, under its name.
 *
 * Values are text, numbers, booleans, dates, bigints, bytes, nulls, or arrays of these; a row set goes in as one JSON
 * text (`jsonb_to_recordset`). In results, `int8` is a bigint and `jsonb` is parsed, through either door.
 *
 * A text that is always the same is a `statement`, with `$1`, `$2` … in it. One that is put together from parts, such as
 * a list with filters, is `sql` (sql.ts), and `query` runs it.
 */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** Never set: carries the type of a row. */
  readonly row?: Row;
}

export type Value =
  | string
  | number
  | boolean
  | Date
  | bigint
  | Uint8Array
  | null
  | readonly (string | number)[];

const statements = new Map<string, Statement<unknown>>();

/**
 * The statement of a text. Its name is a hash of the text: PostgreSQL keeps 63 characters of a name, so names put together
 * from parts may collide. Values never stand in the text, so a list has few texts, and each is hashed once.
 */
export function statement<Row>(text: string): Statement<Row> {
  const known = statements.get(text);
  if (known) return known as Statement<Row>;
  const made: Statement<Row> = { name: createHash('sha256').update(text).digest('base64url'), text };
  statements.set(text, made);
  return made;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? (text: string) => BigInt(text)
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

const MAX_TRIES = 5;

/**
 * Runs a statement inside the transaction `tx`; without one by itself, on any connection of the pool, and again when
 * PostgreSQL rolled it back because of a deadlock.
 */
export async function run<Row>(statement: Statement<Row>, values: readonly Value[], tx?: Tx): Promise<Row[]> {
  if (tx) return await tx.$queryRawUnsafe<Row[]>(statement.text, ...values);
  for (let tries = 1; ; tries += 1) {
    try {
      const query = { name: statement.name, text: statement.text, values: values as unknown[], types };
      return (await pool.query(query)).rows as Row[];
    } catch (error) {
      if (tries === MAX_TRIES || !isWriteConflict(error)) throw error;
    }
  }
}

/** Runs SQL that was put together from parts: see `run`. */
export function query<Row>(parts: Sql, tx?: Tx): Promise<Row[]> {
  return run(statement<Row>(parts.text), parts.values as Value[], tx);
}

/** How many there are in all. */
export async function count({ with: queries = nothing, from }: Rows): Promise<number> {
  const [row] = await query<{ count: bigint }>(sql`${queries} select count(*) as count from ${from}`);
  return Number(row?.count ?? 0n);
}

/** Whether there is any. */
export async function exists({ with: queries = nothing, from }: Rows): Promise<boolean> {
  const [row] = await query<{ some: boolean }>(sql`${queries} select exists (select from ${from}) as some`);
  return row?.some ?? false;
}

/** One page of some rows; up to one more than the page, so that it shows whether there are more. */
export function list<Row>(
  { with: queries = nothing, from }: Rows,
  columns: Sql,
  order: Order<Row>,
  page: Page,
): Promise<Row[]> {
  const { beyond, end } = pageSql(order, page);
  return query<Row>(sql`${queries} select ${columns} from ${from} ${beyond} ${end}`);
}

/**
 * A list as it is inside each parent: the same rows, those of all parents in one statement.
 *
 * @param parent  the column that has the id of the parent.
 */
export function listOfEach<Filter, Row>(
  parent: string,
  rowsOf: (filter: Filter) => Rows,
  columns: Sql,
  orderOf: (filter: Filter) => Order<Row>,
): ChildLists<Filter, Row> {
  return {
    read: (parentIds, filter, page) =>
      query<Row>(pageOfEachParent(rowsOf(filter), parent, parentIds, columns, orderOf(filter), page)),
    count: (parentIds, filter) => query<ChildCount>(countOfEachParent(rowsOf(filter), parent, parentIds)),
  };
}
