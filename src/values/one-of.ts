import { entryOf, isRecord } from './json.ts';
import type { Place } from './problem-list.ts';
import { fields, isAbsent, type Reader, required, wrongKind } from './readers.ts';

/**
 * The only known key of an object that is set, for a one-of of protobuf or a `@oneOf` input. None or several keys are a
 * problem.
 */
export function onlyKey<K extends string>(
  value: unknown,
  known: Readonly<Record<K, unknown>>,
  place: Place,
): K | undefined {
  if (!isRecord(value)) return wrongKind('an object', value, place);
  const keys = Object.keys(known) as K[];
  const given = keys.filter((key) => !isAbsent(entryOf(value, key)));
  if (given.length === 1) return given[0];
  const code = given.length === 0 ? 'ValueRequired' : 'InvalidValue';
  return place.report(code, `expected exactly one of ${keys.join(', ')}`);
}

/** The reader of an object in which exactly one of these fields is set. */
export function oneOf<T>(readers: Readonly<Record<string, Reader<unknown>>>): Reader<T> {
  return (value, place) => {
    const kind = onlyKey(value, readers, place);
    const read = kind === undefined ? undefined : readers[kind];
    if (kind === undefined || read === undefined) return undefined;
    return fields({ [kind]: required(read) })(value, place) as T | undefined;
  };
}
