import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { rounds } from '../../platform/rounds.ts';
import { executionPhases, taskExecutionPhases } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { type ExecutionMove, moveExecution, moveTasks } from '../store/moves.ts';
import { listOpenAttempts, listOpenNodes } from '../store/nodes.ts';
import { releaseReservations } from '../store/output-cache.ts';
import { abortChildren, type ChildrenOwner } from './abort-children.ts';
import { abortNodes } from './stop-nodes.ts';

/**
 * Ends an execution that the engine cannot continue: it is FAILED by the system (`EngineFailure`), and its nodes that
 * have not ended are ABORTED, together with the executions that they started. This does not read the workflow, which
 * may be the cause.
 *
 * The caller must have locked the execution, and must have ended its jobs.
 */
export async function failExecution(tx: Tx, execution: LockedExecution, now: Date): Promise<void> {
  const error = {
    code: 'EngineFailure',
    message:
      'the engine failed to continue this execution several times; the cause is in the log of the scheduler',
    kind: 'SYSTEM',
  } as const;
  await endAtOnce(tx, execution, 'the execution that started it failed', { to: 'FAILED', error }, now);
}

/**
 * Ends an execution that a user wants to end without waiting for its work: the execution, its nodes and its attempts
 * are ABORTED. What the work reports later does not count.
 *
 * The caller must have locked the execution, and must have cancelled its jobs.
 */
export async function abortAtOnce(tx: Tx, execution: ChildrenOwner, cause: string, now: Date): Promise<void> {
  const attempts = await listOpenAttempts(tx, execution.id);
  const from = phasesThatMayMoveTo(taskExecutionPhases, 'ABORTED');
  // A node can have attempts of several tasks.
  for (const round of rounds(attempts, ({ nodeExecutionId }) => nodeExecutionId))
    await moveTasks(
      tx,
      execution.id,
      round.map((attempt) => ({ ...attempt, to: 'ABORTED', from, at: now })),
    );
  await endAtOnce(tx, execution, cause, { to: 'ABORTED' }, now);
}

async function endAtOnce(
  tx: Tx,
  execution: ChildrenOwner,
  cause: string,
  end: Pick<ExecutionMove, 'to' | 'error'>,
  now: Date,
): Promise<void> {
  const nodes = await listOpenNodes(tx, execution.id);
  await abortChildren(tx, execution, nodes, cause, now);
  await abortNodes(tx, execution.id, nodes, cause, now);
  await releaseReservations(tx, execution);
  await moveExecution(
    { ...end, id: execution.id, from: phasesThatMayMoveTo(executionPhases, end.to), at: now },
    tx,
  );
}
