/**
 * The `process` runtime: a run is a process on the machine of the executor, which continues when the executor dies.
 *
 * It does not isolate. The command runs as the executor's user and can do everything that this user can. It gets its
 * own directory and an environment without the executor's variables. Requests for CPUs and memory decide what runs at
 * the same time; nothing holds a command to them. When a run is over, all processes that it started are ended.
 */
import { availableParallelism, hostname, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../../platform/process-identity.ts';
import { runDirectory } from '../../host/run-directory.ts';
import type {
  AttachOptions,
  CancelOutcome,
  Capacity,
  RunHandle,
  RunSample,
  Runtime,
  Work,
  WorkEnd,
} from '../../host/runtime.ts';
import { begunAt, closeGate, isLogComplete, readExit, readGate, readLeaderPid } from '../command-wrapper.ts';
import { measureRuns } from './measure-runs.ts';
import { endProcesses, findLeader, killGroup, listRunProcesses, pauses, runsIn } from './process-group.ts';
import { startCommand } from './start-command.ts';

export interface ProcessRuntimeOptions {
  /** The folder for the directories of runs. It is created, only for its user, if it does not exist. */
  readonly root: string;
  /** What all runs share; by default what the machine has. */
  readonly capacity?: Partial<Capacity>;
  /** How long we wait for processes after SIGKILL; 30 s by default. */
  readonly killWaitSeconds?: number;
}

/** If the log is not complete when all processes of its run have ended, another process holds a pipe open. */
const LAST_OUTPUT_MILLISECONDS = 2000;
/** How long a shell may take to start its command. */
const BEGIN_MILLISECONDS = 10_000;

/** @throws Error on Windows, which has no process groups. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  if (process.platform === 'win32') throw new Error('the process runtime does not run on Windows');
  return new ProcessRuntime(options);
}

/** What the machine has. Inside of a container, this is what the container may use. */
function machineCapacity(): Capacity {
  const limit = process.constrainedMemory();
  return {
    cpuMillis: availableParallelism() * 1000,
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
  };
}

class ProcessRuntime implements Runtime {
  readonly folder: string;
  readonly whenStopped = 'END';
  readonly capacity: Capacity;
  readonly #killWaitSeconds: number;
  /** The runs that this process has started, or whose command it has seen alive. */
  readonly #known = new Set<string>();

  constructor({ root, capacity, killWaitSeconds = 30 }: ProcessRuntimeOptions) {
    this.folder = resolve(root);
    this.capacity = { ...machineCapacity(), ...capacity };
    this.#killWaitSeconds = killWaitSeconds;
  }

  async nodes() {
    const { cpuMillis, memoryBytes } = this.capacity;
    return [{ name: hostname(), allocatable: { cpu: `${cpuMillis}m`, memory: String(memoryBytes) } }];
  }

  async start(work: Work): Promise<RunHandle> {
    const shell = await startCommand(work);
    this.#known.add(work.runId);
    const identity = identifyProcess(shell.pid) ?? { pid: shell.pid, startedAt: 'ended' };
    return { runId: work.runId, ...identity };
  }

  async find(runId: string): Promise<RunHandle | null> {
    const { control } = runDirectory(this.folder, runId);
    if (!closeGate(control)) return null;
    // A moment may pass between the creation of the file and its content.
    const gate = await this.#until(() => readGate(control), BEGIN_MILLISECONDS);
    const pid = gate?.pid ?? 0;
    const identity = runsIn(pid, control) ? identifyProcess(pid) : null;
    return { runId, ...(identity ?? { pid, startedAt: 'ended' }) };
  }

  async attach(handle: RunHandle, { signal, onBegun }: AttachOptions): Promise<void> {
    const { runId, control, shell } = this.#read(handle);
    const begins = performance.now();
    let hasBegun = false;
    for (;;) {
      signal.throwIfAborted();
      // In this order: a command whose shell has ended has written how it ended.
      const isOver = !isRunning(shell);
      const at = hasBegun ? null : begunAt(control);
      if (at !== null) {
        hasBegun = true;
        this.#leaderOf(runId, control, shell);
        onBegun(at);
      }
      if (isOver || readExit(control) !== null) return;
      // A short command is noticed soon, and a long one costs little.
      const pauseMs = Math.min(250, Math.max(2, (performance.now() - begins) / 20));
      await sleep(pauseMs, undefined, { signal });
    }
  }

  async cancel(handle: RunHandle, graceSeconds: number): Promise<CancelOutcome> {
    const { runId, control, shell } = this.#read(handle);
    if (closeGate(control)) {
      const isDecided = () =>
        readLeaderPid(control) ?? readExit(control) ?? (isRunning(shell) ? null : shell);
      await this.#until(isDecided, BEGIN_MILLISECONDS);
    }
    const leader = this.#leaderOf(runId, control, shell);
    const left = await endProcesses(() => listRunProcesses(runId, leader), {
      graceSeconds,
      killWaitSeconds: this.#killWaitSeconds,
    });
    if (left.length > 0)
      return { isGone: false, message: `${left.length} processes of the run survived SIGKILL` };
    await this.#until(() => isLogComplete(control) || !isRunning(shell) || null, LAST_OUTPUT_MILLISECONDS);
    if (isRunning(shell) && !isLogComplete(control)) killGroup(shell.pid);
    return { isGone: true };
  }

  async collect(handle: RunHandle): Promise<WorkEnd> {
    const { control } = this.#read(handle);
    const exit = readExit(control);
    if (exit !== null) return { kind: 'EXITED', exit };
    if (!closeGate(control))
      return { kind: 'NOT_BEGUN', reason: 'the command was not started', isFault: false };
    const message =
      'the command is gone and nobody knows how it ended, for example because the machine was restarted';
    return { kind: 'FAILED', failure: { code: 'RunLost', message, kind: 'SYSTEM' } };
  }

  async usage(runIds: readonly string[]): Promise<ReadonlyMap<string, RunSample>> {
    return measureRuns(runIds);
  }

  async forget(handle: RunHandle): Promise<void> {
    this.#known.delete(this.#read(handle).runId);
  }

  #read(handle: RunHandle): { runId: string; control: string; shell: ProcessIdentity } {
    const runId = String(handle['runId']);
    const shell = { pid: Number(handle['pid']), startedAt: String(handle['startedAt']) };
    return { runId, control: runDirectory(this.folder, runId).control, shell };
  }

  /** The process id of the command, if it certainly still means the processes of this run. */
  #leaderOf(runId: string, control: string, shell: ProcessIdentity): number | null {
    const pid = readLeaderPid(control);
    if (pid === null) return null;
    // While the shell waits for the command, no other process can get the number of the command.
    if (isRunning(shell) && readExit(control) === null) this.#known.add(runId);
    return this.#known.has(runId) ? pid : findLeader(runId, pid);
  }

  /** Asks again until there is an answer. Null if there was none in this time. */
  async #until<T>(read: () => T | null, milliseconds: number): Promise<T | null> {
    const giveUpAt = performance.now() + milliseconds;
    const looks = pauses();
    for (;;) {
      const answer = read();
      if (answer !== null || performance.now() > giveUpAt) return answer;
      await sleep(looks.next().value);
    }
  }
}
