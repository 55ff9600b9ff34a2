import DataLoader from 'dataloader';
import { groupBy } from './group-by.ts';

/** A loader whose key is an object. Equal objects are read only once. */
export function addressLoader<Address extends object, Row>(
  read: (addresses: readonly Address[]) => Promise<Row[]>,
) {
  return new DataLoader<Address, Row, string>(read, { cacheKeyFn: (address) => JSON.stringify(address) });
}

/** The key of a read about one parent: a page of its children, or a filter for counting them. */
export interface ChildKey<Page> {
  readonly parentId: string;
  readonly page: Page;
}

/**
 * Reads the children of all parents of one level in one statement.
 *
 * @param read reads the same page of the children of each parent, in the order of the list.
 */
export function childLoader<Page, Row>(
  read: (parentIds: readonly string[], page: Page) => Promise<Row[]>,
  parentOf: (row: Row) => string | null,
) {
  return addressLoader<ChildKey<Page>, Row[]>(async (keys) => {
    // One selection asks for the same page of every parent. Another selection, under an alias, is another statement.
    const alike = groupBy(keys, ({ page }) => JSON.stringify(page));
    const answers = await Promise.all(
      [...alike].map(async ([text, group]) => {
        const parentIds = group.map(({ parentId }) => parentId);
        const rows = await read(parentIds, JSON.parse(text) as Page);
        return [text, groupBy(rows, parentOf)] as const;
      }),
    );
    const byPage = new Map(answers);
    return keys.map(({ parentId, page }) => byPage.get(JSON.stringify(page))?.get(parentId) ?? []);
  });
}

/** The number of children of a parent. Parents without children may be left out. */
export interface ChildCount {
  readonly parentId: string;
  readonly count: number | bigint;
}

/** Counts the children of all parents of one level in one statement. */
export function childCounter<Filter = null>(
  read: (parentIds: readonly string[], filter: Filter) => Promise<ChildCount[]>,
) {
  const rows = childLoader(read, ({ parentId }) => parentId);
  return {
    load: async (parentId: string, filter: Filter): Promise<number> =>
      Number((await rows.load({ parentId, page: filter }))[0]?.count ?? 0),
    clearAll: () => rows.clearAll(),
  };
}
