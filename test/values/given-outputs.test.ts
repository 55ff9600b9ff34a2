import { describe, expect, it } from 'vitest';
import { readGivenOutputs } from '../../src/values/given-outputs.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { Work } from '../../src/values/problem-list.ts';
import { faultsOf, valueIn } from '../registry/outcomes.ts';

const integer: LiteralType = { simple: 'INTEGER' };
const float: LiteralType = { simple: 'FLOAT' };
const number: LiteralType = { unionType: { variants: [integer, float] } };
const one = { scalar: { primitive: { integer: '1' } } };
const three = { scalar: { primitive: { floatValue: 3 } } };
const inUnion = { scalar: { union: { type: float, value: three } } };

const read = (plain: Record<string, unknown>, literals: Record<string, unknown> = {}) =>
  readGivenOutputs({ rows: { type: integer }, rate: { type: number } }, { plain, literals }, new Work());

describe('the outputs that an executor reports', () => {
  it('have the form of their types, in the declared order', () => {
    const outputs = valueIn(read({ rows: 1 }, { rate: three }));
    expect(outputs).toEqual({ rows: one, rate: inUnion });
    expect(Object.keys(valueIn(read({}, { rate: inUnion, rows: one })))).toEqual(['rows', 'rate']);
  });

  it('have the value of the literal, whatever the plain value is', () => {
    expect(valueIn(read({ rows: 'many', rate: 1 }, { rows: one, rate: three }))).toEqual({
      rows: one,
      rate: inUnion,
    });
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['without a value', { rate: 0.5 }, {}, ['ValueRequired rows']],
    ['with a plain value of another type', { rows: 'x', rate: 0.5 }, {}, ['MismatchingTypes rows']],
    ['with a literal of another type', { rate: 0.5 }, { rows: three }, ['MismatchingTypes rows']],
    ['with a literal that is none', { rate: 0.5 }, { rows: 1 }, ['InvalidValue rows']],
    [
      'that are not declared',
      { rows: 1, rate: 0.5, toString: 1 },
      { other: one, toString: one },
      ['VariableNameNotFound toString', 'VariableNameNotFound other'],
    ],
    [
      'with several problems',
      { rate: 3, other: 1 },
      {},
      ['ValueRequired rows', 'AmbiguousBindingUnionValue rate', 'VariableNameNotFound other'],
    ],
  ])('are refused %s', (_what, plain, literals, faults) => {
    expect(faultsOf(read(plain, literals))).toEqual(faults);
  });
});
