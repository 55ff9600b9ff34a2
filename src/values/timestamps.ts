const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|([+-])(\d{2}):(\d{2}))$/i;

/**
 * An RFC 3339 instant in UTC, with 0, 3, 6 or 9 digits of fraction as protobuf writes them. Null if the text is not an
 * instant, names a day or time that does not exist, or is outside the years 1 to 9999 in UTC.
 *
 * Leap seconds are refused, because protobuf has none. More than nine digits of fraction are refused too, because they
 * would be lost.
 */
export function normalTimestamp(text: string): string | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as Six;
  const [sign, offsetHours, offsetMinutes] = [match[9], Number(match[10] ?? 0), Number(match[11] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null;

  const instant = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  instant.setUTCFullYear(year, month - 1, day);
  // A day that does not exist is in another month.
  if (instant.getUTCMonth() !== month - 1) return null;
  const offset = (offsetHours * 60 + offsetMinutes) * (sign === '-' ? -1 : 1);
  instant.setUTCHours(hour, minute - offset, second);
  const utcYear = instant.getUTCFullYear();
  if (utcYear < 1 || utcYear > 9999) return null;
  return `${instant.toISOString().slice(0, 19)}${fractionText(match[7] ?? '')}Z`;
}

type Six = [number, number, number, number, number, number];

/** `5` → `.500`, `000001` → `.000001`, `000` → nothing. */
export function fractionText(digits: string): string {
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '';
  return `.${significant.padEnd(Math.ceil(significant.length / 3) * 3, '0')}`;
}
