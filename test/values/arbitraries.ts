import fc from 'fast-check';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { literalFromPlain } from '../../src/values/plain-values.ts';
import { Place } from '../../src/values/problem-list.ts';

/** A type with a plain value in its normal form, which does not change when it is read and written. */
export interface TypedPlain {
  readonly type: LiteralType;
  readonly plain: unknown;
}

/** Names that have caused problems in programs before. */
export const anyName = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => !name.includes('\0')),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '0', 'é', '𝒳'),
);

const text = fc
  .string({ unit: 'grapheme' })
  .filter((value) => !value.includes('\0') && !/\p{Surrogate}/u.test(value));

const leafTypes = [
  fc.constantFrom<LiteralType>(
    { simple: 'INTEGER' },
    { simple: 'FLOAT' },
    { simple: 'STRING' },
    { simple: 'BOOLEAN' },
    { simple: 'NONE' },
    { simple: 'STRUCT' },
    { simple: 'BINARY' },
    { blob: { format: 'csv', dimensionality: 'SINGLE' } },
    { schema: { columns: [{ name: 'age', type: 'INTEGER' }] } },
    { structuredDatasetType: { columns: [], format: 'parquet' } },
  ),
  fc
    .uniqueArray(anyName, { minLength: 1, maxLength: 4 })
    .map((values): LiteralType => ({ enumType: { values } })),
];

/** Any type without unions, with lists and maps that are nested a few levels deep. */
export const unionlessType: fc.Arbitrary<LiteralType> = fc.letrec<{ type: LiteralType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...leafTypes,
    tie('type').map((collectionType): LiteralType => ({ collectionType })),
    tie('type').map((mapValueType): LiteralType => ({ mapValueType })),
  ),
})).type;

export const optionalType = unionlessType
  .filter((type) => !('simple' in type && type.simple === 'NONE'))
  .map((type): LiteralType => ({ unionType: { variants: [type, { simple: 'NONE' }] } }));

export function plainOf(type: LiteralType): fc.Arbitrary<unknown> {
  if ('collectionType' in type) return fc.array(plainOf(type.collectionType), { maxLength: 4 });
  if ('mapValueType' in type) {
    return fc
      .array(fc.tuple(anyName, plainOf(type.mapValueType)), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries));
  }
  if ('enumType' in type) return fc.constantFrom(...type.enumType.values);
  if ('unionType' in type) return fc.oneof(...type.unionType.variants.map(plainOf));
  if (!('simple' in type)) return text.map((key) => `s3://bucket/${key}`);
  switch (type.simple) {
    case 'INTEGER':
      return fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)));
    case 'FLOAT':
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
        fc.constantFrom('NaN', 'Infinity', '-Infinity'),
      );
    case 'STRING':
      return text;
    case 'BOOLEAN':
      return fc.boolean();
    case 'STRUCT':
      return fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)));
    case 'BINARY':
      return fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64'));
    default:
      return fc.constant(null);
  }
}

export const typedPlain: fc.Arbitrary<TypedPlain> = fc
  .oneof(unionlessType, optionalType)
  .chain((type) => plainOf(type).map((plain) => ({ type, plain })));

/** Any type, also with unions, unions in unions, and unions of types that accept the same plain values. */
export const typeWithUnions: fc.Arbitrary<LiteralType> = fc.letrec<{ type: LiteralType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...leafTypes,
    tie('type').map((collectionType): LiteralType => ({ collectionType })),
    tie('type').map((mapValueType): LiteralType => ({ mapValueType })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 4 })
      .map((variants): LiteralType => ({ unionType: { variants } })),
  ),
})).type;

/** A literal that fits the type and whose plain form says everything but the variants of unions. */
export const plainLiteralOf = (type: LiteralType): fc.Arbitrary<Literal> =>
  literalWith(type, fc.constant({}));

/** Any literal that fits the type, also with a hash or metadata. */
export const literalOf = (type: LiteralType): fc.Arbitrary<Literal> =>
  literalWith(
    type,
    fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.record({ hash: text }) },
      { weight: 1, arbitrary: fc.record({ metadata: fc.record({ origin: text }) }) },
    ),
  );

function literalWith(type: LiteralType, notes: fc.Arbitrary<object>): fc.Arbitrary<Literal> {
  const noted = (value: fc.Arbitrary<Literal>) =>
    fc.tuple(notes, value).map(([note, literal]): Literal => ({ ...note, ...literal }));
  if ('collectionType' in type)
    return noted(
      fc
        .array(literalWith(type.collectionType, notes), { maxLength: 4 })
        .map((literals) => ({ collection: { literals } })),
    );
  if ('mapValueType' in type)
    return noted(
      fc
        .array(fc.tuple(anyName, literalWith(type.mapValueType, notes)), { maxLength: 4 })
        .map((entries) => ({ map: { literals: Object.fromEntries(entries) } })),
    );
  if ('unionType' in type)
    return noted(
      fc
        .constantFrom(...type.unionType.variants)
        .chain((variant) =>
          literalWith(variant, notes).map((value) => ({ scalar: { union: { value, type: variant } } })),
        ),
    );
  return noted(
    plainOf(type).map((plain) => {
      const literal = literalFromPlain(type, plain, new Place([]));
      if (!literal) throw new Error(`no literal of ${JSON.stringify({ type, plain })}`);
      return literal;
    }),
  );
}
