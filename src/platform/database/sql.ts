import { Prisma } from '../../generated/prisma/client.ts';
import type { Value } from './statement.ts';

/** SQL that is put together from parts. Each value stands where it is used, so nobody counts parameters. */
export type Sql = Prisma.Sql;

export function sql(strings: TemplateStringsArray, ...parts: readonly (Value | Sql)[]): Sql {
  return Prisma.sql(strings, ...parts);
}

/** Text of ours, such as a column: never a value. */
export const raw: (text: string) => Sql = Prisma.raw;

/** At least one part. */
export const join: (parts: readonly Sql[], separator?: string) => Sql = Prisma.join;

export const nothing: Sql = Prisma.empty;

/** Rows that a statement reads: the queries before it, and what follows its `from`, at least one condition included. */
export interface Rows {
  readonly with?: Sql;
  readonly from: Sql;
}

/**
 * The columns of a model, as Prisma reads them. Each is named, never `*`: a statement stays prepared when a migration
 * adds another.
 *
 * @param fields  the model's `…ScalarFieldEnum`.
 */
export function columnsOf(fields: object, alias: string): Sql {
  const snakeCase = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return join(Object.keys(fields).map((field) => raw(`${alias}.${snakeCase(field)} as "${field}"`)));
}
