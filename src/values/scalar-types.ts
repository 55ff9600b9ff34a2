import type { LiteralType, SimpleType } from './literal-types.ts';
import type { Primitive, Scalar } from './literals.ts';

/**
 * The type of a scalar without further information.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/utils.go`, LiteralTypeForLiteral.
 */
export function typeOfScalar(scalar: Scalar): LiteralType {
  if ('primitive' in scalar) return { simple: primitiveType(scalar.primitive) };
  if ('union' in scalar) return { unionType: { variants: [scalar.union.type] } };
  if ('blob' in scalar) return { blob: scalar.blob.metadata.type };
  if ('schema' in scalar) return { schema: scalar.schema.type };
  if ('structuredDataset' in scalar) {
    return { structuredDatasetType: scalar.structuredDataset.metadata.type };
  }
  if ('generic' in scalar) return { simple: 'STRUCT' };
  if ('binary' in scalar) return { simple: isStructInBytes(scalar) ? 'STRUCT' : 'BINARY' };
  return { simple: 'error' in scalar ? 'ERROR' : 'NONE' };
}

/** Whether the tag says how the bytes hold a struct. Flytekit writes dataclasses and dicts this way. */
export const isStructInBytes = ({ binary }: Extract<Scalar, { binary: object }>) => binary.tag !== '';

export function primitiveType(primitive: Primitive): SimpleType {
  if ('integer' in primitive) return 'INTEGER';
  if ('floatValue' in primitive) return 'FLOAT';
  if ('stringValue' in primitive) return 'STRING';
  if ('boolean' in primitive) return 'BOOLEAN';
  return 'datetime' in primitive ? 'DATETIME' : 'DURATION';
}
