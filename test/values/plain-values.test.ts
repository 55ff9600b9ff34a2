import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLiteral } from '../../src/values/fit-literal.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { coerceToLiteral, toPlain } from '../../src/values/plain-values.ts';
import { literal as literalReader } from '../../src/values/read-literals.ts';
import { faultsOf, readBy, valueIn } from '../registry/outcomes.ts';
import { typedPlain } from './arbitraries.ts';

const integer: LiteralType = { simple: 'INTEGER' };
const string: LiteralType = { simple: 'STRING' };
const none: LiteralType = { simple: 'NONE' };
const table = { schema: { columns: [] } };
const union = (...variants: LiteralType[]): LiteralType => ({ unionType: { variants } });
const roundTrip = (type: LiteralType, plain: unknown) => toPlain(valueIn(coerceToLiteral(type, plain, [])));

describe('coerceToLiteral and toPlain', () => {
  it('convert any value back and forth, also through stored JSON', () => {
    fc.assert(
      fc.property(typedPlain, ({ type, plain }) => {
        const literal = valueIn(coerceToLiteral(type, plain, []));
        const stored: typeof literal = JSON.parse(JSON.stringify(literal));
        expect(toPlain(stored)).toEqual(plain);
        expect(valueIn(checkLiteral(type, stored, []))).toEqual(literal);
        expect(valueIn(readBy(literalReader, stored))).toEqual(literal);
      }),
    );
  });

  it.each([
    ['INTEGER', 2 ** 53 - 1, 2 ** 53 - 1],
    ['INTEGER', '9007199254740993', '9007199254740993'],
    ['INTEGER', '9223372036854775807', '9223372036854775807'],
    ['INTEGER', '-9223372036854775808', '-9223372036854775808'],
    ['INTEGER', '-0', 0],
    ['INTEGER', -0, 0],
    ['INTEGER', '007', 7],
    ['FLOAT', 3, 3],
    ['FLOAT', -0, 0],
    ['FLOAT', 'NaN', 'NaN'],
    ['FLOAT', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['DATETIME', '2024-02-29T23:59:59.5+14:00', '2024-02-29T09:59:59.500Z'],
    ['DATETIME', '2024-12-31t23:00:00-02:30', '2025-01-01T01:30:00Z'],
    ['DATETIME', '2024-01-02T23:59:00+23:59', '2024-01-02T00:00:00Z'],
    ['DATETIME', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['DATETIME', '9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
    ['DATETIME', '2024-01-01T00:00:00.123400Z', '2024-01-01T00:00:00.123400Z'],
    ['DURATION', 'P1DT2H', 'PT26H'],
    ['DURATION', 'PT90S', 'PT1M30S'],
    ['DURATION', '-PT0.5S', '-PT0.500S'],
    ['DURATION', 'P1W', 'PT168H'],
    ['DURATION', 'PT0S', 'PT0S'],
    ['DURATION', '-PT0S', 'PT0S'],
    ['DURATION', 'PT315576000000S', 'PT87660000H'],
    ['ERROR', { message: 'lost' }, { failedNodeId: '', message: 'lost' }],
    ['ERROR', { failedNodeId: 'train', message: 'lost' }, { failedNodeId: 'train', message: 'lost' }],
  ] as const)('reads %s %j as %j', (simple, plain, expected) => {
    expect(roundTrip({ simple }, plain)).toEqual(expected);
  });

  it.each([
    ['INTEGER', 1.5, 'MismatchingTypes'],
    ['INTEGER', 2 ** 53, 'InvalidValue'],
    ['INTEGER', '9223372036854775808', 'InvalidValue'],
    ['INTEGER', '-9223372036854775809', 'InvalidValue'],
    ['INTEGER', '1e3', 'MismatchingTypes'],
    ['INTEGER', '', 'MismatchingTypes'],
    ['INTEGER', true, 'MismatchingTypes'],
    ['INTEGER', undefined, 'ValueRequired'],
    ['FLOAT', '1.5', 'MismatchingTypes'],
    ['BOOLEAN', 'true', 'MismatchingTypes'],
    ['STRING', 1, 'MismatchingTypes'],
    ['STRING', 'a\0b', 'InvalidValue'],
    ['STRING', '\ud800', 'InvalidValue'],
    ['DATETIME', '2023-02-29T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '0001-01-01T00:00:00+01:00', 'InvalidValue'],
    ['DATETIME', '9999-12-31T23:59:59-00:01', 'InvalidValue'],
    ['DATETIME', '0000-06-01T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-01T24:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-01T00:60:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-01T00:00:60Z', 'InvalidValue'],
    ['DATETIME', '2024-01-01T00:00:00+24:00', 'InvalidValue'],
    ['DATETIME', '2024-01-01T00:00:00+00:60', 'InvalidValue'],
    ['DATETIME', '2024-00-10T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-13-10T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-00T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-99T00:00:00Z', 'InvalidValue'],
    ['DATETIME', '2024-01-01', 'InvalidValue'],
    ['DURATION', 'P1M', 'InvalidValue'],
    ['DURATION', 'P', 'InvalidValue'],
    ['DURATION', 'PT', 'InvalidValue'],
    ['DURATION', 'P1DT', 'InvalidValue'],
    ['DURATION', 'PT999999999999S', 'InvalidValue'],
    ['DURATION', 'PT315576000000.000000001S', 'InvalidValue'],
    ['BINARY', 'abc', 'InvalidValue'],
    ['STRUCT', [], 'MismatchingTypes'],
    ['STRUCT', null, 'MismatchingTypes'],
    ['NONE', 0, 'MismatchingTypes'],
  ] as const)('refuses %s %j: %s', (simple, plain, code) => {
    expect(faultsOf(coerceToLiteral({ simple }, plain, ['x']))).toEqual([`${code} x`]);
  });

  it('accepts integers of any size from JSON that kept their digits', () => {
    expect(roundTrip(integer, 9007199254740993n)).toBe('9007199254740993');
    expect(roundTrip({ simple: 'FLOAT' }, 2n ** 60n)).toBe(2 ** 60);
    expect(roundTrip({ simple: 'STRUCT' }, { even: 9007199254740994n })).toEqual({ even: 9007199254740994 });
    expect(faultsOf(coerceToLiteral(integer, 2n ** 63n, ['x']))).toEqual(['InvalidValue x']);
    expect(faultsOf(coerceToLiteral({ simple: 'STRUCT' }, { id: 9007199254740993n }, ['x']))).toEqual([
      'InvalidValue x',
    ]);
  });

  it('reports every problem of a list or map with its path', () => {
    const type: LiteralType = { mapValueType: { collectionType: integer } };
    expect(faultsOf(coerceToLiteral(type, { a: [1, 'x'], b: null, c: [[]] }, ['rows']))).toEqual([
      'MismatchingTypes rows.a.1',
      'MismatchingTypes rows.b',
      'MismatchingTypes rows.c.0',
    ]);
  });

  it('treats __proto__ as an ordinary map key', () => {
    const plain = JSON.parse('{"__proto__": 1, "constructor": 2, "": 3}');
    const back = roundTrip({ mapValueType: integer }, plain);
    expect(JSON.stringify(back)).toBe('{"__proto__":1,"constructor":2,"":3}');
  });

  it('accepts only the values of an enum', () => {
    const type: LiteralType = { enumType: { values: ['small', 'large'] } };
    expect(roundTrip(type, 'small')).toBe('small');
    expect(faultsOf(coerceToLiteral(type, 'toString', ['size']))).toEqual(['IllegalEnumValue size']);
    const outcome = coerceToLiteral(type, 'x'.repeat(101), []);
    expect(outcome.ok ? [] : outcome.problems).toMatchObject([
      { message: `expected enum(small, large), got ${'x'.repeat(100)}` },
    ]);
  });

  it('wraps a union value in the one variant that accepts it', () => {
    expect(valueIn(coerceToLiteral(union(string, none), null, []))).toEqual({
      scalar: { union: { value: { scalar: { noneType: {} } }, type: none } },
    });
    expect(valueIn(coerceToLiteral(union(integer, { simple: 'BOOLEAN' }), 1, []))).toEqual({
      scalar: { union: { value: { scalar: { primitive: { integer: '1' } } }, type: integer } },
    });
  });

  it('refuses a union value that fits no variant or several', () => {
    expect(faultsOf(coerceToLiteral(union(integer, none), 'x', ['u']))).toEqual([
      'IncompatibleBindingUnionValue u',
    ]);
    expect(faultsOf(coerceToLiteral(union(integer, { simple: 'FLOAT' }), 3, ['u']))).toEqual([
      'AmbiguousBindingUnionValue u',
    ]);
    expect(roundTrip(union(integer, { simple: 'FLOAT' }), 3.5)).toBe(3.5);
    // Inside of another union, too.
    const nested = union(union(integer, { simple: 'FLOAT' }), { simple: 'FLOAT' });
    expect(faultsOf(coerceToLiteral(nested, 3, ['u']))).toEqual(['AmbiguousBindingUnionValue u']);
    const alone = union(union(integer, { simple: 'FLOAT' }), string);
    expect(faultsOf(coerceToLiteral(alone, 3, ['u']))).toEqual(['AmbiguousBindingUnionValue u']);
    const lists = union(
      { collectionType: union(integer, { simple: 'FLOAT' }) },
      { collectionType: union(integer, string) },
    );
    expect(coerceToLiteral(lists, [3, 'x'], ['u']).ok).toBe(true);
  });

  it('accepts structs that are nested 64 deep, and not deeper', () => {
    const nested = (levels: number): object => (levels === 1 ? {} : { inner: nested(levels - 1) });
    expect(roundTrip({ simple: 'STRUCT' }, nested(64))).toEqual(nested(64));
    expect(faultsOf(coerceToLiteral({ simple: 'STRUCT' }, nested(65), ['x']))).toEqual(['InvalidValue x']);
  });

  it('reports at most a thousand problems', () => {
    const outcome = coerceToLiteral({ collectionType: integer }, Array(5000).fill('x'), []);
    expect(outcome.ok ? [] : outcome.problems).toHaveLength(1000);
  });
});

describe('checkLiteral', () => {
  const one = { scalar: { primitive: { integer: '1' } } };

  it('wraps, rewraps and unwraps unions as the type needs', () => {
    const tagged: LiteralType = { simple: 'INTEGER', structure: { tag: 'int' } };
    const wrapped = { scalar: { union: { value: one, type: tagged } } };
    expect(valueIn(checkLiteral(union(integer, none), one, []))).toEqual({
      scalar: { union: { value: one, type: integer } },
    });
    expect(valueIn(checkLiteral(union(none, tagged), wrapped, []))).toEqual(wrapped);
    expect(valueIn(checkLiteral(integer, wrapped, []))).toEqual(one);
    expect(faultsOf(checkLiteral(union(integer, none), wrapped, ['u']))).toEqual([
      'IncompatibleBindingUnionValue u',
    ]);
  });

  it('checks every element', () => {
    const list = { collection: { literals: [one, { scalar: { primitive: { stringValue: 'x' } } }] } };
    expect(faultsOf(checkLiteral({ collectionType: integer }, list, ['l']))).toEqual([
      'MismatchingTypes l.1',
    ]);
    expect(checkLiteral({ collectionType: union(integer, string) }, list, []).ok).toBe(true);
  });

  it.each<[string, LiteralType, Literal]>([
    ['a value of an enum', { enumType: { values: ['a'] } }, { scalar: { primitive: { stringValue: 'a' } } }],
    ['a schema', table, { scalar: { schema: { uri: 's3://x', type: table.schema } } }],
    [
      'a structured dataset, also where a schema is expected',
      table,
      { scalar: { structuredDataset: { uri: 's3://x', metadata: { type: { columns: [], format: '' } } } } },
    ],
    ['a map', { mapValueType: integer }, { map: { literals: { a: one } } }],
  ])('finds the variant of a union for %s', (_what, variant, literal) => {
    expect(valueIn(checkLiteral(union(integer, variant), literal, []))).toEqual({
      scalar: { union: { value: literal, type: variant } },
    });
  });

  it('checks that a string is a value of the enum', () => {
    const type: LiteralType = { enumType: { values: ['a'] } };
    const text = (stringValue: string) => ({ scalar: { primitive: { stringValue } } });
    expect(checkLiteral(type, text('a'), []).ok).toBe(true);
    expect(faultsOf(checkLiteral(type, text('b'), ['e']))).toEqual(['IllegalEnumValue e']);
  });
});

describe('the reader of literals', () => {
  it('normalizes integers, timestamps and durations', () => {
    const literals = [
      { scalar: { primitive: { integer: '0010' } }, hash: 'h' },
      { scalar: { primitive: { datetime: '2024-01-01T01:00:00+01:00' } } },
      { scalar: { primitive: { duration: 'P1D' } } },
    ];
    expect(valueIn(readBy(literalReader, { collection: { literals } }))).toEqual({
      collection: {
        literals: [
          { scalar: { primitive: { integer: '10' } }, hash: 'h' },
          { scalar: { primitive: { datetime: '2024-01-01T00:00:00Z' } } },
          { scalar: { primitive: { duration: 'PT24H' } } },
        ],
      },
    });
  });

  it.each([
    ['no value', {}, 'ValueRequired l'],
    ['an empty scalar', { scalar: {} }, 'ValueRequired l.scalar'],
    [
      'a number for an int64',
      { scalar: { primitive: { integer: 1 } } },
      'InvalidValue l.scalar.primitive.integer',
    ],
    ['two kinds', { scalar: { noneType: {} }, map: {} }, 'InvalidValue l'],
    ['an unknown field', { scalar: { noneType: {}, x: 1 } }, 'UnrecognizedValue l.scalar.x'],
    [
      'bytes that are not base64',
      { scalar: { binary: { value: 'x' } } },
      'InvalidValue l.scalar.binary.value',
    ],
  ])('refuses %s', (_what, input, fault) => {
    expect(faultsOf(readBy(literalReader, input, ['l']))).toEqual([fault]);
  });

  it('accepts literals that are nested 64 deep, and not deeper', () => {
    const nested = (levels: number) => {
      let literal: object = { scalar: { noneType: {} } };
      for (let level = 1; level < levels; level += 1) literal = { collection: { literals: [literal] } };
      return readBy(literalReader, literal).ok;
    };
    expect([64, 65, 5000].map(nested)).toEqual([true, false, false]);
  });
});
