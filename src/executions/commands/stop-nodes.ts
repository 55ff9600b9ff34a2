import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { clientIdOf } from '../domain/client-id.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes } from '../store/moves.ts';
import { listOpenLeaves, type NodeRow, type Selection } from '../store/nodes.ts';
import { abortChildren } from './abort-children.ts';

/**
 * Stops the open nodes of a selection. Gates end at once. Executions of launch plans are
 * aborted, and their nodes end when these have ended.
 *
 * The caller must have locked the execution.
 *
 * @returns the client ids of the jobs to cancel, and whether nodes have ended.
 */
export async function stopNodes(
  tx: Tx,
  execution: LockedExecution,
  selection: Selection,
  cause: string,
  now: Date,
): Promise<{ clientIds: string[]; ended: boolean }> {
  const open = await listOpenLeaves(tx, execution.id, selection);
  const ofKind = (kind: NodeRow['kind']) => open.filter((row) => row.kind === kind);
  const gates = ofKind('GATE');
  await abortNodes(tx, execution.id, gates, cause, now);
  await abortChildren(tx, execution, ofKind('LAUNCH_PLAN'), cause, now);
  const clientIds = ofKind('TASK').map(({ id, latestAttempt }) => clientIdOf(id, latestAttempt ?? 0));
  return { clientIds, ended: gates.length > 0 };
}

/**
 * Ends nodes that nothing else will end.
 *
 * @param cause  what their events say, if no user has asked for it.
 */
export async function abortNodes(
  tx: Tx,
  executionId: string,
  rows: readonly Pick<NodeRow, 'id' | 'nodeId'>[],
  cause: string,
  now: Date,
): Promise<void> {
  const from = phasesThatMayMoveTo(nodeExecutionPhases, 'ABORTED');
  await moveNodes(
    tx,
    executionId,
    rows.map(({ id, nodeId }) => ({ id, nodeId, to: 'ABORTED', from, at: now, reason: cause })),
  );
}
