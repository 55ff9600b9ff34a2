import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typeText } from '../../src/values/literal-types.ts';
import {
  literalType,
  MAX_TYPE_DEPTH,
  MAX_TYPE_PARTS,
  typedInterface,
} from '../../src/values/read-literal-types.ts';
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
    const nested = (levels: number): object =>
      levels === 1 ? { simple: 'INTEGER' } : { collectionType: nested(levels - 1) };
    expect(readBy(literalType, nested(MAX_TYPE_DEPTH)).ok).toBe(true);
    expect(readBy(literalType, nested(MAX_TYPE_DEPTH + 1)).ok).toBe(false);
    expect(readBy(literalType, nested(10_000)).ok).toBe(false);

    const column = (index: number) => ({ name: String(index), literalType: { simple: 'NONE' } });
    const wide = (parts: number) => ({
      structuredDatasetType: { columns: Array.from({ length: parts - 1 }, (_, index) => column(index)) },
    });
    expect(readBy(literalType, wide(MAX_TYPE_PARTS)).ok).toBe(true);
    expect(readBy(literalType, wide(MAX_TYPE_PARTS + 1)).ok).toBe(false);
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
  it('writes types in a readable form, and cuts long ones', () => {
    expect(
      typeText({ collectionType: { unionType: { variants: [{ simple: 'STRING' }, { simple: 'NONE' }] } } }),
    ).toBe('list<union<string, none>>');
    expect(typeText({ enumType: { values: ['x'.repeat(500)] } }).length).toBeLessThan(210);
  });
});
