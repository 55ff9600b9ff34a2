import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import { buildEnvironment } from './environment.ts';
import { requireFileNames, writeInputs } from './inputs.ts';
import { LogFollower } from './log-follower.ts';
import { RESERVED_OUTPUT_NAMES, readErrorFile, readOutputs } from './outputs.ts';
import { requestsOf } from './room.ts';
import {
  createRunDirectory,
  type RunDirectory,
  removeEndedDirectories,
  removeRunDirectory,
  runDirectory,
} from './run-directory.ts';
import { RunError, systemErrorCode } from './run-error.ts';
import type { RunRecord, RunRecords, StopReason } from './run-records.ts';
import type { RunSpec } from './run-spec.ts';
import type { BlobStore, CommandExit, LogChunk, RunHandle, RunOutcome, Runtime, WorkEnd } from './runtime.ts';
import { renderCommand } from './template.ts';
import { lastBytes } from './utf8.ts';

/** What all runs of an executor share. */
export interface WorkHost {
  readonly runtime: Runtime;
  readonly records: RunRecords;
  readonly log: Log;
  /** The PATH of commands. */
  readonly path: string;
  /** Keeps the directories of failed runs, so that people can look at them and remove them. */
  readonly keepFailed?: boolean;
  /** How much of the output of a run is passed on, from both streams together; 1 MiB by default. */
  readonly logLimitBytes?: number;
  /** The largest size of a run's outputs, without blobs; 2 MiB by default. */
  readonly outputLimitBytes?: number;
}

export interface WorkOptions {
  readonly blobs: BlobStore;
  /** Stops the run early: when it is cancelled or preempted, or when its lease is lost. */
  readonly signal: AbortSignal;
  /** Lets the run continue without this executor. */
  readonly leave: AbortSignal;
  /** Ends the attempts to end a run that cannot be ended. */
  readonly giveUp: AbortSignal;
  /** Called once, if the command waits before it runs. Must not throw. */
  onWaiting(): void;
  /** Called once, when the command runs, and always before the outcome SUCCEEDED. Must not throw. */
  onStarted(): void;
  /** Called for each piece, in order. Must not throw. It may buffer, because the output of a run is limited. */
  onLog(chunk: LogChunk): void;
}

const LOG_LIMIT_BYTES = 1024 * 1024;
const OUTPUT_LIMIT_BYTES = 2 * 1024 * 1024;
const MESSAGE_LIMIT_BYTES = 2048;
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;
const CANCEL_AGAIN_MILLISECONDS = 30_000;

type StartedRecord = RunRecord & { phase: 'STARTED' };
type EndReason = 'ENDED' | StopReason | 'LEFT';

/** A run that the server has leased to this executor, or that an earlier executor has left behind. */
export class RunWork {
  readonly #host: WorkHost;
  readonly #spec: RunSpec;
  readonly #record: RunRecord | null;
  #follower: LogFollower | null = null;
  #handle: RunHandle | null = null;
  #hasRecord: boolean;
  #hasDirectory: boolean;
  #exit: CommandExit = { code: null, signal: null };

  constructor(host: WorkHost, from: RunSpec | RunRecord) {
    this.#host = host;
    this.#record = 'phase' in from ? from : null;
    this.#spec = 'phase' in from ? from.spec : from;
    this.#hasRecord = this.#record !== null;
    this.#hasDirectory = this.#hasRecord;
  }

  /**
   * Runs it to its end. Resolves only when nothing of the run is left and all its output was passed on, except for the
   * outcomes STUCK and LEFT. Rejects only because of a bug in our code.
   */
  async run(options: WorkOptions): Promise<RunOutcome> {
    try {
      return this.#record === null ? await this.#begin(options) : await this.#resume(this.#record, options);
    } catch (error) {
      return this.#outcomeOf(error, options.signal);
    }
  }

  /** The server has the first `count` pieces of the log. */
  logStored(count: number): void {
    this.#follower?.stored(count);
  }

  /** Removes everything about the run, because the server knows its end. */
  async forget(outcome: RunOutcome): Promise<void> {
    const { runtime, records, keepFailed } = this.#host;
    const { runId } = this.#spec;
    if (this.#handle !== null) await runtime.forget(this.#handle);
    const isKept = keepFailed === true && (outcome.kind === 'FAILED' || outcome.kind === 'LOST');
    if (this.#hasDirectory) await removeRunDirectory(runtime.folder, runId, isKept);
    if (this.#hasRecord) await records.remove(runId);
  }

  /** Runs a new run. Until its command is started, the end of the executor also ends the run. */
  async #begin(options: WorkOptions): Promise<RunOutcome> {
    return await this.#early(options, (signal) => this.#start(options.blobs, signal));
  }

  /**
   * Does what comes before the handle, and then follows the run.
   *
   * @param find  null if the command has not begun and never will.
   */
  async #early(
    options: WorkOptions,
    find: (signal: AbortSignal) => Promise<StartedRecord | null>,
  ): Promise<RunOutcome> {
    const { signal, leave } = options;
    const early = new AbortController();
    const stop = () => early.abort();
    for (const one of [signal, leave]) {
      if (one.aborted) stop();
      one.addEventListener('abort', stop);
    }
    try {
      const record = await find(early.signal);
      if (record !== null) return await this.#follow(record, options);
      if (signal.aborted) return { kind: 'CANCELLED' };
      return { kind: 'NOT_BEGUN', reason: 'the executor ended before the command began' };
    } catch (error) {
      const isLeft = this.#handle === null && leave.aborted && !signal.aborted;
      if (isLeft) return { kind: 'NOT_BEGUN', reason: 'the executor is stopping' };
      throw error;
    } finally {
      for (const one of [signal, leave]) one.removeEventListener('abort', stop);
    }
  }

  async #start(blobs: BlobStore, signal: AbortSignal): Promise<StartedRecord> {
    const { runtime, records, path } = this.#host;
    const spec = this.#spec;
    const { runId, jobId } = spec;
    const place = runDirectory(runtime.folder, runId);
    if (records.hasBegun(runId))
      throw new RunError('SYSTEM', 'RunDirectoryUnavailable', 'this executor has already started the run');
    this.#hasRecord = true;
    signal.throwIfAborted();
    await records.write({ spec, inputUris: [], phase: 'PREPARING' });
    createRunDirectory(runtime.folder, runId);
    this.#hasDirectory = true;
    requireFileNames('output', Object.keys(spec.interface.outputs), RESERVED_OUTPUT_NAMES);
    const inputs = await writeInputs(spec, place, blobs, signal);
    signal.throwIfAborted();
    const { image, command, args, resources } = spec.container;
    const words = renderCommand([...command, ...args], {
      inputs: inputs.texts,
      outputs: new Map(Object.keys(spec.interface.outputs).map((name) => [name, `${place.outputs}/${name}`])),
      inputsFile: place.inputsFile,
      inputsDirectory: place.inputs,
      outputsDirectory: place.outputs,
    });
    const places = {
      path: runtime.usesImages ? null : path,
      home: place.work,
      temporary: place.temporary,
      inputs: place.inputs,
    };
    const environment = buildEnvironment(spec, { ...places, outputs: place.outputs });
    const inputUris = [...new Set(inputs.blobs.values())];
    await records.write({ spec, inputUris, phase: 'STARTING' });
    signal.throwIfAborted();
    const { node, timeoutSeconds, terminationGraceSeconds } = spec;
    const [own, more] = [words.slice(0, command.length), words.slice(command.length)];
    const { inputs: declaredInputs, outputs: declaredOutputs } = spec.interface;
    const work = {
      runId,
      jobId,
      words,
      container: { image, command: own, args: more, resources },
      environment,
      directory: place,
      requests: requestsOf(resources),
      node,
      placing: spec,
      hasFiles: Object.keys(declaredInputs).length + Object.keys(declaredOutputs).length > 0,
    };
    const limits = {
      timeoutSeconds,
      terminationGraceSeconds,
      logLimitBytes: this.#host.logLimitBytes ?? LOG_LIMIT_BYTES,
    };
    const handle = await runtime.start({ ...work, ...limits }, signal);
    this.#handle = handle;
    const record = { spec, inputUris, phase: 'STARTED', handle } as const;
    await records.write(record);
    return record;
  }

  async #resume(record: RunRecord, options: WorkOptions): Promise<RunOutcome> {
    if (record.phase === 'STARTED') return await this.#follow(record, options);
    return await this.#early(options, async (signal) => {
      if (record.phase !== 'STARTING') return null;
      const { runtime, records } = this.#host;
      const handle = await runtime.find(record.spec.runId, signal);
      if (handle === null) return null;
      const found = { ...record, phase: 'STARTED', handle } as const;
      await records.write(found);
      return found;
    });
  }

  async #follow(record: StartedRecord, options: WorkOptions): Promise<RunOutcome> {
    const { runtime, records } = this.#host;
    const { handle } = record;
    this.#handle = handle;
    const directory = runDirectory(runtime.folder, this.#spec.runId);
    const follower = new LogFollower({
      files: directory.logs,
      journal: records.journal(this.#spec.runId),
      limitBytes: this.#host.logLimitBytes ?? LOG_LIMIT_BYTES,
      onLog: options.onLog,
    });
    this.#follower = follower;
    try {
      await follower.begin();
      const reason = record.stopped ?? (await this.#untilEnd(handle, options));
      if (reason === 'LEFT') return { kind: 'LEFT' };
      // The next executor must not take the end that we cause for the command's own.
      if (reason !== 'ENDED') await records.write({ ...record, stopped: reason });
      const stuck = await this.#end(handle, options.giveUp);
      if (stuck !== null) return stuck;
      await follower.finish();
      const end = await runtime.collect(handle);
      if (end.kind === 'EXITED') this.#exit = end.exit;
      if (reason === 'CANCELLED' || options.signal.aborted) return { kind: 'CANCELLED' };
      if (reason === 'TIMED_OUT')
        throw new RunError(
          'USER',
          'DeadlineExceeded',
          `the command ran longer than ${this.#spec.timeoutSeconds} s`,
        );
      return await this.#conclude(end, directory, record, options);
    } catch (error) {
      // A bug must not leave processes behind.
      await this.#end(handle, options.giveUp);
      throw error;
    } finally {
      follower.stop();
    }
  }

  /** Waits until the command has ended, or until there is a reason to end it. */
  async #untilEnd(
    handle: RunHandle,
    { signal, leave, onWaiting, onStarted }: WorkOptions,
  ): Promise<EndReason> {
    const over = new AbortController();
    const { timeoutSeconds } = this.#spec;
    try {
      return await new Promise<EndReason>((resolve, reject) => {
        const onBegun = (at: Date) => {
          if (over.signal.aborted) return;
          try {
            onStarted();
          } catch (error) {
            return reject(error);
          }
          if (timeoutSeconds === null) return;
          const end = at.getTime() + timeoutSeconds * 1000;
          waitUntil(end, over.signal).then(
            () => resolve('TIMED_OUT'),
            () => {},
          );
        };
        const { runtime } = this.#host;
        const attached = runtime.attach(handle, { signal: over.signal, onWaiting, onBegun });
        attached.then(() => resolve('ENDED'), reject);
        const when = (one: AbortSignal, reason: EndReason) => {
          if (one.aborted) resolve(reason);
          one.addEventListener('abort', () => resolve(reason), { signal: over.signal });
        };
        when(signal, 'CANCELLED');
        when(leave, 'LEFT');
      });
    } finally {
      over.abort();
    }
  }

  /** Ends everything of the run, however often it takes. @returns STUCK if that is given up. */
  async #end(handle: RunHandle, giveUp: AbortSignal): Promise<RunOutcome | null> {
    const { runtime, log } = this.#host;
    const { runId, terminationGraceSeconds } = this.#spec;
    for (let graceSeconds = terminationGraceSeconds; ; graceSeconds = 0) {
      const outcome = await runtime.cancel(handle, graceSeconds);
      if (outcome.isGone) return null;
      log.error({ runId, reason: outcome.message }, 'cannot end the run; keeping its lease');
      await sleep(CANCEL_AGAIN_MILLISECONDS, undefined, { signal: giveUp }).catch(() => {});
      if (giveUp.aborted) return { kind: 'STUCK', message: outcome.message };
    }
  }

  async #conclude(
    end: WorkEnd,
    directory: RunDirectory,
    { inputUris }: StartedRecord,
    { blobs, signal }: WorkOptions,
  ): Promise<RunOutcome> {
    if (end.kind === 'NOT_BEGUN' && !end.isFault) return { kind: 'NOT_BEGUN', reason: end.reason };
    if (end.kind === 'NOT_BEGUN') throw new RunError('SYSTEM', 'NotStarted', end.reason);
    if (end.kind === 'FAILED') {
      const { failure } = end;
      if (failure.kind === 'SYSTEM') return { kind: 'LOST', error: failure };
      return { kind: 'FAILED', error: failure, ...this.#ends() };
    }
    await this.#requireSuccess(directory);
    const request = {
      declared: this.#spec.interface.outputs,
      directory,
      inputUris: new Set(inputUris),
      limitBytes: this.#host.outputLimitBytes ?? OUTPUT_LIMIT_BYTES,
    };
    return { kind: 'SUCCEEDED', ...(await readOutputs(request, blobs, signal)), exitCode: 0 };
  }

  /** @throws RunError that says how the command failed, with its own message if it has written one. */
  async #requireSuccess(directory: RunDirectory): Promise<void> {
    const { code, signal } = this.#exit;
    const reported = await readErrorFile(directory, MESSAGE_LIMIT_BYTES);
    if (code === 0 && reported === null) return;
    const stream = this.#host.runtime.joinsOutput ? 'STDOUT' : 'STDERR';
    const said = reported || lastLines((await this.#follower?.endOf(stream)) ?? '');
    if (signal !== null)
      throw new RunError('USER', 'Killed', `the command was killed by ${signal}${said && `\n${said}`}`);
    if (code === 0) throw new RunError('USER', 'UserError', said || 'the command wrote an empty error file');
    throw new RunError('USER', 'NonZeroExit', said || `the command exited with code ${code} and no message`);
  }

  /**
   * The outcome of a run that an error has ended. If the run was cancelled, the outcome is CANCELLED, whatever errors
   * its steps had because of that.
   */
  #outcomeOf(error: unknown, signal: AbortSignal): RunOutcome {
    if (signal.aborted) return { kind: 'CANCELLED' };
    const failure = asRunError(error);
    if (failure === null) throw error;
    const { code, message, kind } = failure;
    return { kind: 'FAILED', error: { code, message, kind }, ...this.#ends() };
  }

  #ends(): { exitCode: number | null; signal: string | null } {
    return { exitCode: this.#exit.code, signal: this.#exit.signal };
  }
}

/** Removes what an executor was removing when it was killed. */
export async function removeEnded({ runtime }: WorkHost): Promise<void> {
  await removeEndedDirectories(runtime.folder);
}

/** Null for an error that is neither a failed run nor a failed system call, but a bug. */
function asRunError(error: unknown): RunError | null {
  if (error instanceof RunError) return error;
  const code = systemErrorCode(error);
  if (code === null) return null;
  return new RunError('SYSTEM', 'ExecutorFailure', `the executor failed: ${code}`, { cause: error });
}

/** The end of a text. If it must be cut, it begins with a whole line. */
function lastLines(text: string): string {
  const end = lastBytes(text, MESSAGE_LIMIT_BYTES);
  const firstBreak = end.indexOf('\n');
  const isCut = end.length < text.length && firstBreak < end.length - 1;
  return (isCut ? end.slice(firstBreak + 1) : end).trim();
}

/** A timer of more than 24 days would fire at once, so a long wait uses several timers. */
async function waitUntil(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const left = milliseconds - Date.now();
    if (left <= 0) return;
    await sleep(Math.min(left, LONGEST_TIMER_MILLISECONDS), undefined, { signal });
  }
}
