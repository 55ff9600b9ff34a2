/** What holds whenever runs must make room, whatever the pool looks like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addJob, dominantShare, fairShares } from '../../../src/jobs/domain/scheduling/fair-share.ts';
import { type LiveRun, planPreemption } from '../../../src/jobs/domain/scheduling/plan-preemption.ts';
import type { Item } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import { demandOf } from '../../../src/jobs/domain/scheduling/shares.ts';
import { arbitraryWorld, numRuns, shuffled, type World } from './fleets.ts';
import { withAssigned, withRequeued, withStopping } from './next-worlds.ts';
import { plan } from './pools.ts';

/** The pool when everything for which there is room has been assigned: only then, runs are asked to make room. */
function filled(start: World): World {
  let world = start;
  for (let round = 1; round <= 100; round += 1) {
    const planned = plan(world.queues, world);
    if (planned.assignments.length === 0) return world;
    world = withAssigned(world, planned, 1000 + round);
  }
  throw new Error('every round assigns something');
}

/** The runs that must stop. */
function preempt(world: World) {
  const { unplaced } = plan(world.queues, world);
  const preemptions = planPreemption({ ...world, unplaced });
  const victims = preemptions.map(({ runId }) => world.runs.find((run) => run.runId === runId) as LiveRun);
  return { preemptions, victims };
}

/** The waiting items that have a place when these runs are being stopped. */
function placedAfter(world: World, victims: readonly LiveRun[]): ReadonlySet<Item> {
  const after = withStopping(world, victims);
  return plan(after.queues, after).placedItems;
}

/** Those of them that had none before. */
function winnersOf(world: World, victims: readonly LiveRun[]): Set<Item> {
  const before = placedAfter(world, []);
  return new Set([...placedAfter(world, victims)].filter((item) => !before.has(item)));
}

interface Case extends ReturnType<typeof preempt> {
  readonly world: World;
}

/** Checks all pools in which somebody must make room. */
function holds(check: (one: Case) => void): void {
  let cases = 0;
  fc.assert(
    fc.property(arbitraryWorld().map(filled), (world) => {
      const one = { world, ...preempt(world) };
      if (one.victims.length === 0) return;
      cases += 1;
      check(one);
    }),
    { numRuns },
  );
  expect(cases).toBeGreaterThan(numRuns / 50);
}

const classOf = (item: Item) => item.jobs[0]?.shape.classPriority ?? 0;

/** For each queue, the part of the pool that is protected. */
function protectedShares({ queues, totals }: World): Map<string, number> {
  const active = queues.filter((queue) => queue.waiting.length > 0 || dominantShare(queue.held, totals) > 0);
  const shares = fairShares(
    active.map((queue) => ({ weight: queue.weight, demand: demandOf(queue, totals) })),
  );
  return new Map(
    active.map(({ id }, at) => [id, Math.max(shares[at]?.fair ?? 0, shares[at]?.adjusted ?? 0)] as const),
  );
}

const shareOf = (world: World, queueId: string, without: readonly LiveRun[]) => {
  const held = { ...world.queues.find(({ id }) => id === queueId)?.held };
  for (const run of without) if (run.queueId === queueId) addJob(held, run.shape.resources, -1);
  return dominantShare(held, world.totals);
};

describe('a run that must make room', () => {
  it('has a class that makes room, and is named once', () => {
    holds(({ victims }) => {
      expect(victims.every(({ shape }) => shape.isPreemptible)).toBe(true);
      expect(new Set(victims).size).toBe(victims.length);
    });
  });

  it('takes its whole gang with it', () => {
    holds(({ world, victims }) => {
      for (const { gangId } of victims)
        if (gangId !== null)
          expect(victims.filter((run) => run.gangId === gangId)).toHaveLength(
            world.runs.filter((run) => run.gangId === gangId).length,
          );
    });
  });

  it('makes it for a job that waited, which is named', () => {
    holds((one) => {
      const winners = winnersOf(one.world, one.victims);
      expect(winners.size).toBeGreaterThan(0);
      const named = new Set(one.preemptions.map(({ preemptingJobId }) => preemptingJobId));
      const ids = [...winners].flatMap(({ jobs }) => jobs.map(({ id }) => id));
      for (const id of named) expect(ids).toContain(id);
    });
  });

  it('makes it for a job of a higher class, or its queue holds more than its share', () => {
    holds((one) => {
      const highest = Math.max(...[...winnersOf(one.world, one.victims)].map(classOf));
      const shares = protectedShares(one.world);
      for (const run of one.victims) {
        const gang = one.victims.filter(({ gangId }) => gangId !== null && gangId === run.gangId);
        const isJust = [run, ...gang].some(
          ({ shape, queueId }) =>
            shape.classPriority < highest || shareOf(one.world, queueId, []) > (shares.get(queueId) ?? 0),
        );
        expect(isJust).toBe(true);
      }
    });
  });

  it('was more than the share of its queue, unless a job of a higher class needs it', () => {
    holds((one) => {
      const highest = Math.max(...[...winnersOf(one.world, one.victims)].map(classOf));
      const shares = protectedShares(one.world);
      for (const run of one.victims) {
        if (run.gangId !== null || run.shape.classPriority < highest) continue;
        const others = one.victims.filter((other) => other !== run);
        expect(shareOf(one.world, run.queueId, others)).toBeGreaterThan(shares.get(run.queueId) ?? 0);
      }
    });
  });

  it('is needed: without it, fewer jobs that waited would get room', () => {
    holds(({ world, victims }) => {
      // A gang that must stop can leave more room than was needed.
      if (victims.some(({ gangId }) => gangId !== null)) return;
      const placed = placedAfter(world, victims);
      for (const run of victims) {
        const others = placedAfter(
          world,
          victims.filter((other) => other !== run),
        );
        expect([...placed].every((item) => others.has(item))).toBe(false);
      }
    });
  });
});

describe('preemption', () => {
  it('decides the same whatever the order in which queues, shapes and runs are read', () => {
    fc.assert(
      fc.property(arbitraryWorld().map(filled), fc.infiniteStream(fc.nat(1000)), (world, numbers) => {
        const idsOf = (one: World) =>
          preempt(one)
            .preemptions.map(({ runId }) => runId)
            .sort();
        const other = shuffled(world, (count) => numbers.next().value % count);
        expect(idsOf(other)).toEqual(idsOf(world));
      }),
      { numRuns },
    );
  });

  it('comes to an end, also if all jobs that made room wait again', () => {
    fc.assert(
      fc.property(arbitraryWorld({ stops: false }), (start) => {
        let world = start;
        for (let round = 1; round <= 100; round += 1) {
          world = filled(world);
          const { victims } = preempt(world);
          if (victims.length === 0) return;
          world = withRequeued(world, victims);
        }
        throw new Error('the jobs take the room of one another for ever');
      }),
      { numRuns },
    );
  });
});
