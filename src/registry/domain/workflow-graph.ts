import { sortedByText } from './sorted-by-text.ts';
import { type Connections, END_NODE_ID, START_NODE_ID } from './workflow-templates.ts';

/** For each node, the nodes that come directly after it. Every node is a key. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export interface Edge {
  readonly from: string;
  readonly to: string;
}

/**
 * The graph of a workflow from start-node to end-node: the given edges, an edge from start-node to each node that waits
 * for no other, and an edge to end-node from each node that no other waits for.
 * Source: Flyte v1.16, `flytepropeller/pkg/compiler/workflow_compiler.go`.
 */
export function connectNodes(nodeIds: readonly string[], edges: readonly Edge[]): Graph {
  const graph = new Map([START_NODE_ID, ...nodeIds, END_NODE_ID].map((id) => [id, new Set<string>()]));
  for (const { from, to } of edges) graph.get(from)?.add(to);
  const waiting = new Set(edges.map(({ to }) => to));
  for (const id of nodeIds) {
    if (!waiting.has(id)) graph.get(START_NODE_ID)?.add(id);
    if (graph.get(id)?.size === 0) graph.get(id)?.add(END_NODE_ID);
  }
  return graph;
}

/** Both directions of a graph, in the stored form. */
export function connectionsOf(graph: Graph): Connections {
  return {
    upstream: storedEdges(reversed(graph)),
    downstream: storedEdges(graph),
  };
}

/**
 * The groups of nodes that wait for each other or for themselves. Each group is sorted, and the groups are sorted by
 * their first node.
 *
 * Kosaraju's algorithm, without recursion, because a chain of thousands of nodes must not exhaust the stack.
 */
export function findCycles(graph: Graph): string[][] {
  const upstream = reversed(graph);
  const grouped = new Set<string>();
  const groups = inOrder(graph).flatMap((id) => {
    if (grouped.has(id)) return [];
    const group = [...reachableFrom(id, upstream, grouped)];
    for (const member of group) grouped.add(member);
    return [group.sort()];
  });
  const cycles = groups.filter((group) => isCycle(group, graph));
  return sortedByText(cycles, ([first = '']) => first);
}

/** The nodes that can be reached from one node, including itself, without going through closed nodes. */
export function reachableFrom(
  id: string,
  graph: Graph,
  closed: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const met = new Set([id]);
  // A set may grow during the loop. The loop also visits the new members.
  for (const current of met) {
    for (const next of graph.get(current) ?? []) {
      if (!closed.has(next)) met.add(next);
    }
  }
  return met;
}

function isCycle(group: readonly string[], graph: Graph): boolean {
  const [first = ''] = group;
  return group.length > 1 || graph.get(first)?.has(first) === true;
}

/** The nodes in an order in which each one comes after those that it waits for, unless they wait for each other. */
export function inOrder(graph: Graph): string[] {
  return finishingOrder(graph).reverse();
}

/** The nodes in the order in which a depth-first walk leaves them. */
function finishingOrder(graph: Graph): string[] {
  const entered = new Set<string>();
  const order: string[] = [];
  for (const root of graph.keys()) {
    const open = enter(root, graph, entered);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.rest.next();
      if (next.done) {
        order.push(top.id);
        open.pop();
      } else open.push(...enter(next.value, graph, entered));
    }
  }
  return order;
}

interface OpenNode {
  readonly id: string;
  readonly rest: Iterator<string>;
}

function enter(id: string, graph: Graph, entered: Set<string>): OpenNode[] {
  if (entered.has(id)) return [];
  entered.add(id);
  return [{ id, rest: (graph.get(id) ?? new Set<string>()).values() }];
}

function reversed(graph: Graph): Graph {
  const upstream = new Map([...graph.keys()].map((id) => [id, new Set<string>()]));
  for (const [from, tos] of graph) for (const to of tos) upstream.get(to)?.add(from);
  return upstream;
}

function storedEdges(graph: Graph): Record<string, string[]> {
  const connected = [...graph].filter(([, ids]) => ids.size > 0);
  return Object.fromEntries(connected.map(([id, ids]) => [id, [...ids].sort()]));
}
