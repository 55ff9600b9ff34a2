import type { Closure, RunnableGraph, RunnableNode } from '../../registry/domain/closure.ts';
import { entityKeyText } from '../../registry/domain/entity-keys.ts';

/**
 * The id of a node inside of another one begins with the id of the outer one: `train:evaluate`. An item of an array has
 * its index: `fan:3`, and a node of a workflow that runs for this item is `fan:3:evaluate`. The compiler lets no node
 * of a workflow have a colon in its id, so ids are unique in an execution.
 */
const SEPARATOR = ':';

/** @param outer  the id of the node that contains it; null for the outermost workflow. */
export function innerNodeId(outer: string | null, inner: string | number): string {
  return outer === null ? String(inner) : `${outer}${SEPARATOR}${inner}`;
}

/** The id of the node that contains this one; null for a node of the outermost workflow. */
export function outerNodeId(nodeId: string): string | null {
  const at = nodeId.lastIndexOf(SEPARATOR);
  return at === -1 ? null : nodeId.slice(0, at);
}

/** What the ids of all nodes inside of a node begin with. */
export function prefixOf(nodeId: string): string {
  return `${nodeId}${SEPARATOR}`;
}

/** The node with an id; null if the workflow has no such node. */
export function nodeAt(closure: Closure, nodeId: string): RunnableNode | null {
  let graph: RunnableGraph | null = closure;
  let node: RunnableNode | null = null;
  for (const step of nodeId.split(SEPARATOR)) {
    node = graph ? nodeOfGraph(graph, step) : node && innerNode(node, step);
    if (!node) return null;
    graph = graphOf(closure, node);
  }
  return node;
}

/** The workflow whose nodes run inside of a node; null if it is not of this kind. */
export function graphOf(closure: Closure, node: RunnableNode): RunnableGraph | null {
  return node.kind === 'WORKFLOW' ? (closure.subWorkflows.get(entityKeyText(node.workflow)) ?? null) : null;
}

function nodeOfGraph(graph: RunnableGraph, id: string): RunnableNode | null {
  const { failureNode } = graph;
  return graph.nodes.get(id) ?? (failureNode?.id === id ? failureNode : null);
}

function innerNode(outer: RunnableNode, step: string): RunnableNode | null {
  if (outer.kind === 'BRANCH') return outer.nodes.get(step) ?? null;
  return outer.kind === 'ARRAY' && /^\d+$/.test(step) ? outer.item : null;
}
