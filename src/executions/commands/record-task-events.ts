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
import { listNodesById } from '../store/nodes.ts';
import { type NewEntry, storeEntries } from '../store/output-cache.ts';
import { newEntry } from './consult-cache.ts';
import { type Judged, judgeTaskEvents } from './judge-task-events.ts';

/** An attempt that was not submitted yet. */
export interface NewAttempt {
  readonly nodeExecutionId: string;
  readonly nodeId: string;
  readonly attempt: number;
}

/**
 * Applies reports about the attempts of an execution, in order, and moves their nodes. Outputs are checked with the
 * interface of the task. A failure of the user's code is tried again while the task has retries left. A report that
 * does not fit the phase of its attempt, such as a repeated one, changes nothing.
 *
 * The caller must have locked the execution.
 *
 * @param outputLimitBytes  the limit for the outputs of one attempt, as literals.
 * @returns the attempts that follow failed ones, and how many reports were handled. If outputs are large, the other
 * reports wait for another turn.
 */
export async function recordTaskEvents(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  events: readonly TaskEvent[],
  outputLimitBytes: number,
): Promise<{ retries: NewAttempt[]; taken: number }> {
  const nodes = await listNodesById(tx, execution.id, [
    ...new Set(events.map((event) => event.nodeExecutionId)),
  ]);
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
    await storeEntries(tx, execution.id, believed.flatMap(toEntry));
  }
  return { retries, taken };
}

function toTaskMove({ event, node, taskNode, outcome }: Judged): TaskMove {
  return {
    id: newId(),
    nodeExecutionId: node.id,
    nodeId: node.nodeId,
    taskId: taskNode.taskId,
    task: taskNode.task.id,
    attempt: event.attempt,
    to: outcome.phase,
    from: phasesThatMayMoveTo(taskExecutionPhases, outcome.phase),
    at: event.at,
    reason: event.reason,
    outputs: outcome.outputs,
    error: outcome.error,
  };
}

/** The phase of a node that follows from the phase of its attempt; null means no change. */
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

/** The outputs of a cached task are stored in the transaction in which it succeeds. */
function toEntry({ node, taskNode, outcome }: Judged): NewEntry[] {
  if (!taskNode.cache || outcome.phase !== 'SUCCEEDED' || !outcome.outputs) return [];
  return [newEntry(taskNode.cache.version, node.id, outcome.outputs)];
}

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
      reason: event.reason,
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
