import { groupBy } from '../../../platform/group-by.ts';
import { addJob, dominantShare } from './fair-share.ts';
import { type ExecutorState, Fleet, type NodeState, type Shape } from './fleet.ts';
import {
  type Item,
  type ItemList,
  itemGoesBefore,
  planRound,
  type QueueState,
  type Unplaced,
  type WaitingJob,
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
 * gain, and a queue loses its newest runs first. What a queue holds within its share is lost only to a higher class. If
 * one job of a gang is stopped, the whole gang is.
 * Source: Armada's preemption to fair share.
 */
export function planPreemption(input: PreemptionInput): Preemption[] {
  const runs = runsToEvict(input);
  if (runs.length === 0 || input.unplaced.length === 0) return [];
  const shares = claimsOf(input.queues, input.totals);
  const kept = new Set(runs.filter(({ queueId }) => !shares.get(queueId)?.isOver));
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const { victims, winners } = assignAgain(input, runs, kept);
    const tooMany = withinShare(input.queues, input.totals, victims, shares).filter(
      ({ gangId, shape }) => gangId === null && shape.classPriority >= highestClass(winners),
    );
    if (tooMany.length === 0) {
      const winner = winnerOf(input, victims);
      return winner === null ? [] : victims.map(({ runId }) => ({ runId, preemptingJobId: winner }));
    }
    for (const run of tooMany) kept.add(run);
  }
  return [];
}

/** How often runs are assigned again because a queue would lose more than it holds above its share. */
const MAX_TRIES = 10;

/**
 * Assigns everything again. Of the runs, those that find no place any more must stop; none if no waiting job finds one.
 *
 * @param kept  the runs whose place only a higher class may take.
 */
function assignAgain(
  input: PreemptionInput,
  runs: readonly LiveRun[],
  kept: ReadonlySet<LiveRun>,
): { readonly victims: readonly LiveRun[]; readonly winners: readonly Unplaced[] } {
  const { queues, totals, unplaced } = input;
  const evicted = runs.map((run): Evicted => ({ run, item: pinnedItem(run, kept.has(run)) }));
  const fleet = new Fleet(input.nodes, input.executors);
  // Jobs that wait for runs that are being stopped already keep the places of these.
  const { placedItems } = planRound(queues, fleet, totals, Number.POSITIVE_INFINITY);
  for (const run of runs) release(fleet, run);
  const states = queues.map((queue) => withoutRuns(withPlaced(queue, placedItems), evicted));
  const plan = planRound(states, fleet, totals, Number.POSITIVE_INFINITY);
  const winners = unplaced.filter(({ item }) => plan.placedItems.has(item));
  if (winners.length === 0) return { victims: [], winners };
  const lost = evicted.filter(({ item }) => !plan.placedItems.has(item)).map(({ run }) => run);
  return { victims: wholeGangs(lost, input.runs, fleet), winners };
}

/** The runs among these that a queue would hold within its share, if it had lost all the others. */
function withinShare(
  queues: readonly QueueState[],
  totals: Resources,
  victims: readonly LiveRun[],
  shares: ReadonlyMap<string, Claim>,
): LiveRun[] {
  return queues.flatMap((queue) => {
    const mine = victims.filter(({ queueId }) => queueId === queue.id);
    const left = withHeld(queue, mine, -1);
    const share = shares.get(queue.id)?.share ?? 0;
    return mine.filter((run) => !isAbove(dominantShare(withHeld(left, [run], 1).held, totals), share));
  });
}

/**
 * The runs that must stop, with the other runs of their gangs. In the room that these leave, runs may stay after all,
 * the oldest first.
 */
function wholeGangs(lost: readonly LiveRun[], runs: readonly LiveRun[], fleet: Fleet): LiveRun[] {
  const victims = new Set(lost);
  const gangs = new Set(lost.flatMap(({ gangId }) => gangId ?? []));
  for (const run of runs) {
    if (run.gangId === null || !gangs.has(run.gangId) || victims.has(run)) continue;
    victims.add(run);
    release(fleet, run);
  }
  for (const run of [...victims].sort((one, other) => (isOlder(one, other) ? -1 : 1)))
    if (run.gangId === null && fleet.putBack(run.shape, run.executorId, run.node)) victims.delete(run);
  return [...victims];
}

const isOlder = (one: LiveRun, other: LiveRun) =>
  one.leasedAt === other.leasedAt ? one.runId < other.runId : one.leasedAt < other.leasedAt;

/**
 * The waiting job that gets the room of these runs in the next round; null if none would get it once the jobs of these
 * runs wait again. Otherwise, two jobs could take the room of one another for ever.
 */
function winnerOf(input: PreemptionInput, victims: readonly LiveRun[]): string | null {
  const evicted = [...groupBy(victims, (run) => run.gangId ?? run.runId).values()].map((runs): Evicted => {
    const [run] = runs as [LiveRun];
    return { run, item: { jobs: runs.map(waitingAgain), uniformityLabel: null } };
  });
  const afterwards = input.queues.map((queue) => {
    const mine = victims.filter(({ queueId }) => queueId === queue.id);
    const items = evicted.filter(({ run }) => run.queueId === queue.id);
    return withItems(withHeld(queue, mine, -1), items);
  });
  const [winner] = winnersAmong(input, input.queues, victims);
  const hasGain = winnersAmong(input, afterwards, victims).length > 0;
  return hasGain ? (winner?.item.jobs[0]?.id ?? null) : null;
}

/** What finds a place in these queues while the runs are being stopped. */
function winnersAmong(
  { nodes, executors, totals, unplaced }: PreemptionInput,
  queues: readonly QueueState[],
  victims: readonly LiveRun[],
): Unplaced[] {
  const fleet = new Fleet(nodes, executors);
  for (const run of victims) release(fleet, run);
  const { placedItems } = planRound(queues, fleet, totals, Number.POSITIVE_INFINITY);
  return unplaced.filter(({ item }) => placedItems.has(item));
}

/** The job of a run that was stopped. It goes before jobs that were submitted later, because it keeps its time. */
const waitingAgain = ({ jobId: id, shape, priority }: LiveRun): WaitingJob => ({
  ...{ id, shape, priority, submittedAt: 0, avoidedNodes: [] },
});

const release = (fleet: Fleet, { shape, executorId, node }: LiveRun) =>
  fleet.release(shape, executorId, node);

/** A run that is taken away in thought, as a job that waits for its own node. */
interface Evicted {
  readonly run: LiveRun;
  readonly item: Item;
}

const highestClass = (unplaced: readonly Unplaced[]) =>
  Math.max(...unplaced.map(({ item }) => item.jobs[0]?.shape.classPriority ?? 0));

/** The runs below the class of a waiting job, and the runs of queues that hold more than their share. */
function runsToEvict({ queues, totals, unplaced, nodes, runs }: PreemptionInput): LiveRun[] {
  const highest = highestClass(unplaced);
  const shares = claimsOf(queues, totals);
  const closed = new Set(
    nodes.filter(({ isOpen }) => !isOpen).map(({ executorId, name }) => `${executorId}/${name ?? ''}`),
  );
  return runs.filter(
    (run) =>
      run.shape.isPreemptible &&
      (run.shape.classPriority < highest || shares.get(run.queueId)?.isOver) &&
      // A cordoned node gets no new work, so nothing is gained there.
      !closed.has(`${run.executorId}/${run.node ?? ''}`),
  );
}

interface Claim {
  /** The part of the pool that the queue may keep. */
  readonly share: number;
  /** Whether it holds more. */
  readonly isOver: boolean;
}

/** Shares are compared as whole billionths, because sums of binary fractions depend on their order. */
const isAbove = (one: number, other: number) => Math.round(one * 1e9) > Math.round(other * 1e9);

/** What each queue with jobs may keep. That is what is fair, and also what others leave it. */
const claimsOf = (queues: readonly QueueState[], totals: Resources): Map<string, Claim> =>
  new Map(
    sharesOf(queues, totals).map(({ queueId, fairShare, adjustedShare, actualShare }) => {
      const share = Math.max(fairShare, adjustedShare);
      return [queueId, { share, isOver: isAbove(actualShare, share) }];
    }),
  );

function pinnedItem(run: LiveRun, isProtected: boolean): Item {
  const { jobId: id, shape, priority, leasedAt: submittedAt, executorId, node } = run;
  return {
    jobs: [{ id, shape, priority, submittedAt, avoidedNodes: [] }],
    uniformityLabel: null,
    pinnedTo: { executorId, node },
    isProtected,
  };
}

/** The queue as if it held these items of it. */
function withPlaced(queue: QueueState, placed: ReadonlySet<Item>): QueueState {
  const isPlaced = (item: Item) => placed.has(item);
  const mine = queue.waiting.flatMap(({ items }) => items.filter(isPlaced));
  if (mine.length === 0) return queue;
  return {
    ...withHeld(
      queue,
      mine.flatMap(({ jobs }) => jobs),
      1,
    ),
    waiting: queue.waiting.map((list) => ({
      ...list,
      items: list.items.filter((item) => !placed.has(item)),
    })),
  };
}

/** The queue as if these runs of it waited. */
function withoutRuns(queue: QueueState, evicted: readonly Evicted[]): QueueState {
  const mine = evicted.filter(({ run }) => run.queueId === queue.id);
  const runs = mine.map(({ run }) => run);
  return mine.length === 0 ? queue : withItems(withHeld(queue, runs, -1), mine);
}

function withItems(queue: QueueState, evicted: readonly Evicted[]): QueueState {
  const items = evicted.map(({ item }) => item);
  items.sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1));
  const list: ItemList = { items, hasMore: false };
  return items.length === 0 ? queue : { ...queue, waiting: [list, ...queue.waiting] };
}

/** The queue as if it held these jobs, too, or as if it did not hold them. */
function withHeld(queue: QueueState, jobs: readonly { readonly shape: Shape }[], times: 1 | -1): QueueState {
  const held: Amounts = { ...queue.held };
  const heldByClass: Record<string, Amounts> = {};
  for (const [name, amounts] of Object.entries(queue.heldByClass)) heldByClass[name] = { ...amounts };
  for (const { shape } of jobs) {
    addJob(held, shape.resources, times);
    heldByClass[shape.priorityClass] ??= {};
    addJob(heldByClass[shape.priorityClass] as Amounts, shape.resources, times);
  }
  return { ...queue, held, heldByClass };
}
