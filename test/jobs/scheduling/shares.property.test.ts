/** How the room of a pool is divided while all queues have more work than fits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QueueState } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import { numRuns } from './fleets.ts';
import { countsOf, items, listOf, node, plan, queue } from './pools.ts';

const arbitraryPool = fc.record({
  factors: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 }),
  nodes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
});

/** One letter, as `countsOf` wants it. */
const nameOf = (at: number) => String.fromCharCode(65 + at);
const roomOf = (nodes: readonly number[]) => nodes.reduce((all, one) => all + one, 0);

/** Queues with these factors, which hold so many jobs of one CPU each, and have as many waiting as the pool can hold. */
const backlog = (factors: readonly number[], held: readonly number[], room: number): QueueState[] =>
  factors.map((factor, at) => queue(nameOf(at), [listOf(items(room))], { factor, running: held[at] ?? 0 }));

/** One step: the free room of a pool is assigned. @returns what each queue holds then. */
function assign(factors: readonly number[], held: readonly number[], room: number): number[] {
  const queues = backlog(factors, held, room);
  const used = roomOf(held);
  const planned = plan(queues, { nodes: [node('n', { cpu: room }, { held: { cpu: used } })] });
  const counts = countsOf(queues, planned);
  return factors.map((_factor, at) => (held[at] ?? 0) + (counts[nameOf(at)] ?? 0));
}

/** The largest number of jobs by which a queue is below its part. */
function deficit(factors: readonly number[], held: readonly number[]): number {
  const weights = factors.map((factor) => 1 / factor);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const room = roomOf(held);
  return Math.max(...weights.map((weight, at) => (room * weight) / all - (held[at] ?? 0)));
}

describe('while all queues have a backlog', () => {
  it('one round leaves no queue a whole job below its part by weight', () => {
    fc.assert(
      fc.property(arbitraryPool, ({ factors, nodes }) => {
        const queues = backlog(factors, [], roomOf(nodes));
        const pool = { nodes: nodes.map((cpu, at) => node(`n${at}`, { cpu })) };
        const counts = countsOf(queues, plan(queues, pool));
        const held = factors.map((_factor, at) => counts[nameOf(at)] ?? 0);
        expect(roomOf(held)).toBe(roomOf(nodes));
        expect(deficit(factors, held)).toBeLessThan(1);
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it('no job would lower the largest cost if it belonged to another queue', () => {
    fc.assert(
      fc.property(arbitraryPool, ({ factors, nodes }) => {
        const held = assign(factors, [], roomOf(nodes));
        for (const [at, factor] of factors.entries())
          for (const [other, otherFactor] of factors.entries())
            if (at !== other)
              // In whole numbers: jobs times factor is what a queue pays.
              expect((held[at] ?? 0) * factor).toBeLessThanOrEqual(((held[other] ?? 0) + 1) * otherFactor);
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it('the shares come within one job of the weights, whoever held the pool before, as soon as its runs have ended', () => {
    fc.assert(
      fc.property(
        arbitraryPool,
        fc.nat(7),
        fc.infiniteStream(fc.nat(1_000_000)),
        ({ factors, nodes }, greedy, numbers) => {
          const room = roomOf(nodes);
          let held = factors.map((_factor, at) => (at === greedy % factors.length ? room : 0));
          // The runs that one queue had at first. Each step ends one run: one of these, or any other.
          let old = room;
          while (old > 0) {
            const ended = numbers.next().value % room;
            const at = ownerOf(held, ended);
            if (at === greedy % factors.length) old -= 1;
            held = assign(
              factors,
              held.map((count, index) => (index === at ? count - 1 : count)),
              room,
            );
          }
          expect(deficit(factors, held)).toBeLessThan(1);
        },
      ),
      { numRuns: numRuns / 20 },
    );
  });
});

/** The queue of the run with this number. */
function ownerOf(held: readonly number[], run: number): number {
  let left = run;
  for (const [at, count] of held.entries()) {
    if (left < count) return at;
    left -= count;
  }
  throw new Error('no such run');
}
