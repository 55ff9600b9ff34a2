/** Numbers and tables as they are printed. */

export const table = (head: readonly string[], rows: readonly (readonly string[])[], texts = 2): string =>
  [head, head.map((_, at) => (at < texts ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

const english = new Intl.NumberFormat('en');

/** Three digits, if the number is not larger. */
export const round = (value: number): string => {
  if (value >= 100) return english.format(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
};
