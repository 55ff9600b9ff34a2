import { describe, expect, it } from 'vitest';
import {
  countItems,
  inputsOfItem,
  outputsOfItems,
  type RunnableArray,
} from '../../src/executions/engine/arrays.ts';
import type { Literal, LiteralMap } from '../../src/values/literals.ts';
import { integer, listOf, none, unionOf, variables } from '../registry/workflows.ts';

const one = (value: number): Literal => ({ scalar: { primitive: { integer: `${value}` } } });
const list = (...literals: Literal[]): Literal => ({ collection: { literals } });
const many = (length: number): Literal => list(...Array<Literal>(length).fill(one(1)));

/** An array over `x`; all items share the list `shared`. */
const array = (outputs = listOf(integer)): RunnableArray =>
  ({
    kind: 'ARRAY',
    array: { boundInputs: ['shared'] },
    item: { inputTypes: variables({ x: integer, shared: listOf(integer) }) },
    outputs: variables({ y: outputs }),
  }) as never;

const messagesOf = (outcome: ReturnType<typeof countItems>) =>
  outcome.ok ? [] : outcome.problems.map(({ message }) => message);

describe('the number of items of an array', () => {
  it.each<[string, LiteralMap, number]>([
    ['is the length of its list', { x: many(3) }, 3],
    ['does not depend on a list that all items share', { x: many(3), shared: many(5) }, 3],
    ['may be 0', { x: list() }, 0],
    [
      'is found inside of a union',
      { x: { scalar: { union: { value: many(2), type: listOf(integer) } } } },
      2,
    ],
    ['is at most 100,000', { x: many(100_000) }, 100_000],
  ])('%s', (_what, inputs, count) => {
    expect(countItems(array(), inputs)).toEqual({ ok: true, value: count });
  });

  it.each<[string, LiteralMap, string]>([
    ['more than 100,000 items', { x: many(100_001) }, 'an array must have at most 100000 items, got 100001'],
    ['no list', { shared: many(2) }, 'an array needs at least one list'],
    ['something else than a list', { x: one(1) }, 'an array needs at least one list'],
  ])('is refused for %s', (_what, inputs, message) => {
    expect(messagesOf(countItems(array(), inputs))).toEqual([message]);
  });
});

describe('an item of an array', () => {
  it('has its own value of the list, and what all items share', () => {
    const inputs = { x: list(one(10), one(11)), shared: list(one(1)) };
    expect(inputsOfItem(array(), inputs, 1)).toEqual({ x: one(11), shared: inputs.shared });
    expect(inputsOfItem(array(), { x: inputs.x }, 0)).toEqual({ x: one(10) });
  });
});

describe('the outputs of an array', () => {
  const given = new Map([[1, { y: one(7) }]]);

  it('have the value of each item at its place, and NONE for items without one', () => {
    const optional = unionOf(integer, none);
    const outcome = outputsOfItems(array(listOf(optional)), 3, given);
    const values = outcome.ok ? outcome.value['y'] : undefined;
    expect(values).toMatchObject({
      collection: {
        literals: [
          { scalar: { union: { type: none } } },
          { scalar: { union: { type: integer, value: one(7) } } },
          { scalar: { union: { type: none } } },
        ],
      },
    });
  });

  it('need the values of all items if their type is not optional', () => {
    expect(outputsOfItems(array(), 2, given)).toEqual({
      ok: false,
      problems: [{ path: ['y', '0'], code: 'ValueRequired', message: 'an item has no output y' }],
    });
  });
});
