import DataLoader from 'dataloader';
import type { Page } from './database/page.ts';
import { groupBy } from './group-by.ts';

/** A loader whose key is an object. Equal objects are read only once. */
export function addressLoader<Address extends object, Row>(
  read: (addresses: readonly Address[]) => Promise<Row[]>,
  options: { readonly cache?: boolean } = {},
) {
  return new DataLoader<Address, Row, string>(read, {
    ...options,
    cacheKeyFn: (address) => JSON.stringify(address),
  });
}

/** The key of a read about one parent: a page of its children, or a filter for counting them. */
export interface ChildKey<Asked> {
  readonly parentId: string;
  readonly page: Asked;
}

/**
 * Reads the children of all parents of one level in one statement.
 *
 * @param read  reads the same page of the children of each parent, in the order of the list.
 */
export function childLoader<Asked, Row>(
  read: (parentIds: readonly string[], page: Asked) => Promise<Row[]>,
  parentOf: (row: Row) => string | null,
  options: { readonly cache?: boolean } = {},
) {
  return addressLoader<ChildKey<Asked>, Row[]>(async (keys) => {
    // One selection asks for the same page of every parent. Another selection, under an alias, is another statement.
    const texts = keys.map(({ page }) => JSON.stringify(page));
    const asked = new Map<string, { readonly page: Asked; readonly parentIds: Set<string> }>();
    keys.forEach(({ page, parentId }, at) => {
      const text = texts[at] as string;
      const group = asked.get(text);
      if (group) group.parentIds.add(parentId);
      else asked.set(text, { page, parentIds: new Set([parentId]) });
    });
    const byPage = new Map<string, Map<string | null, Row[]>>();
    await Promise.all(
      [...asked].map(async ([text, { page, parentIds }]) => {
        byPage.set(text, groupBy(await read([...parentIds], page), parentOf));
      }),
    );
    return keys.map(({ parentId }, at) => byPage.get(texts[at] as string)?.get(parentId) ?? []);
  }, options);
}

/** The number of children of a parent. Parents without children may be left out. */
export interface ChildCount {
  readonly parentId: string;
  readonly count: number | bigint;
}

/** Counts the children of all parents of one level in one statement. */
export function childCounter<Filter = null>(
  read: (parentIds: readonly string[], filter: Filter) => Promise<ChildCount[]>,
  options: { readonly cache?: boolean } = {},
) {
  const rows = childLoader(read, ({ parentId }) => parentId, options);
  return {
    load: async (parentId: string, filter: Filter): Promise<number> =>
      Number((await rows.load({ parentId, page: filter }))[0]?.count ?? 0),
    clearAll: () => rows.clearAll(),
  };
}

/** A row of a list inside of a parent. */
export interface Listed {
  /** The id of the parent. */
  readonly listedIn: string;
}

/** How a store reads the lists inside of some parents. */
export interface ChildLists<Filter, Row> {
  /** The same page of the rows of each parent, in the order of the list. */
  read(parentIds: readonly string[], filter: Filter, page: Page): Promise<(Row & Listed)[]>;
  count(parentIds: readonly string[], filter: Filter): Promise<ChildCount[]>;
}

/**
 * A list inside of an object. The lists of all parents of one level take one statement. Nothing is cached, so that an
 * operation sees its own changes.
 */
export function listLoader<Filter, Row>({ read, count }: ChildLists<Filter, Row>) {
  const pages = childLoader<{ readonly filter: Filter; readonly page: Page }, Row & Listed>(
    (parentIds, { filter, page }) => read(parentIds, filter, page),
    ({ listedIn }) => listedIn,
    { cache: false },
  );
  const counts = childCounter(count, { cache: false });
  return {
    page: (parentId: string, filter: Filter, page: Page): Promise<Row[]> =>
      pages.load({ parentId, page: { filter, page } }),
    count: (parentId: string, filter: Filter) => counts.load(parentId, filter),
  };
}
