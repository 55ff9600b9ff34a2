import type { TypedInterface } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import { type EntityKey, entityKeyText } from './entity-keys.ts';
import type { CompiledTask } from './task-templates.ts';
import type { Node, WorkflowTemplate } from './workflow-templates.ts';

/** The objects that nodes may refer to, by entityKeyText. */
export interface References {
  readonly tasks: ReadonlyMap<string, CompiledTask>;
}

/**
 * The tasks that the nodes of a workflow refer to, each once, sorted. They must exist before the workflow is compiled.
 */
export function referencedTasks(template: WorkflowTemplate): EntityKey[] {
  const keys = new Map(
    template.nodes.map(({ taskNode }) => [entityKeyText(taskNode.referenceId), taskNode.referenceId]),
  );
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

/**
 * The inputs and outputs of a node, from the task that it refers to.
 *
 * Problems: `TaskReferenceNotFound`.
 */
export function interfaceOfNode(
  node: Node,
  references: References,
  place: Place,
): TypedInterface | undefined {
  const { referenceId } = node.taskNode;
  const task = references.tasks.get(entityKeyText(referenceId));
  if (task !== undefined) return task.template.interface;
  const { project, domain, name, version } = referenceId;
  return place
    .at('taskNode', 'referenceId')
    .report('TaskReferenceNotFound', `task ${project}/${domain}/${name} version ${version} does not exist`);
}
