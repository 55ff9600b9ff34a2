import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { DEFAULT_STEPS, MAX_STEPS, shareWindow } from '../domain/share-window.ts';
import {
  countLatestShares,
  type LatestShare,
  latestShareOrder,
  listLatestShares,
  type ShareStep,
  shareKey,
} from '../store/queue-shares.ts';
import { QueueType } from './queue.ts';
import { ShareFiguresInterface } from './share-figures.ts';

const ShareStepType = builder.objectRef<ShareStep>('QueueShareStep').implement({
  description: 'The average shares of a queue in one step of a time window.',
  interfaces: [ShareFiguresInterface],
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When the step begins.' }),
  }),
});

const QueueShareType = builder.objectRef<LatestShare>('QueueShare').implement({
  description: 'The share of a queue in a pool, as the scheduler computed it last.',
  interfaces: [ShareFiguresInterface],
  fields: (t) => ({
    pool: t.exposeString('pool', { description: 'The name of the pool.' }),
    queue: t.field({
      type: QueueType,
      description: 'The queue. It has jobs in the pool that wait or run.',
      resolve: (queue) => queue,
    }),
    takenAt: t.expose('takenAt', { type: 'DateTime', description: 'When the scheduler computed it.' }),
    history: t.field({
      type: [ShareStepType],
      extensions: { listSize: DEFAULT_STEPS },
      description: `The shares over time, the oldest step first, for a chart. Steps in which the queue had no jobs in the pool are left out. The window has at most ${MAX_STEPS} steps. Samples are kept for some days.`,
      args: {
        from: t.arg({
          type: 'DateTime',
          description: 'The begin of the window. If left out: an hour before its end.',
        }),
        to: t.arg({
          type: 'DateTime',
          description: 'The end of the window, which is not part of it. If left out: now.',
        }),
        step: t.arg({
          type: 'Duration',
          description: `The length of a step, at least a second. If left out: a part of the window, so that it has ${DEFAULT_STEPS} steps.`,
        }),
      },
      resolve: ({ id: queueId, pool }, { from, to, step }, { loaders }) => {
        const asked = { from, to, stepMs: step };
        shareWindow(asked, new Date());
        return loaders.shareSteps.load({ parentId: shareKey({ queueId, pool }), page: asked });
      },
    }),
  }),
});

builder.queryFields((t) => ({
  queueShares: t.connection(
    {
      type: QueueShareType,
      description:
        'The shares of the queues that you may read and that have jobs which wait or run, by pool and then by the name of the queue. A queue with jobs in several pools is there once for each of them.',
      args: {
        pool: t.arg.string({ description: 'Only the shares in this pool. If left out: in all pools.' }),
      },
      resolve: (_root, { pool = null, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          latestShareOrder,
          (page) => listLatestShares(caller, pool, page),
          () => countLatestShares(caller, pool),
        );
      },
    },
    connectionType(QueueShareType),
  ),
}));
