/**
 * The directory of a run, with a note by which a later executor finds what this one has left behind.
 *
 *    <root>/.starting-<run>  ──▶  <root>/<run>  ──▶  <root>/.ended-<run>  ──▶  removed
 *    no process yet               may have one       has none any more
 *
 * Each arrow is one rename, so after a crash there is one of these three names. Other entries under the root, such as a
 * failed run that was kept, have no note and are never touched.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../../platform/process-identity.ts';
import { RunError, systemErrorCode } from '../../host/run-error.ts';
import { INPUTS_FILE, LITERALS_FILE, type RunFiles } from '../../host/run-files.ts';

const STARTING = '.starting-';
const ENDED = '.ended-';
const NOTE = 'run.json';
/** Only for the user of the executor. */
const DIRECTORY_MODE = 0o700;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** The content of a run's note. */
interface RunNote {
  /** The executor. While it lives, other executors leave its runs alone. */
  readonly owner: ProcessIdentity;
  readonly terminationGraceSeconds: number;
  /** The command; null before it starts. */
  readonly leader: ProcessIdentity | null;
}

export interface RunDirectory extends RunFiles {
  readonly temporary: string;
  readonly work: string;
  /** Writes down which process runs here. Synchronous, so that nothing can happen between the start and the note. */
  noteLeader(pid: number): void;
}

/** A run whose executor has died. */
export interface Leftover {
  readonly runId: string;
  readonly path: string;
  readonly leader: ProcessIdentity | null;
  readonly terminationGraceSeconds: number;
}

/**
 * @throws RunError `RunDirectoryUnavailable` if the run already has a directory, or if its id cannot be the name of
 * one.
 */
export function createRunDirectory(
  root: string,
  run: { runId: string; terminationGraceSeconds: number },
): RunDirectory {
  if (!RUN_ID.test(run.runId)) throw unavailable(`${JSON.stringify(run.runId)} cannot name a directory`);
  const path = join(root, run.runId);
  const starting = join(root, `${STARTING}${run.runId}`);
  const note: RunNote = {
    owner: getOwnIdentity(),
    terminationGraceSeconds: run.terminationGraceSeconds,
    leader: null,
  };

  rmSync(starting, { recursive: true, force: true });
  mkdirSync(starting, { recursive: true, mode: DIRECTORY_MODE });
  writeNote(starting, note);
  for (const name of ['inputs', 'blobs', 'outputs', 'tmp', 'work']) {
    mkdirSync(join(starting, name), { mode: DIRECTORY_MODE });
  }
  try {
    renameSync(starting, path);
  } catch (error) {
    rmSync(starting, { recursive: true });
    if (systemErrorCode(error) !== 'ENOTEMPTY') throw error;
    throw unavailable('this executor has already started the run', error);
  }
  return {
    path,
    inputs: join(path, 'inputs'),
    inputsFile: join(path, 'inputs', INPUTS_FILE),
    literalsFile: join(path, 'inputs', LITERALS_FILE),
    blobs: join(path, 'blobs'),
    outputs: join(path, 'outputs'),
    temporary: join(path, 'tmp'),
    work: join(path, 'work'),
    noteLeader: (pid) => writeNote(path, { ...note, leader: identifyProcess(pid) }),
  };
}

/** All runs under the root whose executors have died before their end. */
export function findLeftovers(root: string): Leftover[] {
  const leftovers: Leftover[] = [];
  for (const name of listNames(root)) {
    const path = join(root, name);
    const note = readNote(path);
    const runId = name.startsWith(STARTING) ? name.slice(STARTING.length) : name;
    if (!RUN_ID.test(runId) || (note === null && name === runId)) continue;
    if (note !== null && isSomeoneElsesBusiness(note.owner)) continue;
    leftovers.push({
      runId,
      path,
      leader: note?.leader ?? null,
      terminationGraceSeconds: note?.terminationGraceSeconds ?? 0,
    });
  }
  return leftovers;
}

/** Removes the directory of a run whose processes have all ended. */
export async function removeRunDirectory(root: string, runId: string, path: string): Promise<void> {
  const ended = join(root, `${ENDED}${runId}`);
  try {
    await rename(path, ended);
  } catch (error) {
    // For example, the command may have moved it. The outcome of the run does not depend on it.
    if (systemErrorCode(error) === null) throw error;
  }
  await removeAsFarAsPossible(ended);
}

/** Keeps the directory, so that people can look at it. */
export async function keepRunDirectory(path: string): Promise<void> {
  await rm(join(path, NOTE), { force: true });
}

/** Removes the directories that an executor was removing when it was killed. */
export async function removeEndedDirectories(root: string): Promise<void> {
  for (const name of listNames(root)) {
    if (name.startsWith(ENDED)) await removeAsFarAsPossible(join(root, name));
  }
}

function isSomeoneElsesBusiness(owner: ProcessIdentity): boolean {
  return owner.pid !== process.pid && isRunning(owner);
}

function getOwnIdentity(): ProcessIdentity {
  return identifyProcess(process.pid) ?? { pid: process.pid, startedAt: 'unknown' };
}

/** If we are killed during the write, the old note stays, never half of a note. */
function writeNote(directory: string, note: RunNote): void {
  const path = join(directory, NOTE);
  writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Null if there is no note of ours. The command may write here too, so its content is checked. */
function readNote(directory: string): RunNote | null {
  try {
    const note = JSON.parse(readFileSync(join(directory, NOTE), 'utf8'));
    if (!isIdentity(note.owner)) return null;
    return {
      owner: note.owner,
      leader: isIdentity(note.leader) ? note.leader : null,
      terminationGraceSeconds: Number(note.terminationGraceSeconds) || 0,
    };
  } catch {
    return null;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value))
    return false;
  // Process 1 is init, which is never part of a run.
  return typeof value.pid === 'number' && Number.isSafeInteger(value.pid) && value.pid > 1;
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
