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
