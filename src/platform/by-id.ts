interface Identified {
  readonly id: string;
}

/** One row or null for each id, in the order of the ids. */
export function eachOf<Row extends Identified>(ids: readonly string[], rows: readonly Row[]): (Row | null)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}
