import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import type { LiteralType } from './literal-types.ts';
import type { Literal } from './literals.ts';
import { typeOfScalar } from './scalar-types.ts';

/**
 * The type of a literal without further information: an empty list is a list of NONE, and items of different types are
 * a union of their types.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/utils.go`, LiteralTypeForLiteral.
 */
export function typeOfLiteral(literal: Literal): LiteralType {
  if ('collection' in literal)
    return { collectionType: commonType(literal.collection.literals.map(typeOfLiteral)) };
  if ('map' in literal)
    return { mapValueType: commonType(Object.values(literal.map.literals).map(typeOfLiteral)) };
  return typeOfScalar(literal.scalar);
}

/** The type of all these: NONE for none, a union if they differ. */
export function commonType(types: readonly LiteralType[]): LiteralType {
  const distinct = new Map(types.map((type) => [canonicalJson(type), type]));
  const [first, ...others] = distinct.values();
  if (first === undefined) return { simple: 'NONE' };
  return others.length === 0 ? first : { unionType: { variants: [...distinct.values()] } };
}

/** The type of a plain value that has one by itself: a text, a number, true, false or null. */
export function typeOfPlain(value: JsonValue): LiteralType | undefined {
  if (typeof value === 'string') return { simple: 'STRING' };
  if (typeof value === 'boolean') return { simple: 'BOOLEAN' };
  if (typeof value === 'number') return { simple: Number.isInteger(value) ? 'INTEGER' : 'FLOAT' };
  return value === null ? { simple: 'NONE' } : undefined;
}
