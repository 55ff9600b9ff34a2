import { isRecord, type JsonValue, mapRecord } from './json.ts';
import { type EnumType, type LiteralType, typeText, type UnionType } from './literal-types.ts';
import type { Literal, Primitive, Scalar } from './literals.ts';
import { mismatch, plainScalars, textFromPlain } from './plain-scalars.ts';
import { type Outcome, outcomeOf, type Place } from './problem-list.ts';
import { mapOf, text } from './readers.ts';
import { remember } from './remember.ts';
import { absentValue, onlyFittingVariant, unionLiteral, variantsOf } from './unions.ts';

/**
 * Reads a plain value as a value of a type, so that callers can write `{ rows: 100 }` instead of a literal.
 *
 * INTEGER is a safe JSON integer, or a decimal string in the range of int64. FLOAT is a number, `"NaN"`, `"Infinity"`
 * or `"-Infinity"`. DATETIME is an RFC 3339 instant, which is stored in UTC. DURATION is ISO 8601, STRUCT an object,
 * BINARY base64, NONE null, a list an array, a map an object, an enum one of its values, and a blob, schema or
 * structured dataset its URI. A value of a union must fit exactly one variant; null always means the variant NONE. If
 * two variants accept the same JSON (INTEGER and FLOAT accept 3), only a literal can tell them apart.
 *
 * Problems: `MismatchingTypes`, `InvalidValue`, `IllegalEnumValue`, `ValueRequired`, `AmbiguousBindingUnionValue`,
 * `IncompatibleBindingUnionValue`. Each path begins with `path`. Source: Flyte v1.16, `flyteidl/core/literals.proto`.
 */
export function coerceToLiteral(type: LiteralType, json: unknown, path: readonly string[]): Outcome<Literal> {
  return outcomeOf(path, (place) => literalFromPlain(type, json, place));
}

/** The same as coerceToLiteral, for callers that collect problems. */
export function literalFromPlain(type: LiteralType, json: unknown, place: Place): Literal | undefined {
  place.work.take(1, place);
  if (json === undefined) return place.report('ValueRequired', `expected ${typeText(type)}, got nothing`);
  if ('collectionType' in type) return collectionFromPlain(type.collectionType, json, place);
  if ('mapValueType' in type) return mapFromPlain(type.mapValueType, json, place);
  if ('unionType' in type) return unionFromPlain(type.unionType, json, place);
  const scalar = scalarFromPlain(type, json, place);
  return scalar === undefined ? undefined : { scalar };
}

type ScalarType = Exclude<
  LiteralType,
  { collectionType: LiteralType } | { mapValueType: LiteralType } | { unionType: object }
>;

function scalarFromPlain(type: ScalarType, json: unknown, place: Place): Scalar | undefined {
  if ('simple' in type) return plainScalars[type.simple](json, place);
  // The text of a type takes long to make, so it is made only for messages.
  if (typeof json !== 'string') return mismatch(plainTextOf(type), json, place);
  if ('enumType' in type) return enumValue(type.enumType, json, place);
  const uri = textFromPlain('a URI', json, place);
  if (uri === undefined) return undefined;
  if (uri === '') return place.report('ValueRequired', 'expected a URI, got an empty text');
  if ('blob' in type) return { blob: { uri, metadata: { type: type.blob } } };
  if ('schema' in type) return { schema: { uri, type: type.schema } };
  return {
    structuredDataset: { uri, metadata: { type: type.structuredDatasetType } },
  };
}

function plainTextOf(type: ScalarType): string {
  return 'enumType' in type ? typeText(type) : `the URI of a ${typeText(type)}`;
}

const members = new WeakMap<EnumType, ReadonlySet<string>>();

export function enumValue(type: EnumType, value: string, place: Place): Scalar | undefined {
  const values = remember(members, type, () => new Set(type.values));
  if (values.has(value)) return { primitive: { stringValue: value } };
  const expected = typeText({ enumType: type });
  return place.report('IllegalEnumValue', `expected ${expected}, got ${value.slice(0, 100)}`);
}

function collectionFromPlain(element: LiteralType, json: unknown, place: Place): Literal | undefined {
  if (!Array.isArray(json)) return mismatch('list', json, place);
  const literals = json.map((one, index) => literalFromPlain(element, one, place.at(index)));
  return literals.every((literal) => literal !== undefined) ? { collection: { literals } } : undefined;
}

function mapFromPlain(value: LiteralType, json: unknown, place: Place): Literal | undefined {
  if (!isRecord(json)) return mismatch('map', json, place);
  const literals = mapOf((one, at) => literalFromPlain(value, one, at), text)(json, place);
  return literals && { map: { literals } };
}

function unionFromPlain(union: UnionType, json: unknown, place: Place): Literal | undefined {
  const absent = json === null ? absentValue({ unionType: union }, place) : undefined;
  if (absent !== undefined) return absent;
  const candidates = variantsOf(union).forPlain(json);
  const fitting = onlyFittingVariant(union, candidates, place, (variant, at) =>
    literalFromPlain(variant, json, at),
  );
  return fitting && unionLiteral(fitting.variant, fitting.value, place);
}

/**
 * The plain value of a literal, in the form that coerceToLiteral reads. An integer is a number if that is exact, and
 * otherwise a decimal string. Tags of binaries, types of blobs and hashes are lost, because plain values cannot express
 * them.
 */
export function toPlain(literal: Literal): JsonValue {
  if ('collection' in literal) return literal.collection.literals.map(toPlain);
  if ('map' in literal) return mapRecord(literal.map.literals, toPlain);
  const { scalar } = literal;
  if ('primitive' in scalar) return plainPrimitive(scalar.primitive);
  if ('union' in scalar) return toPlain(scalar.union.value);
  if ('generic' in scalar) return scalar.generic;
  if ('binary' in scalar) return scalar.binary.value;
  if ('blob' in scalar) return scalar.blob.uri;
  if ('schema' in scalar) return scalar.schema.uri;
  if ('structuredDataset' in scalar) return scalar.structuredDataset.uri;
  if ('error' in scalar) return { ...scalar.error };
  return null;
}

function plainPrimitive(primitive: Primitive): JsonValue {
  if ('integer' in primitive) {
    const number = Number(primitive.integer);
    return Number.isSafeInteger(number) ? number : primitive.integer;
  }
  if ('floatValue' in primitive) return primitive.floatValue;
  if ('boolean' in primitive) return primitive.boolean;
  if ('stringValue' in primitive) return primitive.stringValue;
  return 'datetime' in primitive ? primitive.datetime : primitive.duration;
}
