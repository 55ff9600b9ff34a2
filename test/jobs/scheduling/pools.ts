/** Pools, queues and jobs to plan rounds with. */
import type { BrakeSettings, Brakes } from '../../../src/jobs/domain/scheduling/brakes.ts';
import {
  type ExecutorState,
  Fleet,
  type NodeState,
  type Shape,
} from '../../../src/jobs/domain/scheduling/fleet.ts';
import type { Toleration } from '../../../src/jobs/domain/scheduling/matching.ts';
import { type LiveRun, planPreemption } from '../../../src/jobs/domain/scheduling/plan-preemption.ts';
import {
  type Item,
  type ItemList,
  type Plan,
  planRound,
  type QueueState,
} from '../../../src/jobs/domain/scheduling/plan-round.ts';
import type { Resources } from '../../../src/jobs/domain/scheduling/resources.ts';

/** Jobs start as fast as they can. */
export const NO_BRAKES: BrakeSettings = { pool: null, queue: null, roundShare: {} };

export interface ShapeLike {
  readonly classPriority?: number;
  readonly isPreemptible?: boolean;
  readonly resources?: Resources;
  readonly nodeSelector?: Record<string, string>;
  readonly tolerations?: readonly Toleration[];
}

export function shapeOf(more: ShapeLike = {}): Shape {
  const shape = {
    classPriority: 1000,
    isPreemptible: false,
    resources: { cpu: 1 },
    nodeSelector: {},
    tolerations: [],
    ...more,
  };
  return { ...shape, priorityClass: `class-${shape.classPriority}`, digest: JSON.stringify(shape) };
}

export interface QueueLike {
  readonly factor?: number;
  /** How many jobs it has that hold a place, and what each of them holds. */
  readonly running?: number;
  readonly held?: Resources;
  readonly limits?: Readonly<Record<string, Resources>>;
}

let count = 0;

/** A queued job. Later ones have higher ids, and were submitted later. */
export function item(more: ShapeLike = {}, priority = 0, avoidedNodes: readonly string[] = []): Item {
  return gang(1, more, { priority, avoidedNodes });
}

export function gang(
  size: number,
  more: ShapeLike = {},
  { priority = 0, uniformityLabel = null as string | null, avoidedNodes = [] as readonly string[] } = {},
): Item {
  const shape = shapeOf(more);
  const jobs = Array.from({ length: size }, () => {
    count += 1;
    return { id: String(count).padStart(8, '0'), shape, priority, submittedAt: count, avoidedNodes };
  });
  return { jobs, uniformityLabel };
}

export const items = (size: number, more: ShapeLike = {}): Item[] =>
  Array.from({ length: size }, () => item(more));

/** One list of these items. */
export const listOf = (list: readonly Item[], hasMore = false): ItemList => ({ items: list, hasMore });

export function queue(name: string, waiting: readonly ItemList[], more: QueueLike = {}): QueueState {
  const { factor = 1, running = 0, limits = {} } = more;
  const held = more.held ?? { cpu: running };
  return { id: name, name, weight: 1 / factor, held, heldByClass: { 'class-1000': held }, limits, waiting };
}

export function node(name: string, allocatable: Resources | null, more: Partial<NodeState> = {}): NodeState {
  return {
    executorId: 'executor',
    executor: 'executor',
    name,
    labels: {},
    taints: [],
    isOpen: true,
    allocatable,
    held: {},
    stopping: {},
    ...more,
  };
}

export const executor = (more: Partial<ExecutorState> = {}): ExecutorState => ({
  id: 'executor',
  room: 1_000_000,
  stopping: 0,
  ...more,
});

export function totalsOf(nodes: readonly NodeState[]): Resources {
  const totals: Record<string, number> = {};
  for (const { allocatable } of nodes)
    for (const [name, amount] of Object.entries(allocatable ?? {}))
      totals[name] = (totals[name] ?? 0) + amount;
  return totals;
}

export interface Pool {
  readonly nodes: readonly NodeState[];
  readonly executors?: readonly ExecutorState[];
  readonly totals?: Resources;
}

/** Plans one round. */
export function plan(
  queues: readonly QueueState[],
  pool: Pool,
  maxJobs = 1_000_000,
  brakes: Brakes | null = null,
): Plan {
  const { nodes, executors = [executor()], totals = totalsOf(nodes) } = pool;
  return planRound(queues, new Fleet(nodes, executors), totals, maxJobs, brakes);
}

/** The names of the queues whose jobs a plan assigns, in its order. */
export function orderOf(queues: readonly QueueState[], { assignments }: Plan): string {
  const nameOf = new Map(
    queues.flatMap(({ name, waiting }) =>
      waiting.flatMap((list) => list.items.flatMap(({ jobs }) => jobs.map(({ id }) => [id, name] as const))),
    ),
  );
  return assignments.map(({ jobId }) => nameOf.get(jobId)).join('');
}

/** How many jobs of each queue a plan assigns. */
export function countsOf(queues: readonly QueueState[], planned: Plan): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(queues.map(({ name }) => [name, 0]));
  for (const name of orderOf(queues, planned)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Runs on one node, each newer than the one before. */
export function runs(
  size: number,
  {
    queueId,
    node: name,
    ...more
  }: ShapeLike & { queueId: string; node: string; gangId?: string; from?: number },
): LiveRun[] {
  const { gangId = null, from = 0, ...shape } = more;
  return Array.from({ length: size }, (_, at) => ({
    runId: `${queueId}-${from + at}`,
    jobId: `job-${queueId}-${String(from + at).padStart(8, '0')}`,
    queueId,
    shape: shapeOf({ isPreemptible: true, ...shape }),
    priority: 0,
    leasedAt: from + at,
    executorId: 'executor',
    node: name,
    gangId,
  }));
}

/** The ids of the runs that must stop. */
export function preempted(queues: readonly QueueState[], pool: Pool, live: readonly LiveRun[]): string[] {
  const { nodes, executors = [executor()], totals = totalsOf(nodes) } = pool;
  const { unplaced } = plan(queues, pool);
  return planPreemption({ queues, nodes, executors, totals, runs: live, unplaced })
    .map(({ runId }) => runId)
    .sort();
}
