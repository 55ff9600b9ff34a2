import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveExecution } from '../store/moves.ts';
import { listOpenNodes } from '../store/nodes.ts';
import { releaseReservations } from '../store/output-cache.ts';
import { abortChildren } from './abort-children.ts';
import { abortNodes } from './stop-nodes.ts';

/**
 * Ends an execution that the engine cannot continue: it is FAILED by the system (`EngineFailure`), and its nodes that
 * have not ended are ABORTED, together with the executions that they started. This does not read the workflow, which may be the cause.
 *
 * The caller must have locked the execution, and must have ended its jobs.
 */
export async function failExecution(tx: Tx, execution: LockedExecution, now: Date): Promise<void> {
  const nodes = await listOpenNodes(tx, execution.id);
  await abortChildren(tx, execution, nodes, 'the execution that started it failed', now);
  await abortNodes(tx, execution.id, nodes, now);
  await releaseReservations(tx, execution);
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
