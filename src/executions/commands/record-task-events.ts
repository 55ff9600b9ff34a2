import type { NodeExecutionPhase, TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import type { Closure, TaskNode } from '../../registry/domain/closure.ts';
import { type AttemptOutcome, judgeAttempt } from '../domain/attempts.ts';
import { nodeExecutionPhases, taskExecutionPhases } from '../domain/phases.ts';
import type { LockedExecution, NodeRow } from '../store/advance.ts';
import {
  type ExecutionErrorValue,
  moveNodes,
  moveTasks,
  type NodeMove,
  type TaskMove,
} from '../store/moves.ts';

/** What is reported of one attempt. */
export interface TaskEvent {
  readonly nodeExecutionId: string;
  readonly attempt: number;
  readonly phase: Exclude<TaskExecutionPhase, 'RETRYABLE_FAILED'>;
  readonly at: Date;
  readonly reason: string | null;
  readonly error: ExecutionErrorValue | null;
  /** Plain values by name, of SUCCEEDED; checked here against the task's interface. */
  readonly outputs: Readonly<Record<string, unknown>> | null;
}

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
 * @returns the attempts that follow a failed one.
 */
export async function recordTaskEvents(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodes: readonly NodeRow[],
  events: readonly TaskEvent[],
): Promise<NewAttempt[]> {
  const nodeById = new Map(nodes.map((node) => [node.id, node]));
  const retries: NewAttempt[] = [];
  for (const round of roundsOfDistinctNodes(events)) {
    const judged = round.flatMap((event) => {
      const node = nodeById.get(event.nodeExecutionId);
      const taskNode = node && closure.nodes.get(node.nodeId);
      return node && taskNode ? [{ event, node, taskNode, outcome: judgeAttempt(taskNode, event) }] : [];
    });
    const moved = await moveTasks(tx, execution.id, judged.map(toTaskMove));
    const hasMoved = new Set(moved.map((task) => task.nodeExecutionId));
    const believed = judged.filter(({ node }) => hasMoved.has(node.id));
    await moveNodes(tx, execution.id, believed.flatMap(toNodeMove));
    const again = believed.filter(({ outcome }) => outcome.phase === 'RETRYABLE_FAILED').map(toNextAttempt);
    await moveTasks(
      tx,
      execution.id,
      again.map((next) => next.move),
    );
    retries.push(...again.map((next) => next.attempt));
  }
  return retries;
}

interface Judged {
  readonly event: TaskEvent;
  readonly node: NodeRow;
  readonly taskNode: TaskNode;
  readonly outcome: AttemptOutcome;
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

/** Splits the events so that no part names a node twice, each node's events in their order. */
function roundsOfDistinctNodes(events: readonly TaskEvent[]): TaskEvent[][] {
  const rounds: TaskEvent[][] = [];
  const used = new Map<string, number>();
  for (const event of events) {
    const round = used.get(event.nodeExecutionId) ?? 0;
    used.set(event.nodeExecutionId, round + 1);
    rounds[round] = [...(rounds[round] ?? []), event];
  }
  return rounds;
}
