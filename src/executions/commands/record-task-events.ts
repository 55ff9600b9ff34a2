import type { NodeExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { rounds } from '../../platform/rounds.ts';
import type { Closure } from '../../registry/domain/closure.ts';
import type { TaskEvent } from '../domain/attempts.ts';
import { nodeExecutionPhases, taskExecutionPhases } from '../domain/phases.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes, moveTasks, type NodeMove, type TaskMove } from '../store/moves.ts';
import type { NodeRow } from '../store/nodes.ts';
import { type Judged, judgeTaskEvents } from './judge-task-events.ts';

/** An attempt that has yet to be submitted. */
export interface NewAttempt {
  readonly nodeExecutionId: string;
  readonly nodeId: string;
  readonly attempt: number;
}

/**
 * Applies what is reported of an execution's attempts, in order, and moves their nodes with them: outputs are checked
 * against the task's interface, a failure of the user's code is retried while the task has retries left. An event that
 * the attempt's phase does not allow, a repeat among them, changes nothing.
 *
 * The lock on the execution is the caller's.
 *
 * @param outputLimitBytes  of one attempt's outputs as literals.
 * @returns the attempts that follow a failed one, and how many events were dealt with: large outputs leave the rest for
 * another turn.
 */
export async function recordTaskEvents(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodes: readonly NodeRow[],
  events: readonly TaskEvent[],
  outputLimitBytes: number,
): Promise<{ retries: NewAttempt[]; taken: number }> {
  const { judged, taken } = await judgeTaskEvents(tx, execution, closure, nodes, events, outputLimitBytes);
  const retries: NewAttempt[] = [];
  for (const round of rounds(judged, ({ node }) => node.id)) {
    const moved = await moveTasks(tx, execution.id, round.map(toTaskMove));
    const hasMoved = new Set(moved.map((task) => task.nodeExecutionId));
    const believed = round.filter(({ node }) => hasMoved.has(node.id));
    await moveNodes(tx, execution.id, believed.flatMap(toNodeMove));
    const again = believed.filter(({ outcome }) => outcome.phase === 'RETRYABLE_FAILED').map(toNextAttempt);
    await moveTasks(
      tx,
      execution.id,
      again.map((next) => next.move),
    );
    retries.push(...again.map((next) => next.attempt));
  }
  return { retries, taken };
}

function toTaskMove({ event, node, taskNode, outcome }: Judged): TaskMove {
  return {
    id: newId(),
    nodeExecutionId: node.id,
    nodeId: node.nodeId,
    taskId: taskNode.taskId,
    attempt: event.attempt,
    to: outcome.phase,
    from: phasesThatMayMoveTo(taskExecutionPhases, outcome.phase),
    at: event.at,
    reason: event.reason,
    outputs: outcome.outputs,
    error: outcome.error,
  };
}

/** Which phase an attempt's phase gives its node; null leaves the node as it is. */
const nodePhases: Readonly<Record<TaskExecutionPhase, NodeExecutionPhase | null>> = {
  QUEUED: 'QUEUED',
  WAITING_FOR_RESOURCES: null,
  INITIALIZING: null,
  RUNNING: 'RUNNING',
  RETRYABLE_FAILED: null,
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  ABORTED: 'ABORTED',
};

function toNodeMove({ event, node, outcome }: Judged): NodeMove[] {
  const to = nodePhases[outcome.phase];
  if (to === null) return [];
  const from = phasesThatMayMoveTo(nodeExecutionPhases, to);
  const { outputs, error } = outcome;
  return [
    {
      id: node.id,
      nodeId: node.nodeId,
      to,
      from,
      at: event.at,
      outputs,
      error,
    },
  ];
}

function toNextAttempt(judged: Judged): {
  attempt: NewAttempt;
  move: TaskMove;
} {
  const { event, node } = judged;
  const attempt = event.attempt + 1;
  const next = { nodeExecutionId: node.id, nodeId: node.nodeId, attempt };
  const move = {
    ...toTaskMove(judged),
    attempt,
    to: 'QUEUED',
    from: [],
    reason: null,
    outputs: null,
    error: null,
  } as const;
  return { attempt: next, move };
}
