import type { TypedInterface } from '../../values/literal-types.ts';

/**
 * What a runtime is: the part of the executor that carries one leased run to its end. It knows nothing of leases,
 * of GraphQL or of where results go; the work loop hands it a spec and two callbacks.
 */

export interface Quantity {
  /** `CPU`, `MEMORY` … as tasks name them. */
  readonly name: string;
  readonly value: string;
}

/** One attempt of a job, as leased. */
export interface RunSpec {
  runId: string;
  jobId: string;
  container: {
    image: string;
    command: readonly string[];
    args: readonly string[];
    env: readonly { key: string; value: string }[];
    /** Kubernetes quantities by resource name: what the run needs at least, and what it may take at most. */
    resources: { requests: readonly Quantity[]; limits: readonly Quantity[] };
  };
  interface: TypedInterface;
  /** Plain JSON values by name; a blob's value is its uri, such as `slipway://blobs/<uuid>`. */
  inputs: Record<string, unknown>;
  /** Counted from the start of the command, not from the lease. */
  timeoutSeconds: number | null;
  terminationGraceSeconds: number;
  /** Extra `SLIPWAY_…` variables: project, domain, name, node, attempt. They win over the container's own. */
  environment: Record<string, string>;
}

/**
 * Moves files between the run and the place where blobs live. Both calls reject when `signal` fires. A RunError fails
 * the run as it says, anything else as the executor's fault.
 */
export interface BlobStore {
  fetch(uri: string, toFile: string, signal: AbortSignal): Promise<void>;
  /** @returns the uri of the stored file. */
  store(file: string, signal: AbortSignal): Promise<string>;
}

/** A piece of what the command printed, at most 16 KiB of whole characters, free of U+0000. */
export interface LogChunk {
  stream: 'STDOUT' | 'STDERR';
  /** From 0, without a gap, over both streams of a run. */
  sequence: number;
  text: string;
  /** When the first of the text was read. */
  at: Date;
}

/** USER: the command or its task is at fault, and running it elsewhere would not help. SYSTEM: the executor is. */
export type ErrorKind = 'USER' | 'SYSTEM';

export type RunOutcome =
  | { kind: 'SUCCEEDED'; outputs: Record<string, unknown>; exitCode: 0 }
  | {
      kind: 'FAILED';
      error: { code: string; message: string; kind: ErrorKind };
      exitCode: number | null;
      signal: string | null;
    }
  /** The caller's signal fired, and nothing of the run is left. */
  | { kind: 'CANCELLED' }
  /**
   * Something of the run withstands every attempt to end it. Its lease must be kept, so that no second copy runs beside
   * it; `reapLeftovers` tries again.
   */
  | { kind: 'STUCK'; message: string };

export interface RunOptions {
  blobs: BlobStore;
  /** Ends the run early: on cancel, preemption or a lost lease. */
  signal: AbortSignal;
  /** Called once, when the command runs. Must not throw. */
  onStarted(): void;
  /** Called for each piece, in order. Must not throw; what a run can print is bounded, so it may buffer. */
  onLog(chunk: LogChunk): void;
}

export interface Runtime {
  /**
   * Runs to the end: answers only once nothing of the run is left and all it printed was handed to `onLog`. The one
   * exception is told as such: STUCK. Rejects only on a bug of ours.
   */
  run(spec: RunSpec, options: RunOptions): Promise<RunOutcome>;
  /**
   * Ends what an earlier, killed executor left behind, and what was STUCK, and waits until it is gone.
   *
   * @returns the ids of the runs that were cut off, so that they can be given back.
   * @throws Error when something withstands; nothing is forgotten then, and a later call tries again.
   */
  reapLeftovers(): Promise<string[]>;
}
