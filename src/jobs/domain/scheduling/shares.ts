import { addJob, dominantShare, fairShares } from './fair-share.ts';
import type { QueueState } from './plan-round.ts';
import type { Amounts, Resources } from './resources.ts';

/** What a queue has of a pool, and what it should have, as parts of the pool. */
export interface QueueShare {
  readonly queueId: string;
  /** 1 / priorityFactor. */
  readonly weight: number;
  /** By weight alone. */
  readonly fairShare: number;
  /** By weight, with what others do not need. */
  readonly adjustedShare: number;
  /** What it holds and waits for. */
  readonly demand: number;
  /** What it holds. */
  readonly actualShare: number;
  /** What it pays for what it holds: actual share / weight. */
  readonly cost: number;
}

/** The shares of the queues that take part: those with jobs that wait or run. */
export function sharesOf(queues: readonly QueueState[], totals: Resources): QueueShare[] {
  const active = queues.filter((queue) => queue.waiting.length > 0 || dominantShare(queue.held, totals) > 0);
  const claims = active.map((queue) => ({ weight: queue.weight, demand: demandOf(queue, totals) }));
  const shares = fairShares(claims);
  return active.map((queue, at) => {
    const { fair, adjusted } = shares[at] as { fair: number; adjusted: number };
    const actualShare = dominantShare(queue.held, totals);
    return {
      queueId: queue.id,
      weight: queue.weight,
      fairShare: fair,
      adjustedShare: adjusted,
      demand: claims[at]?.demand ?? 0,
      actualShare,
      cost: actualShare / queue.weight,
    };
  });
}

/** What a queue holds and waits for, as a part of the pool. A queue with more jobs than were read wants all of it. */
export function demandOf(queue: QueueState, totals: Resources): number {
  if (queue.waiting.some(({ hasMore }) => hasMore)) return 1;
  const wanted: Amounts = { ...queue.held };
  for (const { items } of queue.waiting)
    for (const { jobs } of items) for (const { shape } of jobs) addJob(wanted, shape.resources);
  return Math.min(dominantShare(wanted, totals), 1);
}
