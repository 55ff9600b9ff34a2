import { expect } from 'vitest';

/**
 * Fails unless a table of a test has exactly one row for each name.
 *
 * @param table  where a reader finds it, such as `lists in test/graphql/forged-cursors.test.ts`.
 */
export function expectRowForEach(names: readonly string[], rows: readonly string[], table: string): void {
  const missing = names.filter((name) => !rows.includes(name));
  expect(missing, `add a row for each of these to ${table}`).toEqual([]);
  const stale = rows.filter((name) => !names.includes(name));
  expect(stale, `remove these rows from ${table}: nothing has their names any more`).toEqual([]);
}
