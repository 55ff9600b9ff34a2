import type { Value } from './statement.ts';

/** What a list's statement fetches: up to `limit + 1` rows beyond `from`, in the list's order, or against it when `backward`. */
export interface Page {
  readonly limit: number;
  readonly backward: boolean;
  /** The sort key of the row to go on from, column by column; null from the beginning. */
  readonly from: readonly string[] | null;
}

/** The parts of a statement that lists one page. */
export interface PageSql {
  /** Beside the list's own conditions. */
  readonly and: string;
  /** Order and limit: the end of the statement. */
  readonly end: string;
  /** Those of the parts, the first of which is the parameter that was named. */
  readonly values: readonly Value[];
}

/** A page of what was made last first, by `created_at` and `id`. */
export function newestFirst(alias: string, page: Page, firstParameter: number): PageSql {
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const [limit, createdAt, id] = [0, 1, 2].map((at) => `$${firstParameter + at}`);
  return {
    and: page.from
      ? `and (${alias}.created_at, ${alias}.id) ${beyond} (${createdAt}::timestamptz, ${id}::uuid)`
      : '',
    end: `order by ${alias}.created_at ${direction}, ${alias}.id ${direction} limit ${limit}`,
    values: [page.limit + 1, ...(page.from ?? [])],
  };
}
