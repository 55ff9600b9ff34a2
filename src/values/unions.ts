import { canonicalJson } from './canonical-json.ts';
import { isCastable } from './castable.ts';
import { isRecord } from './json.ts';
import { isNoneType, type LiteralType, type SimpleType, typeText, type UnionType } from './literal-types.ts';
import { type Literal, noneLiteral } from './literals.ts';
import type { Place } from './problem-list.ts';
import { remember } from './remember.ts';
import { isStructInBytes, primitiveType } from './scalar-types.ts';

/**
 * Finds the variant of a union for a value. The kind of the value is checked first: a text is tried only with types
 * that a text can have. A registered union has a limited number of variants, and each trial is a step of the input's
 * work. So the cost grows with the value, and not with the value times the type.
 */

/** The kind of a plain value, which is known before its type. */
type PlainKind = 'null' | 'boolean' | 'number' | 'text' | 'list' | 'object';

/** The kind of a literal's value. */
type LiteralKind = SimpleType | 'LIST' | 'MAP' | 'BLOB' | 'TABLE';

const plainKinds: Readonly<Record<SimpleType, readonly PlainKind[]>> = {
  NONE: ['null'],
  // 64 bits do not fit into a JSON number, and JSON cannot write numbers that are not finite.
  INTEGER: ['number', 'text'],
  FLOAT: ['number', 'text'],
  STRING: ['text'],
  BOOLEAN: ['boolean'],
  DATETIME: ['text'],
  DURATION: ['text'],
  BINARY: ['text'],
  ERROR: ['object'],
  STRUCT: ['object'],
};

function plainKindOf(value: unknown): PlainKind {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (['number', 'bigint'].includes(typeof value)) return 'number';
  if (Array.isArray(value)) return 'list';
  return isRecord(value) ? 'object' : 'text';
}

/** Null for the literal of a union, which names its variant. */
function literalKindOf(literal: Literal): LiteralKind | null {
  if ('collection' in literal) return 'LIST';
  if ('map' in literal) return 'MAP';
  const { scalar } = literal;
  if ('union' in scalar) return null;
  if ('primitive' in scalar) return primitiveType(scalar.primitive);
  if ('blob' in scalar) return 'BLOB';
  if ('schema' in scalar || 'structuredDataset' in scalar) return 'TABLE';
  if ('generic' in scalar) return 'STRUCT';
  if ('binary' in scalar) return isStructInBytes(scalar) ? 'STRUCT' : 'BINARY';
  return 'error' in scalar ? 'ERROR' : 'NONE';
}

function plainKindsOf(type: LiteralType): readonly PlainKind[] {
  if ('simple' in type) return plainKinds[type.simple];
  if ('collectionType' in type) return ['list'];
  if ('mapValueType' in type) return ['object'];
  return 'unionType' in type ? type.unionType.variants.flatMap(plainKindsOf) : ['text'];
}

function literalKindsOf(type: LiteralType): readonly LiteralKind[] {
  if ('simple' in type) return [type.simple];
  if ('collectionType' in type) return ['LIST'];
  if ('mapValueType' in type) return ['MAP'];
  if ('unionType' in type) return type.unionType.variants.flatMap(literalKindsOf);
  if ('enumType' in type) return ['STRING'];
  if ('blob' in type) return ['BLOB'];
  // NONE can also be an empty structured dataset.
  return 'structuredDatasetType' in type ? ['TABLE', 'NONE'] : ['TABLE'];
}

/** The variants of one union, by the kind of value that they accept. Enums are found by the value. */
class Variants {
  readonly #union: UnionType;
  readonly #byPlainKind: ReadonlyMap<PlainKind, readonly LiteralType[]>;
  readonly #byLiteralKind: ReadonlyMap<LiteralKind, readonly LiteralType[]>;
  readonly #byMember: ReadonlyMap<string, readonly LiteralType[]>;
  readonly #byText: ReadonlyMap<string, LiteralType>;

  constructor(union: UnionType) {
    const others = union.variants.filter((variant) => !('enumType' in variant));
    this.#union = union;
    this.#byPlainKind = listsByKey(others, plainKindsOf);
    this.#byLiteralKind = listsByKey(others, literalKindsOf);
    this.#byMember = listsByKey(union.variants, (type) => ('enumType' in type ? type.enumType.values : []));
    // If texts are equal, the first variant counts.
    this.#byText = new Map([...union.variants].reverse().map((type) => [canonicalJson(type), type]));
  }

  /** The variants that can accept the plain value. */
  forPlain(value: unknown): readonly LiteralType[] {
    const ofKind = this.#byPlainKind.get(plainKindOf(value)) ?? [];
    return typeof value === 'string' ? [...ofKind, ...(this.#byMember.get(value) ?? [])] : ofKind;
  }

  /** The variants that can accept the literal, or a list or map of bindings. */
  forLiteral(literal: Literal | 'LIST' | 'MAP'): readonly LiteralType[] {
    if (typeof literal === 'string') return this.#byLiteralKind.get(literal) ?? [];
    const kind = literalKindOf(literal);
    if (kind === null) return this.#union.variants;
    const ofKind = this.#byLiteralKind.get(kind) ?? [];
    const text = textOf(literal);
    return text === undefined ? ofKind : [...ofKind, ...(this.#byMember.get(text) ?? [])];
  }

  /** The variant with the same type, or else the first one that accepts it. */
  named(type: LiteralType, place: Place): LiteralType | undefined {
    const text = canonicalJson(type);
    const same = this.#byText.get(text);
    if (same) return same;
    place.work.take(this.#union.variants.length * stepsOf(text), place);
    return this.#union.variants.find((variant) => isCastable(type, variant));
  }
}

function listsByKey<K>(variants: readonly LiteralType[], keysOf: (type: LiteralType) => readonly K[]) {
  const lists = new Map<K, LiteralType[]>();
  for (const variant of variants) {
    for (const key of new Set(keysOf(variant))) lists.set(key, [...(lists.get(key) ?? []), variant]);
  }
  return lists;
}

function textOf(literal: Literal): string | undefined {
  if (!('scalar' in literal) || !('primitive' in literal.scalar)) return undefined;
  const { primitive } = literal.scalar;
  return 'stringValue' in primitive ? primitive.stringValue : undefined;
}

/** Types live as long as the objects that they were registered with, and each value of the type needs the variants. */
const known = new WeakMap<UnionType, Variants>();

export function variantsOf(union: UnionType): Variants {
  return remember(known, union, () => new Variants(union));
}

/**
 * Tries a value with variants of a union and returns the variant that accepts it. A variant with a union inside of it
 * also accepts the value if it fits several variants of that one.
 *
 * @param candidates  the variants that the kind of the value allows.
 * Problems: `IncompatibleBindingUnionValue` if none accepts it, `AmbiguousBindingUnionValue` if several do. The
 * problems with each single variant are not reported.
 */
export function onlyFittingVariant<T>(
  union: UnionType,
  candidates: readonly LiteralType[],
  place: Place,
  tryVariant: (variant: LiteralType, place: Place) => T | undefined,
): { variant: LiteralType; value: T } | undefined {
  let fitting: { variant: LiteralType; value: T | undefined } | undefined;
  for (const variant of candidates) {
    place.work.take(1, place);
    const trial = place.trial();
    const value = tryVariant(variant, trial);
    if (trial.problems.hasMismatches) continue;
    if (fitting)
      return place.report(
        'AmbiguousBindingUnionValue',
        `the value fits both ${typeText(fitting.variant)} and ${typeText(variant)} of ${typeText({ unionType: union })}`,
      );
    fitting = { variant, value };
  }
  if (fitting && fitting.value === undefined)
    return place.report(
      'AmbiguousBindingUnionValue',
      `the value fits ${typeText(fitting.variant)} of ${typeText({ unionType: union })} in several ways`,
    );
  if (fitting?.value !== undefined) return { variant: fitting.variant, value: fitting.value };
  const text = typeText({ unionType: union });
  return place.report('IncompatibleBindingUnionValue', `the value fits no variant of ${text}`);
}

const BYTES_PER_STEP = 32;
const stepsOf = (typeText: string) => Math.ceil(typeText.length / BYTES_PER_STEP);
const steps = new WeakMap<LiteralType, number>();

/** The value with its variant. The literal contains the whole type of the variant. */
export function unionLiteral(variant: LiteralType, value: Literal, place: Place): Literal {
  const taken = remember(steps, variant, () => stepsOf(JSON.stringify(variant)));
  place.work.take(taken, place);
  return { scalar: { union: { value, type: variant } } };
}

/** The value for nothing, in the form of an optional type; undefined if the type is not optional. */
export function absentValue(type: LiteralType, place: Place): Literal | undefined {
  const none = 'unionType' in type ? type.unionType.variants.find(isNoneType) : undefined;
  return none && unionLiteral(none, noneLiteral, place);
}
