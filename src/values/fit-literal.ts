import { isCastable } from './castable.ts';
import { type EnumType, type LiteralType, typeText, type UnionType } from './literal-types.ts';
import { isNoneLiteral, type Literal } from './literals.ts';
import { enumValue } from './plain-values.ts';
import { type Outcome, outcomeOf, type Place } from './problem-list.ts';
import { typeOfScalar } from './scalar-types.ts';
import { absentValue, onlyFittingVariant, unionLiteral, variantsOf } from './unions.ts';

/**
 * Checks a literal with a type and returns it in the form of the type: with a wrapper if the type is a union, without
 * it otherwise. The literal of a union must fit the variant that it names; any other literal must fit exactly one
 * variant.
 *
 * Problems: `MismatchingTypes`, `IllegalEnumValue`, `AmbiguousBindingUnionValue`, `IncompatibleBindingUnionValue`.
 * Source: the rules are from Flyte v1.16, `flytepropeller/pkg/compiler/validators/bindings.go`. The check of enum
 * values is our addition.
 */
export function checkLiteral(type: LiteralType, literal: Literal, path: readonly string[]): Outcome<Literal> {
  return outcomeOf(path, (place) => fitLiteral(type, literal, place));
}

/** The same as checkLiteral, for callers that collect problems. */
export function fitLiteral(type: LiteralType, literal: Literal, place: Place): Literal | undefined {
  place.work.take(1, place);
  if ('unionType' in type) return fitUnion(type.unionType, literal, place);
  if ('scalar' in literal && 'union' in literal.scalar) {
    return fitLiteral(type, literal.scalar.union.value, place);
  }
  if ('collectionType' in type && 'collection' in literal) {
    return fitCollection(type.collectionType, literal, place);
  }
  if ('mapValueType' in type && 'map' in literal) return fitMap(type.mapValueType, literal, place);
  if (!('scalar' in literal)) return mismatch(type, 'map' in literal ? 'map' : 'list', place);
  const actual = typeOfScalar(literal.scalar);
  if (!isCastable(actual, type)) return mismatch(type, typeText(actual), place);
  return 'enumType' in type ? fitEnum(type.enumType, literal, place) : literal;
}

function mismatch(type: LiteralType, actual: string, place: Place): undefined {
  return place.report('MismatchingTypes', `expected ${typeText(type)}, got ${actual}`);
}

function fitEnum(type: EnumType, literal: Literal, place: Place): Literal | undefined {
  if (!('scalar' in literal) || !('primitive' in literal.scalar)) return undefined;
  const { primitive } = literal.scalar;
  const isMember = 'stringValue' in primitive && enumValue(type, primitive.stringValue, place) !== undefined;
  return isMember ? literal : undefined;
}

function fitCollection(
  element: LiteralType,
  literal: Extract<Literal, { collection: object }>,
  place: Place,
): Literal | undefined {
  const literals = literal.collection.literals.map((one, index) => fitLiteral(element, one, place.at(index)));
  if (!literals.every((one) => one !== undefined)) return undefined;
  return { ...literal, collection: { literals } };
}

function fitMap(
  value: LiteralType,
  literal: Extract<Literal, { map: object }>,
  place: Place,
): Literal | undefined {
  const entries = Object.entries(literal.map.literals).flatMap(([key, one]) => {
    const fitted = fitLiteral(value, one, place.at(key));
    return fitted === undefined ? [] : [[key, fitted] as const];
  });
  if (entries.length < Object.keys(literal.map.literals).length) return undefined;
  return { ...literal, map: { literals: Object.fromEntries(entries) } };
}

function fitUnion(union: UnionType, literal: Literal, place: Place): Literal | undefined {
  if ('scalar' in literal && 'union' in literal.scalar) {
    const named = literal.scalar.union.type;
    const variant = variantsOf(union).named(named, place);
    if (variant === undefined) {
      return place.report('IncompatibleBindingUnionValue', `the union has no variant ${typeText(named)}`);
    }
    const value = fitLiteral(variant, literal.scalar.union.value, place);
    return value === undefined ? undefined : { ...literal, ...unionLiteral(variant, value, place) };
  }
  const absent = isNoneLiteral(literal) ? absentValue({ unionType: union }, place) : undefined;
  if (absent !== undefined) return absent;
  const candidates = variantsOf(union).forLiteral(literal);
  const fitting = onlyFittingVariant(union, candidates, place, (variant, at) =>
    fitLiteral(variant, literal, at),
  );
  return fitting && unionLiteral(fitting.variant, fitting.value, place);
}
