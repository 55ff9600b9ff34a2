import { isErrorType } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import { compileBindings, type Output, type Outputs, promisedNodeIds } from './compile-bindings.ts';
import { compileNode } from './compile-nodes.ts';
import { interfacesOf, outputsOf } from './graph-interfaces.ts';
import { withInnerNodes } from './inner-nodes.ts';
import { interfaceOfNode, type References } from './node-interfaces.ts';
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
  type CompiledWorkflow,
  END_NODE_ID,
  type Node,
  START_NODE_ID,
  type WorkflowTemplate,
} from './workflow-templates.ts';

/**
 * Checks the graph of one workflow and returns it compiled: bindings, sorted upstream ids, and connections from
 * start-node to end-node. The failure node is compiled apart; it can use only the inputs of the workflow.
 *
 * Problems: `NoNodesFound`, `DuplicateId`, `ValueRequired`, `DuplicateAlias`, `CycleDetected`, `UnreachableNodes`, and
 * those of `interfaceOfNode` and `compileNode`.
 */
export function compileGraph(
  template: WorkflowTemplate,
  references: References,
  place: Place,
): CompiledWorkflow {
  if (template.nodes.length === 0)
    place.at('nodes').report('NoNodesFound', 'a workflow needs at least one node');
  const nodes = distinctNodes(template.nodes, place.at('nodes'));
  const graph = connectNodes(
    nodes.map(({ id }) => id),
    edgesOf(template, new Set([START_NODE_ID, ...nodes.map(({ id }) => id)])),
  );
  const inputs = outputsOf(template.interface.inputs);
  const typed = interfacesOf(nodes, graph, inputs, references, place.at('nodes'));
  const { outputs } = typed;
  for (const problem of typed.problems) place.problems.add(() => problem);
  const compiledNodes = nodes.map((node) =>
    compileNode(node, typed.interfaces.get(node.id), { references, outputs }, place.at('nodes', node.id)),
  );
  const compiledOutputs = compileBindings(
    template.outputs,
    template.interface.outputs,
    outputs,
    place.at('outputs'),
  );
  checkGraph(graph, place.at('nodes'));
  const { failureNode: given } = template;
  if (given && nodes.some(({ id }) => id === given.id))
    place.at('failureNode', 'id').report('DuplicateId', `more than one node has the id ${given.id}`);
  const failureNode = given && compileFailureNode(given, inputs, references, place);
  return {
    template: {
      ...template,
      nodes: compiledNodes,
      outputs: compiledOutputs,
      ...(failureNode && { failureNode }),
    } as CompiledWorkflow['template'],
    connections: connectionsOf(graph),
  };
}

/** Its inputs can have only values that are known at the start, and the error, which the engine gives it. */
function compileFailureNode(
  node: Node,
  inputs: ReadonlyMap<string, Output>,
  references: References,
  place: Place,
): Node<CompiledBinding> {
  const at = place.at('failureNode');
  if (node.id === '') at.at('id').report('ValueRequired', 'a node needs an id');
  const outputs: Outputs = new Map([[START_NODE_ID, inputs]]);
  const signature = interfaceOfNode(node, references, outputs, at);
  const errors = Object.entries(signature?.inputs ?? {}).filter(([, { type }]) => isErrorType(type));
  const typed = signature && { ...signature, defaulted: new Set(errors.map(([name]) => name)) };
  return compileNode(node, typed, { references, outputs }, at);
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

/** An edge for each explicit upstream id and each promise, also of inner nodes, from nodes that exist. */
function edgesOf(template: WorkflowTemplate, ids: ReadonlySet<string>): Edge[] {
  const ofNodes = template.nodes.flatMap((node) => upstreamOf(node).map((from) => ({ from, to: node.id })));
  const ofOutputs = template.outputs
    .flatMap(({ binding }) => promisedNodeIds(binding))
    .map((from) => ({ from, to: END_NODE_ID }));
  return [...ofNodes, ...ofOutputs].filter(({ from }) => ids.has(from));
}

const upstreamOf = (node: Node): string[] =>
  withInnerNodes(node).flatMap(({ upstreamNodeIds, inputs }) => [
    ...upstreamNodeIds,
    ...inputs.flatMap(({ binding }) => promisedNodeIds(binding)),
  ]);

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
