import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { Closure, RunnableNode } from '../../registry/domain/closure.ts';
import { promisedNodesOf } from '../../registry/domain/compile-bindings.ts';
import type { UpstreamValues } from '../../registry/domain/resolve-bindings.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { innerNodeId, outerNodeId } from '../engine/node-paths.ts';
import type { NodeStart } from '../engine/progress.ts';
import { getSpec } from '../store/execution-specs.ts';
import type { LockedExecution } from '../store/locked-execution.ts';
import { moveNodes, moveTasks, type NodeMove } from '../store/moves.ts';
import { readNodeLiterals } from '../store/nodes.ts';
import { addWaiters, storeLookups } from '../store/output-cache.ts';
import { findRecoverableChildren, findReusableNodes } from '../store/recovered.ts';
import { ensureSignals, type NewSignal } from '../store/signals.ts';
import { type Beginnings, beginNodes, type StartedNode } from './begin-nodes.ts';
import { cachedStart, consultCache } from './consult-cache.ts';
import type { NewAttempt } from './record-task-events.ts';
import { endsOfWaiters, type ReadyTask, resumeWaiters, waitersOf } from './resume-waiters.ts';
import { startChildExecution } from './start-child-execution.ts';

/** An attempt, with the inputs and the task to run. */
export interface StartedAttempt extends NewAttempt {
  readonly inputs: LiteralMap;
}

/** What starts in one turn. */
export type StartRequest = Omit<Beginnings, 'closure' | 'values' | 'reusable'>;

/**
 * Starts nodes whose upstream nodes have succeeded: it resolves their inputs and creates their rows. A task is QUEUED,
 * with a first attempt; everything else is RUNNING. A branch starts the node of the case that holds, and the other nodes
 * of it are SKIPPED. A launch plan starts an execution of its own. A node that cannot start is FAILED (see `beginNode`).
 * If the execution recovers another one, a node that succeeded there is RECOVERED and has its inputs and outputs.
 * A task whose outputs are cached has SUCCEEDED at once, and a task may wait for the outputs of another node with the
 * same inputs (see `consultCache`); nodes that have waited for this are resumed.
 *
 * The caller must have locked the execution.
 *
 * @returns the attempts to submit; when sleeping nodes wake; how many of the `starts` now wait for a job or for another
 * node; whether nodes that waited have ended. If inputs are large, nodes are left for another turn.
 */
export async function startNodes(
  tx: Tx,
  execution: LockedExecution,
  closure: Closure,
  request: StartRequest,
): Promise<{ attempts: StartedAttempt[]; wakeAt: Date[]; pending: number; hasResumed: boolean }> {
  const { starts, now, mayReserve } = request;
  const values = await readScopes(tx, execution, starts);
  const reusable = await reusableNodes(tx, execution, starts);
  const { moves, started } = beginNodes({ ...request, closure, values, reusable });
  const tasks = started.flatMap((one) => (one.node.kind === 'TASK' ? [{ ...one, node: one.node }] : []));
  const cached = tasks.flatMap(({ id, node, inputs: given }) => cachedStart(node, id, given) ?? []);
  const waiters = mayReserve ? await waitersOf(tx, execution, closure) : [];
  const ofWaiters = waiters.map((waiter) => ({ ...waiter, isSerializable: true }));
  const consultation = await consultCache(tx, execution, [...ofWaiters, ...cached]);
  const { hits, waiting, lookups } = consultation;
  await moveNodes(tx, execution.id, [
    ...endsOfWaiters(waiters, consultation, now),
    ...moves.map((move) => (hits.has(move.id) ? { ...move, to: 'SUCCEEDED' as const } : move)),
  ]);
  const waited = new Set(waiters.map(({ nodeExecutionId }) => nodeExecutionId));
  // For nodes that go on waiting, nothing has changed.
  const news = lookups.filter(({ nodeExecutionId: id }) => !waited.has(id) || !waiting.has(id));
  await storeLookups(tx, execution.id, news);
  await addWaiters(
    tx,
    execution,
    cached.filter(({ nodeExecutionId }) => waiting.has(nodeExecutionId)),
  );
  const resumed = await resumeWaiters(tx, execution, closure, waiters, consultation);
  const ready = tasks.filter(({ id }) => !hits.has(id) && !waiting.has(id));
  const attempts = await startTasks(tx, execution, [...resumed, ...ready], now);
  await ensureSignals(
    tx,
    execution.id,
    started.flatMap(({ node }) => signalsOf(node)),
  );
  await launch(tx, execution, started, now);
  return {
    attempts,
    wakeAt: moves.flatMap(({ made }) => made?.wakeAt ?? []),
    pending: tasks.filter(({ id }) => !hits.has(id)).length,
    hasResumed: waiters.some(({ nodeExecutionId }) => hits.has(nodeExecutionId)),
  };
}

/** The nodes of the execution that is recovered whose results count again, by node id. */
async function reusableNodes(
  tx: Tx,
  { recoversId }: LockedExecution,
  starts: readonly NodeStart[],
): Promise<ReadonlyMap<string, string>> {
  if (recoversId === null) return new Map();
  return await findReusableNodes(
    tx,
    recoversId,
    starts.flatMap(({ nodeId, node }) => withBranches(nodeId, node)),
  );
}

/** The ids of a node and of all nodes that start together with it if it is a branch. */
function withBranches(nodeId: string, node: RunnableNode): string[] {
  const inner = node.kind === 'BRANCH' ? [...node.nodes.values()] : [];
  return [nodeId, ...inner.flatMap((one) => withBranches(innerNodeId(nodeId, one.id), one))];
}

/** The values that new nodes may use, by the id of the node that contains them; null is the outermost workflow. */
async function readScopes(
  tx: Tx,
  execution: LockedExecution,
  starts: readonly NodeStart[],
): Promise<ReadonlyMap<string | null, UpstreamValues>> {
  const scopes = [...new Set(starts.map(({ nodeId }) => outerNodeId(nodeId)))];
  const promised = new Map(scopes.map((scope) => [scope, new Set<string>()]));
  for (const { nodeId, node, itemIndex } of starts) {
    if (itemIndex !== null) continue;
    for (const id of promisedBy(node)) promised.get(outerNodeId(nodeId))?.add(id);
  }
  const ids = scopes.flatMap((scope) => [...(promised.get(scope) ?? [])].map((id) => innerNodeId(scope, id)));
  const outputs = await readNodeLiterals(tx, execution.id, 'outputs', ids);
  const outers = scopes.filter((scope) => scope !== null);
  const inputs = await readNodeLiterals(tx, execution.id, 'inputs', outers);
  return new Map(
    scopes.map((scope) => {
      const known = [...(promised.get(scope) ?? [])].flatMap((id) => {
        const literals = outputs.get(innerNodeId(scope, id));
        return literals ? [[id, literals] as const] : [];
      });
      const ofScope = scope === null ? execution.inputs : (inputs.get(scope) ?? {});
      return [scope, { inputs: ofScope, outputs: new Map(known) }];
    }),
  );
}

/** The nodes whose outputs a node needs, and, if it is a branch, those that the nodes inside of it need. */
function promisedBy(node: RunnableNode): string[] {
  const inner = node.kind === 'BRANCH' ? [...node.nodes.values()].flatMap(promisedBy) : [];
  return [...promisedNodesOf(node.inputs), ...inner];
}

/** An approval waits for true or false. */
function signalsOf(node: RunnableNode): NewSignal[] {
  if (node.kind !== 'GATE' || 'sleep' in node.gate) return [];
  if ('signal' in node.gate) return [node.gate.signal];
  return [{ signalId: node.gate.approve.signalId, type: { simple: 'BOOLEAN' } }];
}

/** Starts the executions of launch plans. A node whose execution cannot start is FAILED. */
async function launch(
  tx: Tx,
  execution: LockedExecution,
  started: readonly StartedNode[],
  now: Date,
): Promise<void> {
  const launches = started.flatMap(({ node, ...rest }) =>
    node.kind === 'LAUNCH_PLAN' ? [{ ...rest, launchPlanId: node.launchPlanId }] : [],
  );
  if (launches.length === 0) return;
  const settings = await getSpec(execution.id, tx);
  const recovers =
    execution.recoversId === null
      ? new Map<string, string>()
      : await findRecoverableChildren(
          tx,
          execution.recoversId,
          launches.map(({ nodeId }) => nodeId),
        );
  const failed: NodeMove[] = [];
  for (const { nodeId, ...node } of launches) {
    const error = await startChildExecution(tx, execution, settings, {
      ...node,
      recoversId: recovers.get(nodeId) ?? null,
    });
    if (error) failed.push({ id: node.id, nodeId, to: 'FAILED', from: ['RUNNING'], at: now, error });
  }
  await moveNodes(tx, execution.id, failed);
}

/** Creates the first attempts of tasks. */
async function startTasks(
  tx: Tx,
  execution: LockedExecution,
  ready: readonly ReadyTask[],
  now: Date,
): Promise<StartedAttempt[]> {
  const tasks = ready.map(({ id, ...task }) => ({ ...task, nodeExecutionId: id, attempt: 0 }));
  await moveTasks(
    tx,
    execution.id,
    tasks.map(({ nodeExecutionId, nodeId, attempt, node }) => ({
      id: newId(),
      nodeExecutionId,
      nodeId,
      taskId: node.taskId,
      task: node.task.id,
      attempt,
      to: 'QUEUED',
      from: [],
      at: now,
    })),
  );
  return tasks.map(({ node: _node, ...attempt }) => attempt);
}
