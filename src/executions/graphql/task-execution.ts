import { builder } from '../../graphql/builder.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { taskTarget } from '../../registry/domain/targets.ts';
import { TaskType } from '../../registry/graphql/task.ts';
import type { TaskExecutionRow } from '../store/reads.ts';
import { DataType, durationOf, ExecutionErrorType, shownError } from './values.ts';

export const TaskExecutionPhaseEnum = builder.enumType('TaskExecutionPhase', {
  values: [
    'QUEUED',
    'INITIALIZING',
    'WAITING_FOR_RESOURCES',
    'RUNNING',
    'SUCCEEDED',
    'FAILED',
    'ABORTED',
    'RETRYABLE_FAILED',
  ] as const,
});

export const TaskExecutionType = builder.objectRef<TaskExecutionRow>('TaskExecution').implement({
  description: "One attempt of a node's task.",
  fields: (t) => ({
    id: t.exposeID('id'),
    retryAttempt: t.exposeInt('retryAttempt', { description: 'From 0.' }),
    phase: t.field({
      type: TaskExecutionPhaseEnum,
      resolve: (task) => task.phase,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'The newest word on why it is where it is.',
    }),
    error: t.field({
      type: ExecutionErrorType,
      nullable: true,
      resolve: (task) => shownError(task),
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (task) => task.startedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (task) => task.endedAt,
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      resolve: durationOf,
    }),
    createdAt: t.field({
      type: 'DateTime',
      resolve: (task) => task.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      resolve: (task) => task.updatedAt,
    }),
    data: t.field({
      type: DataType,
      resolve: async (task, _args, { loaders }) =>
        (await loaders.taskData.load(task.id)) ?? {
          inputs: null,
          outputs: null,
        },
    }),
    task: t.field({
      type: TaskType,
      description: 'The version of the task that it runs.',
      nullable: true,
      resolve: guardedEdge(
        'task:read',
        (task, { loaders }) => loaders.task.load({ id: task.taskId }),
        taskTarget,
      ),
    }),
  }),
});

builder.queryField('taskExecution', (t) =>
  t.field({
    type: TaskExecutionType,
    nullable: true,
    description: 'One attempt; null with NOT_FOUND when it is absent or hidden.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { loaders }) => loaders.taskExecution.load(id),
  }),
);
