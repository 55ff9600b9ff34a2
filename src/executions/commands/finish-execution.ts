import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import { resolveBindings } from '../../registry/domain/resolve-bindings.ts';
import { executionPhases } from '../domain/phases.ts';
import type { Progress } from '../domain/progress.ts';
import { type LockedExecution, type NodeRow, readNodeOutputs } from '../store/advance.ts';
import { type ExecutionMove, moveExecution } from '../store/moves.ts';
import { missingFiles } from './check-files.ts';

/**
 * Moves an execution to the phase that its nodes ask for. SUCCEEDED brings the workflow's outputs; where they cannot be
 * put together it is FAILED instead (`OutputsUnresolved`). FAILED takes the error of the node that failed first.
 *
 * The lock on the execution is the caller's.
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
  const { template, connections } = closure.workflow;
  const upstream = connections.upstream['end-node'] ?? [];
  const promised = template.nodes.map((node) => node.id);
  const outputs = await readNodeOutputs(tx, execution.id, promised.length > 0 ? promised : upstream);
  const resolved = resolveBindings(template.outputs, template.interface.outputs, {
    inputs: execution.inputs,
    outputs,
  });
  const missing = resolved.ok ? await missingFiles(execution, resolved.value, tx) : [];
  if (resolved.ok && missing.length === 0) return { outputs: resolved.value, error: null };
  const message = resolved.ok
    ? `not uploaded: ${missing.join(', ')}`
    : resolved.problems.map((problem) => problem.message).join('; ');
  return {
    outputs: null,
    error: { code: 'OutputsUnresolved', message, kind: 'USER' as const },
  };
}
