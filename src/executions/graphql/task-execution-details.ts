import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { parseDuration } from '../../platform/duration.ts';
import { taskTarget } from '../../registry/domain/targets.ts';
import { executionTarget } from '../domain/targets.ts';
import type {
  ExternalResource,
  TaskDetails,
  TaskExecutionMetadata,
  TaskLog,
  TaskReason,
} from '../domain/task-details.ts';
import type { TaskDetailsRow } from '../store/details.ts';
import type { TaskExecutionRow } from '../store/reads.ts';
import { CacheStatusEnum } from './cache-status.ts';
import { ExecutionType } from './execution.ts';
import { TaskExecutionPhaseEnum, TaskExecutionType } from './task-execution.ts';

/** What an engine from outside says about an attempt besides its phase. It is read only if a query asks for it. */

export const TaskLogMessageFormatEnum = enumOf<TaskLog['messageFormat']>(
  'TaskLogMessageFormat',
  'The form of a log.',
  {
    UNKNOWN: 'Any text.',
    CSV: 'Comma-separated values.',
    JSON: 'One JSON value in each line.',
  },
);

export const InstanceClassEnum = enumOf<TaskExecutionMetadata['instanceClass']>(
  'InstanceClass',
  'The kind of machine that an attempt runs on.',
  {
    DEFAULT: 'A machine that stays.',
    INTERRUPTIBLE: 'A machine that the provider can take away at any time.',
  },
);

const TaskLogType = builder.objectRef<TaskLog>('TaskLog').implement({
  description: 'Where a log of an attempt is.',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: 'The address of the log.' }),
    name: t.exposeString('name', { description: 'The name of the log, for people. It may be empty.' }),
    messageFormat: t.expose('messageFormat', {
      type: TaskLogMessageFormatEnum,
      description: 'The form of the log.',
    }),
    ttl: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long the log is kept; null if the engine did not say.',
      resolve: ({ ttl }) => (ttl === undefined ? null : parseDuration(ttl)),
    }),
    showWhilePending: t.exposeBoolean('showWhilePending', {
      description: 'Whether the log is shown before the code runs. Other logs are shown only after that.',
    }),
    hideOnceFinished: t.exposeBoolean('hideOnceFinished', {
      description: 'Whether the log is not shown any more after the end of the attempt.',
    }),
  }),
});

const TaskReasonType = builder.objectRef<TaskReason>('TaskReason').implement({
  description: 'Why an attempt was in a phase, at some time.',
  fields: (t) => ({
    occurredAt: t.field({
      type: 'DateTime',
      description: 'When the reason applied.',
      resolve: ({ occurredAt }) => new Date(occurredAt),
    }),
    message: t.exposeString('message', { description: 'The reason, for people.' }),
  }),
});

const readableExecution = guardedEdge(
  'execution:read',
  ({ childExecutionId: id }: ExternalResource, { loaders }) => (id ? loaders.execution.load({ id }) : null),
  executionTarget,
);

const ExternalResourceType = builder.objectRef<ExternalResource>('ExternalResource').implement({
  description: 'Something outside that an attempt started, such as one item of an array.',
  fields: (t) => ({
    externalId: t.exposeString('externalId', { description: 'Its id there. It may be empty.' }),
    index: t.exposeInt('index', { description: 'The number of the item, from 0.' }),
    retryAttempt: t.exposeInt('retryAttempt', {
      description: 'The number of the attempt of this item, from 0.',
    }),
    phase: t.field({
      type: TaskExecutionPhaseEnum,
      description: 'The phase that it is in.',
      resolve: ({ phase }): TaskExecutionPhase => phase,
    }),
    cacheStatus: t.field({
      type: CacheStatusEnum,
      description: 'What became of its cached outputs.',
      resolve: ({ cacheStatus }) => cacheStatus,
    }),
    logs: t.field({
      type: [TaskLogType],
      extensions: { listSize: 2 },
      description: 'Where its logs are, at most 100.',
      resolve: ({ logs }) => [...logs],
    }),
    customInfo: t.field({
      type: 'JSON',
      nullable: true,
      description: 'More about it, as a JSON object; null if the engine said nothing more.',
      resolve: ({ customInfo }) => customInfo ?? null,
    }),
    childExecution: t.field({
      type: ExecutionType,
      nullable: true,
      description: 'The execution that runs it; null if none does, or if it is hidden from you.',
      resolve: readableExecution,
    }),
  }),
});

const ResourcePoolType = builder
  .objectRef<NonNullable<TaskExecutionMetadata['resourcePoolInfo']>[number]>('ResourcePool')
  .implement({
    description: 'A share of a pool that an attempt holds.',
    fields: (t) => ({
      allocationToken: t.exposeString('allocationToken', { description: 'The token of the share.' }),
      namespace: t.exposeString('namespace', { description: 'The name of the pool.' }),
    }),
  });

const TaskExecutionMetadataType = builder
  .objectRef<TaskExecutionMetadata>('TaskExecutionMetadata')
  .implement({
    description: 'What an engine from outside says about how it runs an attempt.',
    fields: (t) => ({
      generatedName: t.exposeString('generatedName', {
        description: 'The name of what runs the attempt, such as a pod. It may be empty.',
      }),
      externalResources: t.field({
        type: [ExternalResourceType],
        extensions: { listSize: 10 },
        description:
          'Things outside that the attempt started, by their index and then by their attempt, at most 10000.',
        resolve: ({ externalResources }) => [...externalResources],
      }),
      resourcePoolInfo: t.field({
        type: [ResourcePoolType],
        extensions: { listSize: 2 },
        description: 'The shares of pools that the attempt holds, at most 100.',
        resolve: ({ resourcePoolInfo }) => [...(resourcePoolInfo ?? [])],
      }),
      pluginIdentifier: t.exposeString('pluginIdentifier', {
        description: 'The plugin that runs the attempt. It may be empty.',
      }),
      instanceClass: t.expose('instanceClass', {
        type: InstanceClassEnum,
        description: 'The kind of machine that the attempt runs on.',
      }),
    }),
  });

const readableTask = guardedEdge(
  'task:read',
  ({ taskId }: TaskExecutionRow, { loaders }) => (taskId === null ? null : loaders.task.load({ id: taskId })),
  taskTarget,
);

const rowOf = ({ id }: TaskExecutionRow, { loaders }: Context): Promise<TaskDetailsRow | null> =>
  loaders.taskDetails.load(id);

/** A field whose value is among the details. */
const detail =
  <Value>(find: (details: TaskDetails) => Value | undefined) =>
  async (task: TaskExecutionRow, _args: object, context: Context): Promise<Value | null> => {
    const details = (await rowOf(task, context))?.details;
    return (details && find(details)) ?? null;
  };

/** The same for a list, which is empty if the engine said nothing. */
const details =
  <Value>(listOf: (details: TaskDetails) => readonly Value[]) =>
  async (task: TaskExecutionRow, _args: object, context: Context): Promise<Value[]> => {
    const known = (await rowOf(task, context))?.details;
    return known ? [...listOf(known)] : [];
  };

builder.objectFields(TaskExecutionType, (t) => ({
  phaseVersion: t.exposeInt('phaseVersion', {
    description:
      'The version of the phase. It grows when an engine from outside sends news in the same phase.',
  }),
  isParent: t.boolean({
    description: 'Whether the attempt contains nodes: see `childNodeExecutions`.',
    resolve: async (task, _args, context) => (await rowOf(task, context))?.isParent === true,
  }),
  logs: t.field({
    type: [TaskLogType],
    extensions: { listSize: 5 },
    description:
      'Where the logs of the attempt are, at most 100, if an engine from outside runs it. The log of an attempt that Slipway runs is in `job`.',
    resolve: details(({ logs }) => logs),
  }),
  reasons: t.field({
    type: [TaskReasonType],
    extensions: { listSize: 10 },
    description:
      'All reasons that an engine from outside has given, oldest first; only the last 500 are kept. `reason` is the latest one.',
    resolve: details(({ reasons }) => reasons),
  }),
  customInfo: t.field({
    type: 'JSON',
    nullable: true,
    description:
      'More about the attempt, as a JSON object; null if an engine from outside said nothing more.',
    resolve: detail(({ customInfo }) => customInfo),
  }),
  taskType: t.string({
    nullable: true,
    description:
      'The type of the task, such as `spark`, as the engine from outside says, or else the registered task. Null if neither says it, or if the task is hidden from you.',
    resolve: async (task, _args, context) => {
      const said = (await rowOf(task, context))?.details?.taskType;
      return said ?? (await readableTask(task, {}, context))?.type ?? null;
    },
  }),
  metadata: t.field({
    type: TaskExecutionMetadataType,
    nullable: true,
    description: 'How an engine from outside runs the attempt; null if it did not say.',
    resolve: detail(({ metadata }) => metadata),
  }),
  logContext: t.field({
    type: 'JSON',
    nullable: true,
    description: "Where the attempt's pods print their logs, as Flyte's LogContext; null if it is not known.",
    resolve: detail(({ logContext }) => logContext),
  }),
  eventVersion: t.int({
    description: 'The version of the form of the events that an engine from outside sends; 0 without one.',
    resolve: async (task, _args, context) => (await rowOf(task, context))?.details?.eventVersion ?? 0,
  }),
  inputUri: t.string({
    nullable: true,
    description: 'The address of the inputs, if an engine from outside keeps them; null otherwise.',
    resolve: detail(({ inputUri }) => inputUri),
  }),
  outputUri: t.string({
    nullable: true,
    description: 'The address of the outputs, if an engine from outside keeps them; null otherwise.',
    resolve: detail(({ outputUri }) => outputUri),
  }),
}));
