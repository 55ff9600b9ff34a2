import { randomUUID } from 'node:crypto';

/**
 * JSON whose numbers keep their digits. A JavaScript number holds whole numbers up to 2^53; `JSON.parse` rounds larger
 * numbers without an error.
 */

/**
 * Matches a string or a number; a number inside of a string is skipped together with the string. A string without an
 * end reaches to the end of the text. Otherwise each quote in it would be tried as the beginning of another string.
 */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|NaN|-?Infinity|-?\d[\d.eE+-]*/g;
/** Only a text that matches this can have a number that needs a closer look. */
const NEEDS_CARE = /\d{16}|[eE]\+?\d{3}|NaN|Infinity/;
const WHOLE = /^-?\d+$/;
const LONG = /^-?[1-9]\d{15,}$/;
const NOT_FINITE = /^(NaN|-?Infinity)$/;

/**
 * Whether a whole number survives as a JavaScript number: it is exact, or JavaScript writes it with the same digits.
 */
export function keepsDigits(digits: string): boolean {
  const number = Number(digits);
  if (!Number.isFinite(number)) return false;
  return String(number) === digits || BigInt(number) === BigInt(digits);
}

/** The first number of a JSON text that `JSON.parse` would change; null if there is none. */
export function findRoundedNumber(json: string): string | null {
  if (!NEEDS_CARE.test(json)) return null;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token.startsWith('"')) continue;
    if (WHOLE.test(token) ? !keepsDigits(token) : !Number.isFinite(Number(token))) return token;
  }
  return null;
}

/**
 * Parses JSON. Whole numbers with 16 digits or more become `bigint`. `NaN` and `Infinity` are accepted as numbers: JSON
 * does not have them, but Python writes them.
 *
 * @throws Error if the text is not JSON, is nested too deep, or has a number beyond the range of 64-bit floats.
 */
export function parseExactJson(text: string): unknown {
  if (!NEEDS_CARE.test(text)) return JSON.parse(text);
  const mark = `${randomUUID()}:`;
  const marked = text.replace(TOKEN, (token) =>
    LONG.test(token) || NOT_FINITE.test(token) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value) => {
    if (typeof value === 'string' && value.startsWith(mark)) return numberOf(value.slice(mark.length));
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new RangeError('a number is out of range');
    return value;
  });
}

/** A 64-bit float never has as many digits. */
const MAX_DIGITS = 310;

function numberOf(token: string): number | bigint {
  if (NOT_FINITE.test(token)) return Number(token);
  if (token.length > MAX_DIGITS) throw new RangeError('a number is out of range');
  return BigInt(token);
}
