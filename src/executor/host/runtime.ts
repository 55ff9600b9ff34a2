/**
 * What a runtime is: the part of the executor that carries one leased run to its end. It knows nothing of leases,
 * of GraphQL or of where results go; the work loop hands it a spec and two callbacks.
 */

export type SimpleType =
  | 'NONE'
  | 'INTEGER'
  | 'FLOAT'
  | 'STRING'
  | 'BOOLEAN'
  | 'DATETIME'
  | 'DURATION'
  | 'BINARY'
  | 'ERROR'
  | 'STRUCT';

/** A type in Flyte's JSON form: exactly one of these keys; others may stand beside it and are not looked at. */
export interface LiteralType {
  readonly simple?: SimpleType;
  readonly collectionType?: LiteralType;
  readonly mapValueType?: LiteralType;
  readonly blob?: {
    readonly format?: string;
    readonly dimensionality?: 'SINGLE' | 'MULTIPART';
  };
  readonly enumType?: { readonly values: readonly string[] };
  readonly unionType?: { readonly variants: readonly LiteralType[] };
  readonly schema?: object;
  readonly structuredDatasetType?: object;
}

export type Variables = Readonly<Record<string, { readonly type: LiteralType }>>;

/** One attempt of a job, as leased. */
export interface RunSpec {
  runId: string;
  jobId: string;
  container: {
    image: string;
    command: string[];
    args: string[];
    env: { key: string; value: string }[];
  };
  interface: { inputs: Variables; outputs: Variables };
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
  /** The caller's signal fired, and every process of the run is gone. */
  | { kind: 'CANCELLED' };

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
   * Runs to the end: answers only once every process of the run has exited and all it printed was handed to `onLog`.
   * The one exception is told as such: FAILED, SYSTEM, `ProcessesRemain`. Rejects only on a bug of ours.
   */
  run(spec: RunSpec, options: RunOptions): Promise<RunOutcome>;
  /**
   * Kills what an earlier, killed executor left behind and waits for its exit.
   *
   * @returns the ids of the runs that were cut off, so that they can be given back.
   * @throws Error when processes survive SIGKILL; nothing is forgotten then, and a later call tries again.
   */
  reapLeftovers(): Promise<string[]>;
}
