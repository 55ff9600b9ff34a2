import { normalDuration } from './durations.ts';
import { normalInt64 } from './integers.ts';
import type { Literal, Primitive, Scalar } from './literals.ts';
import { oneOf, onlyKey } from './one-of.ts';
import { isBase64, plainScalars } from './plain-scalars.ts';
import { blobType, literalType, schemaType, structuredDatasetType } from './read-literal-types.ts';
import {
  boolean,
  defaulting,
  fields,
  jsonObject,
  list,
  mapOf,
  optional,
  type Reader,
  required,
  text,
} from './readers.ts';
import { remember } from './remember.ts';
import { normalTimestamp } from './timestamps.ts';

/** How deep a literal may be nested. The wrapper of a union counts as a level. */
export const MAX_LITERAL_DEPTH = 64;

/**
 * Checks the form of a literal from outside and returns its stored form: instants in UTC, durations and integers in
 * their normal text. `checkLiteral` checks whether it fits a type.
 *
 * Problems: `ValueRequired` for a literal without a value, `UnrecognizedValue` for an unknown kind or field,
 * `MissingField`, `InvalidValue`. Source: Flyte v1.16, `flyteidl/core/literals.proto`.
 */
export const literal: Reader<Literal> = (value, place) => literalWithin(MAX_LITERAL_DEPTH)(value, place);

/**
 * The reader for each remaining depth. It is created only once, because a list may contain many thousands of literals.
 */
const readersByDepth = new Map<number, Reader<Literal>>();

function literalWithin(depth: number): Reader<Literal> {
  return remember(readersByDepth, depth, makeReader);
}

function makeReader(depth: number): Reader<Literal> {
  if (depth === 0)
    return (_value, place) =>
      place.report('InvalidValue', `a literal must be nested at most ${MAX_LITERAL_DEPTH} levels deep`);
  const inner: Reader<Literal> = (one, at) => literalWithin(depth - 1)(one, at);
  const notes = { hash: optional(text), metadata: optional(mapOf(text)) };
  const shape = {
    scalar: required(oneOf(scalarReaders(inner))),
    collection: required(fields({ literals: defaulting(list(inner), []) })),
    map: required(fields({ literals: defaulting(mapOf(inner, text), {}) })),
  };
  const readers = {
    scalar: fields({ ...notes, scalar: shape.scalar }),
    collection: fields({ ...notes, collection: shape.collection }),
    map: fields({ ...notes, map: shape.map }),
  };
  return (value, place) => {
    place.work.take(1, place);
    const kind = onlyKey(value, shape, place);
    return kind && (readers[kind](value, place) as Literal | undefined);
  };
}

function scalarReaders(inner: Reader<Literal>) {
  return {
    primitive: oneOf(primitiveReaders),
    blob: fields({
      uri: required(text),
      metadata: required(fields({ type: required(blobType) })),
    }),
    binary: fields({ value: required(base64), tag: defaulting(text, '') }),
    schema: fields({ uri: required(text), type: required(schemaType) }),
    noneType: fields({}),
    error: fields({
      failedNodeId: defaulting(text, ''),
      message: defaulting(text, ''),
    }),
    generic: jsonObject,
    structuredDataset: fields({
      uri: required(text),
      metadata: required(fields({ type: required(structuredDatasetType) })),
    }),
    union: fields({ value: required(inner), type: required(literalType) }),
  } satisfies Readers<Scalar>;
}

const base64: Reader<string> = (value, place) => {
  const read = text(value, place);
  if (read === undefined || isBase64(read)) return read;
  return place.report('InvalidValue', 'expected base64');
};

const primitiveReaders = {
  integer: normalised(normalInt64, 'expected a 64-bit integer in decimal digits'),
  floatValue: (value, place) => {
    const scalar = plainScalars.FLOAT(value, place);
    if (scalar === undefined || !('primitive' in scalar)) return undefined;
    return 'floatValue' in scalar.primitive ? scalar.primitive.floatValue : undefined;
  },
  stringValue: text,
  boolean,
  datetime: normalised(normalTimestamp, 'expected an RFC 3339 instant in the years 1 to 9999'),
  duration: normalised(normalDuration, 'expected an ISO 8601 duration such as PT90S'),
} satisfies Readers<Primitive>;

function normalised(normal: (text: string) => string | null, expected: string): Reader<string> {
  return (value, place) => {
    const read = text(value, place);
    if (read === undefined) return undefined;
    return normal(read) ?? place.report('InvalidValue', expected);
  };
}

/** For each kind of a one-of, the reader of the value under its key. */
type Readers<OneOf> = Record<OneOf extends unknown ? keyof OneOf : never, Reader<unknown>>;
