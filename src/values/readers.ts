import { keepsDigits } from '../platform/exact-json.ts';
import { entryOf, isRecord, isStorableText, type JsonObject, type JsonValue, kindOfPlain } from './json.ts';
import type { Place } from './problem-list.ts';

/**
 * Readers turn unknown input into a stored form. A reader returns the value, or it reports a problem at its place and
 * returns undefined. An absent field and null mean the same, as in GraphQL inputs and protobuf JSON.
 */
export type Reader<T> = (value: unknown, place: Place) => T | undefined;

/** The largest length of texts that become keys of tables. Source: Flyte v1.16. */
export const MAX_NAME_LENGTH = 255;

/** How deep JSON without a type may be nested, such as a struct or the settings of a plugin. */
export const MAX_JSON_DEPTH = 64;

export interface Field<T> {
  readonly read: Reader<T>;
  readonly absent: 'refused' | 'left out' | { readonly standsFor: T };
}

type Shape<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

export const required = <T>(read: Reader<T>): Field<T> => ({
  read,
  absent: 'refused',
});
export const optional = <T>(read: Reader<T>): Field<T> => ({
  read,
  absent: 'left out',
});
export const defaulting = <T>(read: Reader<T>, standsFor: T): Field<T> => ({
  read,
  absent: { standsFor },
});

/**
 * An object with only the fields of the shape. An unknown field is a problem, so that spelling mistakes are noticed.
 */
export function fields<T extends object>(shape: Shape<T>): Reader<T> {
  const known = Object.entries<Field<unknown>>(shape);
  return (value, place) => {
    if (!isRecord(value)) return wrongKind('an object', value, place);
    const faultsBefore = place.problems.size;
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(shape, key) && !isAbsent(value[key]))
        place.at(key).report('UnrecognizedValue', `unknown field ${key}`);
    }
    const entries = known.flatMap(([key, field]) => {
      const read = readField(field, entryOf(value, key), key, place);
      return read === undefined ? [] : [[key, read] as const];
    });
    return place.problems.size === faultsBefore ? (Object.fromEntries(entries) as T) : undefined;
  };
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function readField(field: Field<unknown>, value: unknown, key: string, place: Place): unknown {
  if (!isAbsent(value)) return field.read(value, place.at(key));
  if (field.absent === 'refused') return place.at(key).report('MissingField', `missing ${key}`);
  return field.absent === 'left out' ? undefined : field.absent.standsFor;
}

/** A reader with a further check of its value. `check` reports problems at the place. */
export function checked<T>(read: Reader<T>, check: (value: T, place: Place) => void): Reader<T> {
  return (value, place) => {
    const faultsBefore = place.problems.size;
    const answer = read(value, place);
    if (answer !== undefined) check(answer, place);
    return place.problems.size === faultsBefore ? answer : undefined;
  };
}

export const text: Reader<string> = (value, place) => {
  if (typeof value !== 'string') return wrongKind('a string', value, place);
  return isStorableText(value)
    ? value
    : place.report('InvalidValue', 'the text must not contain U+0000 or half of a surrogate pair');
};

export const nonEmptyText: Reader<string> = (value, place) => {
  if (value === '') return place.report('MissingField', `missing ${place.path.at(-1) ?? 'text'}`);
  return text(value, place);
};

/** A text that becomes a key: 1 to 255 characters. */
export const name: Reader<string> = (value, place) => {
  const read = nonEmptyText(value, place);
  if (read === undefined || read.length <= MAX_NAME_LENGTH) return read;
  return place.report('InvalidValue', `must have at most ${MAX_NAME_LENGTH} characters, got ${read.length}`);
};

export const boolean: Reader<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : wrongKind('a boolean', value, place);

export function integer(min: number, max: number): Reader<number> {
  return (value, place) => {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    return place.report('InvalidValue', `expected a whole number from ${min} to ${max}`);
  };
}

export function choice<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (value, place) =>
    choices.find((one) => one === value) ??
    place.report('InvalidValue', `expected one of ${choices.join(', ')}`);
}

/** @param namedBy  the field with the name of an item in paths; without it, paths contain the index. */
export function list<T>(item: Reader<T>, namedBy?: string): Reader<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return wrongKind('a list', value, place);
    const items = value.map((one, index) => item(one, place.at(nameOf(one, namedBy) || index)));
    return items.every((one) => one !== undefined) ? items : undefined;
  };
}

function nameOf(item: unknown, namedBy: string | undefined): string {
  const given = namedBy !== undefined && isRecord(item) ? entryOf(item, namedBy) : undefined;
  return typeof given === 'string' ? given : '';
}

/** An object that is used as a map. Its keys are names, or any texts if they are data of a user. */
export function mapOf<T>(entry: Reader<T>, key: Reader<string> = name): Reader<Record<string, T>> {
  return (value, place) => {
    if (!isRecord(value)) return wrongKind('an object', value, place);
    const faultsBefore = place.problems.size;
    const entries = Object.entries(value).map(([given, one]) => {
      key(given, place.at(given));
      return [given, entry(one, place.at(given))] as const;
    });
    return place.problems.size === faultsBefore
      ? (Object.fromEntries(entries) as Record<string, T>)
      : undefined;
  };
}

export const jsonObject: Reader<JsonObject> = (value, place) => {
  if (!isRecord(value)) return wrongKind('an object', value, place);
  const read = jsonWithin(value, MAX_JSON_DEPTH);
  return isRecord(read) ? read : notJson(place);
};

export const json: Reader<JsonValue> = (value, place) => {
  const read = jsonWithin(value, MAX_JSON_DEPTH);
  return read === undefined ? notJson(place) : read;
};

/** The value in the form of JSON; undefined if JSON cannot express it, or not with all digits. */
function jsonWithin(value: unknown, levels: number): JsonValue | undefined {
  if (typeof value === 'string') return isStorableText(value) ? value : undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return keepsDigits(String(value)) ? Number(value) : undefined;
  if (value === null || typeof value === 'boolean') return value;
  if (levels === 0) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((one) => jsonWithin(one, levels - 1));
    return items.every((one) => one !== undefined) ? items : undefined;
  }
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).flatMap(([key, one]) => {
    const read = isStorableText(key) ? jsonWithin(one, levels - 1) : undefined;
    return read === undefined ? [] : [[key, read] as const];
  });
  return entries.length === Object.keys(value).length ? Object.fromEntries(entries) : undefined;
}

/** Whether lists and objects are nested at most this deep. The outermost one is level 1. */
export function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => nestsWithin(one, levels - 1));
}

const notJson = (place: Place): undefined =>
  place.report(
    'InvalidValue',
    `expected JSON that is nested at most ${MAX_JSON_DEPTH} deep, without U+0000 in texts; write a whole number that would lose digits as text`,
  );

export function wrongKind(expected: string, value: unknown, place: Place): undefined {
  return place.report('InvalidValue', `expected ${expected}, got ${kindOfPlain(value)}`);
}
