import type { TypedInterface } from '../../values/literal-types.ts';
import { Place } from '../../values/problem-list.ts';
import { compileBindings, type Output, type Outputs, promisedNodeIds } from './compile-bindings.ts';
import { entityKeyText } from './entity-keys.ts';
import { interfaceOfNode, type References, referencedTasks } from './node-interfaces.ts';
import type { CompiledTask } from './task-templates.ts';
import {
  connectionsOf,
  connectNodes,
  type Edge,
  findCycles,
  type Graph,
  reachableFrom,
} from './workflow-graph.ts';
import {
  type CompiledBinding,
  type CompiledWorkflowClosure,
  END_NODE_ID,
  type Node,
  type OutputAlias,
  START_NODE_ID,
  type WorkflowTemplate,
} from './workflow-templates.ts';

/**
 * Checks a workflow with the tasks that it uses and returns its closure: compiled bindings, sorted upstream ids,
 * connections from start-node to end-node, and the tasks. Equal templates give equal closures.
 *
 * @param tasks  at least the registered ones among `referencedTasks`. Other tasks are left out of the closure.
 * @throws InvalidArgumentError with all problems. Each has the compiler's code and a path that names the node:
 * `NoNodesFound`, `DuplicateId`, `ValueRequired`, `TaskReferenceNotFound`, `DuplicateAlias`, `NodeReferenceNotFound`,
 * `VariableNameNotFound`, `CycleDetected`, `UnreachableNodes`, and the codes of `compileBindings`.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/workflow_compiler.go`.
 */
export function compileWorkflow(
  template: WorkflowTemplate,
  tasks: readonly CompiledTask[],
  { path = ['input', 'template'] }: { path?: readonly string[] } = {},
): CompiledWorkflowClosure {
  const place = new Place(path);
  const references = {
    tasks: new Map(tasks.map((task) => [entityKeyText(task.id), task])),
  };
  if (template.nodes.length === 0)
    place.at('nodes').report('NoNodesFound', 'a workflow needs at least one node');

  const nodes = distinctNodes(template.nodes, place.at('nodes')).map((node) => {
    const at = place.at('nodes', node.id);
    return { node, at, typed: interfaceOfNode(node, references, at) };
  });
  const outputs: Outputs = new Map([
    [START_NODE_ID, outputsOf(template.interface.inputs)],
    ...nodes.map(({ node, at, typed }) => [node.id, typed ? nodeOutputs(node, typed, at) : null] as const),
  ]);
  const compiledNodes = nodes.map(({ node, at, typed }) => compileNode(node, typed, outputs, at));
  const compiledOutputs = compileBindings(
    template.outputs,
    template.interface.outputs,
    outputs,
    place.at('outputs'),
  );
  const graph = connectNodes(
    nodes.map(({ node }) => node.id),
    edgesOf(template, outputs),
  );
  checkGraph(graph, place.at('nodes'));

  place.problems.throwIfAny();
  return {
    primary: {
      template: { ...template, nodes: compiledNodes, outputs: compiledOutputs },
      connections: connectionsOf(graph),
    },
    tasks: usedTasks(template, references),
  };
}

/** The first node of each id. Further nodes with the same id, and ids that cannot be used, are reported. */
function distinctNodes(nodes: readonly Node[], place: Place): Node[] {
  const byId = new Map<string, Node>();
  for (const [index, node] of nodes.entries()) {
    if (node.id === '') place.at(index, 'id').report('ValueRequired', 'a node needs an id');
    else if (node.id === START_NODE_ID || node.id === END_NODE_ID) {
      place.at(node.id, 'id').report('DuplicateId', `the id ${node.id} is reserved`);
    } else if (byId.has(node.id)) {
      place.at(node.id, 'id').report('DuplicateId', `more than one node has the id ${node.id}`);
    } else byId.set(node.id, node);
  }
  return [...byId.values()];
}

function outputsOf(variables: TypedInterface['outputs']): Map<string, Output> {
  return new Map(Object.entries(variables).map(([name, { type }]) => [name, { var: name, type }]));
}

function nodeOutputs(node: Node, typed: TypedInterface, place: Place): Map<string, Output> {
  const outputs = outputsOf(typed.outputs);
  for (const [index, alias] of (node.outputAliases ?? []).entries()) {
    addAlias(alias, outputs, place.at('outputAliases', index));
  }
  return outputs;
}

function addAlias(alias: OutputAlias, outputs: Map<string, Output>, place: Place): void {
  const output = outputs.get(alias.var);
  if (output === undefined) place.report('VariableNameNotFound', `the interface has no output ${alias.var}`);
  else if (outputs.has(alias.alias)) {
    place.report('DuplicateAlias', `the interface already has an output ${alias.alias}`);
  } else outputs.set(alias.alias, output);
}

function compileNode(
  node: Node,
  typed: TypedInterface | undefined,
  outputs: Outputs,
  place: Place,
): Node<CompiledBinding> {
  for (const [index, id] of node.upstreamNodeIds.entries()) {
    if (outputs.has(id)) continue;
    place.at('upstreamNodeIds', index).report('NodeReferenceNotFound', `the workflow has no node ${id}`);
  }
  return {
    ...node,
    inputs: typed ? compileBindings(node.inputs, typed.inputs, outputs, place.at('inputs')) : [],
    upstreamNodeIds: [...new Set(node.upstreamNodeIds)].sort(),
  };
}

/** An edge for each explicit upstream id and each promise, from nodes that exist. */
function edgesOf(template: WorkflowTemplate, outputs: Outputs): Edge[] {
  const ofNodes = template.nodes.flatMap(({ id, upstreamNodeIds, inputs }) =>
    [...upstreamNodeIds, ...inputs.flatMap(({ binding }) => promisedNodeIds(binding))].map((from) => ({
      from,
      to: id,
    })),
  );
  const ofOutputs = template.outputs
    .flatMap(({ binding }) => promisedNodeIds(binding))
    .map((from) => ({ from, to: END_NODE_ID }));
  return [...ofNodes, ...ofOutputs].filter(({ from }) => outputs.has(from));
}

function checkGraph(graph: Graph, place: Place): void {
  const cycles = findCycles(graph);
  for (const cycle of cycles) {
    place
      .at(cycle[0] ?? '')
      .report('CycleDetected', `these nodes wait for themselves or for each other: ${shortList(cycle)}`);
  }
  const reached = reachableFrom(START_NODE_ID, graph);
  const accountedFor = new Set([END_NODE_ID, ...cycles.flat()]);
  const unreachable = [...graph.keys()].filter((id) => !reached.has(id) && !accountedFor.has(id));
  if (unreachable.length === 0) return;
  place.report('UnreachableNodes', `these nodes cannot be reached from the start: ${shortList(unreachable)}`);
}

function shortList(ids: readonly string[]): string {
  const shown = ids.slice(0, 20).join(', ');
  return ids.length > 20 ? `${shown} and ${ids.length - 20} more` : shown;
}

function usedTasks(template: WorkflowTemplate, { tasks }: References): CompiledTask[] {
  return referencedTasks(template).flatMap((key) => tasks.get(entityKeyText(key)) ?? []);
}
