import type { Tx } from '../../platform/database/transaction.ts';
import { nodeKindOf } from '../domain/reported-nodes.ts';
import type { NodeState } from '../domain/scheduling/fleet.ts';
import type { KnownFleet } from '../domain/scheduling/possibility.ts';
import { type Amounts, add } from '../domain/scheduling/resources.ts';
import type { Pool } from '../store/leases.ts';
import { type FormerNodes, listFormerNodes, listKnownExecutors } from '../store/rejections.ts';
import { knownNodes, reportedNodes, toNode } from './read-round.ts';

type Node = ReturnType<typeof toNode>;

/** The executors of a new pool join one after the other, so this long it is not clear yet what the pool has. */
const FORMING_SECONDS = 60;

/**
 * All nodes that a pool has, or had in the last `seconds`, with nothing on them. Null if that is not known yet: the pool
 * has no executors, or its first one joined less than a minute ago.
 */
export async function readKnownFleet(tx: Tx, pool: Pool, seconds: number): Promise<KnownFleet | null> {
  const known = knownNodes();
  const executors = await listKnownExecutors(tx, pool, seconds, [...known.keys()]);
  const [first] = executors;
  if (!first || first.poolAgeSeconds < FORMING_SECONDS) return null;
  const former = await listFormerNodes(tx, pool, seconds);
  const nodes = executors.flatMap((executor): NodeState[] =>
    reportedNodes(executor, known).map((node) => emptyNode(node, executor)),
  );
  nodes.push(...missing(former, nodes));
  const totals: Amounts = {};
  for (const { allocatable } of nodes) if (allocatable) add(totals, allocatable);
  return { nodes, totals };
}

/** Of each kind, as many nodes as an executor had, without those that it still has. */
function missing(former: readonly FormerNodes[], present: readonly NodeState[]): NodeState[] {
  if (former.length === 0) return [];
  const ofKind = (executorId: string, node: Node) => `${executorId}/${nodeKindOf(node)}`;
  const still = new Map<string, number>();
  for (const node of present) {
    const key = ofKind(node.executorId, node);
    still.set(key, (still.get(key) ?? 0) + 1);
  }
  return former.flatMap(({ executorId, executor, node, count }) => {
    const gone = emptyNode(toNode(node), { id: executorId, name: executor });
    return Array.from(
      { length: Math.max(count - (still.get(ofKind(executorId, gone)) ?? 0), 0) },
      () => gone,
    );
  });
}

const emptyNode = (node: Node, executor: { readonly id: string; readonly name: string }): NodeState => ({
  ...node,
  executorId: executor.id,
  executor: executor.name,
  isOpen: true,
  held: {},
  stopping: {},
});
