import DataLoader from 'dataloader';
import { groupBy } from './group-by.ts';

/** Reads by something that is more than a text: what reads alike is asked once. */
export function addressLoader<Address extends object, Row>(
  read: (addresses: readonly Address[]) => Promise<Row[]>,
) {
  return new DataLoader<Address, Row, string>(read, { cacheKeyFn: (address) => JSON.stringify(address) });
}

/** What is asked of one parent: a page of its children, or how many there are. */
export interface ChildKey<Page> {
  readonly parentId: string;
  readonly page: Page;
}

/**
 * Children of all parents of a level in one statement.
 *
 * @param read  the same page of each parent's children, in the order of the list.
 */
export function childLoader<Page, Row>(
  read: (parentIds: readonly string[], page: Page) => Promise<Row[]>,
  parentOf: (row: Row) => string | null,
) {
  return addressLoader<ChildKey<Page>, Row[]>(async (keys) => {
    // One selection asks the same page of every parent; another, under an alias, is a statement of its own.
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

/** How many children a parent has. Parents without any may be left out. */
export interface ChildCount {
  readonly parentId: string;
  readonly count: number | bigint;
}

/** The numbers of children of all parents of a level in one statement. */
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
