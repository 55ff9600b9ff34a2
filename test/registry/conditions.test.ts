/** The conditions of branches: what may be compared, and how they read. */
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../src/registry/domain/compile-conditions.ts';
import { conditionText } from '../../src/registry/domain/condition-text.ts';
import type { BooleanExpression, comparisonOperators } from '../../src/registry/domain/workflow-templates.ts';
import type { JsonValue } from '../../src/values/json.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { outcomeOf } from '../../src/values/problem-list.ts';
import { faultsOf, valueIn } from './outcomes.ts';
import { integer, listOf, none, string, unionOf, variables } from './workflows.ts';

type Operator = (typeof comparisonOperators)[number];
type Comparison = Extract<BooleanExpression, { comparison: object }>['comparison'];
type Operand = Comparison['leftValue'];

const struct: LiteralType = { simple: 'STRUCT' };
const inputs = variables({
  n: integer,
  text: string,
  size: { enumType: { values: ['small', 'large'] } },
  maybe: unionOf(integer, none),
  list: listOf(integer),
  struct,
});
const input = (name: string): Operand => ({ var: name });
const plain = (value: JsonValue): Operand => ({ value });
const nothing: Operand = { literal: { scalar: { noneType: {} } } };
const compared = (leftValue: Operand, operator: Operator, rightValue: Operand): BooleanExpression => ({
  comparison: { operator, leftValue, rightValue },
});
const compile = (condition: BooleanExpression) =>
  outcomeOf([], (place) => compileCondition(condition, inputs, place));
/** A condition without problems, compiled. */
function compiled(condition: BooleanExpression): BooleanExpression {
  const outcome = valueIn(compile(condition));
  if (!outcome) throw new Error('the condition has a problem');
  return outcome;
}

describe('a comparison', () => {
  it.each<[string, Operand, Operator, Operand]>([
    ['a number with a number', input('n'), 'LTE', plain(3)],
    ['an enum with a text', input('size'), 'EQ', input('text')],
    ['an optional input with NONE', input('maybe'), 'EQ', nothing],
    ['an optional input with NONE, for being another', input('maybe'), 'NEQ', nothing],
    ['NONE with an optional input', nothing, 'NEQ', input('maybe')],
    ['NONE with NONE', nothing, 'EQ', nothing],
    ['an optional input with null', input('maybe'), 'EQ', plain(null)],
  ])('may be about %s', (_what, left, operator, right) => {
    expect(compile(compared(left, operator, right)).ok).toBe(true);
  });

  it.each<[string, Operand, Operator, Operand, string]>([
    ['whether a number is NONE', input('n'), 'EQ', nothing, ''],
    ['whether NONE is a number', nothing, 'EQ', input('n'), ''],
    ['whether a number is null', input('n'), 'EQ', plain(null), ''],
    ['the order of an optional input and NONE', input('maybe'), 'GT', nothing, ''],
    ['an optional input and a number', input('maybe'), 'EQ', input('n'), ''],
    ['a number and an optional input', input('n'), 'EQ', input('maybe'), ''],
    ['two lists', input('list'), 'EQ', input('list'), ''],
    ['two structs', input('struct'), 'EQ', input('struct'), ''],
    ['a struct and an object', input('struct'), 'EQ', plain({ a: 1 }), '.rightValue'],
    ['a number and a text', input('n'), 'EQ', input('text'), ''],
  ])('cannot be about %s', (_what, left, operator, right, path) => {
    expect(faultsOf(compile(compared(left, operator, right)))).toEqual([
      `MismatchingTypes comparison${path}`,
    ]);
  });
});

describe('two conditions in one', () => {
  const isLarge = compared(input('n'), 'GT', plain(100));
  const isSmall = compared(input('n'), 'LT', plain(1));
  const joined = (
    operator: 'AND' | 'OR',
    leftExpression: BooleanExpression,
    rightExpression: BooleanExpression,
  ) => ({ conjunction: { operator, leftExpression, rightExpression } }) as const;

  it('are compiled both', () => {
    expect(compiled(joined('OR', isLarge, isSmall))).toEqual(
      joined('OR', compiled(isLarge) as never, compiled(isSmall)),
    );
  });

  it.each([
    ['n > 100', isLarge],
    ['n > 100 or n < 1', joined('OR', isLarge, isSmall)],
    ['n > 100 and (n > 100 or n < 1)', joined('AND', isLarge, joined('OR', isLarge, isSmall))],
    ['(n > 100 or n < 1) and n > 100', joined('AND', joined('OR', isLarge, isSmall), isLarge)],
  ])('read as %s', (text, condition) => {
    expect(conditionText(condition)).toBe(text);
  });

  it('read as a text of at most 500 characters', () => {
    const longName = (length: number) => compared(input('x'.repeat(length)), 'EQ', input('y'));
    expect(conditionText(longName(495))).toBe(`${'x'.repeat(495)} == y`);
    expect(conditionText(longName(496))).toBe(`${'x'.repeat(496)} == …`);
  });
});
