import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LabelInput, LabelType, labelEntries, labelsOf } from '../../graphql/labels.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { createQueue } from '../commands/create-queue.ts';
import { listQueues, type QueueBy, queueOrder } from '../store/queues.ts';

export const QueueType = builder.prismaObject('Queue', {
  description: 'Where jobs wait for an executor.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    priorityFactor: t.exposeFloat('priorityFactor', {
      description: 'At least 1. Larger is a smaller share: shares go by 1 / factor.',
    }),
    cordoned: t.exposeBoolean('cordoned', {
      description: 'Jobs are taken in, but none is started.',
    }),
    labels: t.field({
      type: [LabelType],
      extensions: { listSize: 5 },
      resolve: (queue) => labelEntries(queue.labels),
    }),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (queue) => queue.createdAt,
    }),
  }),
});

export const QueueByInput = builder.inputType('QueueBy', {
  description: 'Which queue.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), name: t.string() }),
});

builder.queryFields((t) => ({
  queue: t.field({
    type: QueueType,
    nullable: true,
    description: 'One queue; null with NOT_FOUND when it is absent or hidden.',
    args: { by: t.arg({ type: QueueByInput, required: true }) },
    resolve: (_root, { by }, { loaders }) => loaders.queue.load(by as QueueBy),
  }),
  queues: t.connection(
    {
      type: QueueType,
      description: 'Queues by name.',
      resolve: (_root, args, context) =>
        pagedList(args, queueOrder, (page) => listQueues(callerOf(context), page)),
    },
    { name: 'QueueConnection' },
    { name: 'QueueEdge' },
  ),
}));

const CreateQueueInput = builder.inputType('CreateQueueInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'Cannot be changed.' }),
    priorityFactor: t.float({
      defaultValue: 1,
      description: 'At least 1; larger is a smaller share.',
    }),
    labels: t.field({ type: [LabelInput] }),
  }),
});

const CreateQueuePayload = builder
  .objectRef<{ queue: typeof QueueType.$inferType }>('CreateQueuePayload')
  .implement({
    fields: (t) => ({
      queue: t.field({ type: QueueType, resolve: ({ queue }) => queue }),
    }),
  });

builder.mutationField('createQueue', (t) =>
  t.field({
    type: CreateQueuePayload,
    nullable: true,
    description: 'Makes a queue. Needs a superuser. A project has a queue for each domain without asking.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: { input: t.arg({ type: CreateQueueInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      queue: await createQueue(callerOf(context), {
        name: input.name,
        priorityFactor: input.priorityFactor ?? 1,
        labels: labelsOf(input.labels ?? [], ['input', 'labels']),
      }),
    }),
  }),
);
