import type { Page } from './page.ts';
import { raw, type Sql } from './sql.ts';

/** The columns of a row, in SQL: `{ createdAt: 'execution.created_at' }`. */
type Columns = Readonly<Record<string, string>>;

/**
 * The columns that a list can read: all, or the brief set of those that most queries select. There are only these two
 * sets, because each text stays in memory as a prepared statement.
 */
export interface ColumnSets {
  readonly all: string;
  readonly brief: string;
  /** The names of the brief columns in a row. */
  readonly briefNames: ReadonlySet<string>;
}

export const columnSets = (brief: Columns, others: Columns): ColumnSets => ({
  all: textOf({ ...brief, ...others }),
  brief: textOf(brief),
  briefNames: new Set(Object.keys(brief)),
});

const textOf = (columns: Columns) =>
  Object.entries(columns)
    .map(([name, column]) => `${column} as "${name}"`)
    .join(', ');

/** The columns of a page of a list that has two sets, or only one. */
export function columnsOfPage(columns: Sql | ColumnSets, { isBrief = false }: Page): Sql {
  if (!('brief' in columns)) return columns;
  return raw(isBrief ? columns.brief : columns.all);
}
