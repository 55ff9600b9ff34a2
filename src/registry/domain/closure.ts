import { durationNanoseconds } from '../../values/durations.ts';
import type { Variable } from '../../values/literal-types.ts';
import { entityKeyText } from './entity-keys.ts';
import type { CompiledTask } from './task-templates.ts';
import type { CompiledBinding, CompiledWorkflow, CompiledWorkflowClosure } from './workflow-templates.ts';

/** A task node, with everything that is needed to run it. */
export interface TaskNode {
  readonly id: string;
  /** The id of the registered task. */
  readonly taskId: string;
  readonly task: CompiledTask;
  readonly inputs: readonly CompiledBinding[];
  readonly inputTypes: Readonly<Record<string, Variable>>;
  readonly outputs: Readonly<Record<string, Variable>>;
  /** How often the node is tried again after a failure of the user's code, as the node says, or else the task. */
  readonly retries: number;
  /** The time limit of one attempt, rounded up; null means no limit. */
  readonly timeoutSeconds: number | null;
}

/** A compiled workflow, indexed for running. */
export interface Closure {
  readonly workflow: CompiledWorkflow;
  readonly nodes: ReadonlyMap<string, TaskNode>;
}

/** @param taskIds  the id of each task of the closure, by its key's text. */
export function indexClosure(
  closure: CompiledWorkflowClosure,
  taskIds: Readonly<Record<string, string>>,
): Closure {
  const tasks = new Map(closure.tasks.map((task) => [entityKeyText(task.id), task]));
  const nodes = closure.primary.template.nodes.map((node): [string, TaskNode] => {
    const key = entityKeyText(node.taskNode.referenceId);
    const task = tasks.get(key);
    const taskId = taskIds[key];
    if (!task || !taskId) throw new Error(`the closure lacks the task of node ${node.id}`);
    const { interface: signature, metadata } = task.template;
    return [
      node.id,
      {
        id: node.id,
        taskId,
        task,
        inputs: node.inputs,
        inputTypes: signature.inputs,
        outputs: signature.outputs,
        retries: node.metadata?.retries ?? metadata.retries ?? 0,
        timeoutSeconds: wholeSeconds(node.metadata?.timeout ?? metadata.timeout),
      },
    ];
  });
  return { workflow: closure.primary, nodes: new Map(nodes) };
}

function wholeSeconds(duration: string | undefined): number | null {
  const nanoseconds = duration === undefined ? null : durationNanoseconds(duration);
  if (nanoseconds === null || nanoseconds <= 0n) return null;
  return Number((nanoseconds + 999_999_999n) / 1_000_000_000n);
}
