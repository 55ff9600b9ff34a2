import { addJob } from './fair-share.ts';
import { type ExecutorState, Fleet, type NodeState, type Shape } from './fleet.ts';
import {
  type Item,
  type ItemList,
  itemGoesBefore,
  planRound,
  type QueueState,
  type Unplaced,
} from './plan-round.ts';
import type { Amounts, Resources } from './resources.ts';
import { sharesOf } from './shares.ts';

/** A run that holds a place and is not being stopped. */
export interface LiveRun {
  readonly runId: string;
  readonly jobId: string;
  readonly queueId: string;
  readonly shape: Shape;
  readonly priority: number;
  readonly leasedAt: number;
  readonly executorId: string;
  readonly node: string | null;
  readonly gangId: string | null;
}

/** Runs to stop, and one of the jobs that get their places. */
export interface Preemption {
  readonly runId: string;
  readonly preemptingJobId: string;
}

export interface PreemptionInput {
  readonly queues: readonly QueueState[];
  readonly nodes: readonly NodeState[];
  readonly executors: readonly ExecutorState[];
  readonly totals: Resources;
  /** The runs of classes that let others take their place. */
  readonly runs: readonly LiveRun[];
  /** What found no place in the round before. */
  readonly unplaced: readonly Unplaced[];
}

/**
 * Which runs must make room for waiting jobs, because these have a higher class, or because the queue of the run holds
 * more than its fair share.
 *
 * In thought, all runs that may be stopped are taken away and everything is assigned again, each run only to its own
 * node. A run that finds no place any more is stopped, if a waiting job has found one. So nobody is stopped without a
 * gain, and a queue loses its newest runs first. If one job of a gang is stopped, the whole gang is.
 * Source: Armada's preemption to fair share.
 */
export function planPreemption(input: PreemptionInput): Preemption[] {
  const { queues, totals, unplaced } = input;
  const evicted = input.runs.filter(mayBeStopped(input));
  if (evicted.length === 0 || unplaced.length === 0) return [];
  const gangs = gangsOf(evicted, input.runs);
  const fleet = new Fleet(input.nodes, input.executors);
  for (const run of evicted) fleet.release(run.shape, run.executorId, run.node);
  const itemOfRun = new Map<LiveRun, Item>();
  for (const run of evicted) itemOfRun.set(run, pinnedItem(run));
  const states = queues.map((queue) => withoutRuns(queue, evicted, itemOfRun));
  const plan = planRound(states, fleet, totals, Number.POSITIVE_INFINITY);

  const winners = unplaced.map(({ item }) => item).filter((item) => plan.placedItems.has(item));
  const firstWinner = winners[0]?.jobs[0]?.id;
  if (firstWinner === undefined) return [];
  const victims = new Set(evicted.filter((run) => !plan.placedItems.has(itemOfRun.get(run) as Item)));
  // Runs for which there is room after all, the oldest first.
  for (const run of [...victims].sort((one, other) => one.leasedAt - other.leasedAt))
    if (run.gangId === null && fleet.putBack(run.shape, run.executorId, run.node)) victims.delete(run);
  for (const run of [...victims]) for (const member of gangs.get(run.gangId ?? '') ?? []) victims.add(member);
  return [...victims].map(({ runId }) => ({ runId, preemptingJobId: firstWinner }));
}

/** Whether a run is below the class of a waiting job, or its queue holds more than its share. */
function mayBeStopped({ queues, totals, unplaced, nodes }: PreemptionInput): (run: LiveRun) => boolean {
  const highest = Math.max(...unplaced.map(({ item }) => item.jobs[0]?.shape.classPriority ?? 0));
  const over = new Set(queuesOverShare(queues, totals));
  const closed = new Set(
    nodes.filter(({ isOpen }) => !isOpen).map(({ executorId, name }) => `${executorId}/${name ?? ''}`),
  );
  return (run) =>
    (run.shape.classPriority < highest || over.has(run.queueId)) &&
    // A cordoned node gets no new work, so nothing is gained there.
    !closed.has(`${run.executorId}/${run.node ?? ''}`);
}

/** The queues that hold more than their fair share, and more than what others leave them. */
export function queuesOverShare(queues: readonly QueueState[], totals: Resources): string[] {
  return sharesOf(queues, totals)
    .filter(({ actualShare, fairShare, adjustedShare }) => actualShare > Math.max(fairShare, adjustedShare))
    .map(({ queueId }) => queueId);
}

function pinnedItem(run: LiveRun): Item {
  const { jobId: id, shape, priority, leasedAt: submittedAt, executorId, node } = run;
  return {
    jobs: [{ id, shape, priority, submittedAt, avoidedNodes: [] }],
    uniformityLabel: null,
    pinnedTo: { executorId, node },
  };
}

/** The queue as if these runs of it waited. */
function withoutRuns(
  queue: QueueState,
  evicted: readonly LiveRun[],
  itemOfRun: ReadonlyMap<LiveRun, Item>,
): QueueState {
  const mine = evicted.filter((run) => run.queueId === queue.id);
  if (mine.length === 0) return queue;
  const held: Amounts = { ...queue.held };
  const heldByClass: Record<string, Amounts> = {};
  for (const [name, amounts] of Object.entries(queue.heldByClass)) heldByClass[name] = { ...amounts };
  for (const { shape } of mine) {
    addJob(held, shape.resources, -1);
    heldByClass[shape.priorityClass] ??= {};
    addJob(heldByClass[shape.priorityClass] as Amounts, shape.resources, -1);
  }
  const items = mine.map((run) => itemOfRun.get(run) as Item);
  items.sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1));
  const list: ItemList = { items, hasMore: false };
  return { ...queue, held, heldByClass, waiting: [list, ...queue.waiting] };
}

/** The runs of each gang of which one could be stopped. */
function gangsOf(evicted: readonly LiveRun[], runs: readonly LiveRun[]): Map<string, LiveRun[]> {
  const gangs = new Map<string, LiveRun[]>();
  for (const { gangId } of evicted) if (gangId !== null) gangs.set(gangId, []);
  for (const run of runs) gangs.get(run.gangId ?? '')?.push(run);
  return gangs;
}
