import type { Tx } from '../../platform/database/transaction.ts';
import { phasesBeforeAbort } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveExecution } from '../store/moves.ts';
import { listOpenChildren, type NodeRow } from '../store/nodes.ts';

/**
 * Aborts the executions that nodes of an execution have started and that have not ended. They are ABORTING at once, and
 * ABORTED when their work has stopped.
 *
 * The caller must have locked the execution.
 *
 * @param nodes  any nodes of the execution. Only those that run launch plans count.
 */
export async function abortChildren(
  tx: Tx,
  execution: LockedExecution,
  nodes: readonly Pick<NodeRow, 'id' | 'kind'>[],
  cause: string,
  now: Date,
): Promise<void> {
  const launching = nodes.flatMap(({ id, kind }) => (kind === 'LAUNCH_PLAN' ? [id] : []));
  for (const id of await listOpenChildren(tx, launching))
    await moveExecution(
      {
        id,
        to: 'ABORTING',
        from: phasesBeforeAbort,
        at: now,
        abort: { cause, principalId: execution.abortPrincipalId ?? execution.principalId },
      },
      tx,
    );
}
