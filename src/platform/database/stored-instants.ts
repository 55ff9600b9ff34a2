import pg from 'pg';

const readOther = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ, 'text');

const [plus, zero, space] = ['+', '0', ' '].map((sign) => sign.charCodeAt(0));
const SECONDS_END = '2026-11-22 08:30:00'.length;
const MICROSECONDS_END = '2026-11-22 08:30:00.123456'.length;

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48;
const pair = (text: string, at: number): number => 10 * digit(text, at) + digit(text, at + 1);

/**
 * An instant as PostgreSQL writes it: `2026-11-22 08:30:00.123+00`. Rows have several, so no regular expression looks at
 * these texts. All other forms, such as those of other time zones, years before Christ and `infinity`, are left to `pg`.
 */
export function readInstant(text: string): Date {
  const end = text.length - 3;
  const isUsual =
    end >= SECONDS_END &&
    end <= MICROSECONDS_END &&
    text.charCodeAt(10) === space &&
    text.charCodeAt(end) === plus &&
    text.charCodeAt(end + 1) === zero &&
    text.charCodeAt(end + 2) === zero;
  const year = 100 * pair(text, 0) + pair(text, 2);
  // `Date.UTC` takes the years 0 to 99 for those of the twentieth century.
  if (!isUsual || !(year >= 100)) return readOther(text) as Date;
  let milliseconds = 0;
  for (let at = SECONDS_END + 1, unit = 100; at < end && unit >= 1; at += 1, unit /= 10)
    milliseconds += unit * digit(text, at);
  return new Date(
    Date.UTC(
      year,
      pair(text, 5) - 1,
      pair(text, 8),
      pair(text, 11),
      pair(text, 14),
      pair(text, 17),
      milliseconds,
    ),
  );
}
