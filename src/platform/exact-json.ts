import { randomUUID } from 'node:crypto';

/**
 * JSON whose numbers keep their digits. A JavaScript number holds whole numbers up to 2^53, and `JSON.parse` rounds
 * larger ones without a word.
 */

/**
 * A string, or a number: texts that look like numbers are skipped with their string. A string that is never closed goes to
 * the end of the text: were it no token, each quote in it would be tried as the beginning of another one.
 */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|NaN|-?Infinity|-?\d[\d.eE+-]*/g;
/** Only such a text can hold a number that needs a second look. */
const NEEDS_CARE = /\d{16}|[eE]\+?\d{3}|NaN|Infinity/;
const WHOLE = /^-?\d+$/;
const LONG = /^-?[1-9]\d{15,}$/;
const NOT_FINITE = /^(NaN|-?Infinity)$/;

/** Whether a whole number is the same after it was a JavaScript number: exact, or written as such numbers are. */
export function keepsDigits(digits: string): boolean {
  const number = Number(digits);
  if (!Number.isFinite(number)) return false;
  return Number.isSafeInteger(number) || String(number) === digits || BigInt(number) === BigInt(digits);
}

/** A number of a JSON text that `JSON.parse` would change; null when there is none. */
export function findRoundedNumber(json: string): string | null {
  if (!NEEDS_CARE.test(json)) return null;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token.startsWith('"')) continue;
    if (WHOLE.test(token) ? !keepsDigits(token) : !Number.isFinite(Number(token))) return token;
  }
  return null;
}

/**
 * Parses JSON with whole numbers of 16 digits and more as `bigint`. `NaN` and `Infinity`, which JSON does not have and
 * Python writes, are numbers.
 *
 * @throws Error when the text is not JSON, is nested too deep, or has a number beyond those of 64-bit floats.
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

/** No 64-bit float has as many digits. */
const MAX_DIGITS = 310;

function numberOf(token: string): number | bigint {
  if (NOT_FINITE.test(token)) return Number(token);
  if (token.length > MAX_DIGITS) throw new RangeError('a number is out of range');
  return BigInt(token);
}
