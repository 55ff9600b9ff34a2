import { randomUUID } from 'node:crypto';

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|NaN|-?Infinity|-?\d[\d.eE+-]*/g;
const NEEDS_CARE = /\d{16}|NaN|Infinity/;
const LONG_INTEGER = /^-?[1-9]\d{15,18}$/;
const NOT_FINITE = /^(NaN|-?Infinity)$/;

/**
 * Parses JSON without losing what JavaScript's numbers lose: integers of 16 digits and more, up to int64, come back as
 * `bigint`. `NaN` and `Infinity`, which are no JSON but what Python writes, are numbers.
 *
 * @throws Error when the text is not JSON, or too deep to be read.
 */
export function parseJson(text: string): unknown {
  if (!NEEDS_CARE.test(text)) return JSON.parse(text);
  const mark = `${randomUUID()}:`;
  const marked = text.replace(TOKEN, (token) =>
    LONG_INTEGER.test(token) || NOT_FINITE.test(token) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value) =>
    typeof value === 'string' && value.startsWith(mark) ? numberOf(value.slice(mark.length)) : value,
  );
}

function numberOf(token: string): number | bigint {
  return NOT_FINITE.test(token) ? Number(token) : BigInt(token);
}
