import { builder } from '../../graphql/builder.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import type { QueueRequest } from '../domain/queue-settings.ts';
import { ClassLimitInput, limitRequests } from './queue-limits.ts';
import { PermissionInput } from './queue-rights.ts';

/** The inputs that describe a whole queue have the same fields. */
const queueInput = (name: string, description: string, nameText: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      name: t.string({ required: true, description: nameText }),
      priorityFactor: t.float({
        defaultValue: 1,
        description:
          'The share of the queue: each queue gets executors in proportion to 1 / priorityFactor. At least 1.',
      }),
      cordoned: t.boolean({
        defaultValue: false,
        description: 'Whether the queue accepts jobs, but does not start them.',
      }),
      cordonReason: t.string({
        description: 'Why it is cordoned, at most 512 characters. Only for a cordoned queue.',
      }),
      labels: t.field({
        type: [KeyValueInput],
        defaultValue: [],
        description: 'Labels that follow the rules of Kubernetes, at most 16.',
      }),
      resourceLimitsByPriorityClass: t.field({
        type: [ClassLimitInput],
        defaultValue: [],
        description:
          'How much of the pools its jobs may hold at the same time, by priority class. A class that is left out has no limit.',
      }),
      retryPolicies: t.stringList({
        defaultValue: [],
        description:
          'The names of retry policies, at most 8. Only the first one is used. Unless you may see retry policies, you can only name those that the queue has already.',
      }),
      userOwners: t.stringList({
        defaultValue: [],
        description:
          'The names of users who own the queue: they get MANAGE on it. If there are none, you are the owner; a queue of a project then has no owner of its own.',
      }),
      groupOwners: t.stringList({
        defaultValue: [],
        description: 'The names of groups that own the queue: they get MANAGE on it.',
      }),
      permissions: t.field({
        type: [PermissionInput],
        defaultValue: [],
        description:
          'Who else may do what on the queue. If a user or a group is named several times, the highest level counts.',
      }),
    }),
  });

const newName = 'The name, unique in the tenant. It cannot be changed later.';

export const CreateQueueInput = queueInput('CreateQueueInput', 'A queue to create.', newName);
export const UpdateQueueInput = queueInput(
  'UpdateQueueInput',
  'A queue as it shall be. What is left out gets its default, and does not stay as it was.',
  'The name of the queue to replace.',
);
export const UpsertQueueInput = queueInput(
  'UpsertQueueInput',
  'A queue as it shall be, whether or not it exists. What is left out gets its default, and does not stay as it was.',
  newName,
);
export const QueueInput = queueInput(
  'QueueInput',
  'A whole queue. What is left out gets its default.',
  'The name, unique in the tenant.',
);

/** A queue in an input, as it arrives. @throws InvalidArgumentError if a label is given twice. */
export function queueRequest(
  input: typeof QueueInput.$inferInput,
  path: readonly string[] = ['input'],
): QueueRequest {
  return {
    name: input.name,
    priorityFactor: input.priorityFactor ?? 1,
    cordoned: input.cordoned ?? false,
    cordonReason: input.cordonReason ?? null,
    labels: mapOf(input.labels ?? [], [...path, 'labels']),
    limits: limitRequests(input.resourceLimitsByPriorityClass ?? []),
    retryPolicies: input.retryPolicies ?? [],
    userOwners: input.userOwners ?? [],
    groupOwners: input.groupOwners ?? [],
    permissions: input.permissions ?? [],
  };
}
