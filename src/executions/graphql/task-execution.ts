import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { readsOf } from '../../graphql/reads.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { taskTarget } from '../../registry/domain/targets.ts';
import { EntityKeyType } from '../../registry/graphql/entity-key.ts';
import { TaskType } from '../../registry/graphql/task.ts';
import type { TaskExecutionRow } from '../store/reads.ts';
import { DataType, durationOf, noData } from './values.ts';

export const TaskExecutionPhaseEnum = enumOf<TaskExecutionPhase>(
  'TaskExecutionPhase',
  'The phase of one attempt of a task. An attempt that has not ended may change to every other phase: when its lease is lost, it waits again.',
  {
    QUEUED: 'The attempt waits for an executor.',
    WAITING_FOR_RESOURCES: 'An executor has the attempt, and waits for a machine with enough free resources.',
    INITIALIZING: 'A machine is chosen. Images and input files are being downloaded.',
    RUNNING: "The task's code runs.",
    SUCCEEDED: 'The code succeeded and its outputs are stored. Final.',
    FAILED: 'The code failed, and the node has no retries left. Final.',
    ABORTED:
      'The attempt was stopped because a user wanted it, its execution was aborted, or another node failed. Final.',
    RETRYABLE_FAILED: 'The code failed, and another attempt of the node follows. Final for this attempt.',
  },
);

/** The key of the task of an attempt. */
export const taskKeyOf = (task: TaskExecutionRow): EntityKey => ({
  project: task.taskProject,
  domain: task.taskDomain,
  name: task.taskName,
  version: task.taskVersion,
});

const reads = readsOf<TaskExecutionRow>();

export const TaskExecutionType = builder.objectRef<TaskExecutionRow>('TaskExecution').implement({
  description: "One attempt of a node's task. Everybody who may read its execution may read it.",
  interfaces: [NodeInterface],
  fields: (t) => ({
    retryAttempt: t.exposeInt('retryAttempt', {
      description: 'The number of the attempt, from 0 for the first attempt of the node.',
    }),
    phase: t.expose('phase', {
      type: TaskExecutionPhaseEnum,
      description: 'The current phase of the attempt.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'The latest reason why the attempt is in this phase, for people; null if none was given.',
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'Why the attempt failed; null if it did not fail.',
      resolve: workErrorOf,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: "When the task's code began to run; null before that.",
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the attempt reached a final phase; null before that.',
    }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'The time from start to end; null before the end, and if it never started.',
      ...reads(['startedAt', 'endedAt'], durationOf),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the attempt was queued.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the attempt last changed.' }),
    data: t.field({
      type: DataType,
      description: 'The inputs of the node, and the outputs of this attempt.',
      ...reads(['id'], async ({ id }, _args, { loaders }) => (await loaders.taskData.load(id)) ?? noData),
    }),
    task: t.field({
      type: TaskType,
      description:
        'The version of the task that the attempt runs; null if it is hidden from you or not registered.',
      nullable: true,
      resolve: guardedEdge(
        'task:read',
        (task, { loaders }) => (task.taskId === null ? null : loaders.task.load({ id: task.taskId })),
        taskTarget,
      ),
    }),
    taskKey: t.field({
      type: EntityKeyType,
      description: 'The key of the task. It is shown even if the task is hidden from you or not registered.',
      resolve: taskKeyOf,
    }),
  }),
});

export const TaskExecutionConnection = connectionType(TaskExecutionType);
