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

/** How many job events one turn reads. */
const EVENTS_PER_TURN = 500;

/** How much larger the literals of outputs may be than the plain values, which the executor's limit is about. */
const LITERALS_PER_PLAIN = 4;

/**
 * Moves one execution on as far as possible: it applies the events of its jobs, starts the nodes that are now ready,
 * and ends the execution if nothing is left. All of this is one transaction, with the position in the events of the job
 * set. So if a scheduler is killed, its turn has happened completely or not at all. A turn that fails is repeated
 * later; after ten failures in a row the execution ends (`giveUp`).
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
  // A node that failed to start needs another turn of its execution. A node that had no room starts in that turn.
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
 * Applies the events of jobs to attempts and nodes.
 *
 * @returns the attempts that follow failed ones, and the last event that was applied. If outputs are large, this is not
 * the last event that exists.
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

/** Starts, cancels and ends nodes as necessary. */
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
  // Also if the execution is stopping: the attempts after failed ones already have rows. They are submitted and then
  // cancelled with the others, which ends them.
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
