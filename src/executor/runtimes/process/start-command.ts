import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { RunError, systemErrorCode } from '../../host/run-error.ts';
import { openOutputPipes } from './output-pipes.ts';
import type { RunDirectory } from './run-directory.ts';

/** How the first process of a run ended. Exactly one of the two is set. */
export interface CommandExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running command, which leads its own process group and session. */
export interface StartedCommand {
  readonly pid: number;
  readonly exited: Promise<CommandExit>;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

const START_FAILURES: Readonly<Record<string, { code: string; says: string }>> = {
  ENOENT: { code: 'CommandNotFound', says: 'was not found' },
  ENOTDIR: { code: 'CommandNotFound', says: 'was not found' },
  EACCES: { code: 'CommandNotExecutable', says: 'is not executable for this user' },
  EPERM: { code: 'CommandNotExecutable', says: 'is not executable for this user' },
  ENOEXEC: {
    code: 'CommandNotExecutable',
    says: 'is not a program for this machine',
  },
  E2BIG: {
    code: 'ArgumentsTooLong',
    says: 'has arguments that are too long; pass large inputs as files',
  },
};

/**
 * Starts a command in the run's work directory, without a shell.
 *
 * @throws RunError `CommandNotFound`, `CommandNotExecutable`, `ArgumentsTooLong`, or `CommandNotStarted` (SYSTEM) if
 * this machine cannot start it.
 */
export async function startCommand(
  words: readonly string[],
  environment: Record<string, string>,
  directory: RunDirectory,
): Promise<StartedCommand> {
  const [file, ...args] = words;
  if (file === undefined || file === '') {
    throw new RunError(
      'USER',
      'CommandNotFound',
      'the container has no command; this runtime does not read the command of an image',
    );
  }
  const [stdout, stderr] = await openOutputPipes(directory.path);
  try {
    const child = spawn(file, args, {
      cwd: directory.work,
      env: environment,
      detached: true,
      stdio: ['ignore', stdout.writer, stderr.writer],
    });
    const exited = exitOf(child);
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    return {
      pid: child.pid,
      exited,
      stdout: stdout.reader,
      stderr: stderr.reader,
    };
  } catch (error) {
    stdout.reader.destroy();
    stderr.reader.destroy();
    throw startFailure(file, error);
  } finally {
    closeSync(stdout.writer);
    closeSync(stderr.writer);
  }
}

function exitOf(child: ChildProcess): Promise<CommandExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function startFailure(file: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === null) return error;
  const failure = START_FAILURES[code];
  if (failure) return new RunError('USER', failure.code, `the command ${file} ${failure.says}`);
  return new RunError('SYSTEM', 'CommandNotStarted', `the command could not be started: ${code}`, {
    cause: error,
  });
}
