import type { ReachedLimit, RoundAnswer, RoundVerdict } from './scheduling/explain-item.ts';
import { type Obstacle, obstaclesText } from './scheduling/obstacles.ts';
import { amountText } from './scheduling/resources.ts';
import type { QueueShare } from './scheduling/shares.ts';

/** Why a job does not run: the first of these that is true, in the order in which the scheduler asks. */
export type JobVerdict =
  | 'NOT_WAITING'
  | 'GANG_BROKEN'
  | 'QUEUE_CORDONED'
  | 'GANG_INCOMPLETE'
  | 'IMPOSSIBLE'
  | 'NO_EXECUTOR'
  | RoundVerdict;

export interface JobExplanation {
  readonly jobId: string;
  readonly verdict: JobVerdict;
  /** Why no node could ever run the job, for IMPOSSIBLE. */
  readonly impossible: string | null;
  readonly state: string;
  readonly pool: string;
  readonly queueId: string;
  readonly cordonReason: string | null;
  readonly explainedAt: Date;
  readonly lastRoundAt: Date | null;
  readonly executors: { live: number; cordoned: number; silent: number };
  readonly gang: {
    cardinality: number;
    uniformityLabel: string | null;
    submitted: number;
    waiting: number;
    ended: number;
  } | null;
  /** How many jobs of its queue go before it in the pool, at most `MAX_COUNTED`; null if it does not wait. */
  readonly before: number | null;
  /** The share of its queue in the pool; null if the queue takes no part. */
  readonly share: QueueShare | null;
  /** How many other queues get something in the next round. */
  readonly otherQueuesServed: number;
  readonly limit: ReachedLimit | null;
  /** On how many nodes there is room; null if no round was planned. */
  readonly fittingNodes: number | null;
  readonly obstacles: readonly Obstacle[];
}

/** How far the place of a job in its queue is counted. */
export const MAX_COUNTED = 10_000;

/**
 * The reason in one sentence.
 *
 * @param seesQueue  whether the reader may read the queue; otherwise, the sentence says nothing about it.
 */
export function summaryOf(why: JobExplanation, seesQueue: boolean): string {
  switch (why.verdict) {
    case 'NOT_WAITING':
      return `The job does not wait: it is ${why.state}.`;
    case 'GANG_BROKEN':
      return `The job will be rejected: its gang can never start as a whole, because ${endedText(why.gang)}.`;
    case 'QUEUE_CORDONED': {
      const reason = seesQueue && why.cordonReason !== null ? ` Reason: ${why.cordonReason}` : '';
      return `The queue of the job is cordoned and starts no jobs.${reason}`;
    }
    case 'GANG_INCOMPLETE':
      return `The gang starts only as a whole: ${why.gang?.waiting ?? 0} of its ${why.gang?.cardinality ?? 0} jobs wait.`;
    case 'IMPOSSIBLE':
      return `The job will be rejected: ${why.impossible}`;
    case 'NO_EXECUTOR':
      return `The pool ${why.pool} has no executor in contact; ${why.executors.silent} are silent.`;
    case 'STARTS_NEXT':
      return 'There is room for the job, and the next round assigns it.';
    case 'WAITS_FOR_PLACE':
      return 'A place is kept for the job. It starts when the runs that are being stopped there have ended.';
    case 'LIMIT_REACHED':
      return seesQueue && why.limit
        ? limitText(why.limit)
        : 'The limits of its queue keep the job from starting.';
    case 'NO_ROOM':
      return why.fittingNodes === 0
        ? `There is no room for the job. ${obstaclesText(why.obstacles)}`
        : `There is room for one job on ${why.fittingNodes} nodes, but not for the ${why.gang?.cardinality ?? 1} jobs of the gang together.`;
    case 'RATE_LIMITED':
      return 'Too many jobs have started lately. The job starts in a later round.';
    case 'BEHIND_OTHERS': {
      const own = seesQueue ? `${countText(why.before ?? 0)} of its queue` : 'other jobs';
      return `Other work goes first: ${own} and ${why.otherQueuesServed} other queues.`;
    }
  }
}

const countText = (count: number) => `${count >= MAX_COUNTED ? `at least ${MAX_COUNTED}` : count} jobs`;

const endedText = (gang: JobExplanation['gang']) =>
  gang?.ended === 1 ? 'one of its jobs has ended' : `${gang?.ended ?? 0} of its jobs have ended`;

function limitText({ priorityClass, resource, most, held, asked }: ReachedLimit): string {
  const [holds, may, more] = [held, most, asked].map((amount) => amountText(resource, amount));
  return `The queue holds ${holds} of the ${may} ${resource} that its jobs of the class ${priorityClass} may hold in this pool, and the job asks for ${more}.`;
}

/** What a planned round says about a job, for an explanation. */
export const answerParts = ({ verdict, limit, survey, otherQueuesServed }: RoundAnswer) => ({
  ...{ verdict, limit, otherQueuesServed },
  fittingNodes: survey.fitting,
  obstacles: survey.obstacles,
});
