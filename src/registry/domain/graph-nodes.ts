import type { NodeKind } from '../../generated/prisma/enums.ts';
import { Place } from '../../values/problem-list.ts';
import { promisedNodesOf } from './compile-bindings.ts';
import { nodesOfBranch, withInnerNodes } from './inner-nodes.ts';
import {
  type CompiledBinding,
  type CompiledWorkflow,
  END_NODE_ID,
  type Node,
  START_NODE_ID,
} from './workflow-templates.ts';

/** A node of a workflow, or a node inside of one. */
export interface GraphNode {
  /**
   * Unique in its workflow. The id of a node inside of a branch or an array begins with the id of that node and a colon,
   * as the ids of node executions do.
   */
  readonly id: string;
  readonly parentId: string | null;
  readonly isFailureNode: boolean;
  readonly node: Node<CompiledBinding>;
  /** Sorted. Nodes inside of others have none, because they begin with their parent. */
  readonly upstreamNodeIds: readonly string[];
  readonly downstreamNodeIds: readonly string[];
}

/**
 * All nodes of a workflow, in the order of the template. The nodes inside of a node come after it; the failure node comes
 * last. The nodes of workflows that nodes run are not included.
 */
export function graphNodesOf({ template, connections }: CompiledWorkflow): GraphNode[] {
  const directions = (id: string) => ({
    upstreamNodeIds: (connections.upstream[id] ?? []).filter((other) => other !== START_NODE_ID),
    downstreamNodeIds: (connections.downstream[id] ?? []).filter((other) => other !== END_NODE_ID),
  });
  const { nodes, failureNode } = template;
  return [
    ...nodes.flatMap((node) => withNodesInside(node, null, false, directions(node.id))),
    ...(failureNode ? withNodesInside(failureNode, null, true, unconnected) : []),
  ];
}

/** The id of a node inside of another one. The engine makes the ids of node executions in the same way. */
export const innerNodeId = (outer: string, inner: string) => `${outer}:${inner}`;

const unconnected = { upstreamNodeIds: [], downstreamNodeIds: [] };

function withNodesInside(
  node: Node<CompiledBinding>,
  parentId: string | null,
  isFailureNode: boolean,
  directions: Pick<GraphNode, 'upstreamNodeIds' | 'downstreamNodeIds'>,
): GraphNode[] {
  const id = parentId === null ? node.id : innerNodeId(parentId, node.id);
  const inside = nodesInside(node).flatMap((one) => withNodesInside(one, id, isFailureNode, unconnected));
  return [{ id, parentId, isFailureNode, node, ...directions }, ...inside];
}

function nodesInside(node: Node<CompiledBinding>): Node<CompiledBinding>[] {
  if ('arrayNode' in node) return [node.arrayNode.node];
  return 'branchNode' in node ? nodesOfBranch(node.branchNode, new Place([])).map((inner) => inner.node) : [];
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** DATA: the second node, or a node inside of it, uses an output of the first. ORDER: it only waits for it. */
  readonly kind: 'DATA' | 'ORDER';
}

/** The edges between the nodes of a workflow, sorted by the node that waits. */
export function graphEdgesOf({ template, connections }: CompiledWorkflow): GraphEdge[] {
  return template.nodes.flatMap((node) => {
    const promised = new Set(withInnerNodes(node).flatMap(({ inputs }) => promisedNodesOf(inputs)));
    return (connections.upstream[node.id] ?? [])
      .filter((from) => from !== START_NODE_ID)
      .map((from) => ({
        from,
        to: node.id,
        kind: promised.has(from) ? ('DATA' as const) : ('ORDER' as const),
      }));
  });
}

/** What a node does. */
export function kindOfNode(node: Node<CompiledBinding>): NodeKind {
  if ('taskNode' in node) return 'TASK';
  if ('branchNode' in node) return 'BRANCH';
  if ('gateNode' in node) return 'GATE';
  if ('arrayNode' in node) return 'ARRAY';
  return 'subWorkflowRef' in node.workflowNode ? 'WORKFLOW' : 'LAUNCH_PLAN';
}
