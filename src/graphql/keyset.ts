import type { ColumnSets } from '../platform/database/columns.ts';
import type { Order, Page, SortKey, SortType } from '../platform/database/page.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { isStorable } from '../platform/text.ts';
import type { Selection } from './execution/selection.ts';

/**
 * Pages by keyset. A cursor is the sort key of a row, and callers do not look inside. So each page costs the same
 * wherever it begins, and new or deleted rows make a list neither skip nor repeat others.
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
 * @param list  reads the rows of a page in order, and one more row if there is one.
 * @param count  the number of rows of the whole list; called only if `totalCount` is selected.
 * @param lookAhead  what is selected, so that nothing else is read.
 * @throws InvalidArgumentError that names the argument.
 */
export async function pagedList<Row extends Sorted, Sorted>(
  args: PageArguments,
  order: Order<Sorted>,
  list: (page: Page) => Promise<readonly Row[]>,
  count: () => Promise<number>,
  lookAhead?: LookAhead,
) {
  const page = pageOf(args, order, lookAhead);
  return connectionOf(await list(page), page, order, count);
}

/** The same for the rows of a page that are already read. */
export const connectionOf = <Row extends Sorted, Sorted>(
  rows: readonly Row[],
  page: Page,
  order: Order<Sorted>,
  count: () => Promise<number>,
) => new Connection(rows, page, order, count);

export interface LookAhead {
  /** What is selected inside of the list; null if this is not known. */
  readonly selected: Selection | null;
  /** The columns of the rows, if `list` can read a brief set of them. */
  readonly columns?: ColumnSets;
}

/** The selections of the objects of a list. */
export const objectsOf = (list: Selection): readonly Selection[] => [
  ...list.all('nodes'),
  ...list.all('edges').flatMap((edge) => edge.all('node')),
];

/** Whether all that is read of the rows is in their brief set of columns. */
function isBrief<Row>(selected: Selection, { briefNames }: ColumnSets, order: Order<Row>): boolean {
  const isIn = (columns: Iterable<string> | null | undefined) =>
    columns != null && [...columns].every((name) => briefNames.has(name));
  const hasCursors =
    selected.has('edges', 'cursor') ||
    selected.has('pageInfo', 'startCursor') ||
    selected.has('pageInfo', 'endCursor');
  return (
    objectsOf(selected).every(({ columns }) => isIn(columns)) &&
    (!hasCursors || order.every(({ reads }) => isIn(reads)))
  );
}

/**
 * The values that one of our cursors can contain. Callers can send any other text, and it must be refused before
 * PostgreSQL refuses it.
 */
const isOfType: Readonly<Record<SortType, (text: string) => boolean>> = {
  timestamptz: isInstant,
  uuid: isId,
  int: (text) => /^\d{1,9}$/.test(text),
  bigint: (text) => /^\d{1,15}$/.test(text),
  text: (text) => text.length <= 255 && isStorable(text),
};

/**
 * An instant in the years 1 to 9999 in the form of `toISOString`. JavaScript would read 30 February as a day in March.
 */
function isInstant(text: string): boolean {
  const instant = new Date(text);
  return /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(instant.getTime()) && instant.toISOString() === text;
}

/** The page that the arguments of a list ask for. @throws InvalidArgumentError that names the argument. */
export function pageOf<Row>(args: PageArguments, order: Order<Row>, lookAhead?: LookAhead): Page {
  const backward = args.last != null || args.before != null;
  if (backward && (args.first != null || args.after != null))
    throw InvalidArgumentError.of(['last'], 'use first and after, or last and before, but not both');
  const name = backward ? 'last' : 'first';
  const limit = (backward ? args.last : args.first) ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE)
    throw InvalidArgumentError.of([name], `${name} must be between 1 and ${MAX_PAGE}`);
  const cursor = backward ? args.before : args.after;
  const from = cursor == null ? null : keyOf(cursor, order, backward ? 'before' : 'after');
  if (!lookAhead?.selected) return { limit, backward, from };
  const { selected, columns } = lookAhead;
  return {
    ...{ limit, backward, from },
    tellsMore: selected.has('pageInfo', backward ? 'hasPreviousPage' : 'hasNextPage'),
    isBrief: columns !== undefined && isBrief(selected, columns, order),
  };
}

function keyOf<Row>(cursor: string, order: Order<Row>, argument: string): SortKey {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fitsAll = Array.isArray(key) && key.length === order.length;
    if (fitsAll && order.every(({ type }, at) => fits(type, key[at]))) return key;
  } catch {
    // Not one of our cursors, like any other wrong text.
  }
  throw InvalidArgumentError.of([argument], `${argument} is not a cursor of this list`);
}

function fits(type: SortType, part: unknown): boolean {
  return typeof part === 'string' && isOfType[type](part);
}

function cursorOf(key: SortKey): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/** An entry of a list. Its cursor is made only if somebody asks for it. */
class Edge<Row extends Sorted, Sorted> {
  readonly node: Row;
  readonly #order: Order<Sorted>;

  constructor(node: Row, order: Order<Sorted>) {
    this.node = node;
    this.#order = order;
  }

  get cursor(): string {
    return cursorOf(this.#order.map(({ of }) => of(this.node)));
  }
}

/** The fetched rows, cut to the page and in the order of the list. */
class Connection<Row extends Sorted, Sorted> {
  readonly edges: readonly Edge<Row, Sorted>[];
  readonly count: () => Promise<number>;
  readonly #page: Page;
  readonly #hasMore: boolean;

  constructor(fetched: readonly Row[], page: Page, order: Order<Sorted>, count: () => Promise<number>) {
    const edges = fetched.slice(0, page.limit).map((node) => new Edge(node, order));
    this.edges = page.backward ? edges.reverse() : edges;
    this.count = count;
    this.#page = page;
    this.#hasMore = fetched.length > page.limit;
  }

  get pageInfo() {
    const [page, hasMore, edges] = [this.#page, this.#hasMore, this.edges];
    return {
      hasNextPage: page.backward ? page.from !== null : hasMore,
      hasPreviousPage: page.backward ? hasMore : page.from !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    };
  }
}
