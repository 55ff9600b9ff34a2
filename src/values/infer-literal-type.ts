import { canonicalJson } from './canonical-json.ts';
import { isCastable } from './castable.ts';
import type { LiteralType, SimpleType } from './literal-types.ts';
import type { Literal, Primitive, Scalar } from './literals.ts';

/**
 * The type that a literal has by itself.
 *
 * An empty list or map has elements of NONE; equal elements give that type; mixed ones a union of the distinct
 * types, in the order of their canonical JSON. A type that another one includes adds no variant: an empty list
 * among lists of integers says nothing new.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/utils.go`, LiteralTypeForLiteral.
 */
export function inferLiteralType(literal: Literal): LiteralType {
  if ('scalar' in literal) return scalarType(literal.scalar);
  if ('collection' in literal) return { collectionType: elementType(literal.collection.literals) };
  return { mapValueType: elementType(Object.values(literal.map.literals)) };
}

function elementType(literals: readonly Literal[]): LiteralType {
  const distinct = new Map<string, LiteralType>();
  for (const literal of literals) {
    const type = inferLiteralType(literal);
    distinct.set(canonicalJson(type), type);
  }
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, type]) => type);
  const variants = sorted.length <= MAX_COMPARED ? withoutSubsumed(sorted) : sorted;
  const [only] = variants;
  if (only === undefined) return { simple: 'NONE' };
  return variants.length === 1 ? only : { unionType: { variants } };
}

/** More types than this are not compared with each other: what they are is told by their union anyway. */
const MAX_COMPARED = 50;

function withoutSubsumed(types: readonly LiteralType[]): LiteralType[] {
  return types.filter((type) => !types.some((other) => isCastable(type, other) && !isCastable(other, type)));
}

function scalarType(scalar: Scalar): LiteralType {
  if ('primitive' in scalar) return { simple: primitiveType(scalar.primitive) };
  if ('union' in scalar) return { unionType: { variants: [scalar.union.type] } };
  if ('blob' in scalar) return { blob: scalar.blob.metadata.type };
  if ('schema' in scalar) return { schema: scalar.schema.type };
  if ('structuredDataset' in scalar) {
    return { structuredDatasetType: scalar.structuredDataset.metadata.type };
  }
  if ('generic' in scalar) return { simple: 'STRUCT' };
  if ('binary' in scalar) return { simple: 'BINARY' };
  return { simple: 'error' in scalar ? 'ERROR' : 'NONE' };
}

function primitiveType(primitive: Primitive): SimpleType {
  if ('integer' in primitive) return 'INTEGER';
  if ('floatValue' in primitive) return 'FLOAT';
  if ('stringValue' in primitive) return 'STRING';
  if ('boolean' in primitive) return 'BOOLEAN';
  return 'datetime' in primitive ? 'DATETIME' : 'DURATION';
}
