const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** Whether a text has the form of an instant in RFC 3339, with a time zone. The date need not exist. */
export const hasInstantForm = (text: string): boolean => rfc3339.test(text);

/** Whether the month has this day. JavaScript would accept 30 February as 2 March. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** An instant from a text in RFC 3339; null if the text has another form, or if its date does not exist. */
export function parseInstant(text: string): Date | null {
  const [, year, month, day] = rfc3339.exec(text) ?? [];
  if (year === undefined || !isDay(Number(year), Number(month), Number(day))) return null;
  const instant = new Date(text.toUpperCase());
  // PostgreSQL has no year 0, and years have at most four digits.
  const isWritable = instant.getUTCFullYear() >= 1 && instant.getUTCFullYear() <= 9999;
  return isWritable ? instant : null;
}
