/** What holds for every round, whatever the pool looks like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mismatch } from '../../../src/jobs/domain/scheduling/matching.ts';
import { type Item, itemGoesBefore, type Plan } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import { arbitraryWorld, Ledger, numRuns, shuffled, type World } from './fleets.ts';
import { plan } from './pools.ts';

const holds = (check: (world: World, planned: Plan) => void, options = {}) =>
  fc.assert(
    fc.property(fc.oneof(arbitraryWorld(options), arbitraryWorld({ ...options, isCutOff: true })), (world) =>
      check(world, plan(world.queues, world)),
    ),
    { numRuns },
  );

const itemsOf = ({ queues }: World) =>
  queues.flatMap((queue) => queue.waiting.flatMap(({ items }) => items.map((item) => ({ item, queue }))));
const jobsOf = (world: World) =>
  new Map(
    itemsOf(world).flatMap(({ item, queue }) => item.jobs.map((job) => [job.id, { job, item, queue }])),
  );

type Known = NonNullable<ReturnType<ReturnType<typeof jobsOf>['get']>>;

/** The assigned jobs, with all that is known about them. */
function assignedOf(world: World, { assignments }: Plan) {
  const jobs = jobsOf(world);
  return assignments.map((assignment) => {
    const node = world.nodes.find(
      ({ executorId, name }) => executorId === assignment.executorId && name === assignment.node,
    );
    if (!node) throw new Error('assigned to a node that does not exist');
    return { ...(jobs.get(assignment.jobId) as Known), assignment, node };
  });
}

describe('a round', () => {
  it('takes no more of any node or executor than is free', () => {
    holds((world, planned) => {
      const ledger = new Ledger(world);
      for (const { job, assignment } of assignedOf(world, planned))
        ledger.take(job.shape, assignment.executorId, assignment.node);
      expect(ledger.overdrawn()).toEqual([]);
    });
  });

  it('assigns each job once, to an open node that it selects and whose taints it tolerates', () => {
    holds((world, planned) => {
      const assigned = assignedOf(world, planned);
      expect(new Set(assigned.map(({ job }) => job.id)).size).toBe(assigned.length);
      for (const { job, node } of assigned) {
        expect(node.isOpen).toBe(true);
        expect(mismatch(node, job.shape)).toBeNull();
      }
    });
  });

  it('lets no queue hold more of a class than its limit', () => {
    holds((world, planned) => {
      for (const [name, cpu] of Object.entries(cpuAssigned(world, planned))) {
        const [queueId, priorityClass = ''] = name.split('/');
        const queue = world.queues.find(({ id }) => id === queueId);
        const limit = queue?.limits[priorityClass]?.['cpu'] ?? Number.POSITIVE_INFINITY;
        expect((queue?.heldByClass[priorityClass]?.['cpu'] ?? 0) + cpu).toBeLessThanOrEqual(limit);
      }
    });
  });

  it('assigns a gang whole or not at all, and on nodes with one value of its label', () => {
    holds((world, planned) => {
      const assigned = assignedOf(world, planned);
      for (const { item } of itemsOf(world)) {
        const members = assigned.filter((one) => one.item === item);
        if (members.length === 0) continue;
        expect(members).toHaveLength(item.jobs.length);
        const label = item.uniformityLabel;
        if (label === null) continue;
        const values = new Set(members.map(({ node }) => node.labels[label]));
        expect(values.size).toBe(1);
        expect(values.has(undefined as never)).toBe(false);
      }
    });
  });

  it('assigns higher classes first, and in a queue lower priorities before higher ones, and older jobs before newer ones', () => {
    holds((world, planned) => {
      const assigned = assignedOf(world, planned);
      const priorities = assigned.map(({ job }) => job.shape.classPriority);
      expect(priorities).toEqual([...priorities].sort((one, other) => other - one));
      for (const { id } of world.queues) {
        const order = [...new Set(assigned.filter(({ queue }) => queue.id === id).map(({ item }) => item))];
        expect(order).toEqual([...order].sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1)));
      }
    });
  });

  it('passes over a job for a later one only if the two differ in what they need', () => {
    holds((world, planned) => {
      for (const { waiting } of world.queues)
        for (const { items } of waiting) {
          // Jobs of one shape that avoid no nodes need exactly the same.
          const alike = items.filter(({ jobs }) => jobs.length === 1 && jobs[0]?.avoidedNodes.length === 0);
          const isPlaced = alike.map((item) => planned.placedItems.has(item));
          expect(isPlaced).toEqual([...isPlaced].sort((one, other) => Number(other) - Number(one)));
        }
    });
  });

  it('decides the same whatever the order in which queues and shapes are read', () => {
    fc.assert(
      fc.property(arbitraryWorld(), fc.infiniteStream(fc.nat(1000)), (world, numbers) => {
        const other = shuffled(world, (count) => numbers.next().value % count);
        expect(plan(other.queues, other).assignments).toEqual(plan(world.queues, world).assignments);
      }),
      { numRuns },
    );
  });

  it('leaves no job waiting for which there is room', () => {
    let lonely = 0;
    holds(
      (world, planned) => {
        if (planned.isPartial) return;
        const left = new Ledger(world);
        for (const { job, assignment } of assignedOf(world, planned))
          left.take(job.shape, assignment.executorId, assignment.node);
        for (const { item, queue } of itemsOf(world)) {
          const [job] = item.jobs;
          // A gang is placed one job after the other, so it can miss a combination that exists.
          if (item.jobs.length > 1 || !job || planned.placedItems.has(item)) continue;
          const matching = world.nodes.filter((node) => node.isOpen && mismatch(node, job.shape) === null);
          const others = matching.filter(
            ({ executor, name }) => !job.avoidedNodes.includes(`${executor}/${name}`),
          );
          const rooms = (others.length === 0 ? matching : others).filter((node) =>
            left.hasRoomFor(job.shape, node),
          );
          if (rooms.length === 0) continue;
          lonely += 1;
          expect(isOverLimit(planned, item, queue)).toBe(true);
        }
        // A job that waits for a run that is being stopped has taken room that is free now, so nothing is being stopped.
      },
      { stops: false },
    );
    // Limits alone leave jobs waiting beside free room. Without such worlds, nothing would be shown.
    expect(lonely).toBeGreaterThan(0);
  });

  it('assigns something if it ends before all that fits is assigned', () => {
    fc.assert(
      fc.property(arbitraryWorld({ isCutOff: true }), fc.integer({ min: 1, max: 3 }), (world, most) => {
        const planned = plan(world.queues, world, most);
        if (planned.isPartial) expect(planned.assignments.length).toBeGreaterThan(0);
      }),
      { numRuns },
    );
  });
});

describe('a gang of equal jobs', () => {
  it('is assigned if there is room for all of its jobs', () => {
    fc.assert(
      fc.property(
        arbitraryWorld({ maxQueues: 1, maxRuns: 6 }),
        fc.integer({ min: 2, max: 6 }),
        (world, size) => {
          const [queue] = world.queues;
          const [model] = itemsOf(world);
          const shape = model?.item.jobs[0]?.shape;
          if (!queue || !shape) return;
          const jobs = Array.from({ length: size }, (_, at) => ({
            ...{ id: `only-${at}`, shape, priority: 0, submittedAt: 0, avoidedNodes: [] },
          }));
          const alone = {
            ...queue,
            limits: {},
            waiting: [{ items: [{ jobs, uniformityLabel: null }], hasMore: false }],
          };
          const { assignments } = plan([alone], world);
          expect(assignments.length > 0).toBe(placesFor(world, shape, size) === size);
        },
      ),
      { numRuns },
    );
  });
});

/** How many of so many jobs of a shape can run beside one another, counted in the simplest way. */
function placesFor(world: World, shape: Known['job']['shape'], most: number): number {
  const [now, soon] = [new Ledger(world), new Ledger(world, { isSoon: true })];
  let places = 0;
  for (const node of world.nodes) {
    if (!node.isOpen || mismatch(node, shape) !== null) continue;
    while (places < most && now.hasRoomFor(shape, node) && soon.hasRoomFor(shape, node)) {
      now.take(shape, node.executorId, node.name);
      soon.take(shape, node.executorId, node.name);
      places += 1;
    }
  }
  return places;
}

function cpuAssigned(world: World, planned: Plan): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { job, queue } of assignedOf(world, planned)) {
    const key = `${queue.id}/${job.shape.priorityClass}`;
    sums[key] = (sums[key] ?? 0) + (job.shape.resources['cpu'] ?? 0);
  }
  return sums;
}

function isOverLimit(planned: Plan, item: Item, queue: Known['queue']): boolean {
  const shape = item.jobs[0]?.shape;
  const limit = shape && queue.limits[shape.priorityClass]?.['cpu'];
  if (!shape || limit === undefined) return false;
  let cpu = queue.heldByClass[shape.priorityClass]?.['cpu'] ?? 0;
  for (const placed of planned.placedItems)
    if (queue.waiting.some(({ items }) => items.includes(placed)))
      for (const job of placed.jobs)
        if (job.shape.priorityClass === shape.priorityClass) cpu += job.shape.resources['cpu'] ?? 0;
  return cpu + (shape.resources['cpu'] ?? 0) > limit;
}
