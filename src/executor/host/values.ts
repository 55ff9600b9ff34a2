/**
 * Values of Flyte's types, read from what a command wrote: the text of a file, or a member of `outputs.json`. They come
 * back as plain JSON: an INTEGER beyond 2^53 as a decimal string, a FLOAT that is not finite as `NaN`, `Infinity` or
 * `-Infinity`, an optional value that is not there as null.
 */
import { parseJson } from './parse-json.ts';
import type { LiteralType } from './runtime.ts';

/** Why a text or JSON value is not of the type; the caller knows of which output. */
export class ValueError extends Error {
  override name = this.constructor.name;
}

/** Stands for a blob until its file is stored. */
export class LocalFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

const DEEPEST_STRUCTURE = 60;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const INTEGER = /^[+-]?\d{1,19}$/;
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WRITTEN_BOOLEANS = new Map([
  ['true', true],
  ['false', false],
]);
const INFINITE = /^([+-]?)inf(inity)?$/i;
/** RFC 3339, with the zone that makes it one instant. */
const DATETIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** ISO 8601, without years and months, which have no fixed length. */
const DURATION = /^-?P(?=\d|T\d)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/;
/** Half of a surrogate pair, or U+0000: PostgreSQL keeps neither in JSON. */
const NOT_STORABLE = /[\uD800-\uDFFF]|\0/u;

/** Whether there may be no value at all. */
export function isOptional(type: LiteralType): boolean {
  return type.simple === 'NONE' || (type.unionType?.variants.some(isOptional) ?? false);
}

/** Whether a file of this type is a blob itself, and not the text of a value. */
export function isFileType(type: LiteralType): boolean {
  return type.blob !== undefined || (type.unionType?.variants.some(isFileType) ?? false);
}

/** @throws ValueError */
export function valueFromText(type: LiteralType, text: string): unknown {
  if (type.unionType) {
    return firstFitting(type.unionType.variants, text, (variant) => valueFromText(variant, text));
  }
  if (type.enumType) return enumValue(type.enumType.values, text.trim());
  if (type.simple === 'STRING') return storableText(text.replace(/\r?\n$/, ''));
  if (type.simple === 'NONE') return noneValue(text.trim() === '' ? null : text);
  if (type.simple === 'BOOLEAN') return booleanValue(WRITTEN_BOOLEANS.get(text.trim().toLowerCase()) ?? text);
  if (type.simple === 'STRUCT' || type.collectionType || type.mapValueType) {
    return valueFromJson(type, jsonOf(text));
  }
  return valueFromJson(type, text.trim());
}

/** @throws ValueError */
export function valueFromJson(type: LiteralType, value: unknown): unknown {
  if (type.unionType) {
    return firstFitting(type.unionType.variants, value, (variant) => valueFromJson(variant, value));
  }
  if (type.enumType) return enumValue(type.enumType.values, value);
  if (type.collectionType) return listValue(type.collectionType, value);
  if (type.mapValueType) return mapValue(type.mapValueType, value);
  if (type.blob) return new LocalFile(stringValue(value, 'the path of a file'));
  if (type.simple === 'NONE') return noneValue(value);
  if (type.simple === 'INTEGER') return integerValue(value);
  if (type.simple === 'FLOAT') return floatValue(value);
  if (type.simple === 'BOOLEAN') return booleanValue(value);
  if (type.simple === 'STRING') return stringValue(value, 'a string');
  if (type.simple === 'DATETIME') return datetimeValue(value);
  if (type.simple === 'DURATION') return durationValue(value);
  if (type.simple === 'STRUCT') return structValue(value);
  throw new ValueError('has a type that this runtime cannot read');
}

/** Parses JSON, telling what is wrong as a fault of the value. */
export function jsonOf(text: string): unknown {
  try {
    return parseJson(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new ValueError(`is not JSON: ${show(text)}`);
  }
}

/** Any text is a STRING, so that variant comes last. */
function firstFitting(
  variants: readonly LiteralType[],
  value: unknown,
  read: (variant: LiteralType) => unknown,
): unknown {
  const ordered = [...variants].sort((a, b) => Number(a.simple === 'STRING') - Number(b.simple === 'STRING'));
  for (const variant of ordered) {
    try {
      return read(variant);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
  }
  throw new ValueError(`fits no variant of its union: ${show(value)}`);
}

function noneValue(value: unknown): null {
  if (value !== null) throw expected('nothing', value);
  return null;
}

function integerValue(value: unknown): number | string {
  const isWritten = typeof value === 'string' && INTEGER.test(value);
  if (!isWritten && typeof value !== 'bigint' && !Number.isSafeInteger(value))
    throw expected('an INTEGER', value);
  const integer = BigInt(isWritten ? value.replace('+', '') : (value as number | bigint));
  if (integer < INT64_MIN || integer > INT64_MAX) throw expected('an INTEGER of 64 bits', value);
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : String(integer);
}

function floatValue(value: unknown): number | string {
  if (typeof value === 'string' && /^nan$/i.test(value)) return 'NaN';
  const infinite = typeof value === 'string' ? INFINITE.exec(value) : null;
  if (infinite) return infinite[1] === '-' ? '-Infinity' : 'Infinity';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const isWritten = typeof value === 'string' && FLOAT.test(value);
  if (!isWritten && typeof value !== 'number' && typeof value !== 'bigint') throw expected('a FLOAT', value);
  const number = Number(value);
  if (!Number.isFinite(number)) throw expected('a FLOAT of 64 bits', value);
  return number;
}

function booleanValue(value: unknown): boolean {
  if (typeof value !== 'boolean') throw expected('true or false', value);
  return value;
}

function stringValue(value: unknown, what: string): string {
  if (typeof value !== 'string') throw expected(what, value);
  return storableText(value);
}

function enumValue(values: readonly string[], value: unknown): string {
  if (typeof value !== 'string' || !values.includes(value))
    throw expected(`one of ${values.join(', ')}`, value);
  return value;
}

function datetimeValue(value: unknown): string {
  const match = typeof value === 'string' ? DATETIME.exec(value) : null;
  if (match === null) throw expected('a DATETIME such as 2024-05-01T12:00:00Z', value);
  const [text, year, month, day] = match;
  const isInCalendar =
    year !== '0000' &&
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) >= 1 &&
    Number(day) <= daysIn(year, month);
  if (!isInCalendar) throw expected('a DATETIME that is in the calendar', value);
  return text.replace(' ', 'T').toUpperCase();
}

function daysIn(year: string | undefined, month: string | undefined): number {
  // The year is moved by 400s, after which the calendar repeats, because Date.UTC takes 0 to 99 for 1900 to 1999.
  return new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
}

function durationValue(value: unknown): string {
  if (typeof value !== 'string' || !DURATION.test(value)) throw expected('a DURATION such as PT1H30M', value);
  return value;
}

function listValue(type: LiteralType, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw expected('a list', value);
  return value.map((item, index) => within(`item ${index}`, () => valueFromJson(type, item)));
}

function mapValue(type: LiteralType, value: unknown): Record<string, unknown> {
  if (!isPlainObject(value)) throw expected('a map', value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      storableText(key),
      within(`the value of ${show(key)}`, () => valueFromJson(type, item)),
    ]),
  );
}

function structValue(value: unknown): unknown {
  if (!isPlainObject(value)) throw expected('an object', value);
  return structMember(value, 1);
}

function structMember(value: unknown, depth: number): unknown {
  if (depth > DEEPEST_STRUCTURE) throw new ValueError(`is nested more than ${DEEPEST_STRUCTURE} deep`);
  if (typeof value === 'string') return storableText(value);
  // A structure's numbers are floating-point ones in Flyte too.
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ValueError(`has ${value} in a structure`);
  if (Array.isArray(value)) return value.map((item) => structMember(item, depth + 1));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [storableText(key), structMember(item, depth + 1)]),
  );
}

function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ValueError) throw new ValueError(`${place} ${error.message}`);
    throw error;
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function storableText(text: string): string {
  if (NOT_STORABLE.test(text))
    throw new ValueError('has a character that cannot be stored (U+0000 or half of a pair)');
  return text;
}

function expected(what: string, value: unknown): ValueError {
  return new ValueError(`is not ${what}: ${show(value)}`);
}

function show(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : describe(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isPlainObject(value) ? 'an object' : String(JSON.stringify(value));
}
