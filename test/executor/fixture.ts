/**
 * What the tests of the process runtime share: a root that is removed afterwards, a spec to change, and a store of real
 * files.
 */

import { spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { DEFAULT_PATH } from '../../src/executor/host/environment.ts';
import { type RunRecord, RunRecords } from '../../src/executor/host/run-records.ts';
import type { RunSpec } from '../../src/executor/host/run-spec.ts';
import { RunWork, type WorkHost, type WorkOptions } from '../../src/executor/host/run-work.ts';
import type { BlobStore, LogChunk, RunOutcome, Runtime } from '../../src/executor/host/runtime.ts';
import {
  createProcessRuntime,
  type ProcessRuntimeOptions,
} from '../../src/executor/runtimes/process/process-runtime.ts';
import { log } from '../../src/platform/log.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { eventually } from '../support/waiting.ts';

export const INTEGER: LiteralType = { simple: 'INTEGER' };
export const STRING: LiteralType = { simple: 'STRING' };
export const BLOB: LiteralType = { blob: { format: '', dimensionality: 'SINGLE' } };

/** The value of a union with its variant. */
export const inUnion = (type: LiteralType, value: Literal): Literal => ({
  scalar: { union: { value, type } },
});

export const blobLiteral = (uri: string): Literal => ({
  scalar: { blob: { uri, metadata: { type: { format: '', dimensionality: 'SINGLE' } } } },
});

const created: string[] = [];
afterEach(async () => {
  for (const path of created.splice(0)) await rm(path, { recursive: true, force: true });
});

export async function createRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-runs-'));
  created.push(root);
  return root;
}

/** A spec whose container a test may change. */
type TestSpec = RunSpec & {
  container: { command: string[]; args: string[]; env: { key: string; value: string }[] };
};

/** The placing of a job that says nothing. */
export const anywhere = {
  namespace: 'default',
  labels: {},
  annotations: {},
  nodeSelector: {},
  tolerations: [],
};

/** A spec that runs `script` in a shell. For the runtime, it is an argv array like any other. */
export function shell(script: string, changes: Partial<TestSpec> = {}): TestSpec {
  return command(['/bin/sh', '-c', script], changes);
}

export function node(script: string, changes: Partial<TestSpec> = {}): TestSpec {
  return command(['node', '-e', script], changes);
}

export function command(words: string[], changes: Partial<TestSpec> = {}): TestSpec {
  return {
    runId: crypto.randomUUID(),
    jobId: crypto.randomUUID(),
    container: { image: 'none', command: words, args: [], env: [], resources: { requests: [], limits: [] } },
    interface: { inputs: {}, outputs: {} },
    inputs: {},
    inputLiterals: {},
    node: null,
    ...anywhere,
    timeoutSeconds: null,
    terminationGraceSeconds: 5,
    environment: {},
    ...changes,
  };
}

export function types(record: Record<string, LiteralType>): Record<string, { type: LiteralType }> {
  return Object.fromEntries(Object.entries(record).map(([name, type]) => [name, { type }]));
}

/** Blobs as files of one folder: `slipway://blobs/<file name>`. */
export class FolderBlobs implements BlobStore {
  readonly folder: string;
  stored = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(uri: string): string {
    return join(this.folder, uri.replace('slipway://blobs/', ''));
  }

  fetch(uri: string, toFile: string): Promise<void> {
    return copyFile(this.path(uri), toFile);
  }

  async store(file: string): Promise<string> {
    this.stored += 1;
    const uri = `slipway://blobs/stored-${this.stored}`;
    await copyFile(file, this.path(uri));
    return uri;
  }
}

export interface FinishedRun {
  outcome: RunOutcome;
  chunks: LogChunk[];
  stdout: string;
  stderr: string;
  root: string;
  blobs: FolderBlobs;
}

type FinishOptions = Partial<ProcessRuntimeOptions & Omit<WorkHost, 'runtime'> & WorkOptions> & {
  runtime?: Runtime;
  blobs?: FolderBlobs;
};

/** More than any machine has, so that tests do not depend on the machine. */
export const ample = { cpuMillis: 1_000_000, memoryBytes: 2 ** 40 };

/** What runs share: a given runtime, or else processes in their own root. */
export async function workHost(options: FinishOptions = {}): Promise<WorkHost> {
  const { path = DEFAULT_PATH, keepFailed, logLimitBytes, outputLimitBytes } = options;
  const root = options.root ?? (await createRoot());
  return {
    ...{ log, path, keepFailed, logLimitBytes, outputLimitBytes },
    runtime: options.runtime ?? createProcessRuntime({ capacity: ample, ...options, root }),
    records: options.records ?? new RunRecords(await createRoot(), log),
  };
}

export const never = new AbortController().signal;
setMaxListeners(0, never);

/** Runs a spec to its end, or what an executor has left behind, and forgets it as if the server knew its end. */
export async function finish(from: RunSpec | RunRecord, options: FinishOptions = {}): Promise<FinishedRun> {
  const host = await workHost(options);
  const blobs = options.blobs ?? new FolderBlobs(await createRoot());
  const chunks: LogChunk[] = [];
  const work = new RunWork(host, from);
  const outcome = await work.run({
    blobs,
    signal: options.signal ?? never,
    leave: options.leave ?? never,
    giveUp: options.giveUp ?? never,
    onWaiting: options.onWaiting ?? (() => {}),
    onStarted: options.onStarted ?? (() => {}),
    onLog: (chunk) => {
      chunks.push(chunk);
      options.onLog?.(chunk);
    },
  });
  if (outcome.kind !== 'LEFT') await work.forget(outcome);
  const printed = { stdout: textOf(chunks, 'STDOUT'), stderr: textOf(chunks, 'STDERR') };
  return { outcome, chunks, ...printed, root: host.runtime.folder, blobs };
}

export function textOf(chunks: readonly LogChunk[], stream: LogChunk['stream']): string {
  return chunks
    .filter((chunk) => chunk.stream === stream)
    .map((chunk) => chunk.text)
    .join('');
}

/** Whether a process runs. A zombie, which init may reap late, does not. */
export function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && !stdout.startsWith('Z');
}

export async function waitUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await eventually(
    async () => ((await condition()) ? null : `waited until ${what}`),
    (complaint) => complaint === null,
  );
}

export const listFolder = (path: string): Promise<string[]> => readdir(path);

export const DRIVER = fileURLToPath(new URL('./doomed-executor.ts', import.meta.url));
