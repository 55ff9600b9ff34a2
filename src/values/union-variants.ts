import { isNoneType, type LiteralType, typeText } from './literal-types.ts';
import { type Literal, noneLiteral } from './literals.ts';
import type { Place } from './problem-list.ts';

/**
 * Tries a value against each variant of a union and answers the one that takes it.
 *
 * Problems: `IncompatibleBindingUnionValue` when none does, `AmbiguousBindingUnionValue` when several do; what
 * stood against each single variant is not told.
 */
export function onlyFittingVariant<T>(
  variants: readonly LiteralType[],
  place: Place,
  tryVariant: (variant: LiteralType, place: Place) => T | undefined,
): { variant: LiteralType; value: T } | undefined {
  const fitting = variants.flatMap((variant) => {
    const value = tryVariant(variant, place.apart());
    return value === undefined ? [] : [{ variant, value }];
  });
  const [first, second] = fitting;
  const union = typeText({ unionType: { variants } });
  if (first === undefined) {
    return place.report('IncompatibleBindingUnionValue', `the value fits no variant of ${union}`);
  }
  if (second === undefined) return first;
  return place.report(
    'AmbiguousBindingUnionValue',
    `the value fits both ${typeText(first.variant)} and ${typeText(second.variant)} of ${union}`,
  );
}

export function unionLiteral(variant: LiteralType, value: Literal): Literal {
  return { scalar: { union: { value, type: variant } } };
}

/** The value that stands for nothing, in the form of an optional type; undefined for a type that is not optional. */
export function absentValue(type: LiteralType): Literal | undefined {
  const none = 'unionType' in type ? type.unionType.variants.find(isNoneType) : undefined;
  return none && unionLiteral(none, noneLiteral);
}
