import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../platform/log.ts';
import type { RuntimeNode } from '../../host/runtime.ts';
import { clusterNodes } from './cluster-nodes.ts';
import { isFault, type KubernetesApi, KubernetesError } from './kubernetes-api.ts';
import { labels } from './pod-manifest.ts';
import { isOver, type Pod, readPod } from './pod-state.ts';

export interface PodSweepOptions {
  readonly api: KubernetesApi;
  readonly log: Log;
  readonly executor: string;
  readonly namespaces: readonly string[];
  readonly times: {
    readonly nodesMs: number;
    readonly keepMs: number;
    readonly keepFailedMs: number;
    readonly orphanMs: number;
  };
}

const FIRST_NODES_MS = 2_000;
const AGAIN_MS = 5_000;
const TIMEOUT_MS = 60_000;
/** Pods that have ended hold nothing of a node. */
const NOT_OVER = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Looks at the whole cluster from time to time: which nodes it has, and which pods of this executor nobody needs any
 * more. The executor must not wait for Kubernetes, so this happens in the background.
 */
export class PodSweep {
  readonly #options: PodSweepOptions;
  readonly #kept = new Set<string>();
  /** Since when we have seen pods that no run knows, by their uid. */
  readonly #seenSince = new Map<string, number>();
  #nodes: readonly RuntimeNode[] = [];
  #lookAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;
  #isForbidden = false;

  constructor(options: PodSweepOptions) {
    this.#options = options;
  }

  /** The pod of this run is needed. */
  keep(runId: string): void {
    this.#kept.add(runId);
  }

  /** The pod of this run is not needed any more. It stays for a while. */
  drop(runId: string): void {
    this.#kept.delete(runId);
  }

  isKept(runId: string): boolean {
    return this.#kept.has(runId);
  }

  /** The nodes that Kubernetes named last. */
  async nodes(): Promise<readonly RuntimeNode[]> {
    if (performance.now() >= this.#lookAt) {
      const isFirst = this.#lookAt === Number.NEGATIVE_INFINITY;
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
      if (isFirst) await Promise.race([this.#looking, sleep(FIRST_NODES_MS)]);
    }
    return this.#nodes;
  }

  async #look(): Promise<void> {
    const { log, times } = this.#options;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      await this.#readNodes(signal);
      await this.#sweep(signal);
      this.#lookAt = performance.now() + times.nodesMs;
    } catch (error) {
      if (!(error instanceof KubernetesError) && !signal.aborted) throw error;
      log.warn({ reason: (error as Error).message }, 'Kubernetes does not tell its nodes and pods');
      this.#lookAt = performance.now() + Math.min(AGAIN_MS, times.nodesMs);
    }
  }

  async #readNodes(signal: AbortSignal): Promise<void> {
    const { api, executor } = this.#options;
    const [nodes, pods] = await Promise.all([
      this.#permitted(api.listNodes(signal), 'nodes'),
      this.#permitted(api.listPods(null, { fields: NOT_OVER }, signal), 'pods of all namespaces'),
    ]);
    this.#nodes = clusterNodes(nodes, pods, executor);
  }

  /** An executor with rights in its namespace only works too, but it knows less. */
  async #permitted(list: Promise<{ items: readonly unknown[] }>, what: string): Promise<readonly unknown[]> {
    try {
      return (await list).items;
    } catch (error) {
      if (!isFault(error, 'REFUSED')) throw error;
      if (!this.#isForbidden)
        this.#options.log.warn({ reason: (error as Error).message }, `cannot list the ${what}`);
      this.#isForbidden = true;
      return [];
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { api, executor, namespaces } = this.#options;
    const present = new Set<string>();
    for (const namespace of namespaces) {
      const { items } = await api.listPods(namespace, { labels: `${labels.executor}=${executor}` }, signal);
      for (const pod of items.flatMap((item) => readPod(item) ?? [])) {
        present.add(pod.uid);
        await this.#judge(namespace, pod, signal);
      }
    }
    for (const uid of this.#seenSince.keys()) if (!present.has(uid)) this.#seenSince.delete(uid);
  }

  async #judge(namespace: string, pod: Pod, signal: AbortSignal): Promise<void> {
    const { api, log } = this.#options;
    if (this.#kept.has(pod.runId)) {
      this.#seenSince.delete(pod.uid);
      return;
    }
    const since = this.#seenSince.get(pod.uid) ?? performance.now();
    this.#seenSince.set(pod.uid, since);
    if (pod.isLeaving || performance.now() - since < this.#keepMs(pod)) return;
    if (!isOver(pod) && !pod.isClosed)
      log.warn({ runId: pod.runId, pod: pod.name }, 'deleting a pod that no run of this executor knows');
    try {
      await api.deletePod(namespace, pod.name, { graceSeconds: 30, uid: pod.uid }, signal);
    } catch (error) {
      if (!isFault(error, 'NOT_FOUND', 'CHANGED')) throw error;
    }
  }

  #keepMs(pod: Pod): number {
    const { keepMs, keepFailedMs, orphanMs } = this.#options.times;
    if (pod.isClosed || !isOver(pod)) return orphanMs;
    return pod.phase === 'Failed' ? keepFailedMs : keepMs;
  }
}
