import type { Tx } from '../../platform/database/transaction.ts';
import { isTerminal, phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases, nodeExecutionPhases } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveExecution, moveNodes } from '../store/moves.ts';
import { listNodesToAdvance } from '../store/nodes.ts';

/**
 * Ends an execution that the engine cannot continue: it is FAILED by the system (`EngineFailure`), and its nodes that
 * have not ended are ABORTED. This does not read the workflow, which may be the cause.
 *
 * The caller must have locked the execution, and must have ended its jobs.
 */
export async function failExecution(tx: Tx, execution: LockedExecution, now: Date): Promise<void> {
  const nodes = await listNodesToAdvance(tx, execution.id);
  await moveNodes(
    tx,
    execution.id,
    nodes
      .filter((node) => !isTerminal(nodeExecutionPhases, node.phase))
      .map(({ id, nodeId }) => ({
        id,
        nodeId,
        to: 'ABORTED' as const,
        from: phasesThatMayMoveTo(nodeExecutionPhases, 'ABORTED'),
        at: now,
      })),
  );
  await moveExecution(
    {
      id: execution.id,
      to: 'FAILED',
      from: phasesThatMayMoveTo(executionPhases, 'FAILED'),
      at: now,
      error: {
        code: 'EngineFailure',
        message:
          'the engine failed to continue this execution several times; the cause is in the log of the scheduler',
        kind: 'SYSTEM',
      },
    },
    tx,
  );
}
