import type { Problem } from '../../platform/errors.ts';
import type { Variable } from '../../values/literal-types.ts';
import type { Place } from '../../values/problem-list.ts';
import type { Output, Outputs } from './compile-bindings.ts';
import { interfaceOfNode, type NodeInterface, type References } from './node-interfaces.ts';
import { type Graph, inOrder } from './workflow-graph.ts';
import { type Node, type OutputAlias, START_NODE_ID } from './workflow-templates.ts';

export interface Interfaces {
  /** By node id; a node with a problem has none. */
  readonly interfaces: ReadonlyMap<string, NodeInterface>;
  readonly outputs: Outputs;
  /** In the order of the nodes. */
  readonly problems: readonly Problem[];
}

/**
 * The interfaces of all nodes. Some take types from the nodes before them, so they are made in the order of the graph.
 */
export function interfacesOf(
  nodes: readonly Node[],
  graph: Graph,
  inputs: ReadonlyMap<string, Output>,
  references: References,
  place: Place,
): Interfaces {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const interfaces = new Map<string, NodeInterface>();
  // Until the interface of a node is known, promises of its outputs have no type. This happens only in a cycle.
  const outputs = new Map<string, ReadonlyMap<string, Output> | null>([
    [START_NODE_ID, inputs],
    ...nodes.map(({ id }) => [id, null] as const),
  ]);
  const problems = new Map<string, readonly Problem[]>();
  for (const id of inOrder(graph)) {
    const node = byId.get(id);
    if (node === undefined) continue;
    const at = place.at(id).apart();
    const signature = interfaceOfNode(node, references, outputs, at);
    if (signature) {
      interfaces.set(id, signature);
      outputs.set(id, nodeOutputs(node, signature, at));
    }
    problems.set(id, at.problems.all);
  }
  return { interfaces, outputs, problems: nodes.flatMap(({ id }) => problems.get(id) ?? []) };
}

/** Variables as promises find them. */
export function outputsOf(variables: Readonly<Record<string, Variable>>): Map<string, Output> {
  return new Map(Object.entries(variables).map(([name, { type }]) => [name, { var: name, type }]));
}

function nodeOutputs(node: Node, typed: NodeInterface, place: Place): Map<string, Output> {
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
