import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases, phasesBeforeAbort } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveExecutions } from '../store/moves.ts';
import { listOpenChildren, type NodeRow } from '../store/nodes.ts';

/** The parts of an execution that decide how the executions that it started are aborted. */
export type ChildrenOwner = Pick<
  LockedExecution,
  'id' | 'tenantId' | 'projectId' | 'principalId' | 'abortPrincipalId' | 'abortIsForced'
>;

/**
 * Aborts the executions that nodes of an execution have started and that have not ended. They are ABORTING at once, and
 * ABORTED when their work has stopped; if the abort of the execution is forced, so is theirs.
 *
 * The caller must have locked the execution.
 *
 * @param nodes  nodes of the execution. Of our own engine, only those that run launch plans have started any.
 */
export async function abortChildren(
  tx: Tx,
  execution: ChildrenOwner,
  nodes: readonly Pick<NodeRow, 'id'>[],
  cause: string,
  now: Date,
): Promise<void> {
  const { abortPrincipalId, principalId, abortIsForced: isForced } = execution;
  const nodeIds = nodes.map(({ id }) => id);
  await moveExecutions(
    await listOpenChildren(tx, nodeIds),
    {
      to: 'ABORTING',
      from: isForced ? phasesThatMayMoveTo(executionPhases, 'ABORTING') : phasesBeforeAbort,
      at: now,
      abort: { cause, principalId: abortPrincipalId ?? principalId, isForced },
    },
    tx,
  );
}
