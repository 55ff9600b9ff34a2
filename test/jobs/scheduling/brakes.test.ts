/** How fast jobs may start, without a database. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BrakeSettings,
  type BrakeState,
  Brakes,
  type Bucket,
  refill,
} from '../../../src/jobs/domain/scheduling/brakes.ts';
import type { QueueState } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import { countsOf, gang, item, items, listOf, NO_BRAKES, node, plan, queue } from './pools.ts';

const pool = { nodes: [node('n', { cpu: 1000 })] };
const wide = { nodes: [node('n', { cpu: 32 })] };

const stateOf = (settings: Partial<BrakeSettings>, more: Partial<BrakeState> = {}): BrakeState => ({
  ...{ settings: { ...NO_BRAKES, ...settings }, pool: null, queues: new Map(), atMs: 0 },
  ...more,
});
const braked = (
  queues: readonly QueueState[],
  state: BrakeState,
  where = pool,
  totals = { cpu: where === wide ? 32 : 1000 },
) => plan(queues, where, 1_000_000, new Brakes(state, totals));

const jobs = (count: number) => [listOf(items(count))];
const limit = (burst: number, perSecond = 1) => ({ perSecond, burst });

describe('the rate of a pool', () => {
  it('lets as many jobs start as the bucket has, in fair shares', () => {
    const queues = [queue('A', jobs(20)), queue('B', jobs(20))];
    const planned = braked(queues, stateOf({ pool: limit(10) }));
    expect(countsOf(queues, planned)).toEqual({ A: 5, B: 5 });
    expect([planned.unplaced, planned.isPartial]).toEqual([[], false]);
  });

  it('lets none start while there is less than one in the bucket', () => {
    const queues = [queue('A', jobs(3))];
    const startsLater = (ms: number) =>
      braked(queues, stateOf({ pool: limit(10, 2) }, { pool: { tokens: 0, atMs: 0 }, atMs: ms }));
    expect(startsLater(499).assignments).toHaveLength(0);
    expect(startsLater(500).assignments).toHaveLength(1);
    expect(startsLater(1000).assignments).toHaveLength(2);
  });
});

describe('the rate of a queue', () => {
  it('holds this queue, and others go on', () => {
    const queues = [queue('A', jobs(20)), queue('B', jobs(20))];
    const used = new Map([['A', { tokens: 2, atMs: 0 }]]);
    expect(countsOf(queues, braked(queues, stateOf({ queue: limit(10) }, { queues: used })))).toEqual({
      ...{ A: 2, B: 10 },
    });
  });

  it('counts what jobs of all shapes start together', () => {
    const lists = [listOf(items(20)), listOf(items(20, { classPriority: 2000 }))];
    const queues = [queue('A', lists)];
    expect(braked(queues, stateOf({ queue: limit(7) })).assignments).toHaveLength(7);
  });
});

describe('a gang', () => {
  it.each(['pool', 'queue'] as const)(
    'that is larger than the burst of the %s never starts; jobs behind it do',
    (of) => {
      const small = items(2);
      const queues = [queue('A', [listOf([gang(5)]), listOf(small)])];
      const planned = braked(queues, stateOf({ [of]: limit(4) }));
      expect(planned.assignments.map(({ jobId }) => jobId)).toEqual(small.map(({ jobs: [job] }) => job?.id));
      expect(planned.unplaced).toEqual([]);
    },
  );

  it('starts whole as soon as the bucket has enough', () => {
    const queues = [queue('A', [listOf([gang(4)])])];
    const at = (ms: number) =>
      braked(queues, stateOf({ pool: limit(4) }, { pool: { tokens: 0, atMs: 0 }, atMs: ms })).assignments;
    expect([at(3999).length, at(4000).length]).toEqual([0, 4]);
  });
});

describe('the share of a round', () => {
  it('is looked at before each job, so half of 32 CPUs lets 17 jobs of one CPU start', () => {
    const queues = [queue('A', jobs(40))];
    const planned = braked(queues, stateOf({ roundShare: { cpu: 0.5 } }), wide);
    expect([planned.assignments.length, planned.unplaced.length]).toEqual([17, 0]);
  });

  it('is not the limit of a queue, which is exact', () => {
    const queues = [queue('A', jobs(40), { limits: { 'class-1000': { cpu: 16 } } })];
    expect(braked(queues, stateOf({}), wide).assignments).toHaveLength(16);
  });

  it('does not count what jobs hold already', () => {
    const nodes = [node('n', { cpu: 32 }, { held: { cpu: 20 } })];
    const queues = [queue('A', jobs(40), { running: 20 })];
    const planned = plan(
      queues,
      { nodes },
      99,
      new Brakes(stateOf({ roundShare: { cpu: 0.25 } }), { cpu: 32 }),
    );
    expect(planned.assignments).toHaveLength(9);
  });
});

describe('runs that go on', () => {
  it('do not count', () => {
    const pinned = items(5).map((one) => ({ ...one, pinnedTo: { executorId: 'executor', node: 'n' } }));
    const queues = [queue('A', [listOf(pinned), ...jobs(5)])];
    const empty = { tokens: 0, atMs: 0 };
    expect(braked(queues, stateOf({ pool: limit(3) })).assignments).toHaveLength(8);
    expect(braked(queues, stateOf({ pool: limit(3) }, { pool: empty })).assignments).toHaveLength(5);
  });
});

describe('without brakes', () => {
  it('a plan is what it is with brakes that nothing reaches', () => {
    const shape = fc.record({ cpu: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(fc.array(shape, { maxLength: 8 }), { maxLength: 4 }), (lists) => {
        const queues = lists.map((list, at) =>
          queue(`q${at}`, [
            listOf(list.map(({ cpu, size }) => (size > 1 ? gang(size) : item({ resources: { cpu } })))),
          ]),
        );
        const free = plan(queues, wide);
        const settings = { pool: limit(1e6), queue: limit(1e6), roundShare: { cpu: 1 } };
        expect(braked(queues, stateOf(settings), wide).assignments).toEqual(free.assignments);
        expect(braked(queues, stateOf({}), wide).assignments).toEqual(free.assignments);
      }),
    );
  });
});

describe('over a long time', () => {
  const rates = fc.record({
    perSecond: fc.integer({ min: 1, max: 200 }),
    burst: fc.integer({ min: 1, max: 50 }),
  });
  const pauses = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 12 });

  it('no more jobs start than the burst and the rate allow, of a pool and of each queue', () => {
    fc.assert(
      fc.property(rates, rates, pauses, (ofPool, ofQueue, waits) => {
        let buckets: { pool: Bucket | null; queues: ReadonlyMap<string, Bucket> } = {
          pool: null,
          queues: new Map(),
        };
        let atMs = 0;
        const starts: { atMs: number; queueId: string; count: number }[] = [];
        for (const wait of waits) {
          atMs += wait;
          const queues = [queue('A', jobs(60)), queue('B', [listOf([gang(7), ...items(30)])])];
          const brakes = new Brakes(stateOf({ pool: ofPool, queue: ofQueue }, { ...buckets, atMs }), {});
          const counts = countsOf(queues, plan(queues, pool, 1_000_000, brakes));
          for (const [queueId, count] of Object.entries(counts)) starts.push({ atMs, queueId, count });
          buckets = brakes.buckets;
        }
        // Between any two moments, for the pool and for each queue.
        const isWithin = (list: typeof starts, { perSecond, burst }: typeof ofPool) => {
          for (const [at, first] of list.entries()) {
            let sum = 0;
            for (const one of list.slice(at)) {
              sum += one.count;
              expect(sum).toBeLessThanOrEqual(burst + ((one.atMs - first.atMs) * perSecond) / 1000 + 1e-6);
            }
          }
        };
        isWithin(starts, ofPool);
        for (const id of ['A', 'B'])
          isWithin(
            starts.filter(({ queueId }) => queueId === id),
            ofQueue,
          );
      }),
    );
  });

  it('a bucket fills with the rate up to the burst, and never loses what it has when the clock goes back', () => {
    expect(refill(null, limit(5), 7)).toEqual({ tokens: 5, atMs: 7 });
    expect(refill({ tokens: 1, atMs: 0 }, limit(5, 2), 1500)).toEqual({ tokens: 4, atMs: 1500 });
    expect(refill({ tokens: 1, atMs: 0 }, limit(5, 2), 60_000).tokens).toBe(5);
    expect(refill({ tokens: 1, atMs: 9000 }, limit(5), 0).tokens).toBe(1);
  });
});
