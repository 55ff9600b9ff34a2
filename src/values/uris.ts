import { mapRecord } from './json.ts';
import type { Literal, LiteralMap, Scalar } from './literals.ts';

/** All URIs in some values: of blobs, schemas and structured datasets, at any depth. */
export function urisIn(values: LiteralMap): string[] {
  return scalarsIn(Object.values(values)).flatMap((scalar) => {
    if ('blob' in scalar) return [scalar.blob.uri];
    if ('schema' in scalar) return [scalar.schema.uri];
    return 'structuredDataset' in scalar ? [scalar.structuredDataset.uri] : [];
  });
}

/** The URIs of the blobs in a value. */
export function blobUrisIn(value: Literal): string[] {
  return scalarsIn([value]).flatMap((scalar) => ('blob' in scalar ? [scalar.blob.uri] : []));
}

/** In their order. Recursion is safe, because literals are nested at most 64 levels deep. */
function scalarsIn(literals: Iterable<Literal>, found: Scalar[] = []): Scalar[] {
  for (const literal of literals) {
    if ('collection' in literal) scalarsIn(literal.collection.literals, found);
    else if ('map' in literal) scalarsIn(Object.values(literal.map.literals), found);
    else if ('union' in literal.scalar) scalarsIn([literal.scalar.union.value], found);
    else found.push(literal.scalar);
  }
  return found;
}

/** The value with the URI of each blob changed. */
export function withBlobUris(value: Literal, change: (uri: string) => string): Literal {
  const inner = (literal: Literal) => withBlobUris(literal, change);
  if ('collection' in value)
    return { ...value, collection: { literals: value.collection.literals.map(inner) } };
  if ('map' in value) return { ...value, map: { literals: mapRecord(value.map.literals, inner) } };
  const { scalar } = value;
  if ('union' in scalar) {
    return { ...value, scalar: { union: { ...scalar.union, value: inner(scalar.union.value) } } };
  }
  return 'blob' in scalar
    ? { ...value, scalar: { blob: { ...scalar.blob, uri: change(scalar.blob.uri) } } }
    : value;
}
