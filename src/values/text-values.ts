import { parseExactJson } from '../platform/exact-json.ts';
import type { LiteralType, SimpleType } from './literal-types.ts';
import type { Literal } from './literals.ts';
import { literalFromPlain } from './plain-values.ts';
import type { Place } from './problem-list.ts';
import { unionLiteral } from './unions.ts';

/**
 * Reads the text of a file as a value of a type, such as the text that a command writes with `echo 42 > rows`.
 *
 * The end of the last line does not count. An INTEGER, FLOAT, BOOLEAN, DATETIME, DURATION, BINARY or enum may have
 * spaces around it. A FLOAT may also be `nan` or `inf`. A STRING is the whole text. A struct, list or map is JSON, also
 * with Python's `NaN` and `Infinity`. For a union, the first variant that the text fits counts; STRING is tried last.
 *
 * Problems: the problems of coerceToLiteral.
 */
export function literalFromText(type: LiteralType, text: string, place: Place): Literal | undefined {
  if ('unionType' in type) return unionFromText(type.unionType.variants, text, place);
  if ('collectionType' in type || 'mapValueType' in type) return literalFromJsonText(type, text, place);
  if (!('simple' in type)) return literalFromPlain(type, text.trim(), place);
  const plain = plainFromText[type.simple];
  if (plain === 'JSON') return literalFromJsonText(type, text, place);
  const value = plain(text);
  if (value !== undefined) return literalFromPlain(type, value, place);
  return place.report(
    'MismatchingTypes',
    `expected ${type.simple.toLowerCase()}, got ${quoted(text.trim())}`,
  );
}

const INTEGER = /^[+-]?\d{1,30}$/;
const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(inity)?$/i;

/** For each simple type, the plain value of a text; undefined if the text has none. */
const plainFromText: Readonly<Record<SimpleType, 'JSON' | ((text: string) => unknown)>> = {
  NONE: (text) => (text.trim() === '' ? null : undefined),
  INTEGER: (text) => (INTEGER.test(text.trim()) ? text.trim().replace('+', '') : undefined),
  FLOAT: (text) => floatOf(text.trim()),
  STRING: (text) => text.replace(/\r?\n$/, ''),
  BOOLEAN: (text) => ({ true: true, false: false })[text.trim().toLowerCase()],
  DATETIME: (text) => text.trim(),
  DURATION: (text) => text.trim(),
  BINARY: (text) => text.trim(),
  ERROR: 'JSON',
  STRUCT: 'JSON',
};

function floatOf(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const number = FLOAT.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function literalFromJsonText(type: LiteralType, text: string, place: Place): Literal | undefined {
  const parsed = jsonFromText(text, place);
  return parsed && literalFromPlain(type, parsed.json, place);
}

/** Parses the text of a JSON file. */
export function jsonFromText(text: string, place: Place): { readonly json: unknown } | undefined {
  try {
    return { json: parseExactJson(text.replace(/^\uFEFF/, '')) };
  } catch {
    return place.report('InvalidValue', `expected JSON, got ${quoted(text)}`);
  }
}

function unionFromText(variants: readonly LiteralType[], text: string, place: Place): Literal | undefined {
  // Every text is a STRING, so STRING is tried last.
  const rank = (type: LiteralType) => Number('simple' in type && type.simple === 'STRING');
  const ordered = variants.toSorted((one, other) => rank(one) - rank(other));
  for (const variant of ordered) {
    const value = literalFromText(variant, text, place.trial());
    if (value !== undefined) return unionLiteral(variant, value, place);
  }
  return place.report('IncompatibleBindingUnionValue', `${quoted(text.trim())} fits no variant of the union`);
}

const MAX_QUOTED = 60;

function quoted(text: string): string {
  return text.length > MAX_QUOTED ? `${JSON.stringify(text.slice(0, MAX_QUOTED))}…` : JSON.stringify(text);
}
