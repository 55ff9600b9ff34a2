import { normalDuration } from './durations.ts';
import { normalInt64 } from './integers.ts';
import { isRecord, isStorableText, kindOfPlain } from './json.ts';
import type { SimpleType } from './literal-types.ts';
import type { Scalar } from './literals.ts';
import type { Place } from './problem-list.ts';
import { jsonObject, text } from './readers.ts';
import { normalTimestamp } from './timestamps.ts';

type ScalarReader = (value: unknown, place: Place) => Scalar | undefined;

/** For each simple type, how to read it from a plain value. */
export const plainScalars: Readonly<Record<SimpleType, ScalarReader>> = {
  NONE: (value, place) => (value === null ? { noneType: {} } : mismatch('none', value, place)),
  INTEGER: integerFromPlain,
  FLOAT: floatFromPlain,
  STRING: (value, place) => {
    const read = textFromPlain('string', value, place);
    return read === undefined ? undefined : { primitive: { stringValue: read } };
  },
  BOOLEAN: (value, place) =>
    typeof value === 'boolean' ? { primitive: { boolean: value } } : mismatch('boolean', value, place),
  DATETIME: (value, place) => {
    const read = textFromPlain('datetime', value, place);
    if (read === undefined) return undefined;
    const datetime = normalTimestamp(read);
    if (datetime !== null) return { primitive: { datetime } };
    return place.report('InvalidValue', 'expected an RFC 3339 instant in the years 1 to 9999');
  },
  DURATION: (value, place) => {
    const read = textFromPlain('duration', value, place);
    if (read === undefined) return undefined;
    const duration = normalDuration(read);
    if (duration !== null) return { primitive: { duration } };
    return place.report('InvalidValue', 'expected an ISO 8601 duration such as PT90S');
  },
  BINARY: (value, place) => {
    const read = textFromPlain('binary', value, place);
    if (read === undefined) return undefined;
    return isBase64(read)
      ? { binary: { value: read, tag: '' } }
      : place.report('InvalidValue', 'expected base64');
  },
  ERROR: errorFromPlain,
  STRUCT: (value, place) => {
    if (!isRecord(value)) return mismatch('struct', value, place);
    const generic = jsonObject(value, place);
    return generic === undefined ? undefined : { generic };
  },
};

function integerFromPlain(value: unknown, place: Place): Scalar | undefined {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { primitive: { integer: String(value === 0 ? 0 : value) } };
    return Number.isInteger(value)
      ? place.report('InvalidValue', 'a number this large has lost digits; send it as a decimal string')
      : place.report('MismatchingTypes', 'expected integer, got a fraction');
  }
  const digits = typeof value === 'bigint' ? String(value) : value;
  if (typeof digits !== 'string' || !/^-?\d+$/.test(digits)) return mismatch('integer', value, place);
  const integer = normalInt64(digits);
  if (integer !== null) return { primitive: { integer } };
  return place.report('InvalidValue', 'must be in the range of a 64-bit integer');
}

function floatFromPlain(value: unknown, place: Place): Scalar | undefined {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') {
    return { primitive: { floatValue: value } };
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return mismatch('float', value, place);
  const number = Number(value);
  if (Number.isFinite(number)) {
    // JSON writes -0 as 0, so both are the same value.
    return { primitive: { floatValue: number === 0 ? 0 : number } };
  }
  if (typeof value === 'bigint')
    return place.report('InvalidValue', 'must be in the range of a 64-bit float');
  return { primitive: { floatValue: String(number) as 'NaN' | 'Infinity' | '-Infinity' } };
}

function errorFromPlain(value: unknown, place: Place): Scalar | undefined {
  if (!isRecord(value)) return mismatch('error', value, place);
  const failedNodeId = text(value['failedNodeId'] ?? '', place.at('failedNodeId'));
  const message = text(value['message'] ?? '', place.at('message'));
  if (failedNodeId === undefined || message === undefined) return undefined;
  return { error: { failedNodeId, message } };
}

export function textFromPlain(expected: string, value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string') return mismatch(expected, value, place);
  if (isStorableText(value)) return value;
  return place.report('InvalidValue', 'the text must not contain U+0000 or half of a surrogate pair');
}

export function isBase64(value: string): boolean {
  return Buffer.from(value, 'base64').toString('base64') === value;
}

export function mismatch(expected: string, value: unknown, place: Place): undefined {
  return place.report('MismatchingTypes', `expected ${expected}, got ${kindOfPlain(value)}`);
}
