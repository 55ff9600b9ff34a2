/**
 * What an executor must know about its runs after it was killed: one file for each run, in a folder that only the
 * executor uses. A file is replaced as a whole, and it is on the disk before the run moves on.
 *
 *    <folder>/<run>.json   the record
 *    <folder>/<run>.log    which pieces of its log were passed on
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
} from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../platform/log.ts';
import { isRecord } from '../../values/json.ts';
import { outcomeOf } from '../../values/problem-list.ts';
import { jsonObject } from '../../values/readers.ts';
import { RunError } from './run-error.ts';
import { type RunSpec, readParts } from './run-spec.ts';
import type { RunHandle } from './runtime.ts';

/**
 * HEARD: the server has assigned it. PREPARING: the command has not begun. STARTING: the runtime was told to start it, and may or may not have done so.
 * STARTED: the runtime has it, and `handle` finds it.
 */
export type RunRecord = {
  /** Without inputs, because the command has them already. */
  readonly spec: RunSpec;
  /** The URIs of the input files. The outputs may contain them. */
  readonly inputUris: readonly string[];
} & (
  | { readonly phase: 'HEARD' | 'PREPARING' | 'STARTING' }
  | {
      readonly phase: 'STARTED';
      readonly handle: RunHandle;
      /** Why the executor has begun to end it. */
      readonly stopped?: StopReason;
    }
);

export type StopReason = 'CANCELLED' | 'TIMED_OUT';

const RECORD = '.json';

export class RunRecords {
  readonly #folder: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Whether this executor has begun with the run already. */
  hasBegun(runId: string): boolean {
    const path = this.#path(runId);
    return existsSync(path) && readRecord(readFileSync(path, 'utf8')).phase !== 'HEARD';
  }

  /** Resolves when the record would survive a crash of the machine. */
  async write({ spec, ...rest }: RunRecord): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(spec.runId);
    const small = { ...spec, inputs: {}, inputLiterals: {} };
    await writeFile(`${path}.new`, JSON.stringify({ spec: small, ...rest }), { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** The records that an earlier executor has left. A record that cannot be read is logged and stays. */
  list(): RunRecord[] {
    if (!existsSync(this.#folder)) return [];
    const names = readdirSync(this.#folder).filter((name) => name.endsWith(RECORD));
    return names.sort().flatMap((name) => {
      try {
        return [readRecord(readFileSync(join(this.#folder, name), 'utf8'))];
      } catch (error) {
        this.#log.error({ err: error, record: name }, 'cannot read the record of a run');
        return [];
      }
    });
  }

  /** The file for the journal of the run's log. */
  journal(runId: string): string {
    return join(this.#folder, `${runId}.log`);
  }

  async remove(runId: string): Promise<void> {
    for (const path of [this.#path(runId), this.journal(runId)]) await rm(path, { force: true });
  }

  #path(runId: string): string {
    return join(this.#folder, `${runId}${RECORD}`);
  }
}

function readRecord(text: string): RunRecord {
  const record: unknown = JSON.parse(text);
  if (!isRecord(record) || !isRecord(record['spec'])) throw unreadable('it has no spec');
  const { spec, phase, handle, inputUris, stopped } = record;
  const known = {
    spec: readSpec(spec),
    inputUris: Array.isArray(inputUris) ? inputUris.map(String) : [],
  };
  if (phase === 'HEARD' || phase === 'PREPARING' || phase === 'STARTING') return { ...known, phase };
  const read = outcomeOf([], (place) => jsonObject(handle, place));
  if (phase !== 'STARTED' || !read.ok) throw unreadable('it has no handle');
  const started = { ...known, phase, handle: read.value } as const;
  return stopped === 'CANCELLED' || stopped === 'TIMED_OUT' ? { ...started, stopped } : started;
}

function readSpec(spec: Record<string, unknown>): RunSpec {
  const { runId, jobId, node, timeoutSeconds, terminationGraceSeconds } = spec;
  if (typeof runId !== 'string' || typeof jobId !== 'string') throw unreadable('it has no ids');
  return {
    ...readParts(spec),
    runId,
    jobId,
    node: typeof node === 'string' ? node : null,
    timeoutSeconds: typeof timeoutSeconds === 'number' ? timeoutSeconds : null,
    terminationGraceSeconds: Number(terminationGraceSeconds) || 0,
  };
}

function unreadable(why: string): RunError {
  return new RunError('SYSTEM', 'RecordUnreadable', `the record of the run cannot be read: ${why}`);
}
