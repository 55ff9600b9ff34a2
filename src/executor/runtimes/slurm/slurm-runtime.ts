/**
 * The `slurm` runtime: a run is a batch job of Slurm, submitted through slurmrestd.
 *
 * The directories of runs are in a folder that the nodes of Slurm see under the same path. What a job does it writes
 * there, so slurmctld may be away for any time, and may have forgotten the job when we ask. Slurm is asked only for what
 * the files cannot tell: whether a job is gone, and why.
 *
 * A job is found by its name, which has the id of the run; when it has begun, also by the gate of the run. If a submission
 * was perhaps lost, it is repeated: of several jobs of one run, the gate lets only one start the command. The gate also
 * makes sure that a job that Slurm requeues after it has begun does nothing: that run is lost.
 *
 * A job that Slurm holds after a failed launch is not released: its node may fail again, and only the server can choose
 * another one. It is cancelled behind a closed gate and returned. A job that waits although its run is over is cancelled
 * when the run is forgotten, or else by the sweep.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../platform/log.ts';
import { BackOff } from '../../host/retry.ts';
import { runDirectory } from '../../host/run-directory.ts';
import { RunError } from '../../host/run-error.ts';
import type {
  AttachOptions,
  CancelOutcome,
  RunHandle,
  Runtime,
  RuntimeNode,
  Work,
  WorkEnd,
} from '../../host/runtime.ts';
import { begunAt, closeGate, isLogComplete, readExit, readGate } from '../command-wrapper.ts';
import { launcherOf, launchScript } from './launch-script.ts';
import { isPassing, type SlurmClient, SlurmError } from './slurm-client.ts';
import {
  endOf,
  failureOf,
  isInnocent,
  isPending,
  jobName,
  readJobs,
  readNodes,
  readSubmitted,
  requeued,
  type SlurmJob,
  submission,
  waits,
  whyNever,
} from './slurm-job.ts';
import { SlurmSweep } from './slurm-sweep.ts';
import { apiOf, chooseVersion, type SlurmVersion } from './slurm-version.ts';

export interface SlurmRuntimeOptions {
  readonly client: SlurmClient;
  readonly log: Log;
  /** The folder for the directories of runs, which the nodes see under the same path. */
  readonly root: string;
  readonly partition: string | null;
  readonly account: string | null;
  /** How often Slurm is asked about a job; 5 s by default. */
  readonly askMs?: number;
  /** How long a file may take from a node to us; 15 s by default. */
  readonly shareMs?: number;
  /** How long Slurm may take to kill a job; 60 s by default. */
  readonly killWaitMs?: number;
  /** How often the jobs of the cluster are looked through; 5 min by default. */
  readonly sweepMs?: number;
  /** How long a job may wait that no run of this executor knows; 1 min by default. */
  readonly orphanMs?: number;
}

const LOOK_MS = 250;
const NODES_MS = 60_000;
const FIRST_NODES_MS = 2_000;
/** The end of a run must not wait for Slurm. */
const TIDY_MS = 5_000;
/** A second limit, by Slurm, for work whose executor does not come back. */
const LIMIT_MARGIN_SECONDS = 60;

type State = 'ENDED' | 'GOES_ON';

export class SlurmRuntime implements Runtime {
  readonly folder: string;
  readonly whenStopped = 'LEAVE';
  /** Slurm makes jobs wait. */
  readonly capacity = null;
  readonly #options: SlurmRuntimeOptions;
  readonly #askMs: number;
  readonly #shareMs: number;
  readonly #killWaitMs: number;
  readonly #sweep: SlurmSweep;
  #version: Promise<SlurmVersion> | null = null;
  #nodes: readonly RuntimeNode[] = [];
  #nodesAt = Number.NEGATIVE_INFINITY;
  #nodesAsked: Promise<void> | null = null;
  /** What Slurm said last about each job, because it soon forgets jobs that have ended. */
  readonly #seen = new Map<string, SlurmJob>();
  /** Why jobs will never run. */
  readonly #hopeless = new Map<string, string>();

  constructor(options: SlurmRuntimeOptions) {
    this.#options = options;
    this.folder = options.root;
    this.#askMs = options.askMs ?? 5_000;
    this.#shareMs = options.shareMs ?? 15_000;
    this.#killWaitMs = options.killWaitMs ?? 60_000;
    this.#sweep = new SlurmSweep({
      ...{ log: options.log, root: options.root, user: options.client.user },
      ask: (method, path, signal) => this.#ask(method, path, signal),
      everyMs: options.sweepMs ?? 5 * 60_000,
      orphanMs: options.orphanMs ?? 60_000,
    });
  }

  /**
   * The nodes that Slurm named last. The executor must not wait for Slurm here, so this asks in the background. The
   * executor calls this all its life, so this is also when old jobs are looked for.
   */
  async nodes(): Promise<readonly RuntimeNode[]> {
    this.#sweep.lookIfDue();
    if (performance.now() - this.#nodesAt > NODES_MS) {
      this.#nodesAsked ??= this.#askForNodes().finally(() => {
        this.#nodesAsked = null;
      });
      const isFirst = this.#nodesAt === Number.NEGATIVE_INFINITY;
      if (isFirst) await Promise.race([this.#nodesAsked, sleep(FIRST_NODES_MS)]);
    }
    return this.#nodes;
  }

  async #askForNodes(): Promise<void> {
    try {
      this.#nodes = readNodes(await this.#ask('GET', '/nodes'), this.#options.partition);
      this.#nodesAt = performance.now();
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      this.#options.log.warn({ reason: error.message }, 'Slurm does not tell its nodes');
      this.#nodesAt = performance.now() - NODES_MS + this.#askMs;
    }
  }

  async start(work: Work, signal: AbortSignal): Promise<RunHandle> {
    const { runId, directory } = work;
    this.#sweep.keep(runId);
    writeFileSync(launcherOf(directory.control), launchScript(work), { mode: 0o700 });
    const { timeoutSeconds, terminationGraceSeconds } = work;
    const limitSeconds =
      timeoutSeconds === null ? null : timeoutSeconds + terminationGraceSeconds + LIMIT_MARGIN_SECONDS;
    const { partition, account } = this.#options;
    const body = (version: SlurmVersion) =>
      submission(version, {
        ...{ runId, jobId: work.jobId, requests: work.requests, node: work.node, partition, account },
        folder: directory.work,
        launcher: launcherOf(directory.control),
        said: join(directory.control, 'said'),
        timeLimitMinutes: limitSeconds === null ? null : Math.ceil(limitSeconds / 60),
      });
    let isRepeated = false;
    const submit = async (): Promise<number> => {
      // The answer to the last try may be lost.
      const known = isRepeated ? await this.#findJob(runId, signal) : null;
      if (known !== null) return known.id;
      isRepeated = true;
      const version = await this.#chosenVersion();
      const answer = await this.#options.client.ask('POST', `${apiOf(version)}/job/submit`, {
        body: body(version),
        signal,
      });
      const id = readSubmitted(answer);
      if (id === null) throw new SlurmError('AWAY', 'the answer to a submission has no number of a job');
      return id;
    };
    try {
      return { runId, job: await this.#insist(submit, signal) };
    } catch (error) {
      return this.#givenUp(runId, error);
    }
  }

  async find(runId: string, signal: AbortSignal): Promise<RunHandle | null> {
    this.#sweep.keep(runId);
    const { control } = runDirectory(this.folder, runId);
    const gate = readGate(control);
    if (gate !== null) return { runId, job: gate.slurmJob };
    try {
      const job = await this.#insist(() => this.#findJob(runId, signal), signal);
      if (job !== null) return { runId, job: job.id };
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (closeGate(control)) return { runId, job: readGate(control)?.slurmJob ?? 0 };
    this.#sweep.drop(runId);
    return null;
  }

  async attach(handle: RunHandle, { signal, onWaiting, onBegun }: AttachOptions): Promise<void> {
    const { runId, control } = this.#read(handle);
    this.#sweep.keep(runId);
    let [isWaiting, hasBegun] = [false, false];
    let askAt = performance.now() + this.#askMs;
    for (;;) {
      signal.throwIfAborted();
      const at = hasBegun ? null : begunAt(control);
      if (at !== null) {
        hasBegun = true;
        onBegun(at);
      }
      if (readExit(control) !== null) return;
      if (performance.now() > askAt) {
        if ((await this.#stateOf(handle, signal)) === 'ENDED') {
          await this.#until(() => readExit(control) !== null, this.#shareMs, signal);
          // A job that was requeued before its command began is a new one.
          if (readExit(control) !== null || (await this.#stateOf(handle, signal)) === 'ENDED') {
            if (!hasBegun && begunAt(control) !== null) continue;
            return;
          }
        }
        if (!isWaiting && !hasBegun && begunAt(control) === null && waits(this.#seen.get(runId))) {
          isWaiting = true;
          onWaiting();
        }
        // Many jobs together must not keep slurmctld busy.
        askAt = performance.now() + Math.max(this.#askMs, this.#seen.size * 50);
      }
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  async cancel(handle: RunHandle, graceSeconds: number): Promise<CancelOutcome> {
    const { control } = this.#read(handle);
    if (!closeGate(control)) {
      // The job can do nothing any more. If it cannot be deleted now, it ends at once when it starts.
      await this.#kill(handle, null).catch(() => {});
      return { isGone: true };
    }
    const isOver = () => readExit(control) !== null;
    if (!isOver()) {
      const graceMs = graceSeconds * 1000;
      const isAsked = await this.#kill(handle, 'SIGTERM').then(
        () => true,
        () => false,
      );
      if (isAsked) await this.#untilGone(handle, isOver, graceMs);
    }
    if (isOver() && (await this.#until(() => isLogComplete(control), this.#shareMs))) return { isGone: true };
    try {
      // Without a signal, Slurm would first wait for KillWait.
      await this.#kill(handle, 'SIGKILL');
      await this.#kill(handle, null);
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      return { isGone: false, message: `Slurm does not cancel the job: ${error.message}` };
    }
    const isGone = await this.#untilGone(handle, () => false, this.#killWaitMs);
    return isGone ? { isGone } : { isGone, message: 'Slurm has not ended the job yet' };
  }

  async collect(handle: RunHandle): Promise<WorkEnd> {
    const { runId, control } = this.#read(handle);
    const exit = readExit(control);
    if (exit !== null && exit.signal === null) return { kind: 'EXITED', exit };
    // Slurm says more than the signal, if it has ended the command.
    const { signal } = new AbortController();
    await this.#until(async () => (await this.#stateOf(handle, signal)) === 'ENDED', this.#shareMs);
    const job = this.#seen.get(runId) ?? null;
    const end = job && endOf(job);
    const isRequeued = job !== null && this.#isRequeued(control, job);
    if (isRequeued) await this.#kill(handle, null).catch(() => {});
    const failure = isRequeued ? requeued : failureOf(end);
    if (failure === null && exit !== null) return { kind: 'EXITED', exit };
    if (!closeGate(control)) {
      const hopeless = this.#hopeless.get(runId);
      const why = hopeless ?? (job ? [...job.states, job.reason].join(', ') : 'it is gone');
      const isFault = hopeless !== undefined || job === null || !isInnocent(job);
      return { kind: 'NOT_BEGUN', reason: `the job of Slurm did not begin: ${why}`, isFault };
    }
    const message = 'the job is gone from Slurm and nobody knows how its command ended';
    return { kind: 'FAILED', failure: failure ?? { code: 'RunLost', message, kind: 'SYSTEM' } };
  }

  async forget(handle: RunHandle): Promise<void> {
    const { runId } = this.#read(handle);
    await this.#tidy(handle);
    this.#seen.delete(runId);
    this.#hopeless.delete(runId);
    this.#sweep.drop(runId);
  }

  /**
   * A slurmctld that was killed can put the job of a run that is over back into its queue, and hold it there. If Slurm
   * cannot be asked now, the sweep finds the job later.
   */
  async #tidy(handle: RunHandle): Promise<void> {
    const signal = AbortSignal.timeout(TIDY_MS);
    try {
      const job = await this.#jobOf(handle, signal);
      if (job !== null && job !== 'AWAY' && isPending(job))
        await this.#ask('DELETE', `/job/${job.id}`, signal);
    } catch (error) {
      if (!(error instanceof SlurmError) && !signal.aborted) throw error;
    }
  }

  /** Whether the job is over for Slurm, or is not the one any more that has begun. */
  async #stateOf(handle: RunHandle, signal: AbortSignal): Promise<State> {
    const { runId, control } = this.#read(handle);
    const job = await this.#jobOf(handle, signal);
    if (job === 'AWAY') return 'GOES_ON';
    if (job === null) return 'ENDED';
    this.#seen.set(runId, job);
    const why = whyNever(job);
    if (why !== null) this.#hopeless.set(runId, why);
    const isOver = endOf(job) !== null || why !== null || this.#isRequeued(control, job);
    return isOver ? 'ENDED' : 'GOES_ON';
  }

  #isRequeued(control: string, job: SlurmJob): boolean {
    const gate = readGate(control);
    return gate !== null && job.restarts > gate.restarts;
  }

  /** Null if Slurm does not have it any more. */
  async #jobOf(handle: RunHandle, signal: AbortSignal): Promise<SlurmJob | null | 'AWAY'> {
    const { runId, job } = this.#read(handle);
    if (job === 0) return null;
    try {
      const jobs = readJobs(await this.#ask('GET', `/job/${job}`, signal));
      // A slurmctld that was killed can use a number twice.
      return jobs.find(({ id, name }) => id === job && name === jobName(runId)) ?? null;
    } catch (error) {
      if (signal.aborted || !(error instanceof SlurmError)) throw error;
      return error.fault === 'UNKNOWN_JOB' ? null : 'AWAY';
    }
  }

  async #findJob(runId: string, signal: AbortSignal): Promise<SlurmJob | null> {
    const jobs = readJobs(await this.#ask('GET', '/jobs', signal));
    return jobs.find(({ name }) => name === jobName(runId)) ?? null;
  }

  /** @param name  the signal; null ends the job. @throws SlurmError if Slurm does not do it. */
  async #kill(handle: RunHandle, name: 'SIGTERM' | 'SIGKILL' | null): Promise<void> {
    const { job } = this.#read(handle);
    if (job === 0) return;
    const signal = AbortSignal.timeout(this.#killWaitMs);
    try {
      const query = name === null ? '' : `?signal=${name}`;
      await this.#insist(async () => {
        const known = await this.#jobOf(handle, signal);
        if (known === 'AWAY') throw new SlurmError('AWAY', 'slurmctld does not answer');
        if (known !== null) await this.#ask('DELETE', `/job/${job}${query}`, signal);
      }, signal);
    } catch (error) {
      if (error instanceof SlurmError && error.fault === 'UNKNOWN_JOB') return;
      if (signal.aborted) throw new SlurmError('AWAY', 'slurmctld does not answer');
      throw error;
    }
  }

  /** Waits until the run is over or Slurm has ended its job. */
  async #untilGone(handle: RunHandle, isOver: () => boolean, milliseconds: number): Promise<boolean> {
    const giveUpAt = performance.now() + milliseconds;
    const { signal } = new AbortController();
    for (;;) {
      if (isOver()) return true;
      const job = await this.#jobOf(handle, signal);
      if (job === null || (job !== 'AWAY' && endOf(job) !== null)) return true;
      if (performance.now() > giveUpAt) return false;
      await sleep(LOOK_MS);
    }
  }

  async #until(
    holds: () => boolean | Promise<boolean>,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const giveUpAt = performance.now() + milliseconds;
    while (!(await holds())) {
      if (performance.now() > giveUpAt) return false;
      await sleep(LOOK_MS, undefined, { signal });
    }
    return true;
  }

  /** The start was stopped or refused, although a job may have been submitted. */
  #givenUp(runId: string, error: unknown): RunHandle {
    const { control } = runDirectory(this.folder, runId);
    if (closeGate(control)) return { runId, job: readGate(control)?.slurmJob ?? 0 };
    this.#sweep.drop(runId);
    if (error instanceof SlurmError)
      throw new RunError('SYSTEM', 'SlurmRefused', `Slurm refused the job: ${error.message}`, {
        cause: error,
      });
    throw error;
  }

  /** Repeats a call while Slurm is away. What fails for long is logged by the caller of the runtime. */
  async #insist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (const backOff = new BackOff(); ; ) {
      try {
        return await call();
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        this.#options.log.warn({ reason: (error as Error).message }, 'Slurm does not answer; trying again');
        await backOff.pause(signal, error);
      }
    }
  }

  async #ask(method: 'GET' | 'DELETE', path: string, signal?: AbortSignal): Promise<Record<string, unknown>> {
    return await this.#options.client.ask(method, `${apiOf(await this.#chosenVersion())}${path}`, { signal });
  }

  /** Asked once. After an update of Slurm, the executor must start again. */
  async #chosenVersion(): Promise<SlurmVersion> {
    this.#version ??= chooseVersion(this.#options.client).then((version) => {
      this.#options.log.info({ api: `v0.0.${version}` }, 'Slurm answers');
      return version;
    });
    try {
      return await this.#version;
    } catch (error) {
      this.#version = null;
      throw error;
    }
  }

  #read(handle: RunHandle): { runId: string; control: string; job: number } {
    const runId = String(handle['runId']);
    const { control } = runDirectory(this.folder, runId);
    // If the run was submitted twice, the job that has opened the gate is the one that counts.
    return { runId, control, job: readGate(control)?.slurmJob || Number(handle['job']) || 0 };
  }
}
