import { InvalidArgumentError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';

/**
 * Pages by keyset: a cursor is the sort key of a row, opaque to callers, so a page costs the same wherever it starts and
 * rows that come or go meanwhile are neither skipped nor repeated.
 */

export const DEFAULT_PAGE = 25;
export const MAX_PAGE = 1000;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

/** A row's sort key: its columns in the order of the list. */
export type SortKey = readonly string[];

/** What a list is sorted by, column by column. */
export type SortColumn = 'instant' | 'id' | 'number' | 'text';

const isColumn: Readonly<Record<SortColumn, (text: string) => boolean>> = {
  instant: (text) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)),
  id: isId,
  number: (text) => /^\d{1,9}$/.test(text),
  text: (text) => text.length <= 255 && !text.includes('\u0000'),
};

/** What a store fetches: up to `limit + 1` rows beyond `from`, in the list's order, or against it when `backward`. */
export interface Page {
  readonly limit: number;
  readonly backward: boolean;
  readonly from: SortKey | null;
}

/** @throws InvalidArgumentError naming the argument. */
export function pageOf(args: PageArguments, columns: readonly SortColumn[]): Page {
  const backward = args.last != null || args.before != null;
  if (backward && (args.first != null || args.after != null))
    throw InvalidArgumentError.of(['last'], 'first and after go forward, last and before backward: not both');
  const name = backward ? 'last' : 'first';
  const limit = (backward ? args.last : args.first) ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE)
    throw InvalidArgumentError.of([name], `${name} must lie in 1 … ${MAX_PAGE}`);
  const cursor = backward ? args.before : args.after;
  return {
    limit,
    backward,
    from: cursor == null ? null : keyOf(cursor, columns, backward ? 'before' : 'after'),
  };
}

function keyOf(cursor: string, columns: readonly SortColumn[], argument: string): SortKey {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fitsAll = Array.isArray(key) && key.length === columns.length;
    if (fitsAll && columns.every((column, at) => fits(column, key[at]))) return key;
  } catch {
    // Not one of ours, like any other wrong text.
  }
  throw InvalidArgumentError.of([argument], `${argument} is no cursor of this list`);
}

function fits(column: SortColumn, part: unknown): boolean {
  return typeof part === 'string' && isColumn[column](part);
}

export function cursorOf(key: SortKey): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/** Cuts what the store fetched to the page and puts it into the list's order. */
export function connectionOf<Row>(fetched: readonly Row[], page: Page, keyOfRow: (row: Row) => SortKey) {
  const hasMore = fetched.length > page.limit;
  const rows = fetched.slice(0, page.limit);
  if (page.backward) rows.reverse();
  const edges = rows.map((node) => ({
    node,
    cursor: cursorOf(keyOfRow(node)),
  }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.backward ? page.from !== null : hasMore,
      hasPreviousPage: page.backward ? hasMore : page.from !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
