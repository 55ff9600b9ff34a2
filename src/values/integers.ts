const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * An int64 in plain decimal digits, without leading zeros or `-0`. Null if the text is not an integer or is out of
 * range.
 */
export function normalInt64(text: string): string | null {
  if (!/^-?\d{1,19}$/.test(text)) return null;
  const value = BigInt(text);
  return value >= MIN_INT64 && value <= MAX_INT64 ? value.toString() : null;
}
