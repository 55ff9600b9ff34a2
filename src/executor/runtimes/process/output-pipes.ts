/**
 * Real pipes for the output of a command. Node would give its children sockets, and on Linux a socket cannot be opened
 * as /dev/stdout or /dev/stderr, which shell scripts often do.
 */
import { execFile } from 'node:child_process';
import { constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { RunError } from '../../host/run-error.ts';

export interface OutputPipe {
  readonly reader: Readable;
  /** The end for the command. It must be closed here after the command has it; otherwise the reader never ends. */
  readonly writer: number;
}

/**
 * Creates two pipes, for standard output and standard error. Their names are removed from `directory` before this
 * returns.
 *
 * @throws RunError `PipesUnavailable` (SYSTEM).
 */
export async function openOutputPipes(directory: string): Promise<[stdout: OutputPipe, stderr: OutputPipe]> {
  const names = [join(directory, 'stdout'), join(directory, 'stderr')] as const;
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', ...names]);
    return [openPipe(names[0]), openPipe(names[1])];
  } catch (cause) {
    throw new RunError('SYSTEM', 'PipesUnavailable', 'cannot create pipes for the output', { cause });
  }
}

function openPipe(path: string): OutputPipe {
  // In this order: without blocking, a pipe can be opened for reading without a writer, and then for writing.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return { reader: new Socket({ fd: descriptor, readable: true }), writer };
}
