import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../platform/log.ts';
import { BackOff } from '../../host/retry.ts';
import { faultOf, isFault, type KubernetesApi } from './kubernetes-api.ts';
import { type Pod, readPod } from './pod-state.ts';

export interface PodWatchOptions {
  readonly api: KubernetesApi;
  readonly log: Log;
  readonly namespace: string;
  /** The pods to watch. */
  readonly labels: string;
  /** After this time, all pods are listed again, in case a change was missed. */
  readonly resyncMs: number;
  /** Called for each pod that the watch hears of, also when it is gone: then with what it was last. */
  onPod(pod: Pod): void;
}

/** How often a watch that fails is tried again before all pods are listed again. */
const MAX_FAILURES = 3;
const LONGEST_PAUSE_MS = 10_000;
/** No pod has this name. */
const ALL = '';

/**
 * What Kubernetes says about the pods of one namespace, as long as somebody uses it: a list, and then a watch of what
 * changes. When the watch ends, it goes on from the last version that it has seen. If this version is too old, or after
 * `resyncMs`, all pods are listed again.
 */
export class PodWatch {
  readonly #options: PodWatchOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #waiters = new Map<string, Set<() => void>>();
  #users = 0;
  #isListed = false;
  #stop = new AbortController();

  constructor(options: PodWatchOptions) {
    this.#options = options;
  }

  /** Watches until the function that it returns is called. */
  join(): () => void {
    this.#users += 1;
    if (this.#users === 1) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#stop.abort();
      this.#pods.clear();
      this.#isListed = false;
    };
  }

  /** Resolves when the watch knows all pods, at the latest after `milliseconds`. */
  async listed(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#isListed) await this.next(ALL, undefined, milliseconds, signal);
  }

  /** What is known of the pod. Undefined if nothing is: it can be gone, or not be known yet. */
  get(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  /**
   * Resolves when something else than `known` is known of the pod, at the latest after `milliseconds`.
   *
   * @throws the reason of the signal if it fires.
   */
  async next(name: string, known: Pod | undefined, milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#pods.get(name) !== known) return;
    const over = new AbortController();
    const waiters = this.#waiters.get(name) ?? new Set();
    this.#waiters.set(name, waiters);
    const wake = () => over.abort();
    waiters.add(wake);
    signal.addEventListener('abort', wake);
    try {
      await sleep(milliseconds, undefined, { signal: over.signal });
    } catch {
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', wake);
      waiters.delete(wake);
      if (waiters.size === 0) this.#waiters.delete(name);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { log, namespace } = this.#options;
    const backOff = new BackOff((milliseconds, value, options) =>
      sleep(Math.min(milliseconds * 2, LONGEST_PAUSE_MS), value, options),
    );
    while (!signal.aborted) {
      try {
        const version = await this.#list(signal);
        backOff.reset();
        await this.#watchFrom(version, backOff, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isFault(error, 'EXPIRED'))
          log.warn({ namespace, reason: (error as Error).message }, 'cannot watch the pods; trying again');
        await backOff.pause(signal, error).catch(() => {});
      }
    }
  }

  /** @returns the version of the list. */
  async #list(signal: AbortSignal): Promise<string> {
    const { api, namespace, labels, onPod } = this.#options;
    const { items, version } = await api.listPods(namespace, { labels }, signal);
    const pods = items.flatMap((item) => readPod(item) ?? []);
    const names = new Set([...this.#pods.keys(), ...pods.map(({ name }) => name)]);
    this.#pods.clear();
    for (const pod of pods) {
      this.#pods.set(pod.name, pod);
      onPod(pod);
    }
    this.#isListed = true;
    for (const name of [...names, ALL]) this.#wake(name);
    return version;
  }

  /** Resolves when it is time to list again. @throws KubernetesError if the watch fails again and again. */
  async #watchFrom(first: string, backOff: BackOff, signal: AbortSignal): Promise<void> {
    const { api, namespace, labels, resyncMs, onPod } = this.#options;
    const listAt = performance.now() + resyncMs;
    let version = first;
    let failures = 0;
    while (performance.now() < listAt) {
      let fault: Error | null = null;
      const onEvent = (type: string, object: unknown) => {
        if (type === 'ERROR') {
          fault = faultOf(codeOf(object), object);
          return;
        }
        const newer = versionOf(object);
        if (newer === null) return;
        version = newer;
        failures = 0;
        const pod = type === 'BOOKMARK' ? null : readPod(object);
        if (pod === null) return;
        if (type === 'DELETED') this.#pods.delete(pod.name);
        else this.#pods.set(pod.name, pod);
        onPod(pod);
        this.#wake(pod.name);
      };
      const timeoutSeconds = Math.max(1, Math.ceil((listAt - performance.now()) / 1000));
      const beganAt = performance.now();
      try {
        await api.watchPods(namespace, { labels, version, timeoutSeconds, onEvent }, signal);
        if (fault !== null) throw fault;
        // A server that ends each watch at once must not be asked without a pause.
        if (performance.now() - beganAt < 1000) throw new Error('the watch ended at once');
        failures = 0;
      } catch (error) {
        failures += 1;
        if (signal.aborted || isFault(error, 'EXPIRED') || failures > MAX_FAILURES) throw error;
        await backOff.pause(signal, error);
      }
    }
  }

  #wake(name: string): void {
    for (const wake of this.#waiters.get(name) ?? []) wake();
  }
}

function versionOf(object: unknown): string | null {
  const { metadata } = (object ?? {}) as { metadata?: { resourceVersion?: unknown } };
  return typeof metadata?.resourceVersion === 'string' ? metadata.resourceVersion : null;
}

/** The status of an error that a watch sends. */
function codeOf(object: unknown): number {
  const { code } = (object ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : 500;
}
