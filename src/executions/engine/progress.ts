import type { ExecutionPhase, NodeExecutionPhase, NodeKind } from '../../generated/prisma/enums.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { Closure, RunnableGraph, RunnableNode } from '../../registry/domain/closure.ts';
import type { Overdue } from '../domain/deadlines.ts';
import { executionPhases, nodeExecutionPhases } from '../domain/phases.ts';
import { graphOf, innerNodeId, nodeAt, outerNodeId, prefixOf } from './node-paths.ts';

/** A node as far as it decides about the next steps. */
export interface NodeState {
  readonly nodeId: string;
  readonly specNodeId: string;
  readonly kind: NodeKind;
  readonly phase: NodeExecutionPhase;
  /** Why a user wants to stop it; null if nobody does. */
  readonly abortCause?: string | null;
  /** Only of an array. */
  readonly itemCount: number | null;
}

/** The nodes of an execution. Those inside of a node that has ended, and most items of arrays, are left out. */
export interface ExecutionNodes {
  readonly nodes: readonly NodeState[];
  /** How many items of each array are in which phase, by the id of the array. */
  readonly items: ReadonlyMap<string, ReadonlyMap<NodeExecutionPhase, number>>;
  /** How many nodes run tasks or launch plans now. */
  readonly active: number;
}

/** A node to start. */
export interface NodeStart {
  readonly nodeId: string;
  readonly node: RunnableNode;
  /** Which item of an array it is for. */
  readonly itemIndex: number | null;
  /** Whether it is the failure node of its workflow. */
  readonly isFailureNode: boolean;
}

/** The next phase of a node that contains others. */
export interface NodeEnd {
  readonly nodeId: string;
  readonly to: Extract<NodeExecutionPhase, 'SUCCEEDED' | 'FAILING' | 'FAILED' | 'ABORTED'>;
}

/** The next steps of an execution. */
export interface Progress {
  /** Nodes whose inner nodes decide about them, inner ones first. */
  readonly ends: readonly NodeEnd[];
  /** The nodes to start now: outer ones first, in the order of their workflows. */
  readonly start: readonly NodeStart[];
  /** All open nodes whose id begins with one of these must be stopped. */
  readonly stop: readonly string[];
  /** How many more tasks could start if there were places for them. */
  readonly wanted: number;
  /** Whether there are more nodes to start than one turn starts. */
  readonly hasMore: boolean;
  /** The phase to move to, if the phase changes. */
  readonly phase: Extract<
    ExecutionPhase,
    'RUNNING' | 'FAILING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT'
  > | null;
}

const nothing: Progress = { ends: [], start: [], stop: [], wanted: 0, hasMore: false, phase: null };
const failures: ReadonlySet<NodeExecutionPhase> = new Set(['FAILED', 'ABORTED', 'TIMED_OUT']);
const successes: ReadonlySet<NodeExecutionPhase> = new Set(['SUCCEEDED', 'SKIPPED', 'RECOVERED']);
const isOpen = (phase: NodeExecutionPhase) => !isTerminal(nodeExecutionPhases, phase);

/** How many nodes start in one turn. */
const MAX_STARTS = 200;

/** Stops everything in the execution. */
export const EVERY_NODE = '';

/**
 * Decides the next steps from the phases of the nodes alone. So after a crash of a scheduler, another one can continue.
 *
 * A node starts when all its upstream nodes have succeeded; at most `maxParallelism` tasks and launch plans run at the
 * same time (0: no limit), and no more tasks than there are `places`. When a node has failed, FAIL_IMMEDIATELY stops the others of its workflow; the other policy
 * still runs the nodes that do not depend on it. A workflow ends when nothing in it runs any more, and its failure node,
 * if it has one, has ended. If an execution is being aborted but its work has ended before it could be stopped, the
 * result of the work counts. Source: Flyte's TerminateExecution. An execution whose time is over is stopped in the same
 * way, without its failure node, and is TIMED_OUT. A node that a user wants to stop is ABORTED when everything in it has
 * stopped, and counts as one that has failed.
 */
export function progress(
  closure: Closure,
  execution: {
    readonly phase: ExecutionPhase;
    readonly maxParallelism: number;
    /** How many tasks may start, if other executions share the limit; left out if none do. */
    readonly places?: number;
    readonly overdue?: Overdue;
  },
  known: ExecutionNodes,
): Progress {
  if (isTerminal(executionPhases, execution.phase)) return nothing;
  const tree = new Tree(known);
  const ends = new Map<string, NodeEnd>();
  const overdue = execution.overdue ?? null;
  const isStopped = execution.phase === 'ABORTING' || overdue !== null;
  let scopes = scopesOf(closure, tree, execution.phase, isStopped);
  // Each round ends the innermost nodes that can end, so there are as many rounds as levels.
  for (let round = scopes.flatMap(endOf); round.length > 0; round = scopes.flatMap(endOf)) {
    for (const end of round) {
      tree.move(end);
      // Behind the ends that it depends on.
      ends.delete(end.nodeId);
      ends.set(end.nodeId, end);
    }
    scopes = scopesOf(closure, tree, execution.phase, isStopped);
  }
  const phase = nextPhase(execution.phase, scopes[0], overdue);
  const { start, wanted } = startsOf(scopes, execution, known.active);
  return {
    ends: [...ends.values()],
    start: start.slice(0, MAX_STARTS),
    wanted: Math.min(wanted, MAX_STARTS),
    hasMore: start.length > MAX_STARTS,
    stop: scopes
      .filter((scope) => scope.stopsHere)
      .map(({ nodeId }) => (nodeId === null ? EVERY_NODE : prefixOf(nodeId))),
    phase,
  };
}

/** A workflow, branch or array with the nodes inside of it. */
interface Scope {
  /** The node that contains it; null for the outermost workflow. */
  readonly nodeId: string | null;
  readonly phase: NodeExecutionPhase | null;
  readonly outcome: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** The nodes that can start. */
  readonly ready: readonly NodeStart[];
  /** Whether it will fail when what still runs in it has ended. */
  readonly isFailing: boolean;
  /** Whether its own failure, or the end of the execution, stops the open nodes inside of it. */
  readonly stopsHere: boolean;
}

/** All scopes whose node is open: outer ones first. */
function scopesOf(closure: Closure, tree: Tree, phase: ExecutionPhase, isStopped: boolean): Scope[] {
  const scopes: Scope[] = [];
  const enter = (scope: Scope, isAroundStopped: boolean) => {
    scopes.push(scope);
    for (const inner of tree.inside(scope.nodeId)) {
      if (!isOpen(inner.phase)) continue;
      const node = nodeAt(closure, inner.nodeId);
      const isToStop = isAroundStopped || scope.stopsHere || inner.abortCause != null;
      const found = node && scopeInside(closure, tree, inner, node, isToStop);
      if (found) enter(found, isToStop);
    }
  };
  enter(
    graphScope(tree, { nodeId: null, phase: phase === 'FAILING' ? 'FAILING' : null }, closure, isStopped),
    isStopped,
  );
  return scopes;
}

type Container = { readonly nodeId: string | null; readonly phase: NodeExecutionPhase | null };

/** The scope inside of a node; null if the node contains no others. */
function scopeInside(
  closure: Closure,
  tree: Tree,
  state: NodeState,
  node: RunnableNode,
  isStopped: boolean,
): Scope | null {
  if (node.kind === 'BRANCH') return branchScope(tree, state, isStopped);
  if (node.kind === 'ARRAY') return arrayScope(tree, state, node, isStopped);
  const graph = graphOf(closure, node);
  return graph && graphScope(tree, state, graph, isStopped);
}

function graphScope(tree: Tree, container: Container, graph: RunnableGraph, isStopped: boolean): Scope {
  const { nodeId } = container;
  const phases = new Map(tree.inside(nodeId).map((node) => [node.specNodeId, node.phase]));
  const { failureNode } = graph;
  const failurePhase = failureNode ? phases.get(failureNode.id) : undefined;
  if (failureNode) phases.delete(failureNode.id);
  const all = [...phases.values()];
  const hasOpen = all.some(isOpen);
  const hasFailed = all.some((phase) => failures.has(phase));
  const stopsAtOnce = graph.workflow.template.metadata.onFailure === 'FAIL_IMMEDIATELY';
  const scope = { ...container, ready: [], isFailing: false, stopsHere: false };

  if (isStopped) {
    const outcome =
      hasOpen || (failurePhase && isOpen(failurePhase))
        ? 'RUNNING'
        : endOfStopped(graph, phases, failurePhase);
    return { ...scope, outcome, stopsHere: nodeId === null && outcome === 'RUNNING' };
  }
  const isFailing = hasFailed && (stopsAtOnce || container.phase === 'FAILING');
  if (isFailing && hasOpen) return { ...scope, outcome: 'RUNNING', isFailing, stopsHere: true };
  const ready = isFailing ? [] : readyNodes(nodeId, graph, phases);
  if (hasOpen || ready.length > 0) return { ...scope, outcome: 'RUNNING', ready };
  if (!hasFailed) return { ...scope, outcome: 'SUCCEEDED' };
  if (!failureNode || (failurePhase && !isOpen(failurePhase))) return { ...scope, outcome: 'FAILED' };
  const afterFailure = failurePhase ? [] : [{ ...startOf(nodeId, failureNode), isFailureNode: true }];
  return { ...scope, outcome: 'RUNNING', isFailing: true, ready: afterFailure };
}

/** If the work has ended before it could be stopped, its result counts. */
function endOfStopped(
  graph: RunnableGraph,
  phases: ReadonlyMap<string, NodeExecutionPhase>,
  failurePhase: NodeExecutionPhase | undefined,
): Scope['outcome'] {
  const isDone = (id: string) => successes.has(phases.get(id) ?? 'QUEUED');
  if ([...graph.nodes.keys()].every(isDone)) return 'SUCCEEDED';
  const all = [...phases.values(), ...(failurePhase ? [failurePhase] : [])];
  return all.includes('FAILED') && !all.includes('ABORTED') ? 'FAILED' : 'ABORTED';
}

/** The nodes that have not started and whose upstream nodes have all succeeded. */
function readyNodes(
  nodeId: string | null,
  { workflow, nodes }: RunnableGraph,
  phases: ReadonlyMap<string, NodeExecutionPhase>,
): NodeStart[] {
  const isDone = (id: string) => !nodes.has(id) || successes.has(phases.get(id) ?? 'QUEUED');
  return [...nodes.values()]
    .filter(({ id }) => !phases.has(id) && (workflow.connections.upstream[id] ?? []).every(isDone))
    .map((node) => startOf(nodeId, node));
}

const startOf = (outer: string | null, node: RunnableNode): NodeStart => ({
  nodeId: innerNodeId(outer, node.id),
  node,
  itemIndex: null,
  isFailureNode: false,
});

/** The nodes of the branches that were not taken are SKIPPED. */
function branchScope(tree: Tree, container: NodeState, isStopped: boolean): Scope {
  const taken = tree.inside(container.nodeId).find((node) => node.phase !== 'SKIPPED');
  const { nodeId, phase } = container;
  return {
    nodeId,
    phase,
    outcome: outcomeOf(taken?.phase, isStopped),
    ready: [],
    isFailing: false,
    stopsHere: false,
  };
}

function outcomeOf(phase: NodeExecutionPhase | undefined, isStopped: boolean): Scope['outcome'] {
  if (phase === undefined || isOpen(phase)) return 'RUNNING';
  if (successes.has(phase)) return 'SUCCEEDED';
  return phase === 'ABORTED' && isStopped ? 'ABORTED' : 'FAILED';
}

function arrayScope(
  tree: Tree,
  { nodeId, phase, itemCount }: NodeState,
  { array, item }: Extract<RunnableNode, { kind: 'ARRAY' }>,
  isStopped: boolean,
): Scope {
  const total = itemCount ?? 0;
  const count = (isCounted: (phase: NodeExecutionPhase) => boolean) => tree.countItems(nodeId, isCounted);
  const [started, open, succeeded] = [count(() => true), count(isOpen), count((one) => successes.has(one))];
  const minimum = minimumOf(array, total);
  const scope = { nodeId, phase, ready: [], isFailing: false, stopsHere: false };
  const hasEnough = started === total && succeeded >= minimum;
  if (isStopped) {
    if (open > 0) return { ...scope, outcome: 'RUNNING' };
    return { ...scope, outcome: hasEnough ? 'SUCCEEDED' : 'ABORTED' };
  }
  const cannotSucceed = count((one) => failures.has(one)) > total - minimum;
  if (cannotSucceed && !array.runAllSubNodes)
    return open > 0
      ? { ...scope, outcome: 'RUNNING', isFailing: true, stopsHere: true }
      : { ...scope, outcome: 'FAILED' };
  if (started < total) {
    const room = array.parallelism ? array.parallelism - open : total;
    const next = Math.max(Math.min(total - started, room, MAX_STARTS + 1), 0);
    const ready = Array.from({ length: next }, (_, offset) => {
      const itemIndex = started + offset;
      return { nodeId: innerNodeId(nodeId, itemIndex), node: item, itemIndex, isFailureNode: false };
    });
    return { ...scope, outcome: 'RUNNING', ready };
  }
  if (open > 0) return { ...scope, outcome: 'RUNNING' };
  return { ...scope, outcome: hasEnough ? 'SUCCEEDED' : 'FAILED' };
}

/** How many items of an array must succeed. */
export function minimumOf(
  { minSuccesses, minSuccessRatio }: { readonly minSuccesses?: number; readonly minSuccessRatio?: number },
  total: number,
): number {
  if (minSuccesses !== undefined) return Math.min(minSuccesses, total);
  return minSuccessRatio === undefined ? total : Math.ceil(minSuccessRatio * total);
}

function endOf({ nodeId, phase, outcome, isFailing }: Scope): NodeEnd[] {
  if (nodeId === null) return [];
  if (outcome !== 'RUNNING') return [{ nodeId, to: outcome }];
  return isFailing && phase !== 'FAILING' ? [{ nodeId, to: 'FAILING' }] : [];
}

function nextPhase(
  current: ExecutionPhase,
  outermost: Scope | undefined,
  overdue: Overdue,
): Progress['phase'] {
  if (!outermost) return null;
  // What ends after the time was over does not count.
  if (overdue && current !== 'ABORTING' && (outermost.outcome !== 'SUCCEEDED' || current === 'FAILING')) {
    if (outermost.outcome === 'RUNNING') return current === 'FAILING' ? null : 'FAILING';
    return overdue === 'FAILS' ? 'FAILED' : 'TIMED_OUT';
  }
  if (outermost.outcome !== 'RUNNING') return outermost.outcome;
  if (outermost.isFailing) return current === 'FAILING' ? null : 'FAILING';
  return current === 'QUEUED' ? 'RUNNING' : null;
}

/** The kinds of nodes that count for the `maxParallelism` of their execution. A branch starts one of them. */
const isLimited: ReadonlySet<NodeKind> = new Set(['TASK', 'LAUNCH_PLAN', 'BRANCH']);

/** The kinds of nodes that take one of the places that executions share: see domain/budgets.ts. */
const takesPlace: ReadonlySet<NodeKind> = new Set(['TASK', 'BRANCH']);

function startsOf(
  scopes: readonly Scope[],
  { maxParallelism, places = Number.POSITIVE_INFINITY }: { maxParallelism: number; places?: number },
  active: number,
): { start: NodeStart[]; wanted: number } {
  let room = maxParallelism > 0 ? maxParallelism - active : Number.POSITIVE_INFINITY;
  let free = places;
  let blocked = 0;
  const start = scopes
    .flatMap(({ ready }) => ready)
    .filter(({ node }) => {
      if (!isLimited.has(node.kind)) return true;
      if (room <= 0) return false;
      const needsPlace = takesPlace.has(node.kind);
      if (needsPlace && free <= 0) {
        blocked += 1;
        return false;
      }
      room -= 1;
      if (needsPlace) free -= 1;
      return true;
    });
  return { start, wanted: Math.min(blocked, Math.max(room, 0)) };
}

/** The nodes by the node that contains them, with changes that were decided but not stored yet. */
class Tree {
  readonly #inside = new Map<string | null, NodeState[]>();
  readonly #items: ReadonlyMap<string, Map<NodeExecutionPhase, number>>;

  constructor({ nodes, items }: ExecutionNodes) {
    for (const node of nodes) {
      const outer = outerNodeId(node.nodeId);
      const siblings = this.#inside.get(outer) ?? [];
      siblings.push(node);
      this.#inside.set(outer, siblings);
    }
    this.#items = new Map([...items].map(([id, counts]) => [id, new Map(counts)]));
  }

  inside(nodeId: string | null): readonly NodeState[] {
    return this.#inside.get(nodeId) ?? [];
  }

  countItems(arrayId: string, isCounted: (phase: NodeExecutionPhase) => boolean): number {
    const counts = [...(this.#items.get(arrayId) ?? [])];
    return counts.reduce((sum, [phase, count]) => (isCounted(phase) ? sum + count : sum), 0);
  }

  move({ nodeId, to }: NodeEnd): void {
    const outer = outerNodeId(nodeId);
    const siblings = this.#inside.get(outer) ?? [];
    const at = siblings.findIndex((node) => node.nodeId === nodeId);
    const before = siblings[at];
    if (!before) return;
    siblings[at] = { ...before, phase: to };
    const counts = outer === null ? undefined : this.#items.get(outer);
    counts?.set(before.phase, (counts.get(before.phase) ?? 0) - 1);
    counts?.set(to, (counts.get(to) ?? 0) + 1);
  }
}
