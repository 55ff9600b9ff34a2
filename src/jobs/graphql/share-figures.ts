import { builder } from '../../graphql/builder.ts';
import type { ShareFigures } from '../store/queue-shares.ts';

export const ShareFiguresInterface = builder.interfaceRef<ShareFigures>('ShareFigures').implement({
  description:
    'What a queue has of a pool, and what it should have. All shares are parts of the pool: 0 to 1.',
  fields: (t) => ({
    weight: t.exposeFloat('weight', { description: 'The weight of the queue: 1 / priorityFactor.' }),
    cost: t.exposeFloat('cost', {
      description: 'The actual share divided by the weight. The queue with the lowest cost is next.',
    }),
    fairShare: t.exposeFloat('fairShare', { description: 'The share by weight alone.' }),
    adjustedFairShare: t.float({
      description: 'The share by weight, with what other queues do not need.',
      resolve: ({ adjustedShare }) => adjustedShare,
    }),
    demandShare: t.float({
      description:
        'What its jobs hold and wait for, at most 1. It is 1 if more jobs wait than a round reads.',
      resolve: ({ demand }) => demand,
    }),
    actualShare: t.exposeFloat('actualShare', { description: 'What its jobs hold.' }),
  }),
});
