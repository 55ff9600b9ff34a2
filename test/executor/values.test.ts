import { describe, expect, it } from 'vitest';
import type { LiteralType, SimpleType } from '../../src/executor/host/runtime.ts';
import {
  jsonOf,
  LocalFile,
  ValueError,
  valueFromJson,
  valueFromText,
} from '../../src/executor/host/values.ts';

const simple = (type: SimpleType): LiteralType => ({ simple: type });
const listOf = (type: LiteralType): LiteralType => ({ collectionType: type });
const optional = (...variants: LiteralType[]): LiteralType => ({
  unionType: { variants: [...variants, simple('NONE')] },
});

describe('valueFromText', () => {
  it.each<[LiteralType, string, unknown]>([
    [simple('INTEGER'), '42\n', 42],
    [simple('INTEGER'), '-7', -7],
    [simple('INTEGER'), '+7', 7],
    [simple('INTEGER'), '9007199254740991', 9007199254740991],
    [simple('INTEGER'), '9007199254740993', '9007199254740993'],
    [simple('INTEGER'), '9223372036854775807', '9223372036854775807'],
    [simple('INTEGER'), '-9223372036854775808', '-9223372036854775808'],
    [simple('FLOAT'), '0.25\n', 0.25],
    [simple('FLOAT'), '1e-3', 0.001],
    [simple('FLOAT'), '3', 3],
    [simple('FLOAT'), 'nan', 'NaN'],
    [simple('FLOAT'), 'Infinity', 'Infinity'],
    [simple('FLOAT'), '-inf', '-Infinity'],
    [simple('BOOLEAN'), 'true', true],
    [simple('BOOLEAN'), 'False\n', false],
    [simple('STRING'), 'two\nlines\n', 'two\nlines'],
    [simple('STRING'), ' kept \n\n', ' kept \n'],
    [simple('STRING'), '', ''],
    [simple('DATETIME'), '2024-02-29T23:59:59.123456789Z\n', '2024-02-29T23:59:59.123456789Z'],
    [simple('DATETIME'), '0001-01-01T00:00:00+02:00', '0001-01-01T00:00:00+02:00'],
    [simple('DURATION'), 'PT1H30M', 'PT1H30M'],
    [simple('DURATION'), 'P1DT0.5S', 'P1DT0.5S'],
    [{ enumType: { values: ['adam', 'sgd'] } }, 'sgd\n', 'sgd'],
    [simple('STRUCT'), '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    [simple('STRUCT'), '{"seed": 9223372036854775807}', { seed: 2 ** 63 }],
    [
      listOf(simple('INTEGER')),
      '[1, 9007199254740993, "9007199254740995"]',
      [1, '9007199254740993', '9007199254740995'],
    ],
    [listOf(simple('FLOAT')), '[1, NaN, -Infinity]', [1, 'NaN', '-Infinity']],
    [
      { mapValueType: listOf(simple('STRING')) },
      '{"a": ["NaN 12345678901234567"]}',
      { a: ['NaN 12345678901234567'] },
    ],
    [optional(simple('STRING'), simple('INTEGER')), '5', 5],
    [optional(simple('STRING'), simple('INTEGER')), 'five', 'five'],
    [optional(simple('INTEGER')), '', null],
  ])('reads %j from %j', (type, text, expected) => {
    expect(valueFromText(type, text)).toStrictEqual(expected);
  });

  it.each<[LiteralType, string]>([
    [simple('INTEGER'), '1.5'],
    [simple('INTEGER'), ''],
    [simple('INTEGER'), '0x10'],
    [simple('INTEGER'), '9223372036854775808'],
    [simple('INTEGER'), '9'.repeat(1000)],
    [simple('FLOAT'), '1e999'],
    [simple('FLOAT'), 'abc'],
    [simple('FLOAT'), ''],
    [simple('BOOLEAN'), '1'],
    [simple('STRING'), 'a\0b'],
    [simple('DATETIME'), '2023-02-29T00:00:00Z'],
    [simple('DATETIME'), '2024-13-01T00:00:00Z'],
    [simple('DATETIME'), '2024-01-01T24:00:00Z'],
    [simple('DATETIME'), '2024-01-01T00:00:00'],
    [simple('DATETIME'), '0000-01-01T00:00:00Z'],
    [simple('DURATION'), 'P'],
    [simple('DURATION'), 'PT'],
    [simple('DURATION'), 'P1M'],
    [simple('DURATION'), '90s'],
    [{ enumType: { values: ['adam'] } }, 'Adam'],
    [simple('STRUCT'), '[]'],
    [simple('STRUCT'), '{"a": NaN}'],
    [simple('STRUCT'), '{"a": "\\u0000"}'],
    [simple('STRUCT'), '{"a": "\\ud800"}'],
    [simple('STRUCT'), '{"a": 012345678901234567}'],
    [simple('STRUCT'), '{'],
    [simple('STRUCT'), `{"a": ${'['.repeat(200)}${']'.repeat(200)}}`],
    [simple('STRUCT'), `{"a": ${'['.repeat(300_000)}NaN${']'.repeat(300_000)}}`],
    [listOf(simple('INTEGER')), '[1, "x"]'],
    [listOf(simple('INTEGER')), '{}'],
    [{ mapValueType: simple('INTEGER') }, '[]'],
    [optional(simple('INTEGER')), 'x'],
    [simple('BINARY'), 'x'],
  ])('refuses for %j the text %j', (type, text) => {
    expect(() => valueFromText(type, text)).toThrow(ValueError);
  });

  it('says where in a list the fault is', () => {
    expect(() => valueFromText(listOf(simple('INTEGER')), '[1, "x"]')).toThrow(
      'item 1 is not an INTEGER: "x"',
    );
  });
});

describe('valueFromJson', () => {
  it('takes a blob for the path of a local file', () => {
    const blob: LiteralType = { blob: { dimensionality: 'SINGLE' } };
    expect(valueFromJson(listOf(blob), ['a', 'b'])).toEqual([new LocalFile('a'), new LocalFile('b')]);
  });

  it.each<[LiteralType, unknown]>([
    [simple('INTEGER'), 1.5],
    [simple('INTEGER'), true],
    [simple('INTEGER'), null],
    [simple('BOOLEAN'), 'true'],
    [simple('STRING'), 5],
    [simple('FLOAT'), false],
    [simple('DATETIME'), 0],
  ])('refuses for %j the value %j', (type, value) => {
    expect(() => valueFromJson(type, value)).toThrow(ValueError);
  });

  it('keeps a member called __proto__ a member', () => {
    const value = valueFromJson(simple('STRUCT'), jsonOf('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('jsonOf', () => {
  it('reads 2 MiB of long numbers and of one long string in good time', () => {
    const numbers = `[${Array(100_000).fill('1234567890123456789').join(',')}]`;
    const text = JSON.stringify({ text: `12345678901234567${'\\"'.repeat(1_000_000)}` });
    const startedAt = performance.now();
    expect((jsonOf(numbers) as unknown[])[5]).toBe(1234567890123456789n);
    expect(jsonOf(text)).toEqual(JSON.parse(text));
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
