/**
 * Real pipes for what a command prints. Node gives its children sockets, and on Linux a socket cannot be opened as
 * /dev/stdout or /dev/stderr, which shell scripts do all the time.
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
  /** The end to hand to the command; to be closed here once it has it, or the reader never ends. */
  readonly writer: number;
}

/**
 * Makes two pipes, for standard output and standard error. Their names are gone from `directory` when this answers.
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
  // In this order: a pipe opens for reading without a writer when it need not block, and for writing once it has a reader.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return {
    reader: new Socket({ fd: descriptor, readable: true, writable: false }),
    writer,
  };
}
