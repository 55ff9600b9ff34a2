import { compileWorkflow } from './compile-workflow.ts';
import { isReservedName, reservedPrefix } from './reserved-names.ts';
import type { CompiledTask } from './task-templates.ts';
import type { Binding, CompiledWorkflowClosure } from './workflow-templates.ts';

/** How often the task is tried again if it does not say so itself. Source: Flyte's default for single tasks. */
const DEFAULT_RETRIES = 3;

const MAX_NODE_ID = 63;

/** The name of the workflow around a task, and of its launch plan. */
export const singleTaskName = (taskName: string): string => `${reservedPrefix}.${taskName}`;

/** The name of the task around which a workflow or launch plan was made; of every other one, its own name. */
export const nameWithoutPrefix = (name: string): string =>
  isReservedName(name) ? name.slice(reservedPrefix.length + 1) : name;

/** The id of the only node: the last 63 of the letters, digits and hyphens in the name of the task. */
export function singleNodeId(taskName: string): string {
  return taskName.replace(/[^A-Za-z0-9-]/g, '').slice(-MAX_NODE_ID) || 'task';
}

/**
 * A compiled workflow with one node, which runs a task. It has the inputs and outputs of the task. Source: Flyte
 * v1.16, `flyteadmin/pkg/manager/impl/util/single_task_execution.go`.
 */
export function singleTaskWorkflow(task: CompiledTask): CompiledWorkflowClosure {
  const { metadata, interface: signature } = task.template;
  const id = singleNodeId(task.id.name);
  const template = {
    metadata: { onFailure: 'FAIL_IMMEDIATELY' },
    interface: signature,
    nodes: [
      {
        id,
        metadata: { name: task.id.name, retries: metadata.retries ?? DEFAULT_RETRIES },
        inputs: boundTo('', signature.inputs),
        upstreamNodeIds: [],
        taskNode: { referenceId: task.id },
      },
    ],
    outputs: boundTo(id, signature.outputs),
  } as const;
  return compileWorkflow(template, { tasks: [task] });
}

/** Each variable is bound to the variable of the same name of a node; an empty id means the inputs of the workflow. */
const boundTo = (nodeId: string, variables: object): Binding[] =>
  Object.keys(variables).map((name) => ({ var: name, binding: { promise: { nodeId, var: name } } }));
