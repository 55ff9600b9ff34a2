import type { Literal, LiteralMap } from '../../registry/domain/literals.ts';

/** Every uri that the values name: of blobs, schemas and structured datasets, however deep. */
export function urisIn(values: LiteralMap): string[] {
  const uris: string[] = [];
  const waiting: Literal[] = Object.values(values);
  for (let literal = waiting.pop(); literal; literal = waiting.pop()) {
    if ('collection' in literal) waiting.push(...literal.collection.literals);
    else if ('map' in literal) waiting.push(...Object.values(literal.map.literals));
    else if ('blob' in literal.scalar) uris.push(literal.scalar.blob.uri);
    else if ('schema' in literal.scalar) uris.push(literal.scalar.schema.uri);
    else if ('structuredDataset' in literal.scalar) uris.push(literal.scalar.structuredDataset.uri);
    else if ('union' in literal.scalar) waiting.push(literal.scalar.union.value);
  }
  return uris;
}
