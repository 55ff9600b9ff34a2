/** Random pools for properties of the scheduler: machines, queues, and jobs that run and wait. */
import fc from 'fast-check';
import { addJob } from '../../../src/jobs/domain/scheduling/fair-share.ts';
import type { ExecutorState, NodeState, Shape } from '../../../src/jobs/domain/scheduling/fleet.ts';
import type { LiveRun } from '../../../src/jobs/domain/scheduling/plan-preemption.ts';
import {
  type Item,
  itemGoesBefore,
  type QueueState,
} from '../../../src/jobs/domain/scheduling/plan-round.ts';
import type { Amounts, Resources } from '../../../src/jobs/domain/scheduling/resources.ts';
import { listOf, totalsOf } from './pools.ts';

export interface World {
  readonly nodes: readonly NodeState[];
  readonly executors: readonly ExecutorState[];
  readonly totals: Resources;
  readonly queues: readonly QueueState[];
  /** All runs that are not being stopped, those of classes that make no room included. */
  readonly runs: readonly LiveRun[];
}

const classes = [
  { priorityClass: 'low', classPriority: 500, isPreemptible: true },
  { priorityClass: 'default', classPriority: 1000, isPreemptible: false },
  { priorityClass: 'spot', classPriority: 1000, isPreemptible: true },
  { priorityClass: 'urgent', classPriority: 2000, isPreemptible: false },
] as const;

/** Small amounts, which often collide, and amounts as large as an integer can be. */
const memory = (most: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: most }) },
    { weight: 1, arbitrary: fc.maxSafeNat() },
  );
const rack = fc.constantFrom('one', 'two', null);

const arbitraryNode = fc.record({
  executor: fc.nat(2),
  cpu: fc.nat(8),
  memory: memory(16),
  gpu: fc.constantFrom(0, 0, 2),
  rack,
  isTainted: fc.boolean(),
  isOpen: fc.constantFrom(true, true, true, false),
  saysNothing: fc.constantFrom(false, false, false, false, true),
});
const arbitraryShape = fc.record({
  kind: fc.constantFrom(...classes),
  cpu: fc.nat(4),
  memory: memory(4),
  gpu: fc.constantFrom(0, 0, 0, 1),
  rack: fc.constantFrom('one', null, null, null),
  tolerates: fc.boolean(),
});
const arbitraryQueue = fc.record({
  factor: fc.integer({ min: 1, max: 10 }),
  limit: fc.option(fc.record({ kind: fc.constantFrom(...classes), cpu: fc.nat(20) })),
});

type Drawn<T> = T extends fc.Arbitrary<infer Value> ? Value : never;
type NodePart = Drawn<typeof arbitraryNode>;
type ShapePart = Drawn<typeof arbitraryShape>;
type QueuePart = Drawn<typeof arbitraryQueue>;

export interface WorldOptions {
  readonly maxQueues?: number;
  /** Whether of each shape only some jobs are known. */
  readonly isCutOff?: boolean;
  readonly maxRuns?: number;
  /** Whether some runs are being stopped. */
  readonly stops?: boolean;
}

/** The pools of the properties. Jobs that run fit where they run, and nothing is held that no run holds. */
export const arbitraryWorld = ({
  maxQueues = 5,
  isCutOff = false,
  maxRuns = 24,
  stops = true,
}: WorldOptions = {}) =>
  fc
    .record({
      nodes: fc.array(arbitraryNode, { minLength: 1, maxLength: 8 }),
      room: fc.tuple(fc.nat(8), fc.nat(8), fc.nat(8)),
      shapes: fc.array(arbitraryShape, { minLength: 1, maxLength: 5 }),
      queues: fc.array(arbitraryQueue, { minLength: 1, maxLength: maxQueues }),
      runs: fc.array(
        fc.record({
          queue: fc.nat(7),
          shape: fc.nat(7),
          node: fc.nat(7),
          gang: fc.option(fc.nat(2), { freq: 3 }),
          isStopping: stops ? fc.constantFrom(false, false, false, true) : fc.constant(false),
        }),
        { maxLength: maxRuns },
      ),
      waiting: fc.array(
        fc.record({
          queue: fc.nat(7),
          shape: fc.nat(7),
          priority: fc.nat(2),
          submittedAt: fc.nat(5),
          avoids: fc.option(fc.nat(7), { freq: 6 }),
        }),
        { maxLength: 24 },
      ),
      gangs: fc.array(
        fc.record({
          queue: fc.nat(7),
          shape: fc.nat(7),
          size: fc.integer({ min: 2, max: 5 }),
          isUniform: fc.boolean(),
        }),
        { maxLength: 4 },
      ),
      cut: isCutOff ? fc.integer({ min: 1, max: 4 }) : fc.constant(Number.POSITIVE_INFINITY),
    })
    .map(worldOf);

interface Part {
  readonly queue: number;
  readonly shape: number;
}

interface Parts {
  readonly nodes: readonly NodePart[];
  readonly room: readonly [number, number, number];
  readonly shapes: readonly ShapePart[];
  readonly queues: readonly QueuePart[];
  readonly runs: readonly (Part & {
    readonly node: number;
    readonly gang: number | null;
    readonly isStopping: boolean;
  })[];
  readonly waiting: readonly (Part & {
    readonly priority: number;
    readonly submittedAt: number;
    readonly avoids: number | null;
  })[];
  readonly gangs: readonly (Part & { readonly size: number; readonly isUniform: boolean })[];
  readonly cut: number;
}

function worldOf(parts: Parts): World {
  const shapes = parts.shapes.map(shapeOf);
  const nodes = parts.nodes.map(nodeOf);
  const queues = parts.queues.map((_queue, at) => ({ held: {} as Amounts, byClass: {} as Classes, at }));
  const runs: LiveRun[] = [];
  const stopping = [0, 0, 0];
  for (const [at, part] of parts.runs.entries()) {
    // All jobs of a gang have one queue and one shape.
    const queueAt = (part.gang ?? part.queue) % queues.length;
    const shape = shapes[(part.gang ?? part.shape) % shapes.length] as Shape;
    const node = nodes[part.node % nodes.length] as MutableNode;
    const isStopping = part.isStopping && part.gang === null;
    if (!hasRoomFor(shape, node)) continue;
    addJob(node.held, shape.resources);
    if (isStopping) addJob(node.stopping, shape.resources);
    if (isStopping) stopping[node.executorAt] = (stopping[node.executorAt] ?? 0) + 1;
    const queue = queues[queueAt] as (typeof queues)[number];
    addJob(queue.held, shape.resources);
    queue.byClass[shape.priorityClass] ??= {};
    addJob(queue.byClass[shape.priorityClass] as Amounts, shape.resources);
    if (isStopping) continue;
    runs.push({
      runId: `run-${at}`,
      jobId: `job-run-${String(at).padStart(3, '0')}`,
      queueId: `q${queueAt}`,
      shape,
      priority: 0,
      leasedAt: at,
      executorId: node.executorId,
      node: node.name,
      gangId: part.gang === null ? null : `gang-${part.gang}`,
    });
  }
  return {
    nodes,
    executors: [0, 1, 2].map((at) => ({
      id: `e${at}`,
      room: parts.room[at] ?? 0,
      stopping: stopping[at] ?? 0,
    })),
    totals: { ...totalsOf(nodes), slots: 100 },
    queues: parts.queues.map(({ factor, limit }, at) => ({
      id: `q${at}`,
      name: `q${at}`,
      weight: 1 / factor,
      held: queues[at]?.held ?? {},
      heldByClass: queues[at]?.byClass ?? {},
      limits: limit ? { [limit.kind.priorityClass]: { cpu: limit.cpu } } : {},
      waiting: listsOf(parts, shapes, nodes, at),
    })),
    runs,
  };
}

type Classes = Record<string, Amounts>;

interface MutableNode extends NodeState {
  readonly executorAt: number;
  readonly held: Amounts;
  readonly stopping: Amounts;
}

function nodeOf(part: NodePart, at: number): MutableNode {
  const { executor, cpu, memory: bytes, gpu, isTainted, isOpen, saysNothing } = part;
  return {
    executorAt: executor,
    executorId: `e${executor}`,
    executor: `e${executor}`,
    name: `n${at}`,
    labels: part.rack === null ? {} : { rack: part.rack },
    taints: isTainted ? [{ key: 'reserved', value: 'yes', effect: 'NoSchedule' }] : [],
    isOpen,
    allocatable: saysNothing ? null : { cpu, memory: bytes, 'nvidia.com/gpu': gpu },
    held: {},
    stopping: {},
  };
}

function shapeOf(part: ShapePart, at: number): Shape {
  const { kind, cpu, memory: bytes, gpu, rack: wanted, tolerates } = part;
  return {
    digest: `shape-${at}`,
    ...kind,
    resources: { cpu, memory: bytes, 'nvidia.com/gpu': gpu },
    nodeSelector: wanted === null ? {} : { rack: wanted },
    tolerations: tolerates ? [{ key: 'reserved', operator: 'Exists', value: '', effect: null }] : [],
  };
}

function listsOf(
  { waiting, gangs, queues, cut }: Parts,
  shapes: readonly Shape[],
  nodes: readonly NodeState[],
  queue: number,
) {
  const singles = waiting.map((part, at): Item & { readonly shapeAt: number; readonly queueAt: number } => {
    const avoided = part.avoids === null ? null : nodes[part.avoids % nodes.length];
    const job = {
      id: `job-${String(at).padStart(3, '0')}`,
      shape: shapes[part.shape % shapes.length] as Shape,
      priority: part.priority,
      submittedAt: part.submittedAt,
      avoidedNodes: avoided ? [`${avoided.executor}/${avoided.name}`] : [],
    };
    return {
      jobs: [job],
      uniformityLabel: null,
      shapeAt: part.shape % shapes.length,
      queueAt: part.queue % queues.length,
    };
  });
  const lists = shapes.flatMap((_shape, shapeAt) => {
    const mine = singles.filter((item) => item.queueAt === queue && item.shapeAt === shapeAt);
    mine.sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1));
    return mine.length === 0 ? [] : [listOf(mine.slice(0, cut), mine.length > cut)];
  });
  const together = gangs.flatMap((part, at): Item[] => {
    if (part.queue % queues.length !== queue) return [];
    const shape = shapes[part.shape % shapes.length] as Shape;
    const jobs = Array.from({ length: part.size }, (_, member) => ({
      ...{ id: `job-gang-${at}-${member}`, shape, priority: 0, submittedAt: at, avoidedNodes: [] },
    }));
    return [{ jobs, uniformityLabel: part.isUniform ? 'rack' : null }];
  });
  together.sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1));
  return together.length === 0 ? lists : [...lists, listOf(together)];
}

function hasRoomFor({ resources }: Shape, { allocatable, held }: NodeState): boolean {
  if (!allocatable) return true;
  return Object.entries(resources).every(
    ([name, amount]) => amount === 0 || (held[name] ?? 0) + amount <= (allocatable[name] ?? 0),
  );
}

/** What is free, as exact integers: amounts of a node, or places of an executor. */
export class Ledger {
  readonly #free = new Map<string, bigint>();

  constructor({ nodes, executors }: World, { isSoon = false } = {}) {
    for (const { id, room, stopping } of executors)
      this.#free.set(id, BigInt(room + (isSoon ? stopping : 0)));
    for (const { name, allocatable, held, stopping } of nodes)
      for (const [resource, amount] of Object.entries(allocatable ?? {}))
        this.#free.set(
          `${name}/${resource}`,
          BigInt(amount) - BigInt(held[resource] ?? 0) + (isSoon ? BigInt(stopping[resource] ?? 0) : 0n),
        );
  }

  take({ resources }: Shape, executorId: string, node: string | null, times = 1n): void {
    this.#add(executorId, -times);
    for (const [resource, amount] of Object.entries(resources))
      if (amount > 0) this.#add(`${node}/${resource}`, -times * BigInt(amount));
  }

  #add(key: string, amount: bigint): void {
    const before = this.#free.get(key);
    if (before !== undefined) this.#free.set(key, before + amount);
  }

  hasRoomFor({ resources }: Shape, { executorId, name, allocatable }: NodeState): boolean {
    if ((this.#free.get(executorId) ?? 0n) < 1n) return false;
    if (!allocatable) return true;
    return Object.entries(resources).every(
      ([resource, amount]) => amount === 0 || (this.#free.get(`${name}/${resource}`) ?? 0n) >= BigInt(amount),
    );
  }

  /** What more was taken of than there was. */
  overdrawn(): string[] {
    return [...this.#free].filter(([, amount]) => amount < 0n).map(([key]) => key);
  }
}

/** A world in which nothing has another meaning, but much another order. */
export function shuffled(world: World, by: (count: number) => number): World {
  const mix = <T>(list: readonly T[]): T[] => {
    const rest = [...list];
    return list.map(() => rest.splice(by(rest.length), 1)[0] as T);
  };
  return {
    ...world,
    queues: mix(world.queues.map((queue) => ({ ...queue, waiting: mix(queue.waiting) }))),
    runs: mix(world.runs),
  };
}

/** How many runs a property makes; more in the soak tests. */
export const numRuns = process.env['SOAK'] ? 10_000 : 1000;
