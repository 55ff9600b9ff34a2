import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { addressOf, inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { createQueue } from '../commands/create-queue.ts';
import { countQueues, listQueues, type QueueBy, queueOrder } from '../store/queues.ts';

export const QueueType = builder.prismaObject('Queue', {
  description: 'Where jobs wait until an executor takes them. Queues share the executors fairly.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `queue` finds the queue by it.',
    }),
    name: t.exposeString('name', {
      description:
        'The name, unique in the tenant. The queue of a project and domain has the name `<project>/<domain>`.',
    }),
    priorityFactor: t.exposeFloat('priorityFactor', {
      description:
        'The share of the queue: each queue gets executors in proportion to 1 / priorityFactor. At least 1.',
    }),
    cordoned: t.exposeBoolean('cordoned', {
      description: 'Whether the queue is cordoned: it accepts jobs, but does not start them.',
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels that follow the rules of Kubernetes, at most 16.',
      resolve: (queue) => entriesOf(queue.labels),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the queue was created.' }),
  }),
});

const QueueConnection = connectionType(QueueType);

export const QueueByInput = builder.inputType('QueueByInput', {
  description: 'The address of a queue.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The queue's id." }),
    name: t.string({ description: "The queue's name." }),
  }),
});

builder.queryFields((t) => ({
  queue: t.field({
    type: QueueType,
    nullable: true,
    description: 'One queue. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(QueueByInput, 'queue'),
    resolve: (_root, { by }, { loaders }) => loaders.queue.load(by as QueueBy),
  }),
  queues: t.connection(
    {
      type: QueueType,
      description: 'The queues that you may read, by name, ascending.',
      resolve: (_root, args, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          queueOrder,
          (page) => listQueues(caller, page),
          () => countQueues(caller),
        );
      },
    },
    QueueConnection,
  ),
}));

const CreateQueueInput = builder.inputType('CreateQueueInput', {
  description: 'A queue to create.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name, unique in the tenant. It cannot be changed later.',
    }),
    priorityFactor: t.float({
      defaultValue: 1,
      description:
        'The share of the queue: each queue gets executors in proportion to 1 / priorityFactor. At least 1.',
    }),
    labels: t.field({
      type: [KeyValueInput],
      defaultValue: [],
      description: 'Labels that follow the rules of Kubernetes, at most 16.',
    }),
  }),
});

const CreateQueuePayload = payload('CreateQueuePayload', 'queue', QueueType);

builder.mutationField('createQueue', (t) =>
  t.field({
    type: CreateQueuePayload,
    nullable: true,
    description:
      'Creates a queue. Requires the role SUPERUSER or a higher one. The queues of projects are created automatically, one for each domain.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(CreateQueueInput),
    resolve: async (_root, { input }, context) => ({
      queue: await createQueue(callerOf(context), {
        name: input.name,
        priorityFactor: input.priorityFactor ?? 1,
        labels: mapOf(input.labels ?? [], ['input', 'labels']),
      }),
    }),
  }),
);
