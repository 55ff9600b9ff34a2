import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { type WorkError, workErrorOf } from '../../platform/work-error.ts';
import type { Closure, RunnableNode } from '../../registry/domain/closure.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import { nodeAt } from '../engine/node-paths.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes, type NodeMove } from '../store/moves.ts';
import { type ChildEnd, listChildEnds, type NodeRow, readNodeLiterals } from '../store/nodes.ts';
import { readSignalValues } from '../store/signals.ts';

type Gate = Extract<RunnableNode, { kind: 'GATE' }>['gate'];

/** How many ends of executions one turn takes over. */
const MAX_ENDS = 100;

/**
 * Ends the nodes that have waited for something else than a job: for an execution that they started, for a signal, or
 * for a time. An approval passes its inputs on; if it is refused, the node is FAILED (`ApprovalRejected`).
 *
 * The caller must have locked the execution.
 *
 * @param rows  at least the open gates.
 * @returns whether nodes have moved.
 */
export async function settleWaiting(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  rows: readonly NodeRow[],
  now: Date,
): Promise<boolean> {
  const children = closure.hasLaunchPlans ? await listChildEnds(tx, execution.id, MAX_ENDS) : [];
  const moves = [
    ...children.map((child) => moveOf(child, resultOfChild(child), now)),
    ...(await gateMoves(tx, execution, closure, rows, now)),
  ];
  await moveNodes(tx, execution.id, moves);
  return moves.length > 0;
}

type Result =
  | { readonly outputs: LiteralMap }
  | { readonly error: WorkError; readonly to?: 'ABORTED' | 'TIMED_OUT' };

function moveOf({ id, nodeId }: { id: string; nodeId: string }, result: Result, now: Date): NodeMove {
  const to = 'outputs' in result ? 'SUCCEEDED' : (result.to ?? 'FAILED');
  return { id, nodeId, from: phasesThatMayMoveTo(nodeExecutionPhases, to), at: now, ...result, to };
}

function resultOfChild(child: ChildEnd): Result {
  if (child.phase === 'SUCCEEDED') return { outputs: child.outputs ?? {} };
  if (child.phase === null)
    return {
      error: {
        code: 'ExecutionDeleted',
        message: 'the execution that it started was deleted',
        kind: 'SYSTEM',
      },
    };
  const error = workErrorOf(child) ?? {
    code: 'ExecutionNotSucceeded',
    message: `the execution that it started is ${child.phase}${child.abortCause === null ? '' : `: ${child.abortCause}`}`,
    kind: 'USER' as const,
  };
  return child.phase === 'FAILED' ? { error } : { error, to: child.phase as 'ABORTED' | 'TIMED_OUT' };
}

async function gateMoves(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  rows: readonly NodeRow[],
  now: Date,
): Promise<NodeMove[]> {
  const gates = rows.flatMap((row) => {
    const node = row.kind === 'GATE' && row.phase === 'RUNNING' ? nodeAt(closure, row.nodeId) : null;
    return node?.kind === 'GATE' ? [{ row, gate: node.gate }] : [];
  });
  const signals = await readSignalValues(
    tx,
    execution.id,
    gates.flatMap(({ gate }) => signalOf(gate) ?? []),
  );
  const approvals = gates.filter(({ gate }) => 'approve' in gate && signals.has(gate.approve.signalId));
  const inputs = await readNodeLiterals(
    tx,
    execution.id,
    'inputs',
    approvals.map(({ row }) => row.nodeId),
  );
  return gates.flatMap(({ row, gate }) => {
    const result = resultOfGate(gate, row, signals, inputs.get(row.nodeId) ?? {}, now);
    return result ? [moveOf(row, result, now)] : [];
  });
}

/** The signal that a gate waits for; null if it sleeps. */
export function signalOf(gate: Gate): string | null {
  if ('approve' in gate) return gate.approve.signalId;
  return 'signal' in gate ? gate.signal.signalId : null;
}

function resultOfGate(
  gate: Gate,
  row: NodeRow,
  signals: ReadonlyMap<string, Literal>,
  inputs: LiteralMap,
  now: Date,
): Result | null {
  if ('sleep' in gate) return row.wakeAt && row.wakeAt <= now ? { outputs: {} } : null;
  const value = signals.get(signalOf(gate) ?? '');
  if (!value) return null;
  if ('signal' in gate) return { outputs: { [gate.signal.outputVariableName]: value } };
  return isTrue(value)
    ? { outputs: inputs }
    : { error: { code: 'ApprovalRejected', message: 'the approval was refused', kind: 'USER' } };
}

function isTrue(literal: Literal): boolean {
  if (!('scalar' in literal) || !('primitive' in literal.scalar)) return false;
  const { primitive } = literal.scalar;
  return 'boolean' in primitive && primitive.boolean;
}
