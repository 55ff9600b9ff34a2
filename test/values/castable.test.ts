import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCastable } from '../../src/values/castable.ts';
import { checkLiteral } from '../../src/values/fit-literal.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { type LiteralType, simpleTypes } from '../../src/values/literal-types.ts';
import type { Scalar } from '../../src/values/literals.ts';
import { coerceToLiteral } from '../../src/values/plain-values.ts';
import { typeOfScalar } from '../../src/values/scalar-types.ts';
import { valueIn } from '../registry/outcomes.ts';
import { optionalType, typedPlain, unionlessType } from './arbitraries.ts';

const simple = (name: (typeof simpleTypes)[number]): LiteralType => ({ simple: name });
const [integer, float, string, none, struct] = (
  ['INTEGER', 'FLOAT', 'STRING', 'NONE', 'STRUCT'] as const
).map(simple) as [LiteralType, LiteralType, LiteralType, LiteralType, LiteralType];
const list = (collectionType: LiteralType): LiteralType => ({ collectionType });
const map = (mapValueType: LiteralType): LiteralType => ({ mapValueType });
const union = (...variants: LiteralType[]): LiteralType => ({ unionType: { variants } });
const enumOf = (...values: string[]): LiteralType => ({ enumType: { values } });
const tagged = (type: LiteralType, tag: string): LiteralType => ({ ...type, structure: { tag } });
const blob = (format: string, dimensionality: 'SINGLE' | 'MULTIPART' = 'SINGLE'): LiteralType => ({
  blob: { format, dimensionality },
});
type ColumnType = 'INTEGER' | 'STRING';
const schema = (columns: Record<string, ColumnType> = {}): LiteralType => ({
  schema: { columns: Object.entries(columns).map(([name, type]) => ({ name, type })) },
});
const dataset = (columns: Record<string, LiteralType> = {}, format = ''): LiteralType => ({
  structuredDatasetType: {
    columns: Object.entries(columns).map(([name, literalType]) => ({ name, literalType })),
    format,
  },
});
const withMetadata = (type: LiteralType, note: number): LiteralType => ({ ...type, metadata: { note } });
const arrayOf = (items?: JsonObject) =>
  structOf({ type: 'object', properties: { all: { type: 'array', ...(items ? { items } : {}) } } });
const structOf = (metadata: LiteralType['metadata']): LiteralType => ({ simple: 'STRUCT', metadata });
const person = {
  type: 'object',
  title: 'Person',
  properties: { name: { type: 'string' } },
  required: ['name'],
};
const employee = {
  type: 'object',
  title: 'Employee',
  properties: { name: { type: 'string' }, salary: { type: 'integer' } },
  required: ['name', 'salary'],
};

const table: [string, LiteralType, LiteralType, boolean][] = [
  ['integer is no float', integer, float, false],
  ['float is no integer', float, integer, false],
  ['none is no integer', none, integer, false],
  ['integer is no none', integer, none, false],
  ['an enum feeds a string', enumOf('a'), string, true],
  ['a string feeds an enum', string, enumOf('a'), true],
  ['an enum feeds no integer', enumOf('a'), integer, false],
  ['an integer feeds no enum', integer, enumOf('a'), false],
  ['an enum feeds an enum of the same values', enumOf('a', 'b'), enumOf('b', 'a'), true],
  ['an enum feeds an enum of more values', enumOf('a'), enumOf('a', 'b'), true],
  ['an enum feeds no enum of fewer values', enumOf('a', 'b'), enumOf('a'), false],
  ['a list of castable elements', list(enumOf('a')), list(string), true],
  ['a list of other elements', list(integer), list(string), false],
  ['an empty list feeds any list', list(none), list(list(integer)), true],
  ['a list of empty lists', list(list(none)), list(list(integer)), true],
  ['a list of another depth', list(integer), list(list(integer)), false],
  ['a list is no map', list(integer), map(integer), false],
  ['an empty list is no map', list(none), map(integer), false],
  ['none is no list', none, list(integer), false],
  ['none is no map', none, map(integer), false],
  ['a map of castable values', map(enumOf('a')), map(string), true],
  ['an empty map feeds any map', map(none), map(float), true],
  ['a map of another depth', map(map(integer)), map(integer), false],
  ['blobs of equal format', blob('csv'), blob('csv'), true],
  ['blobs of different format', blob('csv'), blob('png'), false],
  ['a blob of no format feeds one of a format', blob(''), blob('csv'), true],
  ['a blob of a format feeds one of none', blob('csv'), blob(''), true],
  ['blobs of different dimensionality', blob('', 'MULTIPART'), blob('', 'SINGLE'), false],
  ['none is no blob', none, blob(''), false],
  ['a schema of more columns', schema({ a: 'INTEGER', b: 'STRING' }), schema({ a: 'INTEGER' }), true],
  ['a schema of fewer columns', schema({ a: 'INTEGER' }), schema({ a: 'INTEGER', b: 'STRING' }), false],
  ['a schema of another type', schema({ a: 'STRING' }), schema({ a: 'INTEGER' }), false],
  ['any schema feeds one without columns', schema({ a: 'STRING' }), schema(), true],
  ['a schema without columns feeds any', schema(), schema({ a: 'STRING' }), true],
  ['none is no schema', none, schema(), false],
  ['a parquet dataset feeds a schema', dataset({ a: integer }, 'Parquet'), schema({ a: 'INTEGER' }), true],
  ['a dataset of no format feeds a schema', dataset({ a: integer }), schema({ a: 'INTEGER' }), true],
  ['a csv dataset feeds no schema', dataset({ a: integer }, 'csv'), schema({ a: 'INTEGER' }), false],
  ['a dataset of other columns feeds no schema', dataset({ a: string }), schema({ a: 'INTEGER' }), false],
  ['a dataset of more columns', dataset({ a: integer, b: string }), dataset({ a: integer }), true],
  ['a dataset of fewer columns', dataset({ a: integer }), dataset({ a: integer, b: string }), false],
  ['a dataset of castable columns', dataset({ a: enumOf('x') }), dataset({ a: string }), true],
  ['datasets whose formats differ in case', dataset({}, 'CSV'), dataset({}, 'csv'), true],
  ['datasets of different format', dataset({}, 'csv'), dataset({}, 'parquet'), false],
  ['a dataset of no format', dataset({}, ''), dataset({}, 'csv'), true],
  ['a dataset of a format feeds one of none', dataset({}, 'csv'), dataset({}, ''), true],
  ['an integer feeds no dataset', integer, dataset(), false],
  ['a schema feeds a parquet dataset', schema({ a: 'INTEGER' }), dataset({ a: integer }, 'PARQUET'), true],
  ['a schema feeds no csv dataset', schema({ a: 'INTEGER' }), dataset({ a: integer }, 'csv'), false],
  ['a schema of other columns feeds no dataset', schema({ a: 'INTEGER' }), dataset({ a: string }), false],
  ['none feeds a dataset', none, dataset({ a: integer }, 'csv'), true],
  ['a value feeds the one variant that takes it', integer, union(integer, string), true],
  ['a value that no variant takes', float, union(integer, string), false],
  ['a value that several variants take', string, union(string, enumOf('a')), false],
  ['a tag decides between variants', tagged(string, 's'), union(tagged(string, 's'), enumOf('a')), true],
  ['none feeds an optional', none, union(integer, none), true],
  ['a union whose variants all fit', union(integer, none), union(none, string, integer), true],
  ['a union with a variant that does not fit', union(integer, float), union(integer, none), false],
  ['a union with a variant that fits several', union(string), union(string, enumOf('a')), true],
  ['a union of one variant feeds its type', union(integer), integer, true],
  ['a union of one other variant', union(float), integer, false],
  ['a union of several variants feeds no plain type', union(integer, none), integer, false],
  ['lists of unions', list(union(integer)), list(union(integer, none)), true],
  ['a tagged type where no tag stands', tagged(integer, 'int'), integer, false],
  ['a tagged type where another tag stands', tagged(integer, 'int'), tagged(integer, 'long'), false],
  ['a tagged type where the same tag stands', tagged(integer, 'int'), tagged(integer, 'int'), true],
  ['an untagged type where a tag stands', integer, tagged(integer, 'int'), true],
  ['an integer with other metadata', withMetadata(integer, 1), withMetadata(integer, 2), true],
  ['structs without a JSON Schema', struct, struct, true],
  ['a struct with and one without', structOf(person), struct, true],
  ['a struct without and one with', struct, structOf(person), true],
  ['a struct of the same fields', structOf(person), structOf({ ...person, title: 'Someone' }), true],
  ['a struct of more fields', structOf(employee), structOf(person), true],
  ['a struct of fewer fields', structOf(person), structOf(employee), false],
  [
    'a struct whose field has another type',
    structOf({ ...person, properties: { name: { type: 'integer' } } }),
    structOf(person),
    false,
  ],
  [
    'a struct that does not require what is required',
    structOf({ ...person, required: [] }),
    structOf(person),
    false,
  ],
  ['structs that include each other inside lists', arrayOf(employee), arrayOf(person), true],
  ['structs that have too little inside lists', arrayOf(person), arrayOf(employee), false],
  ['a list of structs where the schema has no items', arrayOf(person), arrayOf(), false],
  ['a list without items where the schema has some', arrayOf(), arrayOf(person), false],
];

describe('isCastable', () => {
  it.each(table)('%s', (_what, upstream, downstream, expected) => {
    expect(isCastable(upstream, downstream)).toBe(expected);
  });

  it.each(simpleTypes.flatMap((from) => simpleTypes.map((to) => [from, to] as const)))(
    'is true from %s to %s only when they are the same',
    (from, to) => {
      expect(isCastable(simple(from), simple(to))).toBe(from === to);
    },
  );

  it('is reflexive', () => {
    fc.assert(fc.property(fc.oneof(unionlessType, optionalType), (type) => isCastable(type, type)));
  });

  it('is true from any type to its optional form, unless two variants accept it', () => {
    fc.assert(
      fc.property(unionlessType, (type) => {
        fc.pre(!isCastable(none, type));
        expect(isCastable(type, union(type, none))).toBe(true);
        expect(isCastable(union(type, none), type)).toBe(false);
      }),
    );
  });

  it('is false between collections of different depth', () => {
    fc.assert(
      fc.property(unionlessType, (type) => {
        fc.pre(!('collectionType' in type) && !isCastable(none, type));
        expect(isCastable(list(type), type)).toBe(false);
        expect(isCastable(type, list(type))).toBe(false);
      }),
    );
  });

  it('compares wide unions quickly', () => {
    const wide = union(...Array.from({ length: 999 }, (_, index) => tagged(integer, String(index))));
    expect(isCastable(list(wide), list(wide))).toBe(true);
  });
});

describe('typeOfScalar', () => {
  const scalarOf = (type: LiteralType, plain: unknown): Scalar | null => {
    const literal = valueIn(coerceToLiteral(type, plain, []));
    return 'scalar' in literal ? literal.scalar : null;
  };

  it('answers a type that is castable to the type of the value', () => {
    fc.assert(
      fc.property(typedPlain, ({ type, plain }) => {
        const scalar = scalarOf(type, plain);
        fc.pre(scalar !== null && !('unionType' in type));
        expect(scalar && isCastable(typeOfScalar(scalar), type)).toBe(true);
      }),
    );
  });

  it('agrees with checkLiteral', () => {
    fc.assert(
      fc.property(typedPlain, unionlessType, ({ type, plain }, target) => {
        fc.pre(!/unionType|enumType/.test(JSON.stringify([type, target])));
        const scalar = scalarOf(type, plain);
        fc.pre(scalar !== null);
        if (scalar)
          expect(checkLiteral(target, { scalar }, []).ok).toBe(isCastable(typeOfScalar(scalar), target));
      }),
    );
  });
});
