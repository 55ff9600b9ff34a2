/** What the next round does with a job, and why. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBefore, explainItem } from '../../../src/jobs/domain/scheduling/explain-item.ts';
import type { Item, QueueState } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import {
  executor,
  gang,
  item,
  items,
  listOf,
  NO_BRAKES,
  node,
  type Pool,
  plan,
  queue,
  totalsOf,
} from './pools.ts';

function explain(asked: Item, queueId: string, queues: readonly QueueState[], pool: Pool, maxJobs = 1000) {
  const { nodes, executors = [executor()], totals = totalsOf(nodes) } = pool;
  return explainItem(asked, queueId, { queues, nodes, executors, totals }, maxJobs);
}

const onNode = (cpu: number, more = {}): Pool => ({ nodes: [node('one', { cpu }, more)] });

describe('a job that waits', () => {
  it('starts next if there is room after what goes first', () => {
    const [first, second, third] = items(3) as [Item, Item, Item];
    const queues = [queue('a', [listOf([first, second, third])])];
    expect(explain(second, 'a', queues, onNode(2))).toMatchObject({
      verdict: 'STARTS_NEXT',
      survey: { fitting: 1 },
    });
    expect(explain(third, 'a', queues, onNode(2))).toMatchObject({
      verdict: 'NO_ROOM',
      survey: { fitting: 0, obstacles: [{ kind: 'RESOURCE', nodes: 1 }] },
    });
  });

  it('waits if too many jobs have started lately, in its queue or in the pool', () => {
    const [first, second] = items(2) as [Item, Item];
    const queues = [queue('a', [listOf([first, second])])];
    const { nodes, executors = [executor()], totals = totalsOf(nodes) } = onNode(4);
    const rate = { perSecond: 1, burst: 1 };
    for (const limited of [{ pool: rate }, { queue: rate }]) {
      const settings = { ...NO_BRAKES, ...limited };
      const brakes = { settings, pool: null, queues: new Map(), atMs: 0 };
      const verdictOf = (asked: Item) =>
        explainItem(asked, 'a', { queues, nodes, executors, totals, brakes }, 1000).verdict;
      expect([first, second].map(verdictOf)).toEqual(['STARTS_NEXT', 'RATE_LIMITED']);
    }
  });

  it('says that a gang is larger than what may start at once', () => {
    const pair = gang(2);
    const queues = [queue('a', [listOf([pair])])];
    const { nodes, executors = [executor()], totals = totalsOf(nodes) } = onNode(4);
    const settings = { ...NO_BRAKES, pool: { perSecond: 1, burst: 1 } };
    const brakes = { settings, pool: null, queues: new Map(), atMs: 0 };
    const round = { queues, nodes, executors, totals, brakes };
    expect(explainItem(pair, 'a', round, 1000).verdict).toBe('RATE_LIMITED');
  });

  it('waits for a place that is being cleared', () => {
    const waiting = item();
    const full = onNode(1, { held: { cpu: 1 }, stopping: { cpu: 1 } });
    expect(explain(waiting, 'a', [queue('a', [listOf([waiting])])], full)).toMatchObject({
      verdict: 'WAITS_FOR_PLACE',
    });
  });

  it('is told that a limit is reached only if it is', () => {
    const waiting = item({ resources: { cpu: 2 } });
    const held = { running: 2, limits: { 'class-1000': { cpu: 4 } } };
    const queues = [queue('a', [listOf([waiting])], held)];
    expect(explain(waiting, 'a', queues, onNode(1))).toMatchObject({ verdict: 'NO_ROOM', limit: null });
    const lower = [queue('a', [listOf([waiting])], { ...held, limits: { 'class-1000': { cpu: 3 } } })];
    expect(explain(waiting, 'a', lower, onNode(8))).toMatchObject({
      verdict: 'LIMIT_REACHED',
      limit: { priorityClass: 'class-1000', resource: 'cpu', most: 3, held: 2, asked: 2 },
    });
  });

  it('is behind others if the round ends before it', () => {
    const [first, second] = items(2) as [Item, Item];
    const queues = [queue('a', [listOf([first, second])]), queue('b', [listOf([item()])])];
    expect(explain(second, 'a', queues, onNode(8), 1)).toMatchObject({
      verdict: 'BEHIND_OTHERS',
      otherQueuesServed: 0,
    });
    expect(explain(second, 'a', queues, onNode(8), 2)).toMatchObject({
      verdict: 'BEHIND_OTHERS',
      otherQueuesServed: 1,
    });
  });

  it('that the round has not read has the answer of the jobs of its shape before it', () => {
    const [head, far] = [item({ resources: { cpu: 3 } }), item({ resources: { cpu: 3 } })];
    const queues = [queue('a', [listOf([head], true)])];
    expect(explain(far, 'a', queues, onNode(2))).toMatchObject({ verdict: 'NO_ROOM' });
    expect(explain(far, 'a', queues, onNode(6))).toMatchObject({ verdict: 'BEHIND_OTHERS' });
  });

  it('has a place in its queue, in which gangs count whole', () => {
    const group = gang(3, {}, { priority: 1 });
    const [early, late] = [item({}, 0), item({}, 2)];
    const state = queue('a', [listOf([early, late]), listOf([group])]);
    expect([early, group, late].map((one) => countBefore(one, state))).toEqual([0, 1, 4]);
  });
});

const itemArbitrary = fc.record({
  cpu: fc.integer({ min: 1, max: 4 }),
  classPriority: fc.constantFrom(1, 2),
  priority: fc.nat(2),
  size: fc.constantFrom(1, 1, 1, 2, 3),
  avoids: fc.boolean(),
});

describe('the answer', () => {
  it('is STARTS_NEXT for exactly the jobs that the round assigns', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(itemArbitrary, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.record({ cpu: fc.integer({ min: 1, max: 6 }), held: fc.nat(3), stops: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.record({ room: fc.nat(6), stopping: fc.nat(2) }),
        fc.integer({ min: 1, max: 8 }),
        (kinds, machines, room, maxJobs) => {
          const queues = kinds.map((ofQueue, at) => {
            const lists = ofQueue.map(({ cpu, classPriority, priority, size, avoids }) =>
              listOf([
                gang(
                  size,
                  { resources: { cpu }, classPriority },
                  { priority, avoidedNodes: avoids ? ['executor/n0'] : [] },
                ),
              ]),
            );
            return queue(`q${at}`, lists, { limits: { 'class-1': { cpu: 5 } } });
          });
          const nodes = machines.map(({ cpu, held, stops }, at) =>
            node(
              `n${at}`,
              { cpu },
              { held: { cpu: Math.min(held, cpu) }, stopping: { cpu: stops ? Math.min(held, cpu) : 0 } },
            ),
          );
          const pool = { nodes, executors: [executor(room)] };
          const assigned = new Set(plan(queues, pool, maxJobs).assignments.map(({ jobId }) => jobId));
          for (const { id, waiting } of queues)
            for (const { items: of } of waiting)
              for (const one of of) {
                const { verdict, survey } = explain(one, id, queues, pool, maxJobs);
                expect(verdict === 'STARTS_NEXT').toBe(assigned.has(one.jobs[0]?.id ?? ''));
                // A single job for which there is no room fits on no node.
                if (verdict === 'NO_ROOM' && one.jobs.length === 1) expect(survey.fitting).toBe(0);
              }
        },
      ),
      { numRuns: 500 },
    );
  });
});
