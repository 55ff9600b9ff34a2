import { isAllowed } from '../../authorization/can.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf, type ById } from '../../graphql/input.ts';
import { explainJob } from '../commands/explain-job.ts';
import { type JobExplanation, type JobVerdict, MAX_COUNTED, summaryOf } from '../domain/job-explanation.ts';
import type { Obstacle, ObstacleKind } from '../domain/scheduling/obstacles.ts';
import type { QueueShare } from '../domain/scheduling/shares.ts';
import { queueTarget } from '../domain/targets.ts';
import { JobByInput } from './job.ts';
import { ShareFiguresInterface } from './share-figures.ts';

const JobVerdictEnum = enumOf<JobVerdict>(
  'JobVerdict',
  'Why a job does not run: the first of these that is true, in the order in which the scheduler asks.',
  {
    NOT_WAITING: 'The job does not wait: an executor has it, or it has ended.',
    GANG_BROKEN:
      'A job of its gang has ended, so the gang can never start as a whole. The job will be rejected.',
    QUEUE_CORDONED: 'Its queue accepts jobs, but does not start them.',
    GANG_INCOMPLETE: 'Not all jobs of its gang wait, and the gang starts only as a whole.',
    IMPOSSIBLE: 'No node that the pool has, or had not long ago, could ever run it. It will be rejected.',
    NO_EXECUTOR: 'The pool has no executor that has called not long ago.',
    STARTS_NEXT: 'There is room for it, and nothing before it takes this room: the next round assigns it.',
    WAITS_FOR_PLACE: 'A place is kept for it, in which runs that are being stopped have not ended yet.',
    LIMIT_REACHED: 'Its queue may not hold more of the pool with jobs of its priority class.',
    NO_ROOM: 'After the work that goes first, no node has room for it. `obstacles` says why.',
    RATE_LIMITED:
      'Too many jobs have started lately, in the pool or in the queue of the job. It starts in a later round.',
    BEHIND_OTHERS: 'The next round assigns as much other work as it can, and does not come to this job.',
  },
);

const NodeObstacleEnum = enumOf<ObstacleKind>(
  'NodeObstacleKind',
  'What keeps a job away from a node. The scheduler asks in this order.',
  {
    SILENT: 'The executor of the node has not called for as long as a lease.',
    CORDONED: 'The node or its executor gets no new work.',
    SELECTOR: 'The node does not have a label that the job selects.',
    TAINT: 'The node has a taint that the job does not tolerate.',
    AVOIDED: 'An attempt of the job was lost there, and other nodes are left.',
    ROOM: 'The executor of the node takes no more runs.',
    RESOURCE: 'There is not enough of a resource.',
  },
);

const NodeObstacleType = builder.objectRef<Obstacle>('NodeObstacle').implement({
  description: 'What keeps a job away from some nodes.',
  fields: (t) => ({
    kind: t.expose('kind', { type: NodeObstacleEnum, description: 'The kind of the obstacle.' }),
    nodes: t.exposeInt('nodes', { description: 'On how many nodes it is the first obstacle.' }),
    text: t.exposeString('text', {
      description: 'The obstacle in words, such as `not enough cpu (asks 8, most free 4)`.',
    }),
  }),
});

const PoolExecutorsType = builder.objectRef<JobExplanation['executors']>('PoolExecutorCounts').implement({
  description: 'The executors of a pool in numbers.',
  fields: (t) => ({
    live: t.exposeInt('live', { description: 'How many have called not long ago.' }),
    cordoned: t.exposeInt('cordoned', { description: 'How many of these get no new work.' }),
    silent: t.exposeInt('silent', {
      description: 'How many are known but have not called for as long as a lease.',
    }),
  }),
});

const GangProgressType = builder.objectRef<NonNullable<JobExplanation['gang']>>('GangProgress').implement({
  description: 'How much of a gang waits. A gang starts when all its jobs wait and there is room for all.',
  fields: (t) => ({
    cardinality: t.exposeInt('cardinality', {
      description: 'How many jobs the gang has when it is complete.',
    }),
    submitted: t.exposeInt('submitted', { description: 'How many of them were submitted.' }),
    waiting: t.exposeInt('waiting', { description: 'How many of them wait.' }),
    ended: t.exposeInt('ended', {
      description:
        'How many of them have ended, also if they were deleted since then. If it is not 0, the jobs that wait can never start.',
    }),
    uniformityLabel: t.exposeString('uniformityLabel', {
      nullable: true,
      description: 'All its jobs run on nodes with the same value of this label; null if they run anywhere.',
    }),
  }),
});

const QueueStandingType = builder.objectRef<QueueShare>('QueueStanding').implement({
  description: 'What the queue of a job has of its pool at the moment, and what it should have.',
  interfaces: [ShareFiguresInterface],
});

/** The queue of a job may be hidden although the job is not. Then an explanation says nothing about it. */
async function seesQueue({ queueId }: JobExplanation, context: Context): Promise<boolean> {
  const target = async () => {
    const queue = await context.loaders.queue.load({ id: queueId });
    return queue && queueTarget(queue);
  };
  return await isAllowed(callerOf(context), 'queue:read', { target });
}

const ofQueue =
  <T>(read: (why: JobExplanation) => T) =>
  async (why: JobExplanation, _args: object, context: Context): Promise<T | null> =>
    (await seesQueue(why, context)) ? read(why) : null;

const JobExplanationType = builder.objectRef<JobExplanation>('JobExplanation').implement({
  description:
    'Why a job does not run, at one moment. It plans the next round with the code of the scheduler. It names no other queues, jobs, nodes or executors: it only counts them.',
  fields: (t) => ({
    verdict: t.expose('verdict', { type: JobVerdictEnum, description: 'The reason.' }),
    summary: t.string({
      description: 'The reason in a sentence, with its numbers.',
      resolve: async (why, _args, context) => summaryOf(why, await seesQueue(why, context)),
    }),
    explainedAt: t.expose('explainedAt', { type: 'DateTime', description: 'The moment of the explanation.' }),
    lastRoundAt: t.expose('lastRoundAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last round looked at the pool of the job; null if none did.',
    }),
    pool: t.exposeString('pool', { description: 'The pool of the job.' }),
    executors: t.expose('executors', { type: PoolExecutorsType, description: 'The executors of the pool.' }),
    jobsBefore: t.int({
      nullable: true,
      description: `How many jobs of its queue go before it in this pool: at most ${MAX_COUNTED}, which then means at least as many. Null if it is not waiting for a round, or if its queue is hidden from you.`,
      resolve: ofQueue(({ before }) => before),
    }),
    otherQueuesServed: t.exposeInt('otherQueuesServed', {
      description: 'How many other queues get jobs assigned, or a place kept, in the next round.',
    }),
    queueStanding: t.field({
      type: QueueStandingType,
      nullable: true,
      description:
        'What its queue has of the pool. Null if the job is not waiting for a round, or if its queue is hidden from you.',
      resolve: ofQueue(({ share }) => share),
    }),
    gang: t.expose('gang', {
      type: GangProgressType,
      nullable: true,
      description: 'The gang of the job; null if it has none.',
    }),
    fittingNodes: t.exposeInt('fittingNodes', {
      nullable: true,
      description:
        'On how many nodes there is room for this one job: after the work that goes first, if the next round does not assign it. Null if it is not waiting for a round.',
    }),
    obstacles: t.field({
      type: [NodeObstacleType],
      extensions: { listSize: 11 },
      description: 'What keeps the job away from the other nodes, in numbers of nodes: at most 11 entries.',
      resolve: ({ obstacles }) => [...obstacles],
    }),
  }),
});

builder.queryFields((t) => ({
  explainJob: t.field({
    type: JobExplanationType,
    nullable: true,
    description:
      'Says why a job does not run. Requires READ on it. Null and NOT_FOUND if the job does not exist or you may not see it.',
    args: addressOf(JobByInput, 'job'),
    resolve: (_root, { by }, context) => explainJob(callerOf(context).tenantId, (by as ById).id),
  }),
}));
