/** Splits the items into parts so that no part has the same key twice. Items with the same key keep their order. */
export function rounds<Item>(items: readonly Item[], keyOf: (item: Item) => string | number): Item[][] {
  const parts: Item[][] = [];
  const used = new Map<string | number, number>();
  for (const item of items) {
    const key = keyOf(item);
    const turn = used.get(key) ?? 0;
    used.set(key, turn + 1);
    const part = parts[turn];
    if (part) part.push(item);
    else parts[turn] = [item];
  }
  return parts;
}
