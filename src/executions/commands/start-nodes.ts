import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import type { LiteralMap } from '../../registry/domain/literals.ts';
import { resolveBindings } from '../../registry/domain/resolve-bindings.ts';
import { type LockedExecution, readNodeOutputs } from '../store/advance.ts';
import { moveNodes, moveTasks, type NodeMove } from '../store/moves.ts';
import type { NewAttempt } from './record-task-events.ts';

/** An attempt with what it is to run on. */
export interface StartedAttempt extends NewAttempt {
  readonly inputs: LiteralMap;
}

/**
 * Begins nodes whose upstream nodes have succeeded: resolves their inputs and makes their rows, QUEUED, with a first
 * attempt. A node whose inputs cannot be resolved begins and ends as FAILED (`BindingFailed`).
 *
 * The lock on the execution is the caller's.
 *
 * @returns the attempts to submit, in the order of `nodeIds`.
 */
export async function startNodes(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodeIds: readonly string[],
  now: Date,
): Promise<StartedAttempt[]> {
  const upstream = new Set(nodeIds.flatMap((id) => closure.workflow.connections.upstream[id] ?? []));
  const outputs = await readNodeOutputs(tx, execution.id, [...upstream]);
  const moves: NodeMove[] = [];
  const started: StartedAttempt[] = [];
  for (const nodeId of nodeIds) {
    const node = closure.nodes.get(nodeId);
    if (!node) throw new Error(`the workflow has no node ${nodeId}`);
    const id = newId();
    const inputs = resolveBindings(node.inputs, node.inputTypes, {
      inputs: execution.inputs,
      outputs,
    });
    if (inputs.ok) {
      moves.push({
        id,
        nodeId,
        to: 'QUEUED',
        from: [],
        at: now,
        inputs: inputs.value,
      });
      started.push({
        nodeExecutionId: id,
        nodeId,
        attempt: 0,
        inputs: inputs.value,
      });
    } else {
      const message = inputs.problems.map((problem) => problem.message).join('; ');
      const error = { code: 'BindingFailed', message, kind: 'USER' } as const;
      moves.push({ id, nodeId, to: 'FAILED', from: [], at: now, error });
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
      taskId: closure.nodes.get(nodeId)?.taskId ?? '',
      attempt,
      to: 'QUEUED',
      from: [],
      at: now,
    })),
  );
  return started;
}
