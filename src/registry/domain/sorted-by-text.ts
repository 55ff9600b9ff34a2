/** The items in the order of their texts. Of items with the same text, only the last one is there. */
export function sortedByText<Item>(items: readonly Item[], textOf: (item: Item) => string): Item[] {
  const byText = new Map(items.map((item) => [textOf(item), item]));
  return [...byText.keys()].sort().map((text) => byText.get(text) as Item);
}
