import type { TypedInterface } from '../../values/literal-types.ts';
import type { LiteralMap } from '../../values/literals.ts';

/**
 * A runtime is the part of the executor that runs one leased run to its end. It does not know leases, GraphQL, or where
 * results go. The work loop passes it a spec and two callbacks.
 */

export interface Quantity {
  /** `CPU`, `MEMORY` …, with the names that tasks use. */
  readonly name: string;
  readonly value: string;
}

/** One leased attempt of a job. */
export interface RunSpec {
  runId: string;
  jobId: string;
  container: {
    image: string;
    command: readonly string[];
    args: readonly string[];
    env: readonly { key: string; value: string }[];
    /** Kubernetes quantities by resource name: what the run needs, and the most that it may use. */
    resources: { requests: readonly Quantity[]; limits: readonly Quantity[] };
  };
  interface: TypedInterface;
  /** Plain values by name. The value of a blob is its URI, such as `slipway://blobs/<uuid>`. */
  inputs: Record<string, unknown>;
  /** The inputs that plain values do not say completely. For these, the literal counts. */
  inputLiterals: LiteralMap;
  /** Counted from the start of the command, not of the lease. */
  timeoutSeconds: number | null;
  terminationGraceSeconds: number;
  /**
   * Further `SLIPWAY_…` variables: project, domain, name, node, attempt. They replace the container's own variables.
   */
  environment: Record<string, string>;
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
  /** When the first byte of the text was read. */
  at: Date;
}

/**
 * USER: the command or its task has failed, and running it elsewhere would not help. SYSTEM: the executor has failed.
 */
export type ErrorKind = 'USER' | 'SYSTEM';

export type RunOutcome =
  /**
   * The outputs are plain values of the types that the interface of the spec declares, and literals beside them for
   * those that plain values do not say completely; the runtime checks this, and
   * otherwise the run FAILED with the code `OutputsInvalid` of the kind USER. The URI of a file may be that of an input.
   */
  | { kind: 'SUCCEEDED'; outputs: Record<string, unknown>; outputLiterals: LiteralMap; exitCode: 0 }
  | {
      kind: 'FAILED';
      error: { code: string; message: string; kind: ErrorKind };
      exitCode: number | null;
      signal: string | null;
    }
  /** The caller's signal has fired, and nothing of the run is left. */
  | { kind: 'CANCELLED' }
  /**
   * A process of the run cannot be ended. The lease must be kept, so that no second copy of the run starts;
   * `reapLeftovers` tries again.
   */
  | { kind: 'STUCK'; message: string };

export interface RunOptions {
  blobs: BlobStore;
  /** Stops the run early: when it is cancelled or preempted, or when its lease is lost. */
  signal: AbortSignal;
  /** Called once, when the command runs, and always before the outcome SUCCEEDED. Must not throw. */
  onStarted(): void;
  /** Called for each piece, in order. Must not throw. It may buffer, because the output of a run is limited. */
  onLog(chunk: LogChunk): void;
}

export interface Runtime {
  /**
   * Runs to the end. Resolves only when nothing of the run is left and all its output was passed to `onLog`; the only
   * exception is the outcome STUCK. Rejects only because of a bug in our code.
   */
  run(spec: RunSpec, options: RunOptions): Promise<RunOutcome>;
  /**
   * Ends what an earlier executor that was killed has left behind, and runs that were STUCK, and waits until they are
   * gone.
   *
   * @returns the ids of the runs that were ended, so that their leases can be returned.
   * @throws Error if a process cannot be ended. Then nothing is forgotten, and a later call tries again.
   */
  reapLeftovers(): Promise<string[]>;
}
