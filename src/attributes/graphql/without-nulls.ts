type WithoutNulls<T> = { [Key in keyof T]?: NonNullable<T[Key]> };

/** A field that is null is stored like a field that is left out. */
export function withoutNulls<T extends object>(given: T): WithoutNulls<T> {
  const entries = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as WithoutNulls<T>;
}
