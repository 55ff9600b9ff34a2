import { describe, expect, it } from 'vitest';
import { holds } from '../../src/executions/engine/conditions.ts';
import type { BooleanExpression } from '../../src/registry/domain/workflow-templates.ts';
import { type Literal, noneLiteral, type Primitive } from '../../src/values/literals.ts';
import { integer } from '../registry/workflows.ts';

const literal = (primitive: Primitive): Literal => ({ scalar: { primitive } });
const operators = ['EQ', 'NEQ', 'GT', 'GTE', 'LT', 'LTE'] as const;

/** Which comparisons of the input `x` with the other value hold. */
const holding = (x: Literal, other: Literal) =>
  operators.filter((operator) => {
    const comparison = { operator, leftValue: { var: 'x' }, rightValue: { literal: other } };
    return holds({ comparison }, { x });
  });

const smaller = ['NEQ', 'LT', 'LTE'];
const equal = ['EQ', 'GTE', 'LTE'];
const larger = ['NEQ', 'GT', 'GTE'];

describe('a comparison in a branch', () => {
  it.each<[string, Primitive, Primitive, string[]]>([
    ['2 and 10', { integer: '2' }, { integer: '10' }, smaller],
    ['10 and 10', { integer: '10' }, { integer: '10' }, equal],
    ['11 and 10', { integer: '11' }, { integer: '10' }, larger],
    ['-1 and 0', { integer: '-1' }, { integer: '0' }, smaller],
    ['2⁵³ + 1 and 2⁵³', { integer: '9007199254740993' }, { integer: '9007199254740992' }, larger],
    ['1.5 and 2', { floatValue: 1.5 }, { floatValue: 2 }, smaller],
    ['2 and 2', { floatValue: 2 }, { floatValue: 2 }, equal],
    ['Infinity and 2', { floatValue: 'Infinity' }, { floatValue: 2 }, larger],
    ['NaN and NaN', { floatValue: 'NaN' }, { floatValue: 'NaN' }, ['NEQ']],
    ['"a" and "b"', { stringValue: 'a' }, { stringValue: 'b' }, smaller],
    ['"b" and "b"', { stringValue: 'b' }, { stringValue: 'b' }, equal],
    ['false and true', { boolean: false }, { boolean: true }, smaller],
    ['one minute and 59 seconds', { duration: 'PT1M' }, { duration: 'PT59S' }, larger],
    ['one minute and 60 seconds', { duration: 'PT1M' }, { duration: 'PT60S' }, equal],
    [
      'an instant and one half a second later',
      { datetime: '2026-01-01T00:00:00Z' },
      { datetime: '2026-01-01T00:00:00.5Z' },
      smaller,
    ],
    [
      'an instant and the same one',
      { datetime: '2026-01-01T00:00:00Z' },
      { datetime: '2026-01-01T00:00:00Z' },
      equal,
    ],
  ])('of %s', (_what, x, other, expected) => {
    expect(holding(literal(x), literal(other))).toEqual(expected);
  });

  it('looks at the value inside of a union', () => {
    const wrapped: Literal = { scalar: { union: { value: literal({ integer: '3' }), type: integer } } };
    expect(holding(wrapped, literal({ integer: '3' }))).toEqual(equal);
  });

  it('tells whether there is a value, of whatever type it is', () => {
    const isThere = (x: Literal) => {
      const comparison = { operator: 'NEQ', leftValue: { var: 'x' }, rightValue: { literal: noneLiteral } };
      return holds({ comparison } as BooleanExpression, { x });
    };
    expect(isThere(noneLiteral)).toBe(false);
    expect(isThere(literal({ integer: '0' }))).toBe(true);
    expect(isThere({ scalar: { generic: {} } })).toBe(true);
    expect(isThere({ collection: { literals: [] } })).toBe(true);
    expect(isThere({ map: { literals: {} } })).toBe(true);
  });
});

describe('two conditions in a branch', () => {
  const isOne = (name: string): BooleanExpression => ({
    comparison: {
      operator: 'EQ',
      leftValue: { var: name },
      rightValue: { literal: literal({ integer: '1' }) },
    },
  });

  it.each([
    [0, 0, false, false],
    [0, 1, false, true],
    [1, 0, false, true],
    [1, 1, true, true],
  ])('%i and %i', (x, y, both, either) => {
    const inputs = { x: literal({ integer: `${x}` }), y: literal({ integer: `${y}` }) };
    const holdsWith = (operator: 'AND' | 'OR') =>
      holds({ conjunction: { operator, leftExpression: isOne('x'), rightExpression: isOne('y') } }, inputs);
    expect([holdsWith('AND'), holdsWith('OR')]).toEqual([both, either]);
  });
});
