import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RunError, systemErrorCode } from '../../host/run-error.ts';
import type { Work } from '../../host/runtime.ts';
import { WRAPPER, wrap } from '../command-wrapper.ts';

const startFailures = {
  ENOENT: { code: 'CommandNotFound', says: 'was not found' },
  EACCES: { code: 'CommandNotExecutable', says: 'is not executable for this user' },
  E2BIG: { code: 'ArgumentsTooLong', says: 'has arguments that are too long; pass large inputs as files' },
} as const;

/**
 * Starts a command in the run's work directory. It leads its own session, and continues when this process ends.
 *
 * @returns the shell that waits for it.
 * @throws RunError `CommandNotFound`, `CommandNotExecutable`, `ArgumentsTooLong`, or `CommandNotStarted` (SYSTEM) if
 * this machine cannot start it.
 */
export async function startCommand(work: Work): Promise<ChildProcess & { readonly pid: number }> {
  const { control, work: folder } = work.directory;
  const [file = ''] = work.words;
  requireProgram(file, work.environment['PATH'] ?? '', folder);
  const { args, environment } = wrap({ ...work, control }, 'own');
  const said = openSync(join(control, 'said'), 'a', 0o600);
  try {
    const shell = spawn('/bin/sh', ['-c', WRAPPER, 'slipway-run', ...args], {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ['ignore', 'ignore', said],
    });
    if (shell.pid === undefined) throw (await once(shell, 'error'))[0];
    shell.unref();
    return Object.assign(shell, { pid: shell.pid });
  } catch (error) {
    throw startFailure(file, error);
  } finally {
    closeSync(said);
  }
}

/** @throws RunError if this machine has no such program. */
function requireProgram(file: string, path: string, folder: string): void {
  if (file === '')
    throw new RunError(
      'USER',
      'CommandNotFound',
      'the container has no command; this runtime does not read the command of an image',
    );
  if (file.includes('='))
    throw new RunError('USER', 'CommandNotExecutable', `the command ${file} has = in its name`);
  const places = file.includes('/')
    ? [resolve(folder, file)]
    : path.split(':').map((place) => resolve(folder, place, file));
  const found = places.filter(isFile);
  if (found.length === 0) throw failure(file, 'ENOENT');
  if (!found.some(isExecutable)) throw failure(file, 'EACCES');
}

function isFile(place: string): boolean {
  try {
    return statSync(place).isFile();
  } catch {
    return false;
  }
}

function isExecutable(place: string): boolean {
  try {
    accessSync(place, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function startFailure(file: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === null) return error;
  if (code === 'E2BIG') return failure(file, code);
  return new RunError('SYSTEM', 'CommandNotStarted', `the command could not be started: ${code}`, {
    cause: error,
  });
}

function failure(file: string, cause: 'ENOENT' | 'EACCES' | 'E2BIG'): RunError {
  const { code, says } = startFailures[cause];
  return new RunError('USER', code, `the command ${file} ${says}`);
}
