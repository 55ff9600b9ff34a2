import { newId } from '../../platform/ids.ts';
import { type Closure, mayWaitForCache, type RunnableNode } from '../../registry/domain/closure.ts';
import type { UpstreamValues } from '../../registry/domain/resolve-bindings.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { Work } from '../../values/problem-list.ts';
import { MAX_TURN_BYTES, MAX_TURN_STEPS } from '../domain/limits.ts';
import { inputsOfItem } from '../engine/arrays.ts';
import { innerNodeId, nodeAt, outerNodeId } from '../engine/node-paths.ts';
import type { NodeStart } from '../engine/progress.ts';
import type { NodeMove } from '../store/moves.ts';
import type { NodeRow } from '../store/nodes.ts';
import { beginNode, type Failure } from './begin-node.ts';

/** Nodes to start, and everything that decides how they begin. */
export interface Beginnings {
  readonly closure: Closure;
  readonly starts: readonly NodeStart[];
  /** The nodes that contain the new ones, by node id. */
  readonly rows: ReadonlyMap<string, NodeRow>;
  /** The values that new nodes may use, by the id of the node that contains them; null is the outermost workflow. */
  readonly values: ReadonlyMap<string | null, UpstreamValues>;
  /** The rows of an earlier execution whose results count again, by node id. */
  readonly reusable: ReadonlyMap<string, string>;
  /** The failure inside of a node, for its failure node; null stands for the outermost workflow. */
  readonly failureOf: (outer: string | null) => Failure | null;
  readonly now: Date;
  /** Whether nodes that may wait for others can start in this turn. */
  readonly mayReserve: boolean;
}

/** A node that was started, and its row. */
export interface StartedNode {
  readonly id: string;
  readonly nodeId: string;
  readonly node: RunnableNode;
  readonly inputs: LiteralMap;
}

const nothingKnown: UpstreamValues = { inputs: {}, outputs: new Map() };

/**
 * Decides how nodes begin: the rows to create, and the nodes that have started. If their inputs are large or cost many
 * steps, the last ones are left for another turn.
 */
export function beginNodes({
  closure,
  starts,
  rows,
  values,
  reusable,
  failureOf,
  now,
  mayReserve,
}: Beginnings): { moves: NodeMove[]; started: StartedNode[] } {
  const moves: NodeMove[] = [];
  const started: StartedNode[] = [];
  let bytes = 0;
  let steps = 0;
  let handled = 0;

  /** Creates the rows of a node, and of the node that it takes if it is a branch. */
  const start = (
    { nodeId, node, itemIndex, isFailureNode }: NodeStart,
    parentId: string | null,
    scope: string | null,
  ) => {
    const made = { kind: node.kind, parentId, specNodeId: node.id, itemIndex };
    const move = { id: newId(), nodeId, from: [], at: now };
    const reusedId = isFailureNode ? undefined : reusable.get(nodeId);
    if (reusedId !== undefined) {
      moves.push({ ...move, to: 'RECOVERED', made: { ...made, reusedId } });
      return;
    }
    const work = new Work();
    const upstream = values.get(scope) ?? nothingKnown;
    const array = itemIndex === null ? null : nodeAt(closure, scope ?? '');
    const given = array?.kind === 'ARRAY' ? inputsOfItem(array, upstream.inputs, itemIndex ?? 0) : null;
    const failure = isFailureNode ? failureOf(scope) : null;
    const begun = beginNode(node, upstream, now, work, { given, failure });
    steps += work.steps;
    bytes += begun.bytes;
    if ('error' in begun) {
      moves.push({ ...move, to: 'FAILED', error: begun.error, made });
      return;
    }
    const { inputs, itemCount = null, wakeAt = null } = begun;
    const to = node.kind === 'TASK' ? 'QUEUED' : 'RUNNING';
    moves.push({ ...move, to, inputs, made: { ...made, itemCount, wakeAt } });
    const { id } = move;
    started.push({ id, nodeId, node, inputs });
    if (node.kind !== 'BRANCH') return;
    for (const inner of node.nodes.values()) {
      const innerId = innerNodeId(nodeId, inner.id);
      // It uses the outputs of the nodes beside the branch.
      if (inner === begun.taken)
        start({ nodeId: innerId, node: inner, itemIndex: null, isFailureNode: false }, id, scope);
      else
        moves.push({
          id: newId(),
          nodeId: innerId,
          from: [],
          at: now,
          to: 'SKIPPED',
          made: { kind: inner.kind, parentId: id, specNodeId: inner.id, itemIndex: null },
        });
    }
  };

  for (const one of starts) {
    if (steps > MAX_TURN_STEPS || (!mayReserve && mayWaitForCache(one.node))) break;
    const [moveCount, startCount] = [moves.length, started.length];
    const outer = outerNodeId(one.nodeId);
    start(one, outer === null ? null : (rows.get(outer)?.id ?? null), outer);
    // Never the first node: inputs that are so large by themselves are refused.
    if (bytes > MAX_TURN_BYTES && handled > 0) {
      moves.length = moveCount;
      started.length = startCount;
      break;
    }
    handled += 1;
  }
  return { moves, started };
}
