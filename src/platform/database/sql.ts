import { Prisma } from '../../generated/prisma/client.ts';
import type { Value } from './statement.ts';

/** SQL that is built from parts. Each value is written where it is used, so nobody has to count parameters. */
export type Sql = Prisma.Sql;

export function sql(strings: TemplateStringsArray, ...parts: readonly (Value | Sql)[]): Sql {
  return Prisma.sql(strings, ...parts);
}

/** Our own text, such as a column; never a value. */
export const raw: (text: string) => Sql = Prisma.raw;

/** Needs at least one part. */
export const join: (parts: readonly Sql[], separator?: string) => Sql = Prisma.join;

export const nothing: Sql = Prisma.empty;

/** The rows that a statement reads: the queries before it, and the text after `from`, with at least one condition. */
export interface Rows {
  readonly with?: Sql;
  readonly from: Sql;
  /**
   * True if the text depends on what a caller wrote, such as Flyte's filters. There is no end of such texts, so they
   * are not kept as prepared statements.
   */
  readonly isAdHoc?: boolean;
}

/**
 * The columns of a model, as Prisma reads them. They are listed by name and not with `*`, so that a prepared statement
 * still works after a migration adds a column.
 *
 * @param fields  the model's `…ScalarFieldEnum`.
 */
export function columnsOf(fields: object, alias: string): Sql {
  const snakeCase = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return join(Object.keys(fields).map((field) => raw(`${alias}.${snakeCase(field)} as "${field}"`)));
}
