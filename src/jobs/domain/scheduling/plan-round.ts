import type { Brakes } from './brakes.ts';
import { addJob, costOf } from './fair-share.ts';
import {
  type ExecutorState,
  Fleet,
  type NodeState,
  type Placement,
  type Shape,
  type Wanted,
} from './fleet.ts';
import type { Amounts, Resources } from './resources.ts';

/** A queued job. */
export interface WaitingJob extends Wanted {
  readonly id: string;
  /** In its queue and class, lower numbers go first. */
  readonly priority: number;
  /** In milliseconds. */
  readonly submittedAt: number;
}

/** Jobs that start together or not at all: a gang, or a single job. */
export interface Item {
  readonly jobs: readonly WaitingJob[];
  readonly uniformityLabel: string | null;
  /** The node of a run that goes on, if it still fits there. */
  readonly pinnedTo?: { readonly executorId: string; readonly node: string | null };
  /** Whether only jobs of a higher class may take the place of this run. */
  readonly isProtected?: boolean;
}

/** Items of one queue, in their order: single jobs of one shape, or gangs, or runs that go on. */
export interface ItemList {
  readonly items: readonly Item[];
  /** Whether the queue has more of these, which were not read. */
  readonly hasMore: boolean;
}

export interface QueueState {
  readonly id: string;
  readonly name: string;
  /** 1 / priorityFactor. */
  readonly weight: number;
  readonly held: Resources;
  readonly heldByClass: Readonly<Record<string, Resources>>;
  /** How much of the pool the jobs of a class may hold together; absent for no limit. */
  readonly limits: Readonly<Record<string, Resources>>;
  readonly waiting: readonly ItemList[];
}

export interface Assignment extends Placement {
  readonly jobId: string;
}

/** An item that found no place in this round. */
export interface Unplaced {
  readonly queueId: string;
  readonly item: Item;
}

export interface Plan {
  /** In the order in which they were decided. Items that wait for a place to become free are left out. */
  readonly assignments: readonly Assignment[];
  /** Items, from the front of their queues, for which there is no room. */
  readonly unplaced: readonly Unplaced[];
  readonly placedItems: ReadonlySet<Item>;
  /** Whether the round ended before all that fits was assigned. */
  readonly isPartial: boolean;
}

/**
 * One round of scheduling. Of the next items of all queues, those of the highest class are candidates, and of these the
 * one whose queue would then have the lowest cost is taken; among equals, the queue that comes first by name. An item
 * that does not fit is left out, and the one behind it is tried. So one large job never blocks its queue.
 *
 * @param totals  what all nodes of the pool have.
 * @param maxJobs  a round assigns no more jobs than this, except for a gang that is larger.
 * @param brakes  how many jobs may start in this round; null for no limit. Runs that go on do not count. What they leave
 * out is not told as having found no room.
 * Source: Armada's scheduler.
 */
export function planRound(
  queues: readonly QueueState[],
  fleet: Fleet,
  totals: Resources,
  maxJobs: number,
  brakes: Brakes | null = null,
): Plan {
  const assignments: Assignment[] = [];
  const unplaced: Unplaced[] = [];
  const placedItems = new Set<Item>();
  const lines = queues.map((queue) => new Line(queue, totals));
  let isPartial = false;
  for (;;) {
    const line = nextOf(lines);
    if (!line) break;
    const item = line.next as Item;
    if (assignments.length > 0 && assignments.length + item.jobs.length > maxJobs) {
      isPartial = true;
      break;
    }
    const verdict = item.pinnedTo ? 'GO' : (brakes?.judge(line.queue.id, item.jobs.length) ?? 'GO');
    if (verdict === 'STOP_ROUND') break;
    if (verdict !== 'GO') {
      if (verdict === 'SKIP') line.skip(item);
      else line.stop();
      continue;
    }
    const placements = fleet.hasRoom ? placeItem(fleet, line, item) : null;
    if (placements) {
      placedItems.add(item);
      if (placements.every(({ isFree }) => isFree)) {
        for (const [index, placement] of placements.entries())
          assignments.push({ jobId: (item.jobs[index] as WaitingJob).id, ...placement });
        if (!item.pinnedTo)
          brakes?.take(
            line.queue.id,
            item.jobs.map(({ shape }) => shape.resources),
          );
      }
      line.take(item);
    } else {
      unplaced.push({ queueId: line.queue.id, item });
      line.skip(item);
    }
    if (line.isCutOff && fleet.hasRoom && assignments.length > 0) {
      // The next item of this queue is not known, and it could come before those of the other queues. The next round
      // reads it. If nothing is assigned yet, the next round would read the same items, so this one goes on without it.
      isPartial = true;
      break;
    }
  }
  return { assignments, unplaced, placedItems, isPartial };
}

/** Plans a round from what was read for it. */
export function planAssignments(
  round: {
    readonly queues: readonly QueueState[];
    readonly nodes: readonly NodeState[];
    readonly executors: readonly ExecutorState[];
    readonly totals: Resources;
  },
  maxJobs: number,
  brakes: Brakes | null = null,
): { readonly plan: Plan; readonly fleet: Fleet } {
  const fleet = new Fleet(round.nodes, round.executors);
  return { plan: planRound(round.queues, fleet, round.totals, maxJobs, brakes), fleet };
}

function placeItem(fleet: Fleet, line: Line, item: Item): readonly Placement[] | null {
  if (!item.pinnedTo) return line.isWithinLimits(item) ? fleet.place(item.jobs, item.uniformityLabel) : null;
  const { executorId, node } = item.pinnedTo;
  const [job] = item.jobs;
  return job && fleet.putBack(job.shape, executorId, node) ? [{ executorId, node, isFree: true }] : null;
}

function nextOf(lines: readonly Line[]): Line | null {
  let best: Line | null = null;
  for (const line of lines) {
    if (!line.next) continue;
    if (!best || goesBefore(line, best)) best = line;
  }
  return best;
}

function goesBefore(one: Line, other: Line): boolean {
  if (one.classPriority !== other.classPriority) return one.classPriority > other.classPriority;
  if (one.isProtected !== other.isProtected) return one.isProtected;
  if (one.cost !== other.cost) return one.cost < other.cost;
  return one.queue.name < other.queue.name;
}

/** A queue in a round: what it holds by now, and its next item. */
class Line {
  readonly queue: QueueState;
  readonly #totals: Resources;
  readonly #held: Amounts;
  readonly #heldByClass: Record<string, Amounts> = {};
  readonly #lists: { readonly list: ItemList; at: number }[];
  /** Lists whose rest was left out, because their jobs have all the same shape. */
  readonly #skipped = new Set<ItemList>();
  next: Item | null = null;
  classPriority = 0;
  /** What the queue would pay with the next item. */
  cost = 0;
  /** Whether the next item is a run that only jobs of a higher class may stop. */
  isProtected = false;
  /** Whether more items exist than were read, and the next one may be among them. */
  isCutOff = false;

  constructor(queue: QueueState, totals: Resources) {
    this.queue = queue;
    this.#totals = totals;
    this.#held = { ...queue.held };
    for (const [name, held] of Object.entries(queue.heldByClass)) this.#heldByClass[name] = { ...held };
    this.#lists = queue.waiting.map((list) => ({ list, at: 0 }));
    this.#advance();
  }

  isWithinLimits(item: Item): boolean {
    const name = classOf(item);
    const limit = this.queue.limits[name];
    if (!limit) return true;
    const held = { ...this.#heldByClass[name] };
    for (const { shape } of item.jobs) addJob(held, shape.resources);
    return Object.entries(limit).every(([resource, most]) => (held[resource] ?? 0) <= most);
  }

  take(item: Item): void {
    const name = classOf(item);
    this.#heldByClass[name] ??= {};
    for (const { shape } of item.jobs) {
      addJob(this.#held, shape.resources);
      addJob(this.#heldByClass[name], shape.resources);
    }
    this.#drop(item);
  }

  /**
   * Leaves an item out. Places only become fewer in a round, so jobs of the same shape find none either, unless this
   * one avoids nodes.
   */
  skip(item: Item): void {
    const [job] = item.jobs;
    const isAlone = item.jobs.length === 1 && !item.pinnedTo && job?.avoidedNodes.length === 0;
    for (const line of this.#lists) {
      if (line.list.items[line.at] !== item) continue;
      if (isAlone) line.at = line.list.items.length;
      if (isAlone && line.list.hasMore) this.#skipped.add(line.list);
    }
    if (!isAlone) this.#drop(item);
    else this.#advance();
  }

  /** Leaves everything out that is left. */
  stop(): void {
    this.next = null;
  }

  #drop(item: Item): void {
    for (const line of this.#lists) if (line.list.items[line.at] === item) line.at += 1;
    this.#advance();
  }

  #advance(): void {
    this.next = null;
    for (const { list, at } of this.#lists) {
      const item = list.items[at];
      if (!item) {
        if (list.hasMore && !this.#skipped.has(list)) this.isCutOff = true;
        continue;
      }
      if (!this.next || itemGoesBefore(item, this.next)) this.next = item;
    }
    if (!this.next) return;
    this.classPriority = shapeOf(this.next).classPriority;
    this.isProtected = this.next.isProtected === true;
    const held = { ...this.#held };
    for (const { shape } of this.next.jobs) addJob(held, shape.resources);
    this.cost = costOf(held, this.#totals, this.queue.weight);
  }
}

const shapeOf = (item: Item): Shape => (item.jobs[0] as WaitingJob).shape;
const classOf = (item: Item): string => shapeOf(item).priorityClass;

/**
 * In a queue: higher classes first, then runs that go on, the protected ones before the others, then lower priorities, then what was submitted earlier. A gang
 * has the place of its first job.
 */
export function itemGoesBefore(one: Item, other: Item): boolean {
  const [first, second] = [one.jobs[0] as WaitingJob, other.jobs[0] as WaitingJob];
  if (first.shape.classPriority !== second.shape.classPriority)
    return first.shape.classPriority > second.shape.classPriority;
  if ((one.isProtected ?? false) !== (other.isProtected ?? false)) return one.isProtected === true;
  if ((one.pinnedTo === undefined) !== (other.pinnedTo === undefined)) return one.pinnedTo !== undefined;
  if (first.priority !== second.priority) return first.priority < second.priority;
  if (first.submittedAt !== second.submittedAt) return first.submittedAt < second.submittedAt;
  return first.id < second.id;
}
