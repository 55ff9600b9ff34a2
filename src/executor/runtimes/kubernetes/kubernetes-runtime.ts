/**
 * The `kubernetes` runtime: a run is a pod.
 *
 * A pod and not a Job, because the controller of Jobs may start a second pod for the same run, and a run must start at
 * most once. The name of the pod has the id of the run, so Kubernetes creates only one, however often we ask. If we must
 * be sure that a pod is not created later, we take its name with a pod that never starts.
 *
 * Kubernetes starts the container of the job as it is, with the entry point of its image. How it ended and what it
 * printed, Kubernetes tells. Inputs and outputs go through a volume that the executor and the pods share; without one,
 * only jobs without inputs and outputs run.
 */
import type { Log } from '../../../platform/log.ts';
import { BackOff } from '../../host/retry.ts';
import { runDirectory } from '../../host/run-directory.ts';
import { RunError } from '../../host/run-error.ts';
import type { AttachOptions, CancelOutcome, RunHandle, Runtime, Work, WorkEnd } from '../../host/runtime.ts';
import { isReady } from './cluster-nodes.ts';
import { isFault, isPassing, type KubernetesApi, KubernetesError } from './kubernetes-api.ts';
import { type Times, usualTimes } from './kubernetes-times.ts';
import { PodLog } from './pod-log.ts';
import { closedPod, type Files, graceOf, labels, podManifest, podName } from './pod-manifest.ts';
import {
  begunAt,
  endOf,
  isOver,
  type Known,
  type Pod,
  readPod,
  waitLimits,
  waitOf,
  whyWaits,
} from './pod-state.ts';
import { PodSweep } from './pod-sweep.ts';
import { PodWatch } from './pod-watch.ts';
import { isBegunNoted, noteBegun, notePod, readPodNote } from './run-notes.ts';

export interface KubernetesRuntimeOptions {
  readonly api: KubernetesApi;
  readonly log: Log;
  /** The name of the executor. Its pods have it as a label. */
  readonly executor: string;
  /** The folder for the directories of runs. With a claim, it is in the volume of the claim. */
  readonly root: string;
  /** The volume that the executor and the pods share; null if there is none. */
  readonly volume: { readonly claim: string; subPathOf(runId: string): string } | null;
  /** The namespace for jobs that name none. */
  readonly namespace: string;
  /** Further namespaces that jobs can name. */
  readonly namespaces: readonly string[];
  readonly serviceAccount: string | null;
  /** Shorter times, for tests. */
  readonly times?: Partial<Times>;
}

/** After this time, a pod that somebody else has deleted is given up, if it does not go. Source: Armada. */
const STUCK_LEAVING_MS = 5 * 60_000;
/** A change that the watch has missed is noticed after this time. */
const LOOK_MS = 15_000;
const LIST_MS = 5_000;
/** The namespace of jobs that name none. */
const DEFAULT_NAMESPACE = 'default';

export class KubernetesRuntime implements Runtime {
  readonly folder: string;
  readonly whenStopped = 'LEAVE';
  readonly usesImages = true;
  readonly joinsOutput = true;
  /** Kubernetes makes pods wait. */
  readonly capacity = null;
  readonly #options: KubernetesRuntimeOptions;
  readonly #times: Times;
  readonly #namespaces: readonly string[];
  readonly #watches = new Map<string, PodWatch>();
  readonly #sweep: PodSweep;
  readonly #logs = new Map<string, PodLog>();
  /** What each pod was last, because it may be gone. */
  readonly #last = new Map<string, Pod>();
  readonly #givenUp = new Map<string, NonNullable<Known['givenUp']>>();

  constructor(options: KubernetesRuntimeOptions) {
    this.#options = options;
    this.folder = options.root;
    this.#times = { ...usualTimes, ...options.times };
    this.#namespaces = [...new Set([options.namespace, ...options.namespaces])];
    const { api, log, executor } = options;
    this.#sweep = new PodSweep({ api, log, executor, namespaces: this.#namespaces, times: this.#times });
  }

  nodes: Runtime['nodes'] = () => this.#sweep.nodes();

  async start(work: Work, signal: AbortSignal): Promise<RunHandle> {
    const { api, executor, serviceAccount, volume } = this.#options;
    const { runId, directory, logLimitBytes } = work;
    const namespace = this.#namespaceOf(work);
    const user = volume === null ? null : owner();
    const manifest = podManifest({ executor, work, serviceAccount, user, files: this.#filesOf(work) });
    notePod(directory.control, { namespace, logLimitBytes });
    this.#sweep.keep(runId);
    let isRepeated = false;
    const create = async () => {
      try {
        return await api.createPod(namespace, manifest, signal);
      } catch (error) {
        // The answer to an earlier call may be lost.
        if (isFault(error, 'EXISTS')) return await api.readPod(namespace, podName(runId), signal);
        if (isRepeated && isFault(error, 'REFUSED')) return null;
        isRepeated = true;
        throw error;
      }
    };
    try {
      return { runId, namespace, uid: readPod(await this.#insist(create, signal))?.uid ?? '' };
    } catch (error) {
      // If it was stopped, the pod may have been created. `cancel` makes sure that it is not created later.
      if (signal.aborted) return { runId, namespace, uid: '' };
      this.#sweep.drop(runId);
      throw error instanceof KubernetesError ? refusal(error) : error;
    }
  }

  async find(runId: string, signal: AbortSignal): Promise<RunHandle | null> {
    const note = readPodNote(runDirectory(this.folder, runId).control);
    // Without the note, the earlier executor had not asked for the pod yet.
    if (note === null) return null;
    const { namespace } = note;
    this.#sweep.keep(runId);
    try {
      const pod = await this.#insist(() => this.#podOrClosed(runId, namespace, signal), signal);
      if (!pod.isClosed) return { runId, namespace, uid: pod.uid };
      this.#sweep.drop(runId);
      return null;
    } catch (error) {
      if (!signal.aborted) throw error;
      // Nobody knows whether there is a pod. `cancel` makes sure that there is none.
      return { runId, namespace, uid: '' };
    }
  }

  async attach(handle: RunHandle, { signal, onWaiting, onBegun }: AttachOptions): Promise<void> {
    const { runId, namespace, name } = readHandle(handle);
    const { waitFactor } = this.#times;
    this.#sweep.keep(runId);
    const watch = this.#watchOf(namespace);
    const leave = watch.join();
    const [waiting, leaving] = [new Since(), new Since()];
    let [isWaiting, hasBegun] = [false, false];
    try {
      // From then on, nothing that happens to the pod is missed.
      await watch.listed(LIST_MS, signal);
      for (;;) {
        signal.throwIfAborted();
        const known = watch.get(name);
        const pod = known ?? (await this.#insist(() => this.#readPod(namespace, name, signal), signal));
        if (pod === null) return;
        this.#see(pod);
        const at = begunAt(pod);
        if (at !== null && !hasBegun) {
          hasBegun = true;
          onBegun(at);
        }
        if (isOver(pod) || pod.isClosed) return;
        const wait = hasBegun ? null : waitOf(pod);
        if (wait !== null && !isWaiting) {
          isWaiting = true;
          onWaiting();
        }
        if (wait !== null && waiting.millisecondsIn(wait) >= waitLimits[wait] * waitFactor) {
          this.#givenUp.set(runId, { why: `the pod did not start: ${whyWaits(pod)}`, wait });
          return;
        }
        if (leaving.millisecondsIn(String(pod.isLeaving)) > STUCK_LEAVING_MS * waitFactor && pod.isLeaving)
          return;
        await watch.next(name, known, LOOK_MS * Math.min(1, waitFactor), signal);
      }
    } finally {
      leave();
    }
  }

  async cancel(handle: RunHandle, graceSeconds: number): Promise<CancelOutcome> {
    const { runId, namespace, name, uid } = readHandle(handle);
    const limit = AbortSignal.timeout(graceSeconds * 1000 + this.#times.killWaitMs);
    const look = () =>
      // If nobody knows whether the pod was created, it must not be created later.
      uid === '' && !this.#last.has(runId)
        ? this.#podOrClosed(runId, namespace, limit)
        : this.#readPod(namespace, name, limit);
    const watch = this.#watchOf(namespace);
    const leave = watch.join();
    try {
      let isAsked = false;
      for (;;) {
        const known = watch.get(name);
        const pod = await this.#insist(look, limit);
        if (pod !== null) this.#see(pod);
        if (pod === null || pod.isClosed || isOver(pod)) return await this.#gone(runId, pod !== null);
        if (!isAsked) await this.#insist(() => this.#delete(namespace, pod, graceSeconds, limit), limit);
        isAsked = true;
        await watch.next(name, known, 1000, limit);
      }
    } catch (error) {
      if (!limit.aborted && !(error instanceof KubernetesError)) throw error;
      return await this.#force(handle, limit.aborted ? null : (error as KubernetesError));
    } finally {
      leave();
    }
  }

  async collect(handle: RunHandle): Promise<WorkEnd> {
    const { runId, namespace, name } = readHandle(handle);
    const signal = AbortSignal.timeout(this.#times.killWaitMs);
    const last = this.#last.get(runId) ?? null;
    const pod =
      last !== null && isOver(last)
        ? last
        : await this.#insist(() => this.#readPod(namespace, name, signal), signal).catch(() => null);
    const hasBegun = isBegunNoted(runDirectory(this.folder, runId).control);
    return endOf({ pod, last, hasBegun, givenUp: this.#givenUp.get(runId) ?? null });
  }

  /** The pod stays for a while, for people who look at it. */
  async forget(handle: RunHandle): Promise<void> {
    const { runId } = readHandle(handle);
    this.#sweep.drop(runId);
    for (const map of [this.#logs, this.#last, this.#givenUp]) map.delete(runId);
  }

  /** @throws RunError if the job names a namespace that the executor does not use. */
  #namespaceOf({ placing: { namespace } }: Work): string {
    if (namespace === DEFAULT_NAMESPACE) return this.#options.namespace;
    if (this.#namespaces.includes(namespace)) return namespace;
    const message = `jobs may not use the namespace ${namespace} on this executor; it has ${this.#namespaces.join(', ')}`;
    throw new RunError('USER', 'NamespaceRefused', message);
  }

  /** @throws RunError if the job has files and there is no volume for them. */
  #filesOf({ runId, hasFiles }: Work): Files {
    const { volume } = this.#options;
    if (volume !== null) return { claim: volume.claim, subPath: volume.subPathOf(runId) };
    if (!hasFiles) return 'EMPTY';
    const message =
      'the job has inputs or outputs, and the executor has no volume that it shares with its pods (KUBERNETES_VOLUME_CLAIM)';
    throw new RunError('SYSTEM', 'NoSharedVolume', message);
  }

  #watchOf(namespace: string): PodWatch {
    const known = this.#watches.get(namespace);
    if (known) return known;
    const { api, log, executor } = this.#options;
    const watch = new PodWatch({
      ...{ api, log, namespace, labels: `${labels.executor}=${executor}` },
      resyncMs: this.#times.resyncMs,
      onPod: (pod) => this.#see(pod, namespace),
    });
    this.#watches.set(namespace, watch);
    return watch;
  }

  /** Remembers what the pod of a run is, and follows its log when the command has begun. */
  #see(pod: Pod, namespace?: string): void {
    const { runId } = pod;
    if (pod.isClosed || !this.#sweep.isKept(runId)) return;
    this.#last.set(runId, pod);
    if (begunAt(pod) === null || this.#logs.has(runId)) return;
    const { control, logs } = runDirectory(this.folder, runId);
    noteBegun(control);
    const note = readPodNote(control);
    if (note === null) return;
    const log = new PodLog({
      ...{ api: this.#options.api, log: this.#options.log, pod: pod.name, files: logs.STDOUT },
      ...{ namespace: namespace ?? note.namespace, limitBytes: note.logLimitBytes + 1 },
    });
    this.#logs.set(runId, log);
    if (!isOver(pod)) log.follow();
  }

  /** Nothing of the run is left, except for its log. @param isKept  whether the pod still exists. */
  async #gone(runId: string, isKept: boolean): Promise<CancelOutcome> {
    await this.#logs.get(runId)?.finish(isKept, this.#times.logMs);
    return { isGone: true };
  }

  /** The pod did not go in time. If its node has failed, nobody can end it, and it is removed from Kubernetes. */
  async #force(handle: RunHandle, error: KubernetesError | null): Promise<CancelOutcome> {
    const { runId, namespace, name, uid } = readHandle(handle);
    const signal = AbortSignal.timeout(this.#times.killWaitMs);
    const node = this.#last.get(runId)?.node ?? null;
    const said = error === null ? '' : `: ${error.message}`;
    const notGone = { isGone: false, message: `Kubernetes has not ended the pod yet${said}` } as const;
    if (node === null || !(await this.#isNodeLost(node, signal))) return notGone;
    // The command may have begun there, so nobody repeats it as if nothing had happened.
    noteBegun(runDirectory(this.folder, runId).control);
    try {
      await this.#options.api.deletePod(namespace, name, { graceSeconds: 0, uid }, signal);
    } catch (failure) {
      if (!isFault(failure, 'NOT_FOUND', 'CHANGED')) return notGone;
    }
    return await this.#gone(runId, false);
  }

  async #isNodeLost(node: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { status } = (await this.#options.api.readNode(node, signal)) as { status?: unknown };
      return !isReady(status);
    } catch (error) {
      return isFault(error, 'NOT_FOUND');
    }
  }

  async #delete(namespace: string, pod: Pod, seconds: number, signal: AbortSignal): Promise<void> {
    const graceSeconds = graceOf(seconds);
    try {
      await this.#options.api.deletePod(namespace, pod.name, { graceSeconds, uid: pod.uid }, signal);
    } catch (error) {
      if (!isFault(error, 'NOT_FOUND', 'CHANGED')) throw error;
    }
  }

  /** Null if there is none. */
  async #readPod(namespace: string, name: string, signal: AbortSignal): Promise<Pod | null> {
    try {
      return readPod(await this.#options.api.readPod(namespace, name, signal));
    } catch (error) {
      if (isFault(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }

  /** The pod of a run. If there is none, its name is taken by a pod that never starts. */
  async #podOrClosed(runId: string, namespace: string, signal: AbortSignal): Promise<Pod> {
    const { api, executor } = this.#options;
    for (;;) {
      const pod = await this.#readPod(namespace, podName(runId), signal);
      if (pod !== null) return pod;
      try {
        const closed = readPod(await api.createPod(namespace, closedPod(executor, runId), signal));
        if (closed !== null) return closed;
      } catch (error) {
        // Then the pod of the run is there now.
        if (!isFault(error, 'EXISTS')) throw error;
      }
    }
  }

  /** Repeats a call while Kubernetes is away. */
  async #insist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let said = '';
    for (const backOff = new BackOff(); ; ) {
      try {
        return await call();
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        const reason = (error as Error).message;
        if (reason !== said) this.#options.log.warn({ reason }, 'Kubernetes does not do it; trying again');
        said = reason;
        await backOff.pause(signal, error);
      }
    }
  }
}

function readHandle(handle: RunHandle) {
  const runId = String(handle['runId']);
  return {
    ...{ runId, name: podName(runId), namespace: String(handle['namespace']) },
    /** Empty if nobody knows whether the pod was created. */
    uid: String(handle['uid'] ?? ''),
  };
}

function refusal(error: KubernetesError): RunError {
  const kind = error.isForbidden ? 'SYSTEM' : 'USER';
  return new RunError(kind, 'PodRefused', `Kubernetes refused the pod: ${error.message}`, { cause: error });
}

/** The user who owns the files of runs. */
function owner(): { uid: number; gid: number } | null {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return uid === undefined || gid === undefined ? null : { uid, gid };
}

/** How long something has been the same. */
class Since {
  #state = '';
  #at = 0;

  millisecondsIn(state: string): number {
    if (state !== this.#state) [this.#state, this.#at] = [state, performance.now()];
    return performance.now() - this.#at;
  }
}
