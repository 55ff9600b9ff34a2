import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { WorkError } from '../../platform/work-error.ts';
import type { Closure, TaskNode } from '../../registry/domain/closure.ts';
import { promisedNodesOf } from '../../registry/domain/compile-bindings.ts';
import { resolveBindings, type UpstreamValues } from '../../registry/domain/resolve-bindings.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { Work } from '../../values/problem-list.ts';
import { literalBytes, MAX_TURN_BYTES, MAX_TURN_STEPS } from '../domain/limits.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes, moveTasks, type NodeMove } from '../store/moves.ts';
import { readNodeLiterals } from '../store/nodes.ts';
import type { NewAttempt } from './record-task-events.ts';

/** An attempt, with the inputs and the task to run. */
export interface StartedAttempt extends NewAttempt {
  readonly inputs: LiteralMap;
}

/**
 * Starts nodes whose upstream nodes have succeeded: it resolves their inputs and creates their rows, which are QUEUED,
 * with a first attempt. If a node cannot start, its row is created as FAILED: its inputs cannot be resolved
 * (`BindingFailed`) or are too large (`InputsTooLarge`), or this platform cannot run its type of task
 * (`UnsupportedTask`).
 *
 * The caller must have locked the execution.
 *
 * @returns the attempts to submit, in the order of `nodeIds`. There are fewer if nodes failed, or if the inputs are so
 * large that the other nodes must wait for another turn.
 */
export async function startNodes(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodeIds: readonly string[],
  now: Date,
): Promise<StartedAttempt[]> {
  const nodes = nodeIds.map((nodeId) => nodeOf(closure, nodeId));
  const promised = promisedNodesOf(nodes.flatMap((node) => node.inputs));
  const outputs = await readNodeLiterals(tx, execution.id, 'outputs', promised);
  const upstream = { inputs: execution.inputs, outputs };
  const moves: NodeMove[] = [];
  const started: StartedAttempt[] = [];
  let bytes = 0;
  let steps = 0;
  for (const node of nodes) {
    if (steps > MAX_TURN_STEPS) break;
    const work = new Work();
    const begun = begin(node, upstream, work);
    steps += work.steps;
    bytes += begun.bytes;
    // Never the first node: inputs that are so large by themselves are refused.
    if (bytes > MAX_TURN_BYTES) break;
    const move = { id: newId(), nodeId: node.id, from: [], at: now };
    if ('error' in begun) moves.push({ ...move, to: 'FAILED', error: begun.error });
    else {
      moves.push({ ...move, to: 'QUEUED', inputs: begun.inputs });
      started.push({ nodeExecutionId: move.id, nodeId: node.id, attempt: 0, inputs: begun.inputs });
    }
  }
  await moveNodes(tx, execution.id, moves);
  await moveTasks(
    tx,
    execution.id,
    started.map(({ nodeExecutionId, nodeId, attempt }) => ({
      id: newId(),
      nodeExecutionId,
      nodeId,
      taskId: nodeOf(closure, nodeId).taskId,
      attempt,
      to: 'QUEUED',
      from: [],
      at: now,
    })),
  );
  return started;
}

function nodeOf(closure: Closure, nodeId: string): TaskNode {
  const node = closure.nodes.get(nodeId);
  if (!node) throw new Error(`the workflow has no node ${nodeId}`);
  return node;
}

type Begun =
  | { readonly inputs: LiteralMap; readonly bytes: number }
  | { readonly error: WorkError; readonly bytes: 0 };

/** The inputs and the task of a node, or why it cannot run. */
function begin(node: TaskNode, upstream: UpstreamValues, work: Work): Begun {
  const { type, container } = node.task.template;
  if (!container) return refused('UnsupportedTask', `this platform cannot run tasks of the type ${type}`);
  const inputs = resolveBindings(node.inputs, node.inputTypes, upstream, work);
  if (!inputs.ok)
    return refused('BindingFailed', inputs.problems.map((problem) => problem.message).join('; '));
  const bytes = literalBytes(inputs.value);
  if (bytes > MAX_TURN_BYTES)
    return refused('InputsTooLarge', `the inputs take more than ${MAX_TURN_BYTES} bytes as literals`);
  return { inputs: inputs.value, bytes };
}

const refused = (code: string, message: string): Begun => ({
  error: { code, message, kind: 'USER' },
  bytes: 0,
});
