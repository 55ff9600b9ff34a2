import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import { promisedNodesOf } from '../../registry/domain/compile-bindings.ts';
import { resolveBindings } from '../../registry/domain/resolve-bindings.ts';
import { problemsText } from '../../values/problem-list.ts';
import { type Overdue, timedOutError } from '../domain/deadlines.ts';
import { literalBytes, MAX_TURN_BYTES } from '../domain/limits.ts';
import { executionPhases } from '../domain/phases.ts';
import { outerNodeId } from '../engine/node-paths.ts';
import type { Progress } from '../engine/progress.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { type ExecutionMove, moveExecution } from '../store/moves.ts';
import { type NodeRow, readNodeLiterals } from '../store/nodes.ts';
import type { Failure } from './begin-node.ts';
import { missingFiles, missingFilesText } from './check-files.ts';
import { firstFailed, notSucceeded } from './end-nodes.ts';

/**
 * Moves an execution to the phase that follows from its nodes. SUCCEEDED needs the outputs of the workflow. If they
 * cannot be collected or are too large, the execution is FAILED (`OutputsUnresolved`, `OutputsTooLarge`). A FAILED
 * execution gets the error of the node that failed first, and one whose time is over the error `ExecutionTimedOut`.
 *
 * The caller must have locked the execution.
 */
export async function moveToPhase(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodes: readonly NodeRow[],
  to: NonNullable<Progress['phase']>,
  now: Date,
  overdue: Overdue = null,
): Promise<void> {
  const result =
    to === 'SUCCEEDED' ? await outputsOf(tx, execution, closure) : { error: null, outputs: null };
  const phase = result.error ? 'FAILED' : to;
  const error = result.error ?? errorOf(execution, closure, nodes, phase, overdue, now);
  await moveExecution(
    {
      id: execution.id,
      to: phase,
      from: phasesThatMayMoveTo(executionPhases, phase),
      at: now,
      outputs: result.outputs,
      error,
    },
    tx,
  );
}

function errorOf(
  execution: LockedExecution,
  closure: Closure,
  nodes: readonly NodeRow[],
  phase: NonNullable<Progress['phase']>,
  overdue: Overdue,
  now: Date,
): ExecutionMove['error'] {
  if (overdue === 'TIMES_OUT' && phase === 'TIMED_OUT')
    // Its error is known since it is FAILING.
    return execution.phase === 'FAILING' ? null : timedOutError(execution, now);
  if (overdue === 'TIMES_OUT' && phase === 'FAILING') return timedOutError(execution, now);
  return phase === 'FAILED' || phase === 'FAILING' ? failureOf(closure, nodes) : null;
}

/** The error of the node of the outermost workflow that failed first. */
function failureOf(closure: Closure, nodes: readonly NodeRow[]): ExecutionMove['error'] {
  const own = nodes.filter((node) => node.parentId === null && !isFailureNode(closure, node.nodeId));
  const culprit = firstFailed(own);
  if (!culprit) return null;
  const { nodeId } = culprit;
  return { ...(workErrorOf(culprit) ?? notSucceeded(culprit)), nodeId };
}

/** For each node that contains others, the failure of an inner node; null stands for the outermost workflow. */
export function failureInside(
  closure: Closure,
  nodes: readonly NodeRow[],
): (outer: string | null) => Failure | null {
  return (outer) => {
    const inside = nodes.filter((node) => outerNodeId(node.nodeId) === outer);
    const failed = firstFailed(inside.filter(({ nodeId }) => !isFailureNode(closure, nodeId)));
    if (!failed) return null;
    return { failedNodeId: failed.nodeId, message: failed.errorMessage ?? notSucceeded(failed).message };
  };
}

const isFailureNode = ({ failureNode }: Closure, nodeId: string) => failureNode?.id === nodeId;

async function outputsOf(tx: Tx, execution: LockedExecution, closure: Closure) {
  const { template } = closure.workflow;
  const outputs = await readNodeLiterals(tx, execution.id, 'outputs', promisedNodesOf(template.outputs));
  const resolved = resolveBindings(template.outputs, template.interface.outputs, {
    inputs: execution.inputs,
    outputs,
  });
  if (!resolved.ok) return failure('OutputsUnresolved', problemsText(resolved));
  if (literalBytes(resolved.value) > MAX_TURN_BYTES)
    return failure('OutputsTooLarge', `the outputs take more than ${MAX_TURN_BYTES} bytes as literals`);
  const missing = await missingFiles(execution, resolved.value, tx);
  if (missing.length > 0) return failure('OutputsUnresolved', missingFilesText(missing));
  return { outputs: resolved.value, error: null };
}

const failure = (code: string, message: string) => ({
  outputs: null,
  error: { code, message, kind: 'USER' as const },
});
