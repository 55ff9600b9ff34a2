/**
 * The `process` runtime: a run is a child process of the executor.
 *
 * It does not isolate. The command runs as the executor's user and can do everything that this user can. It gets its
 * own directory and an environment without the executor's variables. When a run is over, all processes that it started
 * are ended.
 *
 *    <root>/<run>/  inputs/<name>, inputs/inputs.json     the inputs of the command
 *                   outputs/<name>, outputs/outputs.json  the outputs of the command
 *                   work/, tmp/                           its current directory and home, and TMPDIR
 *                   run.json                              for reapLeftovers
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildEnvironment, DEFAULT_PATH } from '../../host/environment.ts';
import { type LocalInputs, requireFileNames, writeInputs } from '../../host/inputs.ts';
import { LogCapture } from '../../host/log-capture.ts';
import {
  type CollectedOutputs,
  RESERVED_OUTPUT_NAMES,
  readErrorFile,
  readOutputs,
} from '../../host/outputs.ts';
import { RunError, systemErrorCode } from '../../host/run-error.ts';
import type { RunOptions, RunOutcome, RunSpec, Runtime } from '../../host/runtime.ts';
import { renderCommand } from '../../host/template.ts';
import { lastBytes } from '../../host/utf8.ts';
import { endProcesses, findLeader, listRunProcesses } from './process-group.ts';
import {
  createRunDirectory,
  findLeftovers,
  keepRunDirectory,
  type Leftover,
  type RunDirectory,
  removeEndedDirectories,
  removeRunDirectory,
} from './run-directory.ts';
import { type CommandExit, startCommand } from './start-command.ts';

export interface ProcessRuntimeOptions {
  /** The folder for the directories of runs. It is created, only for its user, if it does not exist. */
  readonly root: string;
  /** The PATH of commands; by default the folder of this Node, /usr/local/bin, /usr/bin and /bin. */
  readonly path?: string;
  /** Keeps the directories of failed runs, so that people can look at them and remove them. */
  readonly keepFailed?: boolean;
  /** How much of the output of a run is passed on, from both streams together; 1 MiB by default. */
  readonly logLimitBytes?: number;
  /** The largest size of a run's outputs, without blobs; 2 MiB by default. */
  readonly outputLimitBytes?: number;
  /** How long we wait for processes after SIGKILL; 30 s by default. */
  readonly killWaitSeconds?: number;
}

const MESSAGE_LIMIT_BYTES = 2048;
/** If a pipe is still open when all processes of its run have ended, another process holds it. */
const LAST_OUTPUT_MILLISECONDS = 2000;
/** Leftovers are ended before the executor leases jobs, so they get only a short time. */
const LEFTOVER_GRACE_SECONDS = 10;
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

type Settings = Required<ProcessRuntimeOptions>;
/** Processes of a run have survived SIGKILL. */
class StuckError extends Error {
  override name = this.constructor.name;
}

type EndReason = 'EXITED' | 'CANCELLED' | 'TIMED_OUT';

/** @throws Error on Windows, which has no process groups. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  if (process.platform === 'win32') throw new Error('the process runtime does not run on Windows');
  const settings: Settings = {
    path: DEFAULT_PATH,
    keepFailed: false,
    logLimitBytes: 1024 * 1024,
    outputLimitBytes: 2 * 1024 * 1024,
    killWaitSeconds: 30,
    ...options,
    root: resolve(options.root),
  };
  const active = new Set<string>();
  return {
    async run(spec, runOptions) {
      if (runOptions.signal.aborted) return { kind: 'CANCELLED' };
      if (active.has(spec.runId)) throw new Error(`run ${spec.runId} is already running`);
      active.add(spec.runId);
      try {
        return await runOnce(settings, spec, runOptions);
      } finally {
        active.delete(spec.runId);
      }
    },
    reapLeftovers: () => reapLeftovers(settings, active),
  };
}

async function runOnce(settings: Settings, spec: RunSpec, options: RunOptions): Promise<RunOutcome> {
  let exit: CommandExit = { code: null, signal: null };
  let directory: RunDirectory | null = null;
  let outcome: RunOutcome;
  try {
    directory = createRunDirectory(settings.root, spec);
    requireFileNames('output', Object.keys(spec.interface.outputs), RESERVED_OUTPUT_NAMES);
    const inputs = await writeInputs(spec, directory, options.blobs, options.signal);
    options.signal.throwIfAborted();
    const logs = new LogCapture(options.onLog, settings.logLimitBytes);
    const ended = await runCommand(settings, spec, directory, inputs, logs, options);
    exit = ended.exit;
    options.signal.throwIfAborted();
    await requireSuccess(spec, ended, directory, logs);
    outcome = {
      kind: 'SUCCEEDED',
      ...(await collectOutputs(settings, spec, directory, inputs, options)),
      exitCode: 0,
    };
  } catch (error) {
    outcome = outcomeOf(error, exit, options.signal);
  }
  if (directory !== null) await retire(settings, spec.runId, directory, outcome);
  return outcome;
}

/** Runs the command to its end, and ends everything that it has started. */
async function runCommand(
  settings: Settings,
  spec: RunSpec,
  directory: RunDirectory,
  inputs: LocalInputs,
  logs: LogCapture,
  options: RunOptions,
): Promise<{ reason: EndReason; exit: CommandExit }> {
  const words = renderCommand([...spec.container.command, ...spec.container.args], {
    inputs: inputs.texts,
    outputs: new Map(
      Object.keys(spec.interface.outputs).map((name) => [name, resolve(directory.outputs, name)]),
    ),
    inputsFile: directory.inputsFile,
    inputsDirectory: directory.inputs,
    outputsDirectory: directory.outputs,
  });
  const environment = buildEnvironment(spec, {
    path: settings.path,
    home: directory.work,
    temporary: directory.temporary,
    inputs: directory.inputs,
    outputs: directory.outputs,
  });

  const command = await startCommand(words, environment, directory);
  logs.follow('STDOUT', command.stdout);
  logs.follow('STDERR', command.stderr);
  let reason: EndReason;
  let remaining: number;
  try {
    directory.noteLeader(command.pid);
    options.onStarted();
    reason = await waitForEnd(command.exited, options.signal, spec.timeoutSeconds);
  } finally {
    const left = await endProcesses(() => listRunProcesses(spec.runId, command.pid), {
      graceSeconds: spec.terminationGraceSeconds,
      killWaitSeconds: settings.killWaitSeconds,
    });
    remaining = left.length;
    await logs.finish(LAST_OUTPUT_MILLISECONDS);
  }
  if (remaining > 0) throw new StuckError(`${remaining} processes of the run survived SIGKILL`);
  return { reason, exit: await command.exited };
}

async function waitForEnd(
  exited: Promise<CommandExit>,
  signal: AbortSignal,
  timeoutSeconds: number | null,
): Promise<EndReason> {
  const over = new AbortController();
  const cancelled = new Promise<EndReason>((resolve) => {
    if (signal.aborted) resolve('CANCELLED');
    signal.addEventListener('abort', () => resolve('CANCELLED'), {
      signal: over.signal,
    });
  });
  const ends: Promise<EndReason>[] = [exited.then(() => 'EXITED'), cancelled];
  if (timeoutSeconds !== null) ends.push(waitFor(timeoutSeconds, over.signal).then(() => 'TIMED_OUT'));
  try {
    return await Promise.race(ends);
  } finally {
    over.abort();
  }
}

/** A timer of more than 24 days would fire at once, so a long wait uses several timers. */
async function waitFor(seconds: number, signal: AbortSignal): Promise<void> {
  for (let left = seconds * 1000; left > 0; left -= LONGEST_TIMER_MILLISECONDS) {
    await sleep(Math.min(left, LONGEST_TIMER_MILLISECONDS), undefined, {
      signal,
    });
  }
}

/** @throws RunError that says how the command failed, with its own message if it has written one. */
async function requireSuccess(
  spec: RunSpec,
  ended: { reason: EndReason; exit: CommandExit },
  directory: RunDirectory,
  logs: LogCapture,
): Promise<void> {
  if (ended.reason === 'TIMED_OUT') {
    throw new RunError('USER', 'DeadlineExceeded', `the command ran longer than ${spec.timeoutSeconds} s`);
  }
  const { code, signal } = ended.exit;
  const reported = await readErrorFile(directory, MESSAGE_LIMIT_BYTES);
  if (code === 0 && reported === null) return;
  const said = reported || lastLines(logs.tailOf('STDERR'));
  if (signal !== null) {
    throw new RunError('USER', 'Killed', `the command was killed by ${signal}${said && `\n${said}`}`);
  }
  if (code === 0) throw new RunError('USER', 'UserError', said || 'the command wrote an empty error file');
  throw new RunError('USER', 'NonZeroExit', said || `the command exited with code ${code} and no message`);
}

/** The end of a text. If it must be cut, it begins with a whole line. */
function lastLines(text: string): string {
  const end = lastBytes(text, MESSAGE_LIMIT_BYTES);
  const firstBreak = end.indexOf('\n');
  const isCut = end.length < text.length && firstBreak < end.length - 1;
  return (isCut ? end.slice(firstBreak + 1) : end).trim();
}

function collectOutputs(
  settings: Settings,
  spec: RunSpec,
  directory: RunDirectory,
  inputs: LocalInputs,
  options: RunOptions,
): Promise<CollectedOutputs> {
  const request = {
    declared: spec.interface.outputs,
    directory,
    inputUris: new Set(inputs.blobs.values()),
    limitBytes: settings.outputLimitBytes,
  };
  return readOutputs(request, options.blobs, options.signal);
}

/**
 * The outcome of a run. If the run was cancelled, the outcome is CANCELLED, whatever errors its steps had because of
 * that, unless some of its processes still live.
 */
function outcomeOf(error: unknown, exit: CommandExit, signal: AbortSignal): RunOutcome {
  if (error instanceof StuckError) return { kind: 'STUCK', message: error.message };
  if (signal.aborted) return { kind: 'CANCELLED' };
  const failure = asRunError(error);
  if (failure === null) throw error;
  const { code, message, kind } = failure;
  return {
    kind: 'FAILED',
    error: { code, message, kind },
    exitCode: exit.code,
    signal: exit.signal,
  };
}

/** Null for an error that is neither a failed run nor a failed system call, but a bug. */
function asRunError(error: unknown): RunError | null {
  if (error instanceof RunError) return error;
  const code = systemErrorCode(error);
  if (code === null) return null;
  return new RunError('SYSTEM', 'ExecutorFailure', `the executor failed: ${code}`, {
    cause: error,
  });
}

async function retire(
  settings: Settings,
  runId: string,
  directory: RunDirectory,
  outcome: RunOutcome,
): Promise<void> {
  // The processes that still live must be found later by the note of the run.
  if (outcome.kind === 'STUCK') return;
  if (outcome.kind === 'FAILED' && settings.keepFailed) await keepRunDirectory(directory.path);
  else await removeRunDirectory(settings.root, runId, directory.path);
}

async function reapLeftovers(settings: Settings, active: ReadonlySet<string>): Promise<string[]> {
  const leftovers = findLeftovers(settings.root).filter(({ runId }) => !active.has(runId));
  const remaining = await Promise.all(leftovers.map((leftover) => endLeftover(settings, leftover)));
  const stuck = leftovers.filter((_, index) => remaining[index] !== 0);
  if (stuck.length > 0) {
    throw new Error(`processes survived SIGKILL, of runs ${stuck.map(({ runId }) => runId).join(', ')}`);
  }
  for (const { runId, path } of leftovers) await removeRunDirectory(settings.root, runId, path);
  await removeEndedDirectories(settings.root);
  return [...new Set(leftovers.map(({ runId }) => runId))];
}

/** @returns how many processes still live. */
async function endLeftover(settings: Settings, leftover: Leftover): Promise<number> {
  const leader = findLeader(leftover.runId, leftover.leader);
  const left = await endProcesses(() => listRunProcesses(leftover.runId, leader), {
    graceSeconds: Math.min(leftover.terminationGraceSeconds, LEFTOVER_GRACE_SECONDS),
    killWaitSeconds: settings.killWaitSeconds,
  });
  return left.length;
}
