import { durationNanoseconds } from '../../values/durations.ts';
import { mapRecord } from '../../values/json.ts';
import type { Variable } from '../../values/literal-types.ts';
import { Place } from '../../values/problem-list.ts';
import { byKey, type EntityKey, entityKeyText } from './entity-keys.ts';
import { interfacesOf, outputsOf } from './graph-interfaces.ts';
import { nodesOfBranch } from './inner-nodes.ts';
import { interfaceOfNode, type NodeInterface, type References } from './node-interfaces.ts';
import type { CompiledTask, TaskMetadata, TaskTemplate } from './task-templates.ts';
import {
  type ArrayNode,
  type BranchNode,
  type CompiledBinding,
  type CompiledWorkflow,
  type CompiledWorkflowClosure,
  type GateNode,
  type Node,
  type NodeMetadata,
  START_NODE_ID,
  type TaskOverrides,
  type WorkflowTemplate,
} from './workflow-templates.ts';

/** Compiled workflows, indexed for running. */

interface AnyNode {
  readonly id: string;
  readonly inputs: readonly CompiledBinding[];
  readonly inputTypes: Readonly<Record<string, Variable>>;
  readonly outputs: Readonly<Record<string, Variable>>;
}

/** A node that runs a task, with everything that is needed to run it. */
export interface TaskNode extends AnyNode {
  readonly kind: 'TASK';
  /** The id of the registered task. */
  readonly taskId: string;
  /** The task, with the overrides of the node. */
  readonly task: CompiledTask;
  /** How often the node is tried again after a failure of the user's code, as the node says, or else the task. */
  readonly retries: number;
  /** Whether it may run on a machine that the provider can take away, if the execution does not say it. */
  readonly interruptible: boolean;
  /** The time limit of one attempt, rounded up; null means no limit. */
  readonly timeoutSeconds: number | null;
  /** How its outputs are cached, as the node says, or else the task; null if they are not. */
  readonly cache: CacheSettings | null;
}

export interface CacheSettings {
  readonly version: string;
  /** Whether only one run at a time computes a missing entry. */
  readonly isSerializable: boolean;
  /** The inputs that do not count. */
  readonly ignoredInputs: readonly string[];
}

export type RunnableNode =
  | TaskNode
  | (AnyNode & { readonly kind: 'WORKFLOW'; readonly workflow: EntityKey })
  | (AnyNode & { readonly kind: 'LAUNCH_PLAN'; readonly launchPlanId: string })
  | (AnyNode & {
      readonly kind: 'BRANCH';
      readonly branch: BranchNode<CompiledBinding>;
      /** The nodes of which it runs one, by their ids. */
      readonly nodes: ReadonlyMap<string, RunnableNode>;
    })
  | (AnyNode & { readonly kind: 'GATE'; readonly gate: GateNode })
  | (AnyNode & {
      readonly kind: 'ARRAY';
      readonly array: ArrayNode<CompiledBinding>;
      /** The inner node, with the interface about one item. */
      readonly item: RunnableNode;
    });

/** One workflow of a closure. */
export interface RunnableGraph {
  readonly workflow: CompiledWorkflow;
  readonly nodes: ReadonlyMap<string, RunnableNode>;
  readonly failureNode: RunnableNode | null;
}

/** A registered workflow with the workflows that its nodes run inside of the same execution. */
export interface Closure extends RunnableGraph {
  /** By the text of their keys. */
  readonly subWorkflows: ReadonlyMap<string, RunnableGraph>;
  /** Whether any node starts an execution of its own. */
  readonly hasLaunchPlans: boolean;
  /** Whether any node may wait until another one has computed its outputs. */
  readonly hasSerializableCache: boolean;
}

/** The ids of the registered versions that a closure refers to, by the text of their keys. */
export interface ReferenceIds {
  readonly tasks: Readonly<Record<string, string>>;
  readonly launchPlans: Readonly<Record<string, string>>;
}

export function indexClosure(closure: CompiledWorkflowClosure, ids: ReferenceIds): Closure {
  const { primary, subWorkflows = [], tasks, launchPlans = [] } = closure;
  const references: References = {
    tasks: byKey(tasks),
    launchPlans: byKey(launchPlans),
    subWorkflows: byKey(subWorkflows),
  };
  const index = (workflow: CompiledWorkflow) => indexGraph(workflow, references, ids);
  const graph = index(primary);
  const inner = new Map(subWorkflows.map((one) => [entityKeyText(one.id), index(one)]));
  return {
    ...graph,
    subWorkflows: inner,
    hasLaunchPlans: launchPlans.length > 0,
    hasSerializableCache: [graph, ...inner.values()].some(({ nodes, failureNode }) =>
      [...nodes.values(), ...(failureNode ? [failureNode] : [])].some(mayWaitForCache),
    ),
  };
}

/** Whether a node, or a node inside of it, may wait until another one has computed its outputs. */
export function mayWaitForCache(node: RunnableNode): boolean {
  if (node.kind === 'TASK') return node.cache?.isSerializable ?? false;
  if (node.kind === 'ARRAY') return mayWaitForCache(node.item);
  return node.kind === 'BRANCH' && [...node.nodes.values()].some(mayWaitForCache);
}

function indexGraph(workflow: CompiledWorkflow, references: References, ids: ReferenceIds): RunnableGraph {
  const { template, connections } = workflow;
  const graph = new Map(
    Object.entries(connections.downstream).map(([id, targets]) => [id, new Set(targets)] as const),
  );
  const inputs = outputsOf(template.interface.inputs);
  const { interfaces, outputs } = interfacesOf(template.nodes, graph, inputs, references, new Place([]));
  const indexNode = (node: Node<CompiledBinding>, typed: NodeInterface | undefined): RunnableNode => {
    if (!typed) throw new Error(`the closure lacks what node ${node.id} refers to`);
    return runnable(node, typed, { references, ids, innerInterface, defaults: template.metadataDefaults });
  };
  const innerInterface = (node: Node<CompiledBinding>) =>
    interfaceOfNode(node, references, outputs, new Place([]));
  const { failureNode } = template;
  const atStart = new Map([[START_NODE_ID, inputs]]);
  return {
    workflow,
    nodes: new Map(template.nodes.map((node) => [node.id, indexNode(node, interfaces.get(node.id))])),
    failureNode: failureNode
      ? indexNode(failureNode, interfaceOfNode(failureNode, references, atStart, new Place([])))
      : null,
  };
}

interface Indexing {
  readonly references: References;
  readonly ids: ReferenceIds;
  /** What the workflow says about nodes that do not say it themselves. */
  readonly defaults: WorkflowTemplate['metadataDefaults'];
  /** The interface of a node inside of another one. */
  innerInterface(node: Node<CompiledBinding>): NodeInterface | undefined;
}

function runnable(node: Node<CompiledBinding>, typed: NodeInterface, indexing: Indexing): RunnableNode {
  const base = { id: node.id, inputs: node.inputs, inputTypes: typed.inputs, outputs: typed.outputs };
  if ('taskNode' in node) return { ...base, ...taskOf(node, node.taskNode.referenceId, indexing) };
  if ('gateNode' in node) return { ...base, kind: 'GATE', gate: node.gateNode };
  if ('workflowNode' in node) {
    const { workflowNode: target } = node;
    if ('subWorkflowRef' in target) return { ...base, kind: 'WORKFLOW', workflow: target.subWorkflowRef };
    const launchPlanId = indexing.ids.launchPlans[entityKeyText(target.launchplanRef)];
    if (!launchPlanId) throw new Error(`the closure lacks the launch plan of node ${node.id}`);
    return { ...base, kind: 'LAUNCH_PLAN', launchPlanId };
  }
  const inner = (one: Node<CompiledBinding>, itemTypes?: NodeInterface): RunnableNode => {
    const innerTyped = itemTypes ?? indexing.innerInterface(one);
    if (!innerTyped) throw new Error(`the closure lacks what node ${one.id} refers to`);
    return runnable(one, innerTyped, indexing);
  };
  if ('branchNode' in node) {
    const nodes = nodesOfBranch(node.branchNode, new Place([])).map((one) => one.node);
    return {
      ...base,
      kind: 'BRANCH',
      branch: node.branchNode,
      nodes: new Map(nodes.map((one) => [one.id, inner(one)])),
    };
  }
  const { arrayNode: array } = node;
  const signature = indexing.innerInterface(array.node);
  const item = inner(array.node, signature && itemInterface(signature, array));
  return { ...base, kind: 'ARRAY', array, item };
}

/** The interface of the inner node of an array about one item. */
function itemInterface(signature: NodeInterface, array: ArrayNode<CompiledBinding>): NodeInterface {
  if (array.isOriginalSubNodeInterface) return signature;
  const bound = new Set(array.boundInputs);
  return {
    ...signature,
    inputs: mapRecord(signature.inputs, (input, name) => (bound.has(name) ? input : itemOf(input))),
    outputs: mapRecord(signature.outputs, itemOf),
  };
}

const itemOf = (variable: Variable): Variable =>
  'collectionType' in variable.type ? { ...variable, type: variable.type.collectionType } : variable;

function taskOf(
  node: Node<CompiledBinding> & { readonly taskNode: { readonly overrides?: TaskOverrides } },
  key: EntityKey,
  { references, ids, defaults }: Indexing,
): Omit<TaskNode, keyof AnyNode> {
  const text = entityKeyText(key);
  const task = references.tasks.get(text);
  const taskId = ids.tasks[text];
  if (!task || !taskId) throw new Error(`the closure lacks the task of node ${node.id}`);
  const { metadata } = task.template;
  return {
    kind: 'TASK',
    taskId,
    task: { ...task, template: overridden(task.template, node.taskNode.overrides) },
    retries: node.metadata?.retries ?? metadata.retries ?? 0,
    interruptible: node.metadata?.interruptible ?? defaults?.interruptible ?? metadata.interruptible ?? false,
    timeoutSeconds: wholeSeconds(node.metadata?.timeout ?? metadata.timeout),
    cache: cacheOf(node.metadata, metadata),
  };
}

function cacheOf(node: NodeMetadata | undefined, task: TaskMetadata): CacheSettings | null {
  if (!(node?.cacheable ?? task.discoverable)) return null;
  return {
    version: node?.cacheVersion ?? task.discoveryVersion ?? '',
    isSerializable: node?.cacheSerializable ?? task.cacheSerializable ?? false,
    ignoredInputs: task.cacheIgnoreInputVars ?? [],
  };
}

function overridden(template: TaskTemplate, overrides: TaskOverrides | undefined): TaskTemplate {
  const { container } = template;
  if (!overrides || !container) return template;
  const { resources, containerImage } = overrides;
  return {
    ...template,
    container: {
      ...container,
      ...(containerImage !== undefined && { image: containerImage }),
      ...(resources !== undefined && { resources }),
    },
    ...(overrides.extendedResources && { extendedResources: overrides.extendedResources }),
  };
}

function wholeSeconds(duration: string | undefined): number | null {
  const nanoseconds = duration === undefined ? null : durationNanoseconds(duration);
  if (nanoseconds === null || nanoseconds <= 0n) return null;
  return Number((nanoseconds + 999_999_999n) / 1_000_000_000n);
}
