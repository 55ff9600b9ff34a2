/** Which limits count for the tasks of an execution, and how free places are divided. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Budgets,
  budgetsOf,
  dividePlaces,
  freePlaces,
  limitOfChild,
  type WaitingShare,
} from '../../src/executions/domain/budgets.ts';

const none: Budgets = { budgetIds: [], budgetLimit: null };

describe('the limits that count for the tasks of an execution', () => {
  it.each([
    ['its own, if there is nothing above it', 5, none, { budgetIds: ['self'], budgetLimit: 5 }],
    ['none, if there is none', 0, none, none],
    [
      'those above it, if it has none',
      0,
      { budgetIds: ['a'], budgetLimit: 3 },
      { budgetIds: ['a'], budgetLimit: 3 },
    ],
    [
      'also its own, if it is smaller',
      2,
      { budgetIds: ['a'], budgetLimit: 3 },
      { budgetIds: ['a', 'self'], budgetLimit: 2 },
    ],
    [
      'not its own, if it follows from the others',
      3,
      { budgetIds: ['a'], budgetLimit: 3 },
      { budgetIds: ['a'], budgetLimit: 3 },
    ],
    [
      'not its own, if it is larger',
      4,
      { budgetIds: ['a'], budgetLimit: 3 },
      { budgetIds: ['a'], budgetLimit: 3 },
    ],
  ])('are %s', (_name, maxParallelism, above, expected) => {
    expect(budgetsOf({ id: 'self', maxParallelism, ...above })).toEqual(expected);
  });
});

describe('the limit of an execution that a node starts', () => {
  it.each([
    [5, 3, 3],
    [3, 5, 3],
    [5, 0, 5],
    [0, 5, 5],
    [0, 0, 0],
    [5, undefined, 5],
  ])('is the smaller one of its parent, %i, and its launch plan, %s', (ofParent, ofLaunchPlan, expected) => {
    expect(limitOfChild(ofParent, ofLaunchPlan)).toBe(expected);
  });
});

describe('an execution', () => {
  it.each([
    ['starts tasks in all places without one', { held: 5, fresh: 2, othersWait: false }, 2, 3],
    [
      'leaves the places of tasks that have ended to others who wait',
      { held: 5, fresh: 2, othersWait: true },
      2,
      2,
    ],
    ['uses what it has just got', { held: 2, fresh: 2, othersWait: true }, 0, 2],
    ['starts nothing in places that have a task', { held: 2, fresh: 2, othersWait: true }, 2, 0],
  ])('%s', (_name, places, activeTasks, expected) => {
    expect(freePlaces(places, activeTasks)).toBe(expected);
  });
});

const share = (id: string, wanted: number, ...budgetIds: string[]): WaitingShare => ({
  id,
  wanted,
  budgetIds,
});
const divide = (waiting: WaitingShare[], free: Record<string, number>) =>
  Object.fromEntries(dividePlaces(waiting, new Map(Object.entries(free))).given);

describe('free places', () => {
  it.each([
    [
      'go to the first ones, if there are few',
      [share('a', 9, 'o'), share('b', 9, 'o'), share('c', 9, 'o')],
      { o: 2 },
      { a: 1, b: 1 },
    ],
    ['go round', [share('a', 9, 'o'), share('b', 9, 'o')], { o: 5 }, { a: 3, b: 2 }],
    ['are no more than wanted', [share('a', 1, 'o'), share('b', 2, 'o')], { o: 9 }, { a: 1, b: 2 }],
    [
      'go past an execution whose nearer budget has none',
      [share('a', 2, 'o', 'i'), share('b', 2, 'o')],
      { o: 3, i: 0 },
      { b: 2 },
    ],
    [
      'of the nearer budget count for both',
      [share('a', 3, 'o', 'i'), share('b', 3, 'o')],
      { o: 4, i: 1 },
      { a: 1, b: 3 },
    ],
    ['are none if too many are taken', [share('a', 1, 'o')], { o: -2 }, {}],
    ['have no limit in a budget that is gone', [share('a', 3, 'gone')], {}, { a: 3 }],
  ])('%s', (_name, waiting, free, expected) => {
    expect(divide(waiting, free)).toEqual(expected);
  });

  it('are never too many, none is left for somebody who waits, and nobody gets two before another has one', () => {
    const budgets = ['o', 'i', 'j'];
    const waiting = fc.uniqueArray(
      fc.record({
        id: fc.nat({ max: 20 }).map(String),
        wanted: fc.integer({ min: 1, max: 6 }),
        budgetIds: fc.constantFrom<string[]>(['o'], ['o', 'i'], ['o', 'i', 'j'], ['o', 'j']),
      }),
      { selector: ({ id }) => id },
    );
    const free = fc.tuple(
      ...budgets.map((id) => fc.tuple(fc.constant(id), fc.integer({ min: -3, max: 12 }))),
    );
    fc.assert(
      fc.property(waiting, free, (shares, places) => {
        const { given, left } = dividePlaces(shares, new Map(places));
        const under = (budget: string) =>
          shares
            .filter(({ budgetIds }) => budgetIds.includes(budget))
            .reduce((sum, { id }) => sum + (given.get(id) ?? 0), 0);
        for (const [id, before] of places) {
          expect(under(id)).toBeLessThanOrEqual(Math.max(before, 0));
          expect(left.get(id)).toBe(before - under(id));
        }
        for (const one of shares) {
          const has = given.get(one.id) ?? 0;
          expect(has).toBeLessThanOrEqual(one.wanted);
          if (has === one.wanted) continue;
          expect(one.budgetIds.some((id) => (left.get(id) ?? 0) <= 0)).toBe(true);
          for (const other of shares)
            if (JSON.stringify(other.budgetIds) === JSON.stringify(one.budgetIds))
              expect((given.get(other.id) ?? 0) - has).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
