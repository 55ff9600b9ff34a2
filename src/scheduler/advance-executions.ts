import { moveToPhase } from '../executions/commands/move-to-phase.ts';
import { recordTaskEvents } from '../executions/commands/record-task-events.ts';
import { startNodes } from '../executions/commands/start-nodes.ts';
import { type Progress, progress } from '../executions/domain/progress.ts';
import { type LockedExecution, lockExecution } from '../executions/store/locked-execution.ts';
import { listNodesToAdvance, readNodeLiterals } from '../executions/store/nodes.ts';
import { settleExecution } from '../executions/store/turns.ts';
import { cancelJobSet } from '../jobs/commands/cancel-job-set.ts';
import { submitJobs } from '../jobs/commands/submit-jobs.ts';
import { acknowledgeNews, type JobSetEvent, listNews } from '../jobs/store/job-sets.ts';
import { ensureProjectQueue } from '../jobs/store/queues.ts';
import { systemCaller } from '../platform/caller.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import type { Closure } from '../registry/domain/closure.ts';
import { getClosure } from '../registry/store.ts';
import type { LiteralMap } from '../values/literals.ts';
import { toTaskEvents } from './attempt-events.ts';
import { jobOfAttempt } from './attempt-jobs.ts';
import { recordFailedTurn } from './failed-turns.ts';

/** Job events taken over in one turn. */
const EVENTS_PER_TURN = 500;

/** How much larger an output's literals may be than the plain values that the executor's limit is about. */
const LITERALS_PER_PLAIN = 4;

/**
 * Moves one execution on as far as it goes: takes over what happened to its jobs, starts the nodes that this frees, and
 * ends it when there is nothing left. All of it in one transaction, with the place in the job set's events: so a
 * scheduler that is killed has done a turn whole or not at all. A turn that fails is tried again later; ten in a row end
 * the execution (`giveUp`).
 *
 * @returns whether there is more to do at once.
 */
export async function advanceExecution(id: string): Promise<boolean> {
  try {
    return await inTransaction((tx) => takeTurn(tx, id));
  } catch (error) {
    if (!isDatabaseLost(error)) await recordFailedTurn(id);
    throw error;
  }
}

async function takeTurn(tx: Tx, id: string): Promise<boolean> {
  const execution = await lockExecution(tx, id);
  if (!execution || execution.isBackingOff) return false;
  const closure = await getClosure(execution.workflowId, tx);
  const events = await listNews(tx, execution.id, EVENTS_PER_TURN);
  const { retries, upTo } = await takeOver(tx, execution, closure, events);
  const next = await proceed(tx, execution, closure, retries);
  const hasMoreNews = upTo === null ? false : await acknowledgeNews(tx, execution.id, upTo);
  // A node that failed to start moves its execution again, in the next turn; one that had no room starts there.
  const more = hasMoreNews || next.start.length > next.started;
  await settleExecution(tx, id, more);
  return more;
}

type Attempt = {
  nodeExecutionId: string;
  nodeId: string;
  attempt: number;
  inputs: LiteralMap;
};

/**
 * Applies the jobs' news to attempts and nodes.
 *
 * @returns the attempts that follow failed ones, and the last event taken over: where outputs are large, not the last
 * that there is.
 */
async function takeOver(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  news: readonly JobSetEvent[],
): Promise<{ retries: Attempt[]; upTo: bigint | null }> {
  const last = news.at(-1);
  if (!last) return { retries: [], upTo: null };
  const nodes = await listNodesToAdvance(tx, execution.id);
  const events = toTaskEvents(news);
  const limit = LITERALS_PER_PLAIN * controlPlaneConfig.outputLimitBytes;
  const { retries, taken } = await recordTaskEvents(tx, execution, closure, nodes, events, limit);
  const inputs = await readNodeLiterals(
    tx,
    execution.id,
    'inputs',
    retries.map((retry) => retry.nodeId),
  );
  const left = events[taken];
  return {
    retries: retries.map((retry) => ({ ...retry, inputs: inputs.get(retry.nodeId) ?? {} })),
    upTo: left ? left.sequence - 1n : last.sequence,
  };
}

/** Does what the nodes ask for: starts, cancels, ends. */
async function proceed(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  retries: readonly Attempt[],
): Promise<Progress & { started: number }> {
  const now = new Date();
  const nodes = await listNodesToAdvance(tx, execution.id);
  const next = progress(closure.workflow, execution, new Map(nodes.map((node) => [node.nodeId, node.phase])));
  if (next.phase) await moveToPhase(tx, execution, closure, nodes, next.phase, now);
  const started = await startNodes(tx, execution, closure, next.start, now);
  // Also where it is stopping: the attempts that follow failed ones have their rows, so they are submitted and then
  // cancelled with the rest, which ends them.
  await submitAttempts(tx, execution, closure, [...retries, ...started]);
  if (next.cancel) {
    const caller = systemCaller(execution.tenantId, execution.principalId);
    await cancelJobSet(
      caller,
      tx,
      execution.id,
      execution.abortCause ?? 'another node of the execution failed',
    );
  }
  return { ...next, started: started.length };
}

async function submitAttempts(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  attempts: readonly Attempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  const caller = systemCaller(execution.tenantId, execution.principalId);
  const queue = await ensureProjectQueue(tx, {
    ...execution,
    name: execution.queue,
  });
  const jobs = attempts.map((attempt) => {
    const node = closure.nodes.get(attempt.nodeId);
    if (!node) throw new Error(`the workflow has no node ${attempt.nodeId}`);
    return jobOfAttempt(execution, node, attempt);
  });
  const { id, projectId, workflowEntityId } = execution;
  const jobSet = { name: id, ownerId: id, projectId, workflowEntityId };
  await submitJobs(caller, tx, queue, jobSet, jobs);
}
