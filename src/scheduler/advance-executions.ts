import { abortAtOnce } from '../executions/commands/end-at-once.ts';
import { endNodes } from '../executions/commands/end-nodes.ts';
import { getJobSettings } from '../executions/commands/get-job-settings.ts';
import { givePlaces } from '../executions/commands/give-places.ts';
import { failureInside, moveToPhase } from '../executions/commands/move-to-phase.ts';
import { recordTaskEvents } from '../executions/commands/record-task-events.ts';
import { settleWaiting } from '../executions/commands/settle-waiting.ts';
import { startNodes } from '../executions/commands/start-nodes.ts';
import { abortNodes, stopNodes } from '../executions/commands/stop-nodes.ts';
import { budgetsOf, freePlaces } from '../executions/domain/budgets.ts';
import { attemptOf } from '../executions/domain/client-id.ts';
import { nextDeadlines, type Overdue, overdueOf } from '../executions/domain/deadlines.ts';
import { nodeAt, prefixOf } from '../executions/engine/node-paths.ts';
import { type Progress, progress } from '../executions/engine/progress.ts';
import { lockPlaces, type Places, settlePlaces } from '../executions/store/budget-shares.ts';
import { type LockedExecution, lockExecution } from '../executions/store/locked-execution.ts';
import { listNodeAborts } from '../executions/store/node-aborts.ts';
import {
  hasBegunTask,
  listNodesById,
  listNodesToAdvance,
  type NodeRow,
  readExecutionNodes,
  readNodeLiterals,
  type Selection,
} from '../executions/store/nodes.ts';
import { releaseReservations } from '../executions/store/output-cache.ts';
import { settleExecution } from '../executions/store/turns.ts';
import { cancelJobSet } from '../jobs/commands/cancel-job-set.ts';
import { submitJobs } from '../jobs/commands/submit-jobs.ts';
import { acknowledgeNews, type JobSetEvent, listNews, listWithoutJob } from '../jobs/store/job-sets.ts';
import { ensureProjectQueue } from '../jobs/store/queues.ts';
import { systemCaller } from '../platform/caller.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import { LITERALS_PER_PLAIN } from '../platform/literals-per-plain.ts';
import type { Closure } from '../registry/domain/closure.ts';
import { getClosure } from '../registry/store.ts';
import type { LiteralMap } from '../values/literals.ts';
import { toTaskEvents } from './attempt-events.ts';
import { jobOfAttempt } from './attempt-jobs.ts';
import { recordFailedTurn } from './failed-turns.ts';

/** What a turn leaves to do. */
interface TurnEnd {
  /** Whether there is more to do at once. */
  readonly more: boolean;
  /** The group of executions whose places must be given out anew; null if none. */
  readonly placesOf: string | null;
}

/** How many job events one turn reads. */
const EVENTS_PER_TURN = 500;

/**
 * Moves one execution on as far as possible: it applies the events of its jobs, ends nodes that waited for something
 * else, starts the nodes that are now ready, and ends the execution if nothing is left. All of this is one transaction, with the position in the events of the job
 * set. So if a scheduler is killed, its turn has happened completely or not at all. A turn that fails is repeated
 * later; after ten failures in a row the execution ends (`giveUp`). If executions share a limit of tasks, the places
 * that the turn gave back or asked for are given out after it, in a transaction of their own.
 *
 * @param now  decides about the time of executions and nodes.
 * @returns whether there is more to do at once.
 */
export async function advanceExecution(id: string, now = new Date()): Promise<boolean> {
  const { more, placesOf } = await turnOf(id, now);
  if (placesOf === null) return more;
  return (await givePlaces(placesOf)).includes(id) || more;
}

async function turnOf(id: string, now: Date): Promise<TurnEnd> {
  try {
    return await inTransaction((tx) => takeTurn(tx, id, now));
  } catch (error) {
    if (!isDatabaseLost(error)) await recordFailedTurn(id);
    throw error;
  }
}

async function takeTurn(tx: Tx, id: string, now: Date): Promise<TurnEnd> {
  const execution = await lockExecution(tx, id);
  if (!execution || execution.isBackingOff) return { more: false, placesOf: null };
  if (execution.abortIsForced && execution.phase === 'ABORTING') return await endByForce(tx, execution, now);
  const closure = await getClosure(execution.workflowId, tx);
  const budgetIds = sharedBudgets(execution, closure);
  const [ownerId = null] = budgetIds;
  const places = ownerId === null ? null : await lockPlaces(tx, id);
  const events = await listNews(tx, execution.id, EVENTS_PER_TURN);
  const { retries, upTo } = await takeOver(tx, execution, closure, events);
  // A turn that releases keys reserves none, so that no two turns wait for each other.
  const hasReleased = closure.hasSerializableCache && (await releaseReservations(tx, execution));
  const step = { retries, mayReserve: !hasReleased, places, now };
  const { hasMore, wakeAt, wanted } = await proceed(tx, execution, closure, step);
  const hasMoreNews = upTo === null ? false : await acknowledgeNews(tx, execution.id, upTo);
  const more = hasMoreNews || hasMore || hasReleased;
  const needsPlaces = ownerId !== null && (await settlePlaces(tx, id, budgetIds, wanted));
  await settleExecution(tx, id, more, wakeAt);
  return { more, placesOf: needsPlaces ? ownerId : null };
}

/** The executions whose limits count for the tasks of this one, if it shares a limit with executions above or below it. */
function sharedBudgets(execution: LockedExecution, closure: Closure): readonly string[] {
  const isAlone = execution.budgetIds.length === 0 && !closure.hasLaunchPlans;
  return isAlone ? [] : budgetsOf(execution).budgetIds;
}

/** Its jobs are told to stop, but what they report later does not count. */
async function endByForce(tx: Tx, execution: LockedExecution, now: Date): Promise<TurnEnd> {
  const { id, tenantId, principalId, abortPrincipalId, abortCause } = execution;
  const cause = abortCause ?? 'the execution was terminated';
  await cancelJobSet(systemCaller(tenantId, abortPrincipalId ?? principalId), tx, id, cause);
  await abortAtOnce(tx, execution, cause, now);
  await settleExecution(tx, id, false);
  return { more: false, placesOf: budgetsOf(execution).budgetIds[0] ?? null };
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
  const events = toTaskEvents(news);
  const limit = LITERALS_PER_PLAIN * controlPlaneConfig.outputLimitBytes;
  const { retries, taken } = await recordTaskEvents(tx, execution, closure, events, limit);
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

interface Step {
  /** The attempts that follow failed ones. */
  readonly retries: readonly Attempt[];
  /** Whether nodes may reserve keys of the cache. */
  readonly mayReserve: boolean;
  /** Its places for tasks, if other executions share the limit; null if none do. */
  readonly places: Places | null;
  readonly now: Date;
}

/**
 * Ends, starts and stops nodes as necessary.
 *
 * @returns whether another turn has something to do at once, and otherwise when the next sleeping node wakes; how many
 * more tasks could start if there were places.
 */
async function proceed(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  { retries, mayReserve, places, now }: Step,
): Promise<{ hasMore: boolean; wakeAt: Date | null; wanted: number }> {
  const waiting = await listNodesToAdvance(tx, execution.id);
  const isSettled = await settleWaiting(tx, execution, closure, waiting, now);
  const before = isSettled ? await listNodesToAdvance(tx, execution.id) : waiting;
  const overdue = await overdueOf(execution, now, () => hasBegunTask(tx, execution.id));
  const known = await readExecutionNodes(tx, execution.id, before);
  const limit = places ? { places: freePlaces(places, known.activeTasks) } : {};
  const next = progress(closure, { ...execution, overdue, ...limit }, known);
  const rows = await endNodes(tx, execution, closure, next.ends, before, now);
  if (next.phase) await moveToPhase(tx, execution, closure, rows, next.phase, now, overdue);
  const byNodeId = new Map(rows.map((row) => [row.nodeId, row]));
  const started = await startNodes(tx, execution, closure, {
    starts: next.start,
    rows: byNodeId,
    failureOf: failureInside(closure, rows),
    now,
    mayReserve,
  });
  // Also if the execution is stopping: the attempts after failed ones already have rows. They are submitted and then
  // cancelled with the others, which ends them.
  await submitAttempts(tx, execution, closure, [...retries, ...started.attempts]);
  const hasStopped = await stop(tx, execution, next, overdue, now);
  const wakeTimes = [
    ...rows.filter((row) => row.phase === 'RUNNING').flatMap((row) => row.wakeAt ?? []),
    ...started.wakeAt,
    ...nextDeadlines(execution, now),
  ];
  return {
    // A node that contains others has moved, or a node failed to start. A node that had no room starts when there is.
    hasMore:
      next.hasMore ||
      hasStopped ||
      started.hasResumed ||
      next.start.length > started.pending ||
      next.ends.length > 0,
    wakeAt: wakeTimes.sort((one, other) => one.getTime() - other.getTime())[0] ?? null,
    wanted: next.wanted,
  };
}

/** Stops what must end early. @returns whether nodes have ended by this. */
async function stop(
  tx: Tx,
  execution: LockedExecution,
  next: Progress,
  overdue: Overdue,
  now: Date,
): Promise<boolean> {
  const failure = overdue ? 'the time of the execution is over' : 'another node of the execution failed';
  const asked = execution.abortsNodes ? await listNodeAborts(tx, execution.id) : [];
  const stops: Stop[] = [
    ...(next.stop.length > 0 ? [{ cause: execution.abortCause ?? failure, prefixes: next.stop }] : []),
    ...asked.map((one) => ({ ...one, prefixes: one.nodeIds.map(prefixOf) })),
  ];
  let hasEnded = false;
  for (const one of stops) hasEnded = (await stopSome(tx, execution, one, now)) || hasEnded;
  return hasEnded;
}

interface Stop extends Selection {
  readonly cause: string;
  /** Who wants it, unless it is the one who aborts the execution. */
  readonly principalId?: string;
}

async function stopSome(
  tx: Tx,
  execution: LockedExecution,
  { cause, principalId, ...selection }: Stop,
  now: Date,
): Promise<boolean> {
  const abortPrincipalId = principalId ?? execution.abortPrincipalId;
  const { clientIds, ended } = await stopNodes(tx, { ...execution, abortPrincipalId }, selection, cause, now);
  const caller = systemCaller(execution.tenantId, abortPrincipalId ?? execution.principalId);
  await cancelJobSet(caller, tx, execution.id, cause, clientIds);
  // Nothing would ever end these.
  const orphans = (await listWithoutJob(tx, execution.id, clientIds)).flatMap((id) => attemptOf(id) ?? []);
  const rows: NodeRow[] = await listNodesById(
    tx,
    execution.id,
    orphans.map(({ nodeExecutionId }) => nodeExecutionId),
  );
  await abortNodes(tx, execution.id, rows, cause, now);
  return ended || rows.length > 0;
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
  const settings = await getJobSettings(tx, execution);
  const jobs = attempts.map((attempt) => {
    const node = nodeAt(closure, attempt.nodeId);
    if (node?.kind !== 'TASK') throw new Error(`the workflow has no task ${attempt.nodeId}`);
    return jobOfAttempt(execution, settings, node, attempt);
  });
  const { id, projectId, workflowEntityId } = execution;
  const jobSet = { name: id, ownerId: id, projectId, workflowEntityId };
  await submitJobs(caller, tx, queue, jobSet, jobs);
}
