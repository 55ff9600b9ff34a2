import { addJob } from './fair-share.ts';
import type { ExecutorState, Fleet, NodeState } from './fleet.ts';
import { type Survey, surveyOf } from './obstacles.ts';
import {
  type Item,
  itemGoesBefore,
  type Plan,
  planAssignments,
  type QueueState,
  type WaitingJob,
} from './plan-round.ts';
import type { Amounts, Resources } from './resources.ts';

/** What the next round does with jobs that wait. */
export type RoundVerdict =
  /** It assigns them. */
  | 'STARTS_NEXT'
  /** It keeps a place for them, which runs that are being stopped still hold. */
  | 'WAITS_FOR_PLACE'
  /** Their queue may not hold as much. */
  | 'LIMIT_REACHED'
  /** No node has room. */
  | 'NO_ROOM'
  /** It does not come to them. */
  | 'BEHIND_OTHERS';

/** A limit of a queue that is reached. */
export interface ReachedLimit {
  readonly priorityClass: string;
  readonly resource: string;
  readonly most: number;
  readonly held: number;
  readonly asked: number;
}

export interface RoundAnswer {
  readonly verdict: RoundVerdict;
  /** Set for LIMIT_REACHED. */
  readonly limit: ReachedLimit | null;
  /** Which nodes have room for the job when the round has placed what goes first, and why the others do not. */
  readonly survey: Survey;
  /** How many other queues get jobs assigned, or a place kept, in this round. */
  readonly otherQueuesServed: number;
}

export interface RoundInput {
  readonly queues: readonly QueueState[];
  readonly nodes: readonly NodeState[];
  readonly executors: readonly ExecutorState[];
  readonly totals: Resources;
}

/**
 * What the next round does with these jobs of a queue, if nothing changes before it. It plans this round, with the same
 * code as the scheduler, so it cannot say something else.
 *
 * @param asked  a single job or a complete gang, whether or not the round has read it.
 */
export function explainItem(asked: Item, queueId: string, round: RoundInput, maxJobs: number): RoundAnswer {
  const { plan, fleet } = planAssignments(round, maxJobs);
  const [job] = asked.jobs as readonly [WaitingJob];
  const queue = round.queues.find(({ id }) => id === queueId);
  const item = queue ? (itemWith(job.id, queue) ?? asked) : asked;
  const before = viewsBefore(item, plan, fleet, round);
  const survey = surveyOf(job, before);
  const otherQueuesServed = countOthers(plan, round.queues, queueId);
  const answer = (verdict: RoundVerdict, limit: ReachedLimit | null = null): RoundAnswer => ({
    verdict,
    limit,
    survey,
    otherQueuesServed,
  });
  if (plan.placedItems.has(item)) {
    const isAssigned = plan.assignments.some(({ jobId }) => jobId === job.id);
    return answer(isAssigned ? 'STARTS_NEXT' : 'WAITS_FOR_PLACE');
  }
  if (!plan.unplaced.some((one) => one.queueId === queueId && leavesOut(one.item, item)))
    return answer('BEHIND_OTHERS');
  const limit = queue ? reachedLimit(item, queue, plan) : null;
  return answer(limit ? 'LIMIT_REACHED' : 'NO_ROOM', limit);
}

function itemWith(jobId: string, queue: QueueState): Item | undefined {
  for (const { items } of queue.waiting)
    for (const item of items) if (item.jobs.some(({ id }) => id === jobId)) return item;
  return undefined;
}

/** A job that has a place in the plan is shown the nodes as they are now, because its own place is taken afterwards. */
function viewsBefore(item: Item, plan: Plan, fleet: Fleet, round: RoundInput) {
  return plan.placedItems.has(item) ? planAssignments({ ...round, queues: [] }, 0).fleet.views : fleet.views;
}

/** Whether a round that has found no place for one item passes over another one of the same queue. */
function leavesOut(unplaced: Item, item: Item): boolean {
  if (unplaced === item) return true;
  const [one, other] = [unplaced.jobs[0] as WaitingJob, item.jobs[0] as WaitingJob];
  const areSingle = unplaced.jobs.length === 1 && item.jobs.length === 1;
  return (
    areSingle &&
    one.shape.digest === other.shape.digest &&
    one.avoidedNodes.length === 0 &&
    itemGoesBefore(unplaced, item)
  );
}

/** The limit that these jobs would pass when the round has assigned what goes before them; null if there is none. */
function reachedLimit(item: Item, queue: QueueState, plan: Plan): ReachedLimit | null {
  const { priorityClass } = (item.jobs[0] as WaitingJob).shape;
  const limits = queue.limits[priorityClass];
  if (!limits) return null;
  const held: Amounts = { ...queue.heldByClass[priorityClass] };
  for (const { items } of queue.waiting)
    for (const one of items)
      if (plan.placedItems.has(one))
        for (const { shape } of one.jobs)
          if (shape.priorityClass === priorityClass) addJob(held, shape.resources);
  const asked: Amounts = {};
  for (const { shape } of item.jobs) addJob(asked, shape.resources);
  for (const [resource, most] of Object.entries(limits)) {
    const [has, more] = [held[resource] ?? 0, asked[resource] ?? 0];
    if (has + more > most) return { priorityClass, resource, most, held: has, asked: more };
  }
  return null;
}

function countOthers(plan: Plan, queues: readonly QueueState[], queueId: string): number {
  return queues.filter(
    ({ id, waiting }) =>
      id !== queueId && waiting.some(({ items }) => items.some((item) => plan.placedItems.has(item))),
  ).length;
}

/** How many of the items that were read of a queue go before this one. */
export function countBefore(item: Item, queue: QueueState): number {
  const first = item.jobs[0]?.id;
  return queue.waiting
    .flatMap(({ items }) => items)
    .filter((one) => one.jobs[0]?.id !== first && itemGoesBefore(one, item))
    .reduce((all, { jobs }) => all + jobs.length, 0);
}
