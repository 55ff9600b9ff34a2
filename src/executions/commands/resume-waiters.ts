import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import type { Closure, TaskNode } from '../../registry/domain/closure.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import { nodeAt } from '../engine/node-paths.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import type { NodeMove } from '../store/moves.ts';
import { readNodeLiterals } from '../store/nodes.ts';
import { listWaiters, removeWaiters, type Waiter } from '../store/output-cache.ts';
import type { Consultation } from './consult-cache.ts';

/** How many waiting nodes one turn looks at. Those whose key is free come first. */
const MAX_WAITERS = 1000;

/** A task that runs now. */
export interface ReadyTask {
  readonly id: string;
  readonly nodeId: string;
  readonly node: TaskNode;
  readonly inputs: LiteralMap;
}

/** The nodes of an execution that wait until another node has computed their outputs. None if it has no such tasks. */
export async function waitersOf(tx: Tx, execution: LockedExecution, closure: Closure): Promise<Waiter[]> {
  return closure.hasSerializableCache ? await listWaiters(tx, execution.id, MAX_WAITERS) : [];
}

/** The ends of the waiting nodes that have found an entry. */
export function endsOfWaiters(waiters: readonly Waiter[], { hits }: Consultation, now: Date): NodeMove[] {
  const from = phasesThatMayMoveTo(nodeExecutionPhases, 'SUCCEEDED');
  return waiters
    .filter(({ nodeExecutionId }) => hits.has(nodeExecutionId))
    .map(({ nodeExecutionId, nodeId }) => ({ id: nodeExecutionId, nodeId, to: 'SUCCEEDED', from, at: now }));
}

/** The waiting nodes that run now, because they compute the entry themselves. */
export async function resumeWaiters(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  waiters: readonly Waiter[],
  { hits, waiting }: Consultation,
): Promise<ReadyTask[]> {
  const over = waiters.filter(({ nodeExecutionId }) => !waiting.has(nodeExecutionId));
  await removeWaiters(
    tx,
    execution.id,
    over.map(({ nodeExecutionId }) => nodeExecutionId),
  );
  const running = over.filter(({ nodeExecutionId }) => !hits.has(nodeExecutionId));
  const inputs = await readNodeLiterals(
    tx,
    execution.id,
    'inputs',
    running.map(({ nodeId }) => nodeId),
  );
  return running.map(({ nodeExecutionId, nodeId }) => {
    const node = nodeAt(closure, nodeId);
    if (node?.kind !== 'TASK') throw new Error(`the workflow has no task ${nodeId}`);
    return { id: nodeExecutionId, nodeId, node, inputs: inputs.get(nodeId) ?? {} };
  });
}
