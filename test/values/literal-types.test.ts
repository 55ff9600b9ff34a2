import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typeOfJsonSchema } from '../../src/values/json-schema-types.ts';
import { type LiteralType, typeText } from '../../src/values/literal-types.ts';
import { literalType, typedInterface } from '../../src/values/read-literal-types.ts';
import { integer, nestsWithin, nonEmptyText } from '../../src/values/readers.ts';
import { faultsOf, readBy, valueIn } from '../registry/outcomes.ts';
import { optionalType, unionlessType } from './arbitraries.ts';

const faults = (input: unknown) => faultsOf(readBy(literalType, input, ['type']));

describe('the reader of literal types', () => {
  it('answers any valid type unchanged', () => {
    fc.assert(
      fc.property(fc.oneof(unionlessType, optionalType), (type) => {
        expect(valueIn(readBy(literalType, type))).toEqual(type);
      }),
    );
  });

  it('treats null as absent, and fills in the defaults of protobuf', () => {
    const input = { blob: {}, simple: null, metadata: null, structure: { tag: 'file' } };
    expect(valueIn(readBy(literalType, input))).toEqual({
      blob: { format: '', dimensionality: 'SINGLE' },
      structure: { tag: 'file' },
    });
  });

  it.each([
    ['no kind', {}, ['ValueRequired type']],
    ['two kinds', { simple: 'INTEGER', blob: {} }, ['InvalidValue type']],
    ['an unknown simple type', { simple: 'NUMBER' }, ['InvalidValue type.simple']],
    ['an unknown field', { simple: 'INTEGER', sort: 1 }, ['UnrecognizedValue type.sort']],
    ['no object', 'INTEGER', ['InvalidValue type']],
    ['an enum without values', { enumType: { values: [] } }, ['InvalidValue type.enumType.values']],
    ['a value twice', { enumType: { values: ['a', 'a'] } }, ['InvalidValue type.enumType.values.1']],
    ['a union without variants', { unionType: { variants: [] } }, ['InvalidValue type.unionType.variants']],
    [
      'a fault far inside',
      { collectionType: { mapValueType: { simple: 'X' } } },
      ['InvalidValue type.collectionType.mapValueType.simple'],
    ],
    [
      'all faults of a schema',
      {
        schema: {
          columns: [
            { name: '', type: 'INTEGER' },
            { name: 'a', type: 'STRUCT' },
          ],
        },
      },
      ['MissingField type.schema.columns.0.name', 'InvalidValue type.schema.columns.1.type'],
    ],
    [
      'a name over 255 characters',
      { enumType: { values: ['x'.repeat(256)] } },
      ['InvalidValue type.enumType.values.0'],
    ],
    ['text that jsonb cannot hold', { blob: { format: 'a\0' } }, ['InvalidValue type.blob.format']],
  ])('refuses %s', (_what, input, expected) => {
    expect(faults(input)).toEqual(expected);
  });

  it('limits nesting and size', () => {
    const nested = (levels: number) =>
      Array.from({ length: levels - 1 }).reduce<object>((inner) => ({ collectionType: inner }), {
        simple: 'INTEGER',
      });
    expect([32, 33, 10_000].map((levels) => readBy(literalType, nested(levels)).ok)).toEqual([
      true,
      false,
      false,
    ]);

    const column = (index: number) => ({ name: String(index), literalType: { simple: 'NONE' } });
    const wide = (parts: number) => ({
      structuredDatasetType: { columns: Array.from({ length: parts - 1 }, (_, index) => column(index)) },
    });
    const dataclass = (parts: number) => ({
      simple: 'STRUCT',
      structure: {
        dataclassType: Object.fromEntries(
          Array.from({ length: parts - 1 }, (_, index) => [`f${index}`, { simple: 'NONE' }]),
        ),
      },
    });
    for (const sized of [wide, dataclass])
      expect([1000, 1001].map((parts) => readBy(literalType, sized(parts)).ok)).toEqual([true, false]);
    const named = (length: number) => ({ enumType: { values: ['x'.repeat(length)] } });
    expect([255, 256].map((length) => readBy(literalType, named(length)).ok)).toEqual([true, false]);
  });
});

describe('the reader of interfaces', () => {
  it('keeps variables with the names of prototype members', () => {
    const input = JSON.parse(
      '{"inputs": {"__proto__": {"type": {"simple": "INTEGER"}}, "toString": {"type": {"simple": "NONE"}}}}',
    );
    const { inputs, outputs } = valueIn(readBy(typedInterface, input));
    expect(Object.keys(inputs).sort()).toEqual(['__proto__', 'toString']);
    expect(outputs).toEqual({});
  });

  it('reports all problems together', () => {
    const input = { inputs: { a: {}, b: { type: { simple: 'X' } } }, outputs: { c: { type: {} } } };
    expect(faultsOf(readBy(typedInterface, input, ['interface']))).toEqual([
      'MissingField interface.inputs.a.type',
      'InvalidValue interface.inputs.b.type.simple',
      'ValueRequired interface.outputs.c.type',
    ]);
  });
});

describe('typeText', () => {
  it.each<[string, LiteralType]>([
    [
      'list<union<string, none>>',
      { collectionType: { unionType: { variants: [{ simple: 'STRING' }, { simple: 'NONE' }] } } },
    ],
    ['map<float>', { mapValueType: { simple: 'FLOAT' } }],
    ['enum(small, large)', { enumType: { values: ['small', 'large'] } }],
    ['single blob(csv)', { blob: { format: 'csv', dimensionality: 'SINGLE' } }],
    ['multipart blob(any)', { blob: { format: '', dimensionality: 'MULTIPART' } }],
    ['structured dataset(parquet)', { structuredDatasetType: { columns: [], format: 'parquet' } }],
    ['structured dataset(any)', { structuredDatasetType: { columns: [], format: '' } }],
  ])('writes %s', (text, type) => {
    expect(typeText(type)).toBe(text);
  });

  it('cuts texts of more than 200 characters', () => {
    const text = (length: number) =>
      typeText({ enumType: { values: ['x'.repeat(length - 'enum()'.length)] } });
    expect(text(200)).toMatch(/^enum\(x{194}\)$/);
    expect(text(201)).toMatch(/^enum\(x{195}…$/);
  });
});

describe('typeOfJsonSchema', () => {
  const inner = { type: 'object', properties: { rows: { type: 'integer' } } };
  const reference = { $ref: '#/definitions/rows' };
  it.each<[string, object, LiteralType | undefined]>([
    ['an object', inner, { simple: 'STRUCT', metadata: inner as LiteralType['metadata'] }],
    ['a list', { type: 'array', items: { type: 'number' } }, { collectionType: { simple: 'FLOAT' } }],
    ['a list of anything', { type: 'array' }, undefined],
    ['a text with a format', { type: 'string', format: 'date' }, undefined],
    ['a reference', reference, undefined],
    ['an object that is a reference', { ...inner, ...reference }, undefined],
    [
      'an object with a reference inside',
      { type: 'object', properties: { all: { items: [reference] } } },
      undefined,
    ],
  ])('finds the type of %s, if there is one', (_what, schema, type) => {
    expect(typeOfJsonSchema(schema)).toEqual(type);
  });
});

describe('nestsWithin', () => {
  it.each([
    ['text', 0, true],
    [null, 0, true],
    [{}, 0, false],
    [{}, 1, true],
    [{ a: [1] }, 1, false],
    [{ a: [1] }, 2, true],
  ])('of %j in %i levels is %s', (value, levels, expected) => {
    expect(nestsWithin(value, levels)).toBe(expected);
  });
});

describe('integer', () => {
  it.each([
    [0, false],
    [1, true],
    [3, true],
    [4, false],
    [1.5, false],
    ['2', false],
  ])('from 1 to 3 reads %j: %s', (value, isOne) => {
    expect(readBy(integer(1, 3), value).ok).toBe(isOne);
  });
});

describe('nonEmptyText', () => {
  it('names the text that is missing', () => {
    const outcome = readBy(nonEmptyText, '', ['container', 'image']);
    expect(outcome.ok ? [] : outcome.problems).toMatchObject([{ message: 'missing image' }]);
  });
});
