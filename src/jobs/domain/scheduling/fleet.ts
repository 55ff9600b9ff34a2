import { type Labels, mismatch, type Taint, type Toleration } from './matching.ts';
import { type Amounts, add, fits, type Resources } from './resources.ts';

/** Everything about a job that decides where it can run. Jobs with the same digest fit the same nodes. */
export interface Shape {
  readonly digest: string;
  readonly priorityClass: string;
  /** Higher classes go first. */
  readonly classPriority: number;
  readonly isPreemptible: boolean;
  readonly resources: Resources;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
}

/** A machine of an executor, or an executor that says nothing about its machines. */
export interface NodeState {
  readonly executorId: string;
  readonly executor: string;
  /** Null if the executor names no nodes. */
  readonly name: string | null;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  /** False: it gets no new work. */
  readonly isOpen: boolean;
  /** What it has for jobs; null if it does not say. Then only the number of its runs is limited. */
  readonly allocatable: Resources | null;
  /** What its runs hold. */
  readonly held: Resources;
  /** The part of `held` that is about to be free, because these runs are being stopped. */
  readonly stopping: Resources;
}

export interface ExecutorState {
  readonly id: string;
  /** How many more runs it takes. */
  readonly room: number;
  /** How many of its runs are being stopped. */
  readonly stopping: number;
}

/** A job that needs a place. */
export interface Wanted {
  readonly shape: Shape;
  /** The nodes where an attempt of it was lost, as `executor/node`. */
  readonly avoidedNodes: readonly string[];
}

export interface Placement {
  readonly executorId: string;
  readonly node: string | null;
  /** Whether there is room now. If not, the place is kept until the runs that are being stopped have ended. */
  readonly isFree: boolean;
}

/** Many nodes do not report these resources, although they have them. */
export const MAY_BE_UNSAID: Resources = { 'ephemeral-storage': Number.POSITIVE_INFINITY };

/** A node at one moment of a round. */
export interface NodeView {
  readonly state: NodeState;
  /** What is free when the runs that are being stopped have ended; null if the node does not say what it has. */
  readonly free: Resources | null;
  /** How many more runs its executor takes when the runs that are being stopped have ended. */
  readonly room: number;
}

interface Node {
  readonly state: NodeState;
  readonly executor: Executor;
  /** What is free now, and what is free when the runs that are being stopped have ended. */
  readonly now: Amounts | null;
  readonly soon: Amounts | null;
}

interface Executor {
  now: number;
  soon: number;
}

interface Taken {
  readonly node: Node;
  readonly wanted: Wanted;
  readonly isFree: boolean;
}

/**
 * The nodes of a pool with what is free on them, while a round is planned.
 *
 * Runs that are being stopped hold their place until they have ended. Jobs are placed as if these had ended already, so
 * that the place goes to the job for which it was made. Such a job starts later, when there is room.
 */
export class Fleet {
  readonly #nodes: readonly Node[];
  readonly #executors: readonly Executor[];
  /** The nodes that a shape matches, apart from what is free. */
  readonly #matches = new Map<string, readonly Node[]>();

  constructor(nodes: readonly NodeState[], executors: readonly ExecutorState[]) {
    const byId = new Map(
      executors.map(({ id, room, stopping }) => [
        id,
        { now: Math.max(room, 0), soon: Math.max(room + stopping, 0) },
      ]),
    );
    this.#executors = [...byId.values()];
    this.#nodes = nodes.flatMap((state) => {
      const executor = byId.get(state.executorId);
      if (!executor) return [];
      const now = state.allocatable && { ...MAY_BE_UNSAID, ...state.allocatable };
      if (now) add(now, state.held, -1);
      const soon = now && { ...now };
      if (soon) add(soon, state.stopping);
      return [{ state, executor, now, soon }];
    });
  }

  /** The nodes as they are at this moment of the round. */
  get views(): readonly NodeView[] {
    return this.#nodes.map(({ state, executor, soon }) => ({ state, free: soon, room: executor.soon }));
  }

  /** Whether any executor takes another run, now or soon. */
  get hasRoom(): boolean {
    return this.#executors.some((executor) => executor.soon > 0);
  }

  /**
   * Finds a place for each of these jobs, and takes it. If there is not one for each, none is taken.
   *
   * @param uniformityLabel  all jobs go to nodes with the same value of this label.
   */
  place(jobs: readonly Wanted[], uniformityLabel: string | null = null): readonly Placement[] | null {
    if (uniformityLabel === null) return this.#placeOn(jobs, () => true);
    const values = new Set(this.#nodes.flatMap(({ state }) => state.labels[uniformityLabel] ?? []));
    for (const value of [...values].sort()) {
      const placed = this.#placeOn(jobs, ({ state }) => state.labels[uniformityLabel] === value);
      if (placed) return placed;
    }
    return null;
  }

  /** Puts a run back on its own node, from which it was taken in thought. False if there is no room any more. */
  putBack(shape: Shape, executorId: string, nodeName: string | null): boolean {
    const node = this.#nodes.find(({ state }) => state.executorId === executorId && state.name === nodeName);
    if (!node || node.executor.soon <= 0 || (node.soon && !fits(shape.resources, node.soon))) return false;
    this.#take({ node, wanted: { shape, avoidedNodes: [] }, isFree: true });
    return true;
  }

  /** Gives the place of a run back in thought. */
  release(shape: Shape, executorId: string, nodeName: string | null): void {
    const node = this.#nodes.find(({ state }) => state.executorId === executorId && state.name === nodeName);
    if (!node) return;
    if (node.soon) add(node.soon, shape.resources);
    node.executor.soon += 1;
  }

  #placeOn(jobs: readonly Wanted[], isAllowed: (node: Node) => boolean): readonly Placement[] | null {
    const taken: Taken[] = [];
    for (const wanted of jobs) {
      const found = this.#find(wanted, isAllowed);
      if (!found) {
        for (const one of taken.reverse()) this.#giveBack(one);
        return null;
      }
      this.#take(found);
      taken.push(found);
    }
    return taken.map(({ node, isFree }) => ({
      executorId: node.state.executorId,
      node: node.state.name,
      isFree,
    }));
  }

  /**
   * The best node for a job: one where it can start now, and of these the fullest one, so that large jobs still find
   * nodes that are free. Executors that do not say what their nodes have get jobs in turn.
   */
  #find(wanted: Wanted, isAllowed: (node: Node) => boolean): Taken | null {
    let best: Taken | null = null;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const node of this.#candidates(wanted)) {
      if (node.executor.soon <= 0 || !isAllowed(node)) continue;
      if (node.soon && !fits(wanted.shape.resources, node.soon)) continue;
      const isFree = node.executor.now > 0 && (!node.now || fits(wanted.shape.resources, node.now));
      const score = (isFree ? 0 : 2) + emptiness(node);
      if (score >= bestScore) continue;
      best = { node, wanted, isFree };
      bestScore = score;
    }
    return best;
  }

  /** The nodes that a job matches, without those that it avoids. If it avoids all of them, it avoids none. */
  #candidates({ shape, avoidedNodes }: Wanted): readonly Node[] {
    const matching = this.#matching(shape);
    if (avoidedNodes.length === 0) return matching;
    const others = matching.filter(({ state }) => !isAvoided(state, avoidedNodes));
    return others.length === 0 ? matching : others;
  }

  #matching(shape: Shape): readonly Node[] {
    let nodes = this.#matches.get(shape.digest);
    if (!nodes) {
      nodes = this.#nodes.filter(({ state }) => state.isOpen && mismatch(state, shape) === null);
      this.#matches.set(shape.digest, nodes);
    }
    return nodes;
  }

  #take({ node, wanted, isFree }: Taken): void {
    if (node.soon) add(node.soon, wanted.shape.resources, -1);
    node.executor.soon -= 1;
    if (!isFree) return;
    if (node.now) add(node.now, wanted.shape.resources, -1);
    node.executor.now -= 1;
  }

  #giveBack({ node, wanted, isFree }: Taken): void {
    if (node.soon) add(node.soon, wanted.shape.resources);
    node.executor.soon += 1;
    if (!isFree) return;
    if (node.now) add(node.now, wanted.shape.resources);
    node.executor.now += 1;
  }
}

function isAvoided({ executor, name }: NodeState, avoidedNodes: readonly string[]): boolean {
  return avoidedNodes.includes(nodeAddress(executor, name));
}

/** The address of a node in the whole pool. */
export const nodeAddress = (executor: string, node: string | null): string => `${executor}/${node ?? ''}`;

/** How much is free of that of which a node has the least, 0 … 1; without an answer from the node, less for an executor with more room. */
function emptiness({ state, soon, executor }: Node): number {
  if (!soon || !state.allocatable) return 1 / (1 + executor.soon);
  let free = 1;
  for (const [name, amount] of Object.entries(state.allocatable))
    if (amount > 0) free = Math.min(free, (soon[name] ?? 0) / amount);
  return free;
}
