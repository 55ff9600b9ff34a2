/**
 * The directory of a run. It exists until the server knows the end of the run.
 *
 *    <root>/<run>/  inputs/<name>, inputs/inputs.json     the inputs of the command
 *                   outputs/<name>, outputs/outputs.json  the outputs of the command
 *                   blobs/                                input files inside of lists, maps and unions
 *                   work/, tmp/                           its current directory and home, and TMPDIR
 *    <root>/.control-<run>/                               what it prints, and what the runtime notes
 *    <root>/.ended-<run>                                  a directory that is being removed
 *
 * The folder of the runtime is not inside, so that a command that moves or empties its own directory does no harm.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError, systemErrorCode } from './run-error.ts';
import { INPUTS_FILE, LITERALS_FILE, type LogFiles, type RunFiles } from './run-files.ts';
import type { LogChunk } from './runtime.ts';

const CONTROL = '.control-';
const ENDED = '.ended-';
/** Only for the user of the executor. */
const DIRECTORY_MODE = 0o700;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

export interface RunDirectory extends RunFiles {
  readonly temporary: string;
  readonly work: string;
  readonly control: string;
  readonly logs: Readonly<Record<LogChunk['stream'], LogFiles>>;
}

/** The paths of a run. @throws RunError `RunDirectoryUnavailable` if its id cannot be the name of a directory. */
export function runDirectory(root: string, runId: string): RunDirectory {
  if (!RUN_ID.test(runId)) throw unavailable(`${JSON.stringify(runId)} cannot name a directory`);
  const path = join(root, runId);
  const control = join(root, `${CONTROL}${runId}`);
  return {
    path,
    inputs: join(path, 'inputs'),
    inputsFile: join(path, 'inputs', INPUTS_FILE),
    literalsFile: join(path, 'inputs', LITERALS_FILE),
    blobs: join(path, 'blobs'),
    outputs: join(path, 'outputs'),
    temporary: join(path, 'tmp'),
    work: join(path, 'work'),
    control,
    logs: { STDOUT: logFiles(join(control, 'stdout')), STDERR: logFiles(join(control, 'stderr')) },
  };
}

const logFiles = (beginning: string): LogFiles => ({ beginning, end: `${beginning}.end` });

/** @throws RunError `RunDirectoryUnavailable` if the run already has a directory. */
export function createRunDirectory(root: string, runId: string): RunDirectory {
  const directory = runDirectory(root, runId);
  mkdirSync(root, { recursive: true, mode: DIRECTORY_MODE });
  try {
    mkdirSync(directory.path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    throw unavailable('this executor has already started the run', error);
  }
  const { inputs, blobs, outputs, temporary, work, control } = directory;
  for (const folder of [inputs, blobs, outputs, temporary, work, control])
    mkdirSync(folder, { mode: DIRECTORY_MODE });
  return directory;
}

/** Removes the directory of a run of which nothing runs any more. @param isKept  keeps what the command has left. */
export async function removeRunDirectory(root: string, runId: string, isKept: boolean): Promise<void> {
  await removeAsFarAsPossible(join(root, `${CONTROL}${runId}`));
  if (isKept) return;
  const ended = join(root, `${ENDED}${runId}`);
  try {
    await rename(join(root, runId), ended);
  } catch (error) {
    // For example, the command may have moved it. The outcome of the run does not depend on it.
    if (systemErrorCode(error) === null) throw error;
  }
  await removeAsFarAsPossible(ended);
}

/** Removes the directories that an executor was removing when it was killed. */
export async function removeEndedDirectories(root: string): Promise<void> {
  for (const name of listNames(root)) {
    if (name.startsWith(ENDED)) await removeAsFarAsPossible(join(root, name));
  }
}

function listNames(root: string): string[] {
  try {
    return readdirSync(root);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Entries that cannot be removed are left for the next start. A file that stays must not change the outcome of a run.
 */
async function removeAsFarAsPossible(path: string): Promise<void> {
  try {
    await removeTree(path);
  } catch (error) {
    if (systemErrorCode(error) === null) throw error;
  }
}

/** Works also if the command has removed its own permission to write, as Go's module cache does. */
async function removeTree(path: string): Promise<void> {
  const remove = () => rm(path, { recursive: true });
  try {
    await remove();
  } catch {
    await makeWritable(path);
    await remove();
  }
}

async function makeWritable(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, DIRECTORY_MODE);
  for (const name of await readdir(path)) await makeWritable(join(path, name));
}

function unavailable(message: string, cause?: unknown): RunError {
  return new RunError('SYSTEM', 'RunDirectoryUnavailable', message, { cause });
}
