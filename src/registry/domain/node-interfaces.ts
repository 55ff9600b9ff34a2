import { canonicalJson } from '../../values/canonical-json.ts';
import { entryOf, mapRecord } from '../../values/json.ts';
import { isOptionalType, type LiteralType, type Variable } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import type { Outputs } from './compile-bindings.ts';
import { type EntityKey, entityKeyText } from './entity-keys.ts';
import { inferVariables } from './infer-variables.ts';
import { nodesOfBranch } from './inner-nodes.ts';
import type { CompiledTask } from './task-templates.ts';
import type {
  ArrayNode,
  BranchNode,
  CompiledLaunchPlan,
  GateNode,
  Node,
  SubWorkflow,
  WorkflowNode,
} from './workflow-templates.ts';

/** The things that nodes may refer to, by the text of their keys. */
export interface References {
  readonly tasks: ReadonlyMap<string, CompiledTask>;
  readonly subWorkflows: ReadonlyMap<string, SubWorkflow>;
  readonly launchPlans: ReadonlyMap<string, CompiledLaunchPlan>;
}

/** What a node needs and gives. */
export interface NodeInterface {
  readonly inputs: Readonly<Record<string, Variable>>;
  readonly outputs: Readonly<Record<string, Variable>>;
  /** The inputs that need no binding, because something else gives them a value. */
  readonly defaulted?: ReadonlySet<string>;
}

/**
 * The inputs and outputs of a node. They come from the task, workflow or launch plan that it refers to. A branch and an
 * approval take the types of their inputs from what is bound to them; an array turns the inputs and outputs of its inner
 * node into lists.
 *
 * @param outputs  of the nodes before this one.
 * Problems: `TaskReferenceNotFound`, `WorkflowReferenceNotFound` (also for launch plans, as in Flyte), `InvalidValue`.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/validators/interface.go`. Lists of an array are derived from its
 * inner node, where Flyte trusts its author.
 */
export function interfaceOfNode(
  node: Node,
  references: References,
  outputs: Outputs,
  place: Place,
): NodeInterface | undefined {
  if ('taskNode' in node) return interfaceOfTask(node.taskNode.referenceId, references, place.at('taskNode'));
  if ('workflowNode' in node)
    return interfaceOfWorkflow(node.workflowNode, references, place.at('workflowNode'));
  if ('arrayNode' in node)
    return interfaceOfArray(node.arrayNode, references, outputs, place.at('arrayNode'));
  const inputs = inferVariables(node.inputs, outputs, place.at('inputs'));
  if ('gateNode' in node) return { inputs, outputs: outputsOfGate(node.gateNode, inputs) };
  const branches = interfacesOfBranches(node.branchNode, references, outputs, place.at('branchNode'));
  return branches && { inputs, outputs: sharedOutputs(branches) };
}

function interfaceOfTask(key: EntityKey, { tasks }: References, place: Place): NodeInterface | undefined {
  const task = tasks.get(entityKeyText(key));
  if (task !== undefined) return task.template.interface;
  return place.at('referenceId').report('TaskReferenceNotFound', `task ${nameOf(key)} does not exist`);
}

const nameOf = ({ project, domain, name, version }: EntityKey) =>
  `${project}/${domain}/${name} version ${version}`;

function interfaceOfWorkflow(
  target: WorkflowNode,
  { subWorkflows, launchPlans }: References,
  place: Place,
): NodeInterface | undefined {
  if ('subWorkflowRef' in target) {
    const key = target.subWorkflowRef;
    const workflow = subWorkflows.get(entityKeyText(key));
    if (workflow !== undefined) return workflow.template.interface;
    return place
      .at('subWorkflowRef')
      .report('WorkflowReferenceNotFound', `the registration brings no workflow ${nameOf(key)} along`);
  }
  const plan = launchPlans.get(entityKeyText(target.launchplanRef));
  if (plan === undefined)
    return place
      .at('launchplanRef')
      .report('WorkflowReferenceNotFound', `launch plan ${nameOf(target.launchplanRef)} does not exist`);
  const defaulted = Object.entries(plan.expectedInputs).filter(([, input]) => 'default' in input);
  return {
    inputs: mapRecord(plan.expectedInputs, (input) => input.var),
    outputs: plan.expectedOutputs,
    defaulted: new Set(defaulted.map(([name]) => name)),
  };
}

function interfaceOfArray(
  array: ArrayNode,
  references: References,
  outputs: Outputs,
  place: Place,
): NodeInterface | undefined {
  const { node } = array;
  const inner = place.at('node');
  if (!('taskNode' in node) && !('workflowNode' in node))
    return inner.report('InvalidValue', 'an array runs a task, a launch plan or a workflow for each item');
  const typed = interfaceOfNode(node, references, outputs, inner);
  if (typed === undefined) return undefined;
  for (const [index, name] of array.boundInputs.entries())
    if (!Object.hasOwn(typed.inputs, name))
      place.at('boundInputs', index).report('VariableNameNotFound', `the interface has no input ${name}`);
  return array.isOriginalSubNodeInterface ? listsOf(typed, array) : typed;
}

/** The interface of an array, from that of its inner node. */
function listsOf(typed: NodeInterface, array: ArrayNode): NodeInterface {
  const bound = new Set(array.boundInputs);
  const mayFail = array.minSuccesses !== undefined || (array.minSuccessRatio ?? 1) < 1;
  return {
    ...typed,
    inputs: mapRecord(typed.inputs, (input, name) => (bound.has(name) ? input : listOf(input))),
    outputs: mapRecord(typed.outputs, (output) => listOf(mayFail ? optional(output) : output)),
  };
}

const listOf = (variable: Variable): Variable => ({ ...variable, type: { collectionType: variable.type } });

const optional = (variable: Variable): Variable =>
  isOptionalType(variable.type) ? variable : { ...variable, type: withNone(variable.type) };

function withNone(type: LiteralType): LiteralType {
  const variants = 'unionType' in type ? type.unionType.variants : [type];
  return { unionType: { variants: [...variants, { simple: 'NONE' }] } };
}

function outputsOfGate(gate: GateNode, inputs: Readonly<Record<string, Variable>>) {
  if ('approve' in gate) return inputs;
  if ('sleep' in gate) return {};
  return { [gate.signal.outputVariableName]: { type: gate.signal.type } };
}

function interfacesOfBranches(
  branch: BranchNode,
  references: References,
  outputs: Outputs,
  place: Place,
): NodeInterface[] | undefined {
  const interfaces = nodesOfBranch(branch, place).map(({ node, at }) =>
    interfaceOfNode(node, references, outputs, at),
  );
  return interfaces.every((one) => one !== undefined) ? interfaces : undefined;
}

/** The outputs that all branches have, with the same type. */
function sharedOutputs(interfaces: readonly NodeInterface[]): Record<string, Variable> {
  const [first, ...others] = interfaces;
  const shared = Object.entries(first?.outputs ?? {}).filter(([name, { type }]) =>
    others.every(({ outputs }) => {
      const other = entryOf(outputs, name);
      return other !== undefined && canonicalJson(other.type) === canonicalJson(type);
    }),
  );
  return Object.fromEntries(shared);
}
