import { LRUCache } from 'lru-cache';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';
import { allocatableOf, type ReportedNode } from '../domain/reported-nodes.ts';
import { addJob, SLOT } from '../domain/scheduling/fair-share.ts';
import type { ExecutorState, NodeState, Shape } from '../domain/scheduling/fleet.ts';
import type { LiveRun } from '../domain/scheduling/plan-preemption.ts';
import {
  type Item,
  type ItemList,
  itemGoesBefore,
  type QueueState,
  type WaitingJob,
} from '../domain/scheduling/plan-round.ts';
import { type Amounts, add, nodeNameOf, type Resources } from '../domain/scheduling/resources.ts';
import type { Pool } from '../store/leases.ts';
import {
  type ExecutorRow,
  type GangMember,
  type HeldRow,
  listExecutors,
  listHeld,
  listPreemptible,
  listQueueStates,
  listWaitingGangs,
  listWaitingJobs,
  listWaitingShapes,
  type QueueRow,
  type ShapeColumns,
  type WaitingRow,
} from '../store/rounds.ts';

/** What one round of scheduling decides about. */
export interface Round {
  readonly queues: readonly QueueState[];
  readonly nodes: readonly NodeState[];
  readonly executors: readonly ExecutorState[];
  /** What all nodes have, those that get no new work included. */
  readonly totals: Resources;
}

/** Which executors get no new work. */
export interface ExecutorLimits {
  /** Those that were silent for longer. */
  readonly silentSeconds: number;
  /** Those with so many runs that they have not named yet. */
  readonly unacknowledgedRuns: number;
}

/** Of each queue and shape, at least so many jobs are read, and in total at most so many times what a round can take. */
const MIN_HEADS = 4;
const HEADS_PER_ROOM = 2;

/**
 * Reads what a round decides about; null if nothing waits, or if the pool has no executors.
 *
 * @param most  how many jobs the round can assign.
 * @param evenIfIdle  whether to read what runs also if nothing waits.
 */
export async function readRound(
  tx: Tx,
  pool: Pool,
  limits: ExecutorLimits,
  most: number,
  { evenIfIdle = false } = {},
): Promise<Round | null> {
  const shapes = await listWaitingShapes(tx, pool);
  const gangs = await listWaitingGangs(tx, pool);
  if (!evenIfIdle && shapes.length === 0 && gangs.length === 0) return null;
  const known = knownNodes();
  const executors = await listExecutors(tx, pool, limits.silentSeconds, [...known.keys()]);
  if (executors.length === 0) return null;
  const held = await listHeld(tx, pool.tenantId, idsOf(executors));
  const heldBy = groupBy(held, ({ executorId }) => executorId);
  const rooms = executors.map((executor) => roomOf(executor, heldBy.get(executor.id) ?? [], limits));
  const room = rooms.reduce((all, one) => all + Math.max(one.room + one.stopping, 0), 0);
  const takes = Math.min(room, most);
  const perShape = Math.ceil((HEADS_PER_ROOM * takes) / Math.max(shapes.length, 1));
  const heads = Math.max(MIN_HEADS, Math.min(takes, perShape));
  const waiting = await listWaitingJobs(tx, pool, shapes, heads);
  const queueIds = new Set([...shapes, ...gangs, ...held].map(({ queueId }) => queueId));
  const queues = await listQueueStates(tx, [...queueIds]);
  const nodes = executors.flatMap((executor) => nodeStates(executor, known, heldBy.get(executor.id) ?? []));
  const totals = totalsOf(nodes, executors);
  const lists = [...singleLists(shapes, waiting, heads), ...gangLists(gangs)];
  return {
    queues: queues.map((queue) => queueState(queue, { pool: pool.name, held, lists, totals })),
    nodes,
    executors: rooms,
    totals,
  };
}

/** How many more runs an executor takes, so that it never has too many that it has not named. */
function roomOf(
  { id, slots }: ExecutorRow,
  mine: readonly HeldRow[],
  { unacknowledgedRuns }: ExecutorLimits,
): ExecutorState {
  const sum = (count: (row: HeldRow) => number) => mine.reduce((all, row) => all + count(row), 0);
  const free = slots - sum(({ count }) => count);
  const mayGet = unacknowledgedRuns - sum(({ unacknowledged }) => unacknowledged);
  return {
    id,
    room: Math.min(free, mayGet),
    stopping: sum(({ count, isStopping }) => (isStopping ? count : 0)),
  };
}

/** The runs of these executors that may have to make room for others. */
export async function readLiveRuns(
  tx: Tx,
  executors: readonly { readonly id: string }[],
): Promise<LiveRun[]> {
  const rows = await listPreemptible(tx, idsOf(executors));
  return rows.map((row) => ({
    ...row,
    shape: shapeOf(row),
    priority: Number(row.priority),
    leasedAt: row.leasedAt.getTime(),
  }));
}

const idsOf = (executors: readonly { readonly id: string }[]) => executors.map(({ id }) => id);

export const shapeOf = ({ shape, ...rest }: ShapeColumns): Shape => ({
  digest: shape,
  priorityClass: rest.priorityClass,
  classPriority: rest.classPriority,
  isPreemptible: rest.isPreemptible,
  resources: rest.resources,
  nodeSelector: rest.nodeSelector,
  tolerations: rest.tolerations,
});

type Node = Pick<NodeState, 'name' | 'labels' | 'taints' | 'isOpen' | 'allocatable'>;

/** The nodes of executors by the digest of their report, because a report can be long and rarely changes. */
const nodesOf = new LRUCache<string, readonly Node[]>({ max: 1000 });

/** Nodes by the digest of their report. */
export type KnownNodes = ReadonlyMap<string, readonly Node[]>;

/** The nodes that need not be read again. What is forgotten meanwhile stays in this map. */
export const knownNodes = (): KnownNodes => new Map(nodesOf.entries());

/**
 * The nodes of an executor; one without a name if it names none.
 *
 * @param known  the nodes that were known when the executor was read.
 */
export function reportedNodes(
  executor: Pick<ExecutorRow, 'nodesDigest' | 'nodes'>,
  known: KnownNodes,
): readonly Node[] {
  const nodes = readNodes(executor, known);
  return nodes.length === 0 ? [nowhere] : nodes;
}

function readNodes(
  { nodesDigest, nodes }: Pick<ExecutorRow, 'nodesDigest' | 'nodes'>,
  known: KnownNodes,
): readonly Node[] {
  const before = known.get(nodesDigest);
  if (before) {
    // Those that are used are forgotten last.
    nodesOf.set(nodesDigest, before);
    return before;
  }
  const read = (nodes ?? []).map(toNode);
  // An executor of an earlier release has no digest.
  if (nodesDigest !== '' && nodes !== null) nodesOf.set(nodesDigest, read);
  return read;
}

export const toNode = (node: ReportedNode): Node => ({
  name: node.name,
  labels: node.labels ?? {},
  taints: node.taints ?? [],
  isOpen: node.unschedulable !== true,
  allocatable: allocatableOf(node),
});

const nowhere: Node = { name: null, labels: {}, taints: [], isOpen: true, allocatable: null };

function nodeStates(executor: ExecutorRow, known: KnownNodes, mine: readonly HeldRow[]): NodeState[] {
  const nodes = reportedNodes(executor, known);
  return nodes.map((node) => {
    // A run of an earlier release names no node. If there is one node, it runs there.
    const here = mine.filter((row) => row.node === node.name || (row.node === null && nodes.length === 1));
    return {
      ...node,
      executorId: executor.id,
      executor: executor.name,
      isOpen: node.isOpen && !executor.isClosed && !executor.cordonedNodes.includes(node.name ?? ''),
      held: sumOf(here),
      stopping: sumOf(here.filter(({ isStopping }) => isStopping)),
    };
  });
}

function sumOf(rows: readonly HeldRow[]): Resources {
  const amounts: Amounts = {};
  for (const { resources, count } of rows) addJob(amounts, resources, count);
  return amounts;
}

function totalsOf(nodes: readonly NodeState[], executors: readonly ExecutorRow[]): Resources {
  const totals: Amounts = {};
  for (const { allocatable } of nodes) if (allocatable) add(totals, allocatable);
  for (const { slots } of executors) add(totals, { [SLOT]: slots });
  return totals;
}

interface List extends ItemList {
  readonly queueId: string;
}

function singleLists(
  shapes: readonly (ShapeColumns & { readonly queueId: string })[],
  waiting: readonly WaitingRow[],
  heads: number,
): List[] {
  const byKind = groupBy(waiting, kindOf);
  return shapes.map((columns) => {
    const shape = shapeOf(columns);
    const rows = byKind.get(kindOf(columns)) ?? [];
    const items = rows.map((row): Item => ({ jobs: [waitingJob(row, shape)], uniformityLabel: null }));
    return { queueId: columns.queueId, items, hasMore: rows.length === heads };
  });
}

const kindOf = ({ queueId, shape }: { queueId: string; shape: string }) => `${queueId}/${shape}`;

export function gangLists(members: readonly GangMember[]): List[] {
  const gangs = [...groupBy(members, ({ gangId }) => gangId).values()];
  const byQueue = groupBy(gangs, ([first]) => (first as GangMember).queueId);
  return [...byQueue].map(([queueId, ofQueue]) => {
    const items = ofQueue.map(
      (rows): Item => ({
        jobs: rows.map((row) => waitingJob(row, shapeOf(row))),
        uniformityLabel: (rows[0] as GangMember).uniformityLabel,
      }),
    );
    return {
      queueId,
      items: items.sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1)),
      hasMore: false,
    };
  });
}

export function waitingJob(row: WaitingRow, shape: Shape): WaitingJob {
  const { id, priority, submittedAt, avoidedNodes } = row;
  return { id, shape, avoidedNodes, priority: Number(priority), submittedAt: submittedAt.getTime() };
}

function queueState(
  queue: QueueRow,
  round: {
    readonly pool: string;
    readonly held: readonly HeldRow[];
    readonly lists: readonly List[];
    readonly totals: Resources;
  },
): QueueState {
  const mine = round.held.filter(({ queueId }) => queueId === queue.id);
  const byClass = groupBy(mine, ({ priorityClass }) => priorityClass);
  return {
    id: queue.id,
    name: queue.name,
    weight: 1 / queue.priorityFactor,
    held: sumOf(mine),
    heldByClass: Object.fromEntries([...byClass].map(([name, rows]) => [name, sumOf(rows)])),
    limits: limitsOf(queue, round.pool, round.totals),
    waiting: round.lists.filter(({ queueId }) => queueId === queue.id),
  };
}

/** The fractions of a queue as amounts. What is set for the pool counts before what is set for all pools. */
export function limitsOf(
  { resourceLimits }: QueueRow,
  pool: string,
  totals: Resources,
): Readonly<Record<string, Resources>> {
  return Object.fromEntries(
    Object.entries(resourceLimits).map(([name, limit]) => {
      const fractions = { ...limit.maximumResourceFraction, ...limit.maximumResourceFractionByPool?.[pool] };
      const amounts = Object.entries(fractions).map(([resource, fraction]) => {
        const nodeName = nodeNameOf(resource);
        return [nodeName, Math.floor((totals[nodeName] ?? 0) * fraction)] as const;
      });
      return [name, Object.fromEntries(amounts)];
    }),
  );
}
