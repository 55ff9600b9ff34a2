import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import { moveNodes } from '../store/moves.ts';
import type { NodeRow } from '../store/nodes.ts';

/**
 * Ends nodes whose jobs are gone: they are FAILED by the system (`JobLost`). Their attempts keep their last phase, because
 * nobody knows what became of them.
 *
 * The caller must have locked the execution.
 */
export async function failLostNodes(
  tx: Tx,
  executionId: string,
  rows: readonly NodeRow[],
  now: Date,
): Promise<void> {
  const error = {
    code: 'JobLost',
    message: 'the job of the node does not exist any more',
    kind: 'SYSTEM',
  } as const;
  const from = phasesThatMayMoveTo(nodeExecutionPhases, 'FAILED');
  await moveNodes(
    tx,
    executionId,
    rows.map(({ id, nodeId }) => ({ id, nodeId, to: 'FAILED', from, at: now, error })),
  );
}
