import type { Order, Page, SortKey, SortType } from '../platform/database/page.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { isStorable } from '../platform/text.ts';

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

/**
 * One page of a list, as a connection.
 *
 * @param list  fetches the rows of a page in the order, up to one more than the page.
 * @param count  how many rows the whole list has; called only when `totalCount` is selected.
 * @throws InvalidArgumentError naming the argument.
 */
export async function pagedList<Row extends Sorted, Sorted>(
  args: PageArguments,
  order: Order<Sorted>,
  list: (page: Page) => Promise<readonly Row[]>,
  count: () => Promise<number>,
) {
  const page = pageOf(args, order);
  return { ...connectionOf(await list(page), page, order), count };
}

/** What a cursor of ours may hold. Callers may send any other text, and PostgreSQL must not be the one to refuse it. */
const isOfType: Readonly<Record<SortType, (text: string) => boolean>> = {
  timestamptz: isInstant,
  uuid: isId,
  int: (text) => /^\d{1,9}$/.test(text),
  text: (text) => text.length <= 255 && isStorable(text),
};

/** An instant of the years 1 to 9999 as `toISOString` writes it. JavaScript reads the 30th of February as March. */
function isInstant(text: string): boolean {
  const instant = new Date(text);
  return /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(instant.getTime()) && instant.toISOString() === text;
}

function pageOf<Row>(args: PageArguments, order: Order<Row>): Page {
  const backward = args.last != null || args.before != null;
  if (backward && (args.first != null || args.after != null))
    throw InvalidArgumentError.of(['last'], 'use first and after, or last and before, but not both');
  const name = backward ? 'last' : 'first';
  const limit = (backward ? args.last : args.first) ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE)
    throw InvalidArgumentError.of([name], `${name} must be between 1 and ${MAX_PAGE}`);
  const cursor = backward ? args.before : args.after;
  return {
    limit,
    backward,
    from: cursor == null ? null : keyOf(cursor, order, backward ? 'before' : 'after'),
  };
}

function keyOf<Row>(cursor: string, order: Order<Row>, argument: string): SortKey {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fitsAll = Array.isArray(key) && key.length === order.length;
    if (fitsAll && order.every(({ type }, at) => fits(type, key[at]))) return key;
  } catch {
    // Not one of ours, like any other wrong text.
  }
  throw InvalidArgumentError.of([argument], `${argument} is not a cursor of this list`);
}

function fits(type: SortType, part: unknown): boolean {
  return typeof part === 'string' && isOfType[type](part);
}

function cursorOf(key: SortKey): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/** Cuts what was fetched to the page and puts it into the list's order. */
function connectionOf<Row extends Sorted, Sorted>(fetched: readonly Row[], page: Page, order: Order<Sorted>) {
  const hasMore = fetched.length > page.limit;
  const rows = fetched.slice(0, page.limit);
  if (page.backward) rows.reverse();
  const edges = rows.map((node) => ({
    node,
    cursor: cursorOf(order.map(({ of }) => of(node))),
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
