import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, dominantShare, fairShares } from '../../../src/jobs/domain/scheduling/fair-share.ts';

const near = (numbers: readonly number[]) => numbers.map((number) => expect.closeTo(number, 2));

describe('the cost of a queue', () => {
  const totals = { foo: 1, cpu: 1000, memory: 2000 };

  it.each([
    [{ cpu: 500, memory: 1100 }, 1, 0.55],
    [{ cpu: 500 }, 2, 0.25],
    [{ cpu: 500, foo: 1 }, 1, 0.5],
    [{ cpu: 100, 'nvidia.com/gpu': 8 }, 1, 0.1],
    [{}, 1, 0],
  ])('of %j with weight %d is its largest part over the weight: %d', (held, weight, cost) => {
    expect(costOf(held, totals, weight)).toBe(cost * 1e9);
  });

  it('is exact where binary fractions are not', () => {
    expect(costOf({ cpu: 3 }, { cpu: 10 }, 1)).toBe(costOf({ cpu: 1 }, { cpu: 10 }, 1) * 3);
  });

  it('counts slots only where no node says what it has', () => {
    expect(dominantShare({ slots: 3 }, { slots: 4 })).toBe(0.75);
    expect(dominantShare({ slots: 3, cpu: 1 }, { slots: 4, cpu: 2 })).toBe(0.5);
  });
});

describe('shares', () => {
  const adjusted = (...claims: [weight: number, demand: number][]) =>
    fairShares(claims.map(([weight, demand]) => ({ weight, demand }))).map((share) => share.adjusted);
  const fair = (...weights: number[]) =>
    fairShares(weights.map((weight) => ({ weight, demand: 0 }))).map((share) => share.fair);

  it('are by weight alone, if demand is left out', () => {
    expect(fair(1, 3)).toEqual([0.25, 0.75]);
    expect(fair(1, 1, 1)).toEqual(near([1 / 3, 1 / 3, 1 / 3]));
  });

  it.each([
    [
      'a small and a large demand',
      [
        [1, 0.01],
        [1, 10],
      ],
      [0.01, 0.99],
    ],
    [
      'weights 1 and 3, both hungry',
      [
        [1, 1],
        [3, 1],
      ],
      [0.25, 0.75],
    ],
    [
      'demands of 1, 40 and 1000 of 100',
      [
        [1, 0.01],
        [1, 0.4],
        [1, 10],
      ],
      [0.01, 0.4, 0.59],
    ],
    [
      'no demand',
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
      [0, 0, 0],
    ],
  ] as [string, [number, number][], number[]][])(
    'are dealt again where they are not needed: %s',
    (_what, claims, expected) => {
      expect(adjusted(...claims)).toEqual(near(expected));
    },
  );

  const claims = fc.array(
    fc.record({
      weight: fc.double({ min: 0.01, max: 1, noNaN: true }),
      demand: fc.double({ min: 0, max: 2, noNaN: true }),
    }),
    { minLength: 1, maxLength: 20 },
  );

  it('are never more than is there, nor more than somebody wants', () => {
    fc.assert(
      fc.property(claims, (list) => {
        const shares = fairShares(list);
        expect(shares.reduce((all, share) => all + share.adjusted, 0)).toBeLessThanOrEqual(1 + 1e-9);
        for (const [at, share] of shares.entries())
          expect(share.adjusted).toBeLessThanOrEqual((list[at]?.demand ?? 0) + 1e-9);
      }),
    );
  });

  it('give everybody its part by weight, or all that it wants', () => {
    fc.assert(
      fc.property(claims, (list) => {
        for (const [at, share] of fairShares(list).entries())
          expect(share.adjusted + 1e-9).toBeGreaterThanOrEqual(Math.min(list[at]?.demand ?? 0, share.fair));
      }),
    );
  });
});
