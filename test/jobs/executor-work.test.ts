import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantitiesOf, remainderOf, totalOf } from '../../src/jobs/domain/executor-work.ts';
import { amountsOf, usageByPool } from '../../src/jobs/domain/usage-report.ts';

const amounts = fc.dictionary(fc.constantFrom('cpu', 'memory', 'nvidia.com/gpu'), fc.nat({ max: 2 ** 40 }));

describe('what runs hold', () => {
  it('is added up over nodes, those without amounts included', () => {
    const work = { executorId: 'x', node: null, runs: 2, unacknowledged: 1 };
    expect(
      totalOf([
        { ...work, held: { cpu: 1 } },
        { ...work, held: null },
      ]),
    ).toEqual({
      ...{ runs: 4, unacknowledged: 2, held: { cpu: 1 } },
    });
    expect(totalOf([])).toEqual({ runs: 0, unacknowledged: 0, held: {} });
  });

  it('leaves what a node has, and never less than nothing', () => {
    expect(remainderOf({ cpu: 4, memory: 5 }, { cpu: 6, disk: 1 })).toEqual({ cpu: 0, memory: 5 });
  });

  it('is written as quantities that are read as the same amounts', () => {
    expect(quantitiesOf({ memory: 5, cpu: 1500 })).toEqual({ cpu: '1500m', memory: '5' });
    fc.assert(
      fc.property(amounts, (one) => {
        expect(amountsOf(quantitiesOf(one))).toEqual({ ...one });
      }),
    );
  });
});

describe('the usage of a queue', () => {
  const row = (pool: string, minute: number) => ({
    ...{ pool, name: 'q', resources: { cpu: 1 }, resourcesUsed: { cpu: 2 } },
    ...{ runsByState: [{ state: 'RUNNING' as const, count: 3 }], reportedAt: new Date(minute * 60_000) },
  });

  it('is the sum of the reports by pool, with the time of the oldest', () => {
    expect(usageByPool([row('b', 5), row('a', 2), row('b', 1)])).toEqual([
      {
        ...{ pool: 'a', resources: { cpu: 1 }, resourcesUsed: { cpu: 2 } },
        ...{ runsByState: [{ state: 'RUNNING', count: 3 }], reportedAt: new Date(120_000) },
      },
      {
        ...{ pool: 'b', resources: { cpu: 2 }, resourcesUsed: { cpu: 4 } },
        ...{ runsByState: [{ state: 'RUNNING', count: 6 }], reportedAt: new Date(60_000) },
      },
    ]);
  });
});
