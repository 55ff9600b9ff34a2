import { describe, expect, it } from 'vitest';
import { findRoundedNumber, parseExactJson } from '../../src/platform/exact-json.ts';
import type { LiteralType, SimpleType } from '../../src/values/literal-types.ts';
import { toPlain } from '../../src/values/plain-values.ts';
import { outcomeOf, Place } from '../../src/values/problem-list.ts';
import { literalFromText } from '../../src/values/text-values.ts';
import { valueIn } from '../registry/outcomes.ts';

const plainFromText = (type: LiteralType, text: string) =>
  toPlain(valueIn(outcomeOf([], (place) => literalFromText(type, text, place))));

const simple = (type: SimpleType): LiteralType => ({ simple: type });
const listOf = (type: LiteralType): LiteralType => ({ collectionType: type });
const optional = (...variants: LiteralType[]): LiteralType => ({
  unionType: { variants: [...variants, simple('NONE')] },
});

describe('literalFromText', () => {
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
    [simple('DATETIME'), '2024-03-01T01:00:00+02:00', '2024-02-29T23:00:00Z'],
    [simple('DURATION'), 'PT1H30M', 'PT1H30M'],
    [simple('DURATION'), 'P1DT0.5S', 'PT24H0.500S'],
    [simple('BINARY'), 'aGk=\n', 'aGk='],
    [{ schema: { columns: [] } }, 's3://bucket/table\n', 's3://bucket/table'],
    [{ enumType: { values: ['adam', 'sgd'] } }, 'sgd\n', 'sgd'],
    [simple('STRUCT'), '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    [
      simple('STRUCT'),
      '{"even": 9007199254740994, "loss": 3.4e38}',
      { even: 9007199254740994, loss: 3.4e38 },
    ],
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
    expect(plainFromText(type, text)).toStrictEqual(expected);
  });

  it.each<[LiteralType, string]>([
    [simple('INTEGER'), '1.5'],
    [simple('INTEGER'), ''],
    [simple('INTEGER'), '0x10'],
    [simple('INTEGER'), '9223372036854775808'],
    [simple('INTEGER'), '9'.repeat(1000)],
    [simple('STRUCT'), '{"seed": 9007199254740993}'],
    [simple('STRUCT'), '{"seed": 9223372036854775807}'],
    [simple('STRUCT'), `{"seed": ${'9'.repeat(400)}}`],
    [simple('STRUCT'), '{"loss": 1e999}'],
    [listOf(simple('FLOAT')), '[1e999]'],
    [simple('DATETIME'), '0001-01-01T00:00:00+02:00'],
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
  ])('refuses for %j the text %.60s', (type, text) => {
    const place = new Place([]);
    expect(literalFromText(type, text, place)).toBeUndefined();
    expect(place.problems.size).toBe(1);
  });

  it('quotes at most 60 characters of a text that it refuses', () => {
    const messageFor = (text: string) => {
      const place = new Place([]);
      literalFromText(simple('INTEGER'), text, place);
      return place.problems.all[0]?.message;
    };
    expect(messageFor('x'.repeat(60))).toBe(`expected integer, got "${'x'.repeat(60)}"`);
    expect(messageFor('x'.repeat(61))).toBe(`expected integer, got "${'x'.repeat(60)}"…`);
  });

  it('names the path of a problem in a list', () => {
    const place = new Place(['y']);
    literalFromText(listOf(simple('INTEGER')), '[1, "x"]', place);
    expect(place.problems.all).toEqual([
      { path: ['y', '1'], code: 'MismatchingTypes', message: 'expected integer, got string' },
    ]);
  });

  it('treats __proto__ as an ordinary member', () => {
    for (const number of ['1', '9007199254740994']) {
      const value = plainFromText(simple('STRUCT'), `{"__proto__": {"polluted": ${number}}}`);
      expect(Object.keys(value as object)).toEqual(['__proto__']);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('parseExactJson', () => {
  it('does not change numbers inside strings', () => {
    const text = JSON.stringify({ text: `12345678901234567${'\\"'.repeat(1000)} NaN` });
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
    expect(parseExactJson('[1234567890123456789, 12]')).toEqual([1234567890123456789n, 12]);
  });
});

describe('findRoundedNumber', () => {
  it.each(['9007199254740993', '-9223372036854775807', '1e999', '9'.repeat(400)])('finds %.20s', (number) => {
    expect(findRoundedNumber(`{"a": ["9007199254740993", ${number}]}`)).toBe(number);
  });

  it.each([
    ...['9007199254740991', '9007199254740994', '1e300', '0.1000000000000000055', '"9007199254740993"'],
    // In the form in which a program writes a 64-bit float.
    String(2 ** 63),
    '"\\"9007199254740993"',
  ])('accepts %s', (json) => {
    expect(findRoundedNumber(`[${json}]`)).toBeNull();
  });

  it.each(['"\\" 9007199254740993', '"\\"\\" 9007199254740993\\', '"\\\n" "9007199254740993'])(
    'finds none in a string that is never closed: %j',
    (json) => {
      expect(findRoundedNumber(json)).toBeNull();
    },
  );
});
