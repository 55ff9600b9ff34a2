import type { JsonObject } from '../../values/json.ts';
import type { LiteralMap } from '../../values/literals.ts';
import type { RunDirectory } from './run-directory.ts';

/**
 * A runtime is the part of the executor that runs commands somewhere: as child processes, on Slurm or on Kubernetes. It
 * does not know leases, GraphQL, inputs or outputs. The work continues when the executor dies: the next executor finds
 * it again by its handle.
 *
 *    start ──▶ handle ──▶ attach … until the command has ended ──▶ cancel, which leaves nothing ──▶ collect
 *
 * The host stores that it starts a run before it calls `start`, and the handle directly after. If it dies in between,
 * the next executor calls `find`, which depends only on the id of the run.
 */
export interface Runtime {
  /** The host creates the directories of runs here. All machines of the runtime see them under the same path. */
  readonly folder: string;
  /**
   * What happens to runs when the executor is asked to stop. END: they are stopped and their leases are returned. LEAVE:
   * they continue, and the next executor with the same name attaches to them.
   */
  readonly whenStopped: 'END' | 'LEAVE';
  /** What all runs share: a run starts when its requests fit. Null if the runtime makes work wait by itself. */
  readonly capacity: Capacity | null;
  /** The machines, and what they have for runs. */
  nodes(): Promise<readonly RuntimeNode[]>;
  /**
   * Starts the command of a run. Starts it at most once, however often it is called for the run.
   *
   * @param signal  stops the attempt. Then the command does not start later, either.
   * @throws RunError if the command has not begun and never will. Any other error is a bug.
   */
  start(work: Work, signal: AbortSignal): Promise<RunHandle>;
  /**
   * The handle of a run whose start may have been interrupted; null if its command has not begun. In this case it will
   * never begin.
   *
   * @param signal  ends the search. What has not begun by then never will.
   */
  find(runId: string, signal: AbortSignal): Promise<RunHandle | null>;
  /** Resolves when the command has ended, or at once if it has ended already. Rejects only if `signal` fires. */
  attach(handle: RunHandle, options: AttachOptions): Promise<void>;
  /**
   * Ends everything of the run: asks it to end, and kills it after the grace period. If nothing runs any more, it only
   * waits until the log is complete. It can be called again.
   */
  cancel(handle: RunHandle, graceSeconds: number): Promise<CancelOutcome>;
  /** How the run ended. Its outputs and its log are in the directory of the run. Called after `cancel`. */
  collect(handle: RunHandle): Promise<WorkEnd>;
  /**
   * What the commands of these runs use at the moment. Runs that it knows nothing about are left out. Absent if the
   * runtime cannot measure.
   */
  usage?(runIds: readonly string[]): Promise<ReadonlyMap<string, RunSample>>;
  /** Forgets a run whose end the server knows. */
  forget(handle: RunHandle): Promise<void>;
}

/** What a run uses at one moment. */
export interface RunSample {
  /** The CPU time that it has used since it began, in thousandths of a second. */
  readonly cpuTimeMillis: number;
  readonly memoryBytes: number;
}

/** How a runtime finds a run again. A small JSON object; only its runtime reads it. */
export type RunHandle = JsonObject;

export interface AttachOptions {
  readonly signal: AbortSignal;
  /** Called once when the command runs, also if it began earlier. Must not throw. */
  onBegun(at: Date): void;
}

export interface Capacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export interface RuntimeNode {
  readonly name: string;
  /** Kubernetes quantities by the names of Kubernetes: `cpu`, `memory`, `nvidia.com/gpu`. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** One command, ready to run: its inputs are in its directory. */
export interface Work {
  readonly runId: string;
  readonly jobId: string;
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** The complete environment, except for the variable with the id of the run. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: RunDirectory;
  readonly requests: Requests;
  /** The machine that the server has chosen; null if it has chosen none. */
  readonly node: string | null;
  /** The host stops the command then. A runtime can use this as a second limit. */
  readonly timeoutSeconds: number | null;
  readonly terminationGraceSeconds: number;
  /** How much of each stream of output is kept; of the rest, only the end. */
  readonly logLimitBytes: number;
}

/** What a run asks for; zero where it asks for nothing. */
export interface Requests extends Capacity {
  readonly gpus: number;
}

/** Whether nothing of a run is left. The message says what is left. */
export type CancelOutcome = { readonly isGone: true } | { readonly isGone: false; readonly message: string };

/** How a command ended by itself. Exactly one of the two is set. */
export interface CommandExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export type WorkEnd =
  | { readonly kind: 'EXITED'; readonly exit: CommandExit }
  /** It had begun and is gone. It may have done its work, so it must not be repeated as if nothing had happened. */
  | { readonly kind: 'FAILED'; readonly failure: RunFailure }
  /** It has not begun and never will. A fault may happen again, so it counts as an attempt. */
  | { readonly kind: 'NOT_BEGUN'; readonly reason: string; readonly isFault: boolean };

/**
 * USER: the command or its task has failed, and running it elsewhere would not help. SYSTEM: the executor or its
 * machines have failed.
 */
export type ErrorKind = 'USER' | 'SYSTEM';

/** Why a run failed, for users. */
export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly kind: ErrorKind;
}

/**
 * Transfers files between the run and the place where blobs are stored. Both calls reject when `signal` fires. A
 * RunError fails the run as it says; any other error is a fault of the executor.
 */
export interface BlobStore {
  fetch(uri: string, toFile: string, signal: AbortSignal): Promise<void>;
  /** @returns the URI of the stored file. */
  store(file: string, signal: AbortSignal): Promise<string>;
}

/** A piece of the output of the command: at most 16 KiB of complete characters, without U+0000. */
export interface LogChunk {
  stream: 'STDOUT' | 'STDERR';
  /** From 0 without gaps, over both streams of a run. */
  sequence: number;
  text: string;
  /** Whether the command did not print the text: it says that output is missing here. */
  isCut: boolean;
  /** When the text was read. */
  at: Date;
}

/** What became of a run, for the server. */
export type RunOutcome =
  /** The outputs fit the interface of the run. Literals stand beside plain values that do not say them completely. */
  | { kind: 'SUCCEEDED'; outputs: Record<string, unknown>; outputLiterals: LiteralMap; exitCode: 0 }
  /** USER: the work has failed. SYSTEM: the executor could not do it; it may succeed elsewhere or later. */
  | { kind: 'FAILED'; error: RunFailure; exitCode: number | null; signal: string | null }
  /** The work had begun and is gone. It may have had effects, so nobody repeats it without being asked. */
  | { kind: 'LOST'; error: RunFailure }
  /** The command has not begun and never will, and nobody has stopped the run. */
  | { kind: 'NOT_BEGUN'; reason: string }
  /** The run was stopped, and nothing of it is left. */
  | { kind: 'CANCELLED' }
  /** Something of the run cannot be ended. Its lease must be kept, so that no second copy of the run starts. */
  | { kind: 'STUCK'; message: string }
  /** It continues without this executor. */
  | { kind: 'LEFT' };
