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
  /** The brief columns as a part of a larger row, where each name begins with `prefix`. */
  briefPart(prefix: string): RowPart;
}

export interface RowPart {
  readonly columns: string;
  /** The part as a row of its own. */
  in(row: object): Record<string, unknown>;
}

export const columnSets = (brief: Columns, others: Columns): ColumnSets => ({
  all: textOf({ ...brief, ...others }),
  brief: textOf(brief),
  briefNames: new Set(Object.keys(brief)),
  briefPart: (prefix) => {
    const names = Object.keys(brief).map((name) => [name, `${prefix}${name}`] as const);
    return {
      columns: textOf(Object.fromEntries(names.map(([name, long]) => [long, brief[name] as string]))),
      in: (row) => {
        const part: Record<string, unknown> = {};
        for (const [name, long] of names) part[name] = (row as Readonly<Record<string, unknown>>)[long];
        return part;
      },
    };
  },
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
