import { builder } from '../../graphql/builder.ts';
import type { Loaders } from '../../graphql/context.ts';
import { addressOf } from '../../graphql/input.ts';
import { addressText } from '../../platform/address-text.ts';
import { NO_ID } from '../../platform/ids.ts';
import type { EntityKey } from '../../registry/domain/entity-keys.ts';
import { EntityKeyInput } from '../../registry/graphql/entity-key.ts';
import type { TaskExecutionRow } from '../store/reads.ts';
import { loadNodeExecution, type NodeExecutionBy } from './node-execution.ts';
import { TaskExecutionType } from './task-execution.ts';

const TaskExecutionKeyInput = builder.inputType('TaskExecutionKeyInput', {
  description: 'What identifies an attempt: the key of its node, the key of its task, and its number.',
  fields: (t) => ({
    project: t.string({ required: true, description: "The identifier of the execution's project." }),
    domain: t.string({ required: true, description: 'The domain of the execution, such as `development`.' }),
    execution: t.string({ required: true, description: "The execution's name." }),
    nodeId: t.string({ required: true, description: "The node's id, unique in the execution." }),
    task: t.field({ type: EntityKeyInput, required: true, description: 'The key of the task.' }),
    retryAttempt: t.int({ defaultValue: 0, description: 'The number of the attempt, from 0.' }),
  }),
});

const TaskExecutionByInput = builder.inputType('TaskExecutionByInput', {
  description: 'The address of an attempt.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The value of the field `id` of an attempt.' }),
    key: t.field({
      type: TaskExecutionKeyInput,
      description: 'The key of its node, the key of its task, and its number.',
    }),
  }),
});

export type TaskExecutionBy =
  | { readonly id: string }
  | {
      readonly key: Extract<NodeExecutionBy, { key: unknown }>['key'] & {
        readonly task: EntityKey;
        readonly retryAttempt?: number | null;
      };
    };

builder.queryField('taskExecution', (t) =>
  t.field({
    type: TaskExecutionType,
    nullable: true,
    description: 'One attempt of a task. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(TaskExecutionByInput, 'attempt'),
    resolve: (_root, { by }, { loaders }) => loadTaskExecution(by as TaskExecutionBy, loaders),
  }),
);

/** The attempt of an address; null if it, its node or its execution does not exist. */
export async function loadTaskExecution(
  by: TaskExecutionBy,
  loaders: Loaders,
): Promise<TaskExecutionRow | null> {
  if ('id' in by) return await loaders.taskExecution.load(by.id);
  const { task, retryAttempt, ...node } = by.key;
  const found = await loadNodeExecution({ key: node }, loaders);
  // Also asked if there is no such node, so that it takes the same statements as a hidden one.
  const { project, domain, name, version } = task;
  return await loaders.taskExecutionByKey.load({
    nodeExecutionId: found?.id ?? NO_ID,
    retryAttempt: retryAttempt ?? 0,
    task: { project, domain, name, version },
  });
}

/** How a message names an attempt. */
export function attemptText(by: TaskExecutionBy): string {
  if ('id' in by) return by.id;
  const { task: _task, retryAttempt, ...node } = by.key;
  return `${addressText({ key: node })} attempt ${retryAttempt ?? 0}`;
}
