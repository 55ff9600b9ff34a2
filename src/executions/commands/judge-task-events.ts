import type { Tx } from '../../platform/database/transaction.ts';
import type { Closure, TaskNode } from '../../registry/domain/closure.ts';
import { type AttemptOutcome, failedAttempt, judgeAttempt, type TaskEvent } from '../domain/attempts.ts';
import { MAX_TURN_BYTES, MAX_TURN_STEPS } from '../domain/limits.ts';
import { nodeAt } from '../engine/node-paths.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import type { NodeRow } from '../store/nodes.ts';
import { missingFilesOfEach, missingFilesText } from './check-files.ts';

/** An event of an attempt, and its result. */
export interface Judged {
  readonly event: TaskEvent;
  readonly node: NodeRow;
  readonly taskNode: TaskNode;
  readonly outcome: AttemptOutcome;
}

/**
 * Checks events in their order, as many as one turn may handle by the size and the work of their outputs. An attempt
 * whose outputs name files that are not available has failed (`OutputsInvalid`). Events of unknown nodes are left out.
 *
 * @returns how many events were handled: at least one.
 */
export async function judgeTaskEvents(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  nodes: readonly NodeRow[],
  events: readonly TaskEvent[],
  outputLimitBytes: number,
): Promise<{ judged: Judged[]; taken: number }> {
  const nodeById = new Map(nodes.map((node) => [node.id, node]));
  const judged: Judged[] = [];
  let bytes = 0;
  let steps = 0;
  let taken = 0;
  for (const event of events) {
    if (steps > MAX_TURN_STEPS) break;
    const node = nodeById.get(event.nodeExecutionId);
    const taskNode = node && nodeAt(closure, node.nodeId);
    if (node && taskNode?.kind === 'TASK') {
      const outcome = judgeAttempt(taskNode, event, outputLimitBytes);
      bytes += outcome.outputBytes;
      steps += outcome.steps;
      if (bytes > MAX_TURN_BYTES && taken > 0) break;
      judged.push({ event, node, taskNode, outcome });
    }
    taken += 1;
  }
  return { judged: await withFilesChecked(tx, execution, judged), taken };
}

async function withFilesChecked(
  tx: Tx,
  execution: LockedExecution,
  judged: readonly Judged[],
): Promise<Judged[]> {
  const missing = await missingFilesOfEach(
    execution,
    judged.map(({ outcome }) => outcome.outputs ?? {}),
    tx,
  );
  return judged.map((one, index) => {
    const uris = missing[index] ?? [];
    if (uris.length === 0) return one;
    const error = { code: 'OutputsInvalid', message: missingFilesText(uris), kind: 'USER' } as const;
    return { ...one, outcome: failedAttempt(one.taskNode, one.event, error) };
  });
}
