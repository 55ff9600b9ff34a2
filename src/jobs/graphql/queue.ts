import { noteReadable } from '../../authorization/can.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { guardedEdge, guardedList } from '../../graphql/guarded-edge.ts';
import { addressOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import { type PageArguments, pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier } from '../../projects/loaders.ts';
import { queueTarget } from '../domain/targets.ts';
import { countQueues, listQueues, type QueueBy, queueOrder } from '../store/queues.ts';

export const QueueType = builder.prismaObject('Queue', {
  description: 'Where jobs wait until an executor takes them. Queues share the executors fairly.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    name: t.exposeString('name', {
      description:
        'The name, unique in the tenant. The queue of a project and domain has the name `<project>/<domain>`.',
    }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project of the queue; null if there is none, or if it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (queue, { loaders }) => (queue.projectId ? loaders.project.load({ id: queue.projectId }) : null),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      nullable: true,
      description:
        'The identifier of the project, or null if there is none. It is shown even if the project is hidden from you.',
      resolve: ({ projectId }, _args, { loaders }) => (projectId ? getIdentifier(projectId, loaders) : null),
    }),
    priorityFactor: t.exposeFloat('priorityFactor', {
      description:
        'The share of the queue: each queue gets executors in proportion to 1 / priorityFactor. At least 1.',
    }),
    cordoned: t.exposeBoolean('cordoned', {
      description: 'Whether the queue is cordoned: it accepts jobs, but does not start them.',
    }),
    cordonReason: t.exposeString('cordonReason', {
      nullable: true,
      description: 'Why the queue is cordoned; null if nobody said it, or if it is not cordoned.',
    }),
    retryPolicies: t.exposeStringList('retryPolicies', {
      description:
        'The names of retry policies. The first one says which failed jobs of the queue are tried again; the others have no effect yet.',
    }),
    labels: t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: 'Labels that follow the rules of Kubernetes, at most 16.',
      resolve: (queue) => entriesOf(queue.labels),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the queue was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the queue was last changed.' }),
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

builder.objectField(ProjectType, 'queues', (t) =>
  t.connection(
    {
      type: QueueType,
      nullable: true,
      description:
        'The queues of the project that you may read, by name, ascending; null if your scopes do not include `queue:read`. The queue of a domain is created with the first job in the domain.',
      resolve: guardedList(
        'queue:read',
        projectTarget,
        ({ loaders }) => loaders.queuesOfProject,
        () => queueOrder,
        (_args: PageArguments) => null,
      ),
    },
    QueueConnection,
  ),
);

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
          async (page) => noteReadable(caller, await listQueues(caller, page), queueTarget),
          () => countQueues(caller),
        );
      },
    },
    QueueConnection,
  ),
}));
