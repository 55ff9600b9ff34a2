import { parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { MAX_JSON_DEPTH } from '../../src/platform/storable-json.ts';

/** A scalar of the schema, for both ways in which values arrive. */
function scalar(name: string) {
  const type = schema.getType(name) as never as {
    parseValue(value: unknown): unknown;
    serialize(value: unknown): unknown;
    parseLiteral(node: unknown, variables?: object): unknown;
  };
  return type;
}

describe('DateTime', () => {
  it.each(['2026-11-22T08:30:00Z', '2026-11-22T09:30:00.000+01:00'])('accepts %s and answers UTC', (text) => {
    const instant = scalar('DateTime').parseValue(text);
    expect(scalar('DateTime').serialize(instant)).toBe('2026-11-22T08:30:00.000Z');
  });

  it.each([
    '2026-11-22',
    '2026-11-22T08:30:00',
    '2026-04-31T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-00-10T00:00:00Z',
    // In UTC, these are in the year 0 and in the year 10000.
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '2026-13-45T08:30:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '0000-01-01T00:00:00Z',
    'now',
    5,
    null,
  ])('refuses %j', (value) => {
    expect(() => scalar('DateTime').parseValue(value)).toThrow('DateTime');
  });
});

describe('DateTime at its limits', () => {
  it.each([
    '2024-02-29T00:00:00.000Z',
    '2000-02-29T00:00:00.000Z',
    '0001-01-01T00:00:00.000Z',
    '0099-12-31T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ])('keeps %s', (text) => {
    expect(scalar('DateTime').serialize(scalar('DateTime').parseValue(text))).toBe(text);
  });
});

describe('BigInt', () => {
  it.each(['9007199254740993', '9223372036854775807', '-9223372036854775808', '0'])('keeps %s', (text) => {
    expect(scalar('BigInt').serialize(scalar('BigInt').parseValue(text))).toBe(text);
  });

  it.each(['9223372036854775808', '-9223372036854775809', '1.5', '', 'x', 2 ** 53, 1.5, {}])(
    'refuses %j',
    (value) => {
      expect(() => scalar('BigInt').parseValue(value)).toThrow('BigInt');
    },
  );

  it('keeps a large number that is written in the document', () => {
    expect(scalar('BigInt').parseLiteral({ kind: 'IntValue', value: '9007199254740993' })).toBe(
      9007199254740993n,
    );
  });

  it('may be written in the document as a number or a text, and as nothing else', () => {
    expect(scalar('BigInt').parseLiteral({ kind: 'StringValue', value: '-5' })).toBe(-5n);
    expect(scalar('BigInt').parseValue(Number.MAX_SAFE_INTEGER)).toBe(9007199254740991n);
    for (const kind of ['FloatValue', 'EnumValue', 'BooleanValue'])
      expect(() => scalar('BigInt').parseLiteral({ kind, value: '5' })).toThrow('BigInt');
  });
});

describe('Duration', () => {
  it('is ISO 8601', () => {
    expect(scalar('Duration').serialize(scalar('Duration').parseValue('PT90S'))).toBe('PT1M30S');
    for (const value of ['90s', 90, null])
      expect(() => scalar('Duration').parseValue(value)).toThrow('Duration');
  });
});

describe('JSON', () => {
  const written = (text: string, variables = {}) => scalar('JSON').parseLiteral(parseValue(text), variables);

  it('keeps every kind of value that is written in the document', () => {
    expect(
      written('{ a: [1, 2.5, "x", true, null, ENUM], b: { c: $v }, d: $none }', { v: { deep: [1] } }),
    ).toEqual({ a: [1, 2.5, 'x', true, null, 'ENUM'], b: { c: { deep: [1] } }, d: undefined });
  });

  it.each(['9007199254740993', '[9007199254740993]', '1e999'])('refuses %s, which loses digits', (text) => {
    expect(() => written(text)).toThrow('keep their digits');
  });

  it.each([
    ['lists', (levels: number) => '['.repeat(levels) + ']'.repeat(levels)],
    ['objects', (levels: number) => `${'{ a: '.repeat(levels)}1${' }'.repeat(levels)}`],
  ])('is nested at most as deep as its description says: %s', (_kind, nested) => {
    expect(() => written(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => written(nested(MAX_JSON_DEPTH + 1))).toThrow('nested at most');
    const value = (levels: number) => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);
    expect(() => scalar('JSON').parseValue(value(MAX_JSON_DEPTH))).not.toThrow();
    expect(() => scalar('JSON').parseValue(value(MAX_JSON_DEPTH + 1))).toThrow('nested at most');
    // The part that is written and the part in the variable are deep together.
    expect(() => written('[[$v]]', { v: value(MAX_JSON_DEPTH - 2) })).not.toThrow();
    expect(() => written('[[$v]]', { v: value(MAX_JSON_DEPTH - 1) })).toThrow('nested at most');
  });
});

describe('the schema', () => {
  it('describes every root field', () => {
    for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
      for (const field of Object.values(type?.getFields() ?? {}))
        expect([field.name, field.description]).not.toContain(null);
  });

  it('answers every mutation with a nullable union, so that a refusal leaves the other fields their answers', () => {
    for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
      expect(String(field.type)).toMatch(/^\w+Result$/);
  });
});
