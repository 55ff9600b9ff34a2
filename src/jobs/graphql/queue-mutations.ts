import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { ItemErrorType, itemErrorOf } from '../../graphql/item-error.ts';
import { payload } from '../../graphql/payload.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { cordonQueue, uncordonQueue } from '../commands/cordon-queue.ts';
import { createQueue } from '../commands/create-queue.ts';
import { deleteQueue } from '../commands/delete-queue.ts';
import { eachQueue, MAX_QUEUES, type QueueOutcome } from '../commands/each-queue.ts';
import { requireMayUpdateQueue } from '../commands/require-may-update-queue.ts';
import { updateQueue } from '../commands/update-queue.ts';
import { upsertQueue } from '../commands/upsert-queue.ts';
import type { QueueBy } from '../store/queues.ts';
import { QueueByInput, QueueType } from './queue.ts';
import {
  CreateQueueInput,
  QueueInput,
  queueRequest,
  UpdateQueueInput,
  UpsertQueueInput,
} from './queue-input.ts';

const CreateQueuePayload = payload('CreateQueuePayload', 'queue', QueueType);
const UpdateQueuePayload = payload('UpdateQueuePayload', 'queue', QueueType);
const UpsertQueuePayload = payload('UpsertQueuePayload', 'queue', QueueType);
const CordonQueuePayload = payload('CordonQueuePayload', 'queue', QueueType);
const UncordonQueuePayload = payload('UncordonQueuePayload', 'queue', QueueType);

const replaces =
  'What the input leaves out gets its default: users and groups that it does not name lose their grants on the queue, except for grants that hide it from them. Changing grants requires `permission:grant`, too.';

builder.mutationFields((t) => ({
  createQueue: t.field({
    type: CreateQueuePayload,
    nullable: true,
    description:
      'Creates a queue. Requires the role SUPERUSER or a higher one. If there is already a queue with the name, it does not change, and the answer is ALREADY_EXISTS. The queues of projects are created automatically, one for each domain.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(CreateQueueInput),
    resolve: async (_root, { input }, context) => {
      const queue = await createQueue(callerOf(context), queueRequest(input));
      context.loaders.queue.clearAll();
      return { queue };
    },
  }),
  updateQueue: t.field({
    type: UpdateQueuePayload,
    nullable: true,
    description: `Replaces a whole queue. Requires MANAGE on it. ${replaces}`,
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(UpdateQueueInput),
    resolve: async (_root, { input }, context) => {
      const queue = await updateQueue(callerOf(context), queueRequest(input));
      context.loaders.queue.clearAll();
      return { queue };
    },
  }),
  upsertQueue: t.field({
    type: UpsertQueuePayload,
    nullable: true,
    description: `Creates a queue, or replaces it if there is one that you may read. Requires what \`createQueue\` or \`updateQueue\` requires. ${replaces}`,
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpsertQueueInput),
    resolve: async (_root, { input }, context) => {
      const queue = await upsertQueue(callerOf(context), queueRequest(input));
      context.loaders.queue.clearAll();
      return { queue };
    },
  }),
}));

const QueueOutcomeType = builder.objectRef<QueueOutcome>('QueueOutcome').implement({
  description: 'What became of one queue of a call about many.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name in the input.' }),
    queue: t.expose('queue', {
      type: QueueType,
      nullable: true,
      description: 'The queue after the mutation; null if it was not created or changed.',
    }),
    error: t.field({
      type: ItemErrorType,
      nullable: true,
      description: 'Why it was not created or changed; null if it was.',
      resolve: ({ error }) => itemErrorOf(error),
    }),
  }),
});

const outcomes = (name: 'CreateQueuesPayload' | 'UpdateQueuesPayload', mutation: string) =>
  builder.objectRef<{ readonly results: readonly QueueOutcome[] }>(name).implement({
    description: `What \`${mutation}\` answers when it succeeds.`,
    fields: (t) => ({
      results: t.field({
        type: [QueueOutcomeType],
        extensions: { listSize: MAX_QUEUES },
        description: 'One result for each of the queues, in their order.',
        resolve: ({ results }) => [...results],
      }),
    }),
  });

const manyInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      queues: t.field({
        type: [QueueInput],
        required: true,
        description: `The queues, at most ${MAX_QUEUES}.`,
      }),
    }),
  });

function requireFew(queues: readonly object[]): void {
  if (queues.length <= MAX_QUEUES) return;
  const path = ['input', 'queues'];
  throw InvalidArgumentError.of(path, `must have at most ${MAX_QUEUES} entries`, 'TooLarge');
}

builder.mutationFields((t) => ({
  createQueues: t.field({
    type: outcomes('CreateQueuesPayload', 'createQueues'),
    nullable: true,
    description:
      'Creates many queues, each as `createQueue` does, in their order. A queue that cannot be created does not keep the others from it.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(manyInput('CreateQueuesInput', 'Queues to create.')),
    resolve: async (_root, { input: { queues } }, context) => {
      requireFew(queues);
      const caller = callerOf(context);
      const results = await eachQueue(caller, queues, 'queue:create', async (one, path) =>
        createQueue(caller, queueRequest(one, path), path),
      );
      context.loaders.queue.clearAll();
      return { results };
    },
  }),
  updateQueues: t.field({
    type: outcomes('UpdateQueuesPayload', 'updateQueues'),
    nullable: true,
    description:
      'Replaces many queues, each as `updateQueue` does, in their order. A queue that cannot be changed does not keep the others from it.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(manyInput('UpdateQueuesInput', 'Queues as they shall be.')),
    resolve: async (_root, { input: { queues } }, context) => {
      requireFew(queues);
      const caller = callerOf(context);
      const results = await eachQueue(caller, queues, 'queue:update', async (one, path) => {
        await requireMayUpdateQueue(caller, one.name, path);
        return await updateQueue(caller, queueRequest(one, path), path);
      });
      context.loaders.queue.clearAll();
      return { results };
    },
  }),
}));

const which = (what: string) =>
  builder.inputType(`${what}QueueInput`, {
    description: `A queue to ${what.toLowerCase()}.`,
    fields: (t) => ({ by: t.field({ type: QueueByInput, required: true, description: 'Which queue.' }) }),
  });

const CordonQueueInput = builder.inputType('CordonQueueInput', {
  description: 'A queue to cordon.',
  fields: (t) => ({
    by: t.field({ type: QueueByInput, required: true, description: 'Which queue.' }),
    reason: t.string({
      description: 'Why, at most 512 characters. Everybody who may read the queue sees it.',
    }),
  }),
});

const DeleteQueuePayload = builder
  .objectRef<{ readonly queue: QueueOutcome['queue'] }>('DeleteQueuePayload')
  .implement({
    description: 'What `deleteQueue` answers when it succeeds.',
    fields: (t) => ({
      queue: t.expose('queue', {
        type: QueueType,
        nullable: true,
        description: 'The queue that was deleted; null if there was none.',
      }),
    }),
  });

builder.mutationFields((t) => ({
  deleteQueue: t.field({
    type: DeleteQueuePayload,
    nullable: true,
    description:
      'Deletes a queue, with its jobs and their events. Requires MANAGE on it. FAILED_PRECONDITION while it has jobs that have not ended, and for the queue of a project. Its name is free at once. Whoever could delete the queue can repeat the call: a queue that is deleted already is no error.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(which('Delete')),
    resolve: async (_root, { input }, context) => {
      const queue = await deleteQueue(callerOf(context), input.by as QueueBy, new Date());
      context.loaders.queue.clearAll();
      context.loaders.queueWithDeleted.clearAll();
      return { queue };
    },
  }),
  cordonQueue: t.field({
    type: CordonQueuePayload,
    nullable: true,
    description:
      'Cordons a queue: it accepts jobs, and they wait. Jobs that an executor already has go on. Requires MANAGE on the queue.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(CordonQueueInput),
    resolve: async (_root, { input }, context) => {
      const queue = await cordonQueue(callerOf(context), input.by as QueueBy, input.reason ?? null);
      context.loaders.queue.clearAll();
      return { queue };
    },
  }),
  uncordonQueue: t.field({
    type: UncordonQueuePayload,
    nullable: true,
    description: 'Lets the jobs of a cordoned queue start again. Requires MANAGE on the queue.',
    errors: { types: [NotFoundError] },
    args: inputOf(which('Uncordon')),
    resolve: async (_root, { input }, context) => {
      const queue = await uncordonQueue(callerOf(context), input.by as QueueBy);
      context.loaders.queue.clearAll();
      return { queue };
    },
  }),
}));
