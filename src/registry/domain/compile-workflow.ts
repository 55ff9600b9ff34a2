import { Place } from '../../values/problem-list.ts';
import { compileGraph } from './compile-graph.ts';
import { byKey, type EntityKey, entityKeyText } from './entity-keys.ts';
import { referencedKeys } from './inner-nodes.ts';
import type { References } from './node-interfaces.ts';
import { sortedByText } from './sorted-by-text.ts';
import type { CompiledTask } from './task-templates.ts';
import { findCycles, type Graph } from './workflow-graph.ts';
import type {
  CompiledLaunchPlan,
  CompiledWorkflowClosure,
  SubWorkflow,
  WorkflowTemplate,
} from './workflow-templates.ts';

/** What is registered already, or comes with the same registration. */
export interface Known {
  readonly tasks: readonly CompiledTask[];
  readonly launchPlans?: readonly CompiledLaunchPlan[];
  readonly subWorkflows?: readonly SubWorkflow[];
}

/**
 * Checks a workflow with everything that it uses and returns its closure: each graph compiled, and the tasks, workflows
 * and launch plans that nodes refer to. Equal templates give equal closures.
 *
 * @param known  at least the things among `referencedKeys` that exist. Things that no node refers to are left out of
 * the closure, but workflows that come along are checked.
 * @throws InvalidArgumentError with all problems. Each has the compiler's code and a path that names the node. Besides
 * the problems of `compileGraph`: `DuplicateId` and `CycleDetected` for workflows that come along.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/workflow_compiler.go`.
 */
export function compileWorkflow(
  template: WorkflowTemplate,
  { tasks, launchPlans = [], subWorkflows = [] }: Known,
  {
    path = ['input', 'template'],
    subWorkflowsPath = ['input', 'subWorkflows'],
  }: { path?: readonly string[]; subWorkflowsPath?: readonly string[] } = {},
): CompiledWorkflowClosure {
  const place = new Place(path);
  const atSub = new Place(subWorkflowsPath, { problems: place.problems, work: place.work });
  checkSubWorkflows(subWorkflows, atSub);
  const references: References = {
    tasks: byKey(tasks),
    launchPlans: byKey(launchPlans),
    subWorkflows: byKey(subWorkflows),
  };
  const primary = compileGraph(template, references, place);
  const compiled = subWorkflows.map((one, index) => ({
    id: one.id,
    ...compileGraph(one.template, references, atSub.at(index, 'template')),
  }));
  place.problems.throwIfAny();
  const used = referencedKeys(template, subWorkflows);
  const usedPlans = pick(used.launchPlans, references.launchPlans);
  return {
    primary,
    ...(compiled.length > 0 && { subWorkflows: sortedByText(compiled, ({ id }) => entityKeyText(id)) }),
    tasks: pick(used.tasks, references.tasks),
    ...(usedPlans.length > 0 && { launchPlans: usedPlans }),
  };
}

const pick = <T>(keys: readonly EntityKey[], from: ReadonlyMap<string, T>): T[] =>
  keys.flatMap((key) => from.get(entityKeyText(key)) ?? []);

/** No two may have the same key, and none may run itself, because that would never end. */
function checkSubWorkflows(subWorkflows: readonly SubWorkflow[], place: Place): void {
  const indexes = new Map<string, number>();
  for (const [index, { id }] of subWorkflows.entries()) {
    const text = entityKeyText(id);
    if (indexes.has(text))
      place.at(index, 'id').report('DuplicateId', `workflow ${id.name} version ${id.version} comes twice`);
    else indexes.set(text, index);
  }
  const graph: Graph = new Map(
    subWorkflows.map(({ id, template }) => [entityKeyText(id), new Set(runBy(template))]),
  );
  for (const cycle of findCycles(graph)) {
    const members = cycle.flatMap((key) => indexes.get(key) ?? []);
    const names = members.map((index) => subWorkflows[index]?.id.name);
    place
      .at(...members.slice(0, 1))
      .report(
        'CycleDetected',
        `these workflows run themselves or each other: ${names.slice(0, 20).join(', ')}`,
      );
  }
}

const runBy = (template: WorkflowTemplate): string[] =>
  referencedKeys(template).subWorkflows.map(entityKeyText);
