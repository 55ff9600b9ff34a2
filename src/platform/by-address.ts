import { isId } from './ids.ts';

/** The address of an object: its id, or the parts of its key. */
export type Address<Part extends string> =
  | { readonly id: string }
  | { readonly key: Readonly<Record<Part, string>> }
  | Readonly<Record<Part, string>>;

/**
 * One row or null for each address, in the order of the addresses. Needs one read for all ids and one for all keys.
 *
 * @param byKeys gets an array for each part. Values at the same index belong to the same address.
 */
export async function readAddressed<
  Part extends string,
  Row extends { readonly id: string } & Readonly<Record<Part, string>>,
>(
  addresses: readonly Address<Part>[],
  parts: readonly Part[],
  byIds: (ids: string[]) => Promise<Row[]>,
  byKeys: (...columns: string[][]) => Promise<Row[]>,
): Promise<(Row | null)[]> {
  const keyOf = (by: Address<Part>) => ('key' in by ? by.key : by) as Readonly<Record<Part, string>>;
  const textOf = (key: Readonly<Record<Part, string>>) => JSON.stringify(parts.map((part) => key[part]));
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const keys = addresses.flatMap((by) => ('id' in by ? [] : [keyOf(by)]));
  const [foundById, foundByKey] = await Promise.all([
    ids.length > 0 ? byIds(ids) : [],
    keys.length > 0 ? byKeys(...parts.map((part) => keys.map((key) => key[part]))) : [],
  ]);
  return eachAt(addresses, (by) => ('id' in by ? by.id : textOf(keyOf(by))), [
    ...foundById.map((row) => [row.id, row] as const),
    ...foundByKey.map((row) => [textOf(row), row] as const),
  ]);
}

/**
 * One row or null for each address, in the order of the addresses. `textOf` computes the key under which `rows` has the
 * row of an address.
 */
export function eachAt<Address, Row>(
  addresses: readonly Address[],
  textOf: (address: Address) => string | null,
  rows: Iterable<readonly [string, Row]>,
): (Row | null)[] {
  const byText = new Map(rows);
  return addresses.map((address) => byText.get(textOf(address) ?? '') ?? null);
}
