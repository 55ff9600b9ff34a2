import { createHash } from 'node:crypto';
import type { ChildCount, ChildLists, Listed } from '../loaders.ts';
import { pool } from './client.ts';
import { type ColumnSets, columnsOfPage } from './columns.ts';
import { isWriteConflict } from './failures.ts';
import { countOfEachParent, type Order, type Page, pageOfEachParent, pageSql } from './page.ts';
import { runRead } from './pipelined-reads.ts';
import { PreparedQuery } from './prepared-query.ts';
import { nothing, type Rows, type Sql, sql } from './sql.ts';
import { connectionOf, type Tx } from './transaction.ts';

/**
 * SQL that Prisma cannot express, or that would be too slow with Prisma. Each statement is prepared once for each
 * connection, under its name.
 *
 * Values are texts, numbers, booleans, dates, bigints, bytes, nulls, or arrays of these. A set of rows is passed as one
 * JSON text (`jsonb_to_recordset`). In results, `int8` is a bigint and `jsonb` is parsed, inside and outside of
 * transactions.
 *
 * For a text that is always the same, use `statement`, with `$1`, `$2` … in the text. For a text that is built from
 * parts, such as a list with filters, use `sql` (sql.ts) and `query`.
 */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** It changes nothing and takes no locks, so it can share a connection with others. */
  readonly isRead: boolean;
  /** Never set. It carries the type of a row. */
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
 * The statement with this text. Its name is a hash of the text: PostgreSQL cuts names after 63 characters, so longer
 * names could be equal by mistake. Values are never in the text, so a list has only a few texts, and each text is
 * hashed once.
 */
export function statement<Row>(text: string): Statement<Row> {
  const known = statements.get(text);
  if (known) return known as Statement<Row>;
  const name = createHash('sha256').update(text).digest('base64url');
  const made: Statement<Row> = { name, text, isRead: isRead(text) };
  statements.set(text, made);
  return made;
}

/** What changes something or takes a lock has one of these words. A read that has one, too, only runs alone. */
const CHANGING =
  /\b(insert|update|delete|merge|for\s+(key\s+)?share|set_config|nextval|pg_notify)\b|_lock\b/i;

const isRead = (text: string): boolean => /^\s*(select|with)\b/i.test(text) && !CHANGING.test(text);

/**
 * Some values, to compare a column with: `id = ${anyOf('$1', 'uuid')}`. If PostgreSQL saw how many they are, it would
 * plan the statement anew each time, which takes longer than reading a few rows. It does not look into a subquery.
 */
export const anyOf = (parameter: string, type: 'uuid' | 'text'): string =>
  `any((select ${parameter}::${type}[])::${type}[])`;

const MAX_TRIES = 5;

/**
 * Runs a statement inside the transaction `tx`. Without a transaction, it uses any connection of the pool, and repeats
 * the statement if PostgreSQL rolled it back because of a deadlock.
 */
export async function run<Row>(statement: Statement<Row>, values: readonly Value[], tx?: Tx): Promise<Row[]> {
  if (tx) return await new PreparedQuery<Row>(statement, values).runOn(connectionOf(tx));
  for (let tries = 1; ; tries += 1) {
    try {
      const query = new PreparedQuery<Row>(statement, values);
      return await (statement.isRead ? runRead(query) : query.runOn(pool));
    } catch (error) {
      if (tries === MAX_TRIES || !isWriteConflict(error)) throw error;
    }
  }
}

/** Runs SQL that is built from parts: see `run`. */
export function query<Row>(parts: Sql, tx?: Tx): Promise<Row[]> {
  return run(statement<Row>(parts.text), parts.values as Value[], tx);
}

/** The same for a text that is used once. PostgreSQL forgets a statement without a name after the next one. */
const queryOnce = <Row>({ text, values }: Sql): Promise<Row[]> =>
  run<Row>({ name: '', text, isRead: false }, values as Value[]);

/** The number of rows. */
export async function count({ with: queries = nothing, from, isAdHoc = false }: Rows): Promise<number> {
  const parts = sql`${queries} select count(*) as count from ${from}`;
  const [row] = await (isAdHoc ? queryOnce : query)<{ count: bigint }>(parts);
  return Number(row?.count ?? 0n);
}

/** Whether there is at least one row. */
export async function exists({ with: queries = nothing, from }: Rows): Promise<boolean> {
  const [row] = await query<{ some: boolean }>(sql`${queries} select exists (select from ${from}) as some`);
  return row?.some ?? false;
}

/** One page of some rows, and one more row if there is one, which shows that there are more pages. */
export function list<Row>(
  { with: queries = nothing, from, isAdHoc = false }: Rows,
  columns: Sql | ColumnSets,
  order: Order<Row>,
  page: Page,
): Promise<Row[]> {
  const { beyond, end } = pageSql(order, page);
  const parts = sql`${queries} select ${columnsOfPage(columns, page)} from ${from} ${beyond} ${end}`;
  return (isAdHoc ? queryOnce : query)<Row>(parts);
}

/**
 * A list inside of each parent, for all parents in one statement.
 *
 * @param parent  the column with the id of the parent.
 */
export function listOfEach<Filter, Row>(
  parent: string,
  rowsOf: (filter: Filter) => Rows,
  columns: Sql | ColumnSets,
  orderOf: (filter: Filter) => Order<Row>,
): ChildLists<Filter, Row> {
  return {
    read: (parentIds, filter, page) =>
      query<Row & Listed>(
        pageOfEachParent(
          ...([rowsOf(filter), parent, parentIds] as const),
          ...([columnsOfPage(columns, page), orderOf(filter), page] as const),
        ),
      ),
    count: (parentIds, filter) => query<ChildCount>(countOfEachParent(rowsOf(filter), parent, parentIds)),
  };
}
