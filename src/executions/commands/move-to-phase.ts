import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import { promisedNodesOf } from '../../registry/domain/compile-bindings.ts';
import { resolveBindings } from '../../registry/domain/resolve-bindings.ts';
import { literalBytes, MAX_TURN_BYTES } from '../domain/limits.ts';
import { executionPhases } from '../domain/phases.ts';
import type { Progress } from '../domain/progress.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { type ExecutionMove, moveExecution } from '../store/moves.ts';
import { type NodeRow, readNodeLiterals } from '../store/nodes.ts';
import { missingFiles, missingFilesText } from './check-files.ts';

/**
 * Moves an execution to the phase that follows from its nodes. SUCCEEDED needs the outputs of the workflow. If they
 * cannot be collected or are too large, the execution is FAILED (`OutputsUnresolved`, `OutputsTooLarge`). A FAILED
 * execution gets the error of the node that failed first.
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
): Promise<void> {
  const result =
    to === 'SUCCEEDED' ? await outputsOf(tx, execution, closure) : { error: null, outputs: null };
  const phase = result.error ? 'FAILED' : to;
  const error = result.error ?? (phase === 'FAILED' || phase === 'FAILING' ? firstError(nodes) : null);
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

function firstError(nodes: readonly NodeRow[]): ExecutionMove['error'] {
  const failed = nodes.find((node) => node.phase === 'FAILED' || node.phase === 'TIMED_OUT');
  const culprit = failed ?? nodes.find((node) => node.phase === 'ABORTED');
  if (!culprit) return null;
  return {
    code: culprit.errorCode ?? 'Unknown',
    message: culprit.errorMessage ?? `node ${culprit.nodeId} is ${culprit.phase}`,
    kind: culprit.errorKind ?? 'UNKNOWN',
    nodeId: culprit.nodeId,
  };
}

async function outputsOf(tx: Tx, execution: LockedExecution, closure: Closure) {
  const { template } = closure.workflow;
  const outputs = await readNodeLiterals(tx, execution.id, 'outputs', promisedNodesOf(template.outputs));
  const resolved = resolveBindings(template.outputs, template.interface.outputs, {
    inputs: execution.inputs,
    outputs,
  });
  if (!resolved.ok)
    return failure('OutputsUnresolved', resolved.problems.map((problem) => problem.message).join('; '));
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
