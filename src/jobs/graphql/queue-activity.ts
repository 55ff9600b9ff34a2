import { isAllowed } from '../../authorization/can.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { JobState } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedList } from '../../graphql/guarded-edge.ts';
import { addressOf } from '../../graphql/input.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { queueTarget } from '../domain/targets.ts';
import {
  type ActiveJobSet,
  type ActiveQueue,
  activeJobSetOrder,
  activeQueueOrder,
  countActiveQueues,
  listActiveQueues,
} from '../store/queue-activity.ts';
import type { QueueBy } from '../store/queues.ts';
import { JobStateEnum } from './job.ts';
import { QueueByInput, QueueType } from './queue.ts';

const JobStateCountType = builder
  .objectRef<{ readonly state: JobState; readonly count: number }>('JobStateCount')
  .implement({
    description: 'How many jobs are in one state.',
    fields: (t) => ({
      state: t.expose('state', { type: JobStateEnum, description: 'The state that they are in.' }),
      count: t.exposeInt('count', { description: 'How many jobs are in this state: at least 1.' }),
    }),
  });

builder.objectField(QueueType, 'counts', (t) =>
  t.field({
    type: [JobStateCountType],
    nullable: true,
    extensions: { listSize: 11 },
    description:
      'How many of the jobs of the queue that you may read are in each state. States without jobs are left out; null if your scopes do not include `job:read`.',
    resolve: async (queue, _args, context) => {
      const target = async () => queueTarget(queue);
      if (!(await isAllowed(callerOf(context), 'job:read', { target }))) return null;
      return await context.loaders.jobCountsOfQueue.load({ parentId: queue.id, page: null });
    },
  }),
);

const ActiveJobSetType = builder.objectRef<ActiveJobSet>('ActiveJobSet').implement({
  description: 'A job set with jobs that have not ended.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the job set.' }),
    queuedJobs: t.exposeInt('queuedJobs', { description: 'How many of its jobs wait for an executor.' }),
    leasedJobs: t.exposeInt('leasedJobs', {
      description: 'How many of its jobs an executor has, also those that are being stopped.',
    }),
  }),
});

const QueueInfoType = builder.objectRef<Queue>('QueueInfo').implement({
  description: 'What a queue works on at the moment.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the queue.' }),
    activeJobSets: t.connection(
      {
        type: ActiveJobSetType,
        nullable: true,
        description:
          'The job sets with jobs that have not ended, newest first. Only jobs that you may read count. All numbers of a page are from one moment. Null if your scopes do not include `job:read`.',
        resolve: guardedList(
          'job:read',
          queueTarget,
          ({ loaders }) => loaders.activeJobSetsOfQueue,
          () => activeJobSetOrder,
          (_args: PageArguments) => null,
        ),
      },
      connectionType(ActiveJobSetType),
    ),
  }),
});

const ActiveQueueType = builder.objectRef<ActiveQueue>('ActiveQueue').implement({
  description: 'A queue with jobs in a pool that have not ended.',
  fields: (t) => ({
    pool: t.exposeString('pool', { description: 'The name of the pool.' }),
    queue: t.field({
      type: QueueType,
      description: 'The queue, which has at least one such job in the pool.',
      resolve: (queue) => queue,
    }),
  }),
});

builder.queryFields((t) => ({
  queueInfo: t.field({
    type: QueueInfoType,
    nullable: true,
    description:
      'What a queue works on. Null and NOT_FOUND if it does not exist or you may not see it. Requires READ on it.',
    args: addressOf(QueueByInput, 'queue'),
    resolve: (_root, { by }, { loaders }) => loaders.queue.load(by as QueueBy),
  }),
  activeQueues: t.connection(
    {
      type: ActiveQueueType,
      description:
        'The queues that you may read and that have jobs which have not ended, by pool and then by name. A queue with jobs in several pools is there once for each of them.',
      args: {
        pool: t.arg.string({ description: 'Only the queues of this pool. If left out: of all pools.' }),
      },
      resolve: (_root, { pool = null, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          activeQueueOrder,
          (page) => listActiveQueues(caller, pool, page),
          () => countActiveQueues(caller, pool),
        );
      },
    },
    connectionType(ActiveQueueType),
  ),
}));
