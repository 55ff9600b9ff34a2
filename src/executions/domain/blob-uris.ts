import type { Literal, LiteralMap } from '../../values/literals.ts';

/** Every uri that the values name: of blobs, schemas and structured datasets, however deep. */
export function urisIn(values: LiteralMap): string[] {
  const uris: string[] = [];
  const waiting: Literal[] = Object.values(values);
  // One by one: a call with a hundred thousand arguments overflows the stack.
  const wait = (literals: Iterable<Literal>) => {
    for (const literal of literals) waiting.push(literal);
  };
  for (let literal = waiting.pop(); literal; literal = waiting.pop()) {
    if ('collection' in literal) wait(literal.collection.literals);
    else if ('map' in literal) wait(Object.values(literal.map.literals));
    else if ('blob' in literal.scalar) uris.push(literal.scalar.blob.uri);
    else if ('schema' in literal.scalar) uris.push(literal.scalar.schema.uri);
    else if ('structuredDataset' in literal.scalar) uris.push(literal.scalar.structuredDataset.uri);
    else if ('union' in literal.scalar) waiting.push(literal.scalar.union.value);
  }
  return uris;
}
