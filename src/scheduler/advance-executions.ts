import { moveToPhase } from '../executions/commands/finish-execution.ts';
import { recordTaskEvents } from '../executions/commands/record-task-events.ts';
import { startNodes } from '../executions/commands/start-nodes.ts';
import { type Progress, progress } from '../executions/domain/progress.ts';
import {
  type LockedExecution,
  listNodesToAdvance,
  lockExecution,
  readNodeInputs,
  settleExecution,
} from '../executions/store/advance.ts';
import { cancelJobSet } from '../jobs/commands/cancel-job-set.ts';
import { submitJobs } from '../jobs/commands/submit-jobs.ts';
import { acknowledgeNews, listNews } from '../jobs/store/job-sets.ts';
import { ensureProjectQueue } from '../jobs/store/queues.ts';
import { systemCaller } from '../platform/caller.ts';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import type { Closure } from '../registry/domain/closure.ts';
import type { LiteralMap } from '../registry/domain/literals.ts';
import { getClosure } from '../registry/store.ts';
import { toTaskEvents } from './attempt-events.ts';
import { jobOfAttempt } from './attempt-jobs.ts';

/** Job events taken over in one turn. */
const EVENTS_PER_TURN = 500;

/**
 * Moves one execution on as far as it goes: takes over what happened to its jobs, starts the nodes that this frees, and
 * ends it when there is nothing left. All of it in one transaction, with the place in the job set's events: so a
 * scheduler that is killed has done a turn whole or not at all.
 *
 * @returns whether there is more to do at once.
 */
export async function advanceExecution(id: string): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const execution = await lockExecution(tx, id);
    if (!execution) return false;
    const closure = await getClosure(execution.workflowId);
    const events = await listNews(tx, execution.id, EVENTS_PER_TURN);
    const retries = await takeOver(tx, execution, closure, events);
    const next = await proceed(tx, execution, closure, retries);
    const last = events.at(-1);
    const hasMoreNews = last ? await acknowledgeNews(tx, execution.id, last.sequence) : false;
    // A node that failed to start moves its execution again, in the next turn.
    const more = hasMoreNews || next.start.length > next.started;
    await settleExecution(tx, id, more);
    return more;
  });
}

type Attempt = {
  nodeExecutionId: string;
  nodeId: string;
  attempt: number;
  inputs: LiteralMap;
};

/** Applies the jobs' news to attempts and nodes. @returns the attempts that follow failed ones. */
async function takeOver(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  events: Parameters<typeof toTaskEvents>[0],
): Promise<Attempt[]> {
  if (events.length === 0) return [];
  const nodes = await listNodesToAdvance(tx, execution.id);
  const retries = await recordTaskEvents(tx, execution, closure, nodes, toTaskEvents(events));
  const inputs = await readNodeInputs(
    tx,
    execution.id,
    retries.map((retry) => retry.nodeId),
  );
  return retries.map((retry) => ({
    ...retry,
    inputs: inputs.get(retry.nodeId) ?? {},
  }));
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
  // An execution that is stopping submits nothing more: the attempts that were to follow are cancelled with the rest.
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
  const jobSet = { name: execution.id, ownerId: execution.id, projectId: execution.projectId };
  await submitJobs(caller, tx, queue, jobSet, jobs);
}
