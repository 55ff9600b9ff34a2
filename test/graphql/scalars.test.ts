import { parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';

/** A scalar of the schema, by the two ways that values come in. */
function scalar(name: string) {
  const type = schema.getType(name) as never as {
    parseValue(value: unknown): unknown;
    serialize(value: unknown): unknown;
    parseLiteral(node: unknown): unknown;
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
});

describe('Duration', () => {
  it('is ISO 8601', () => {
    expect(scalar('Duration').serialize(scalar('Duration').parseValue('PT90S'))).toBe('PT1M30S');
    expect(() => scalar('Duration').parseValue('90s')).toThrow('Duration');
  });
});

describe('the schema', () => {
  it('describes every root field', () => {
    for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
      for (const field of Object.values(type?.getFields() ?? {}))
        expect([field.name, field.description]).not.toContain(null);
  });

  it('has no fields `node` and `nodes`, which would reach objects of any type past their rules', () => {
    const errors = validate(schema, parse('{ node(id: "x") { id } nodes(ids: ["x"]) { id } }'));
    expect(errors).toHaveLength(2);
  });

  it('answers every mutation with a nullable union, so that a refusal leaves the other fields their answers', () => {
    for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
      expect(String(field.type)).toMatch(/^\w+Result$/);
  });
});
