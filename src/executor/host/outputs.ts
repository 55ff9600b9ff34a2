import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { RunError, systemErrorCode } from './run-error.ts';
import type { RunFiles } from './run-files.ts';
import type { BlobStore, LiteralType, Variables } from './runtime.ts';
import { firstBytes, withoutNul } from './utf8.ts';
import {
  isFileType,
  isOptional,
  jsonOf,
  LocalFile,
  ValueError,
  valueFromJson,
  valueFromText,
} from './values.ts';

/** All outputs in one file, name → value. A blob's value here is its path, from the outputs directory on. */
const OUTPUTS_FILE = 'outputs.json';
/** Flyte's copilot: a command that writes this file has failed, whatever its exit code, and says why in it. */
const ERROR_FILE = '_ERROR';
export const RESERVED_OUTPUT_NAMES = [OUTPUTS_FILE, ERROR_FILE];

const MESSAGE_LIMIT_BYTES = 8 * 1024;

interface OutputsRequest {
  readonly declared: Variables;
  readonly directory: RunFiles;
  /** Uris that the run was given as inputs. It may pass these on; any other is not its own to give. */
  readonly inputUris: ReadonlySet<string>;
  /** Of all values together, without the content of blobs. */
  readonly limitBytes: number;
}

/** How much text may still be read; shared by all files of a run. */
interface Budget {
  leftBytes: number;
}

/**
 * Reads what a command wrote: each output from `outputs.json` or, if it is not there, from the file of its name. Blobs
 * are stored, after everything was found right.
 *
 * @throws RunError `OutputsInvalid` naming each problem, `OutputsTooLarge`, or `OutputNotStored` (SYSTEM).
 */
export async function readOutputs(
  request: OutputsRequest,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const problems: string[] = [];
  const values = await readValues(request, problems);
  const files = await findFiles(request, values, problems);
  if (problems.length > 0) {
    throw new RunError('USER', 'OutputsInvalid', firstBytes(problems.join('; '), MESSAGE_LIMIT_BYTES));
  }
  if (Buffer.byteLength(JSON.stringify(Object.fromEntries(values))) > request.limitBytes) {
    throw tooLarge(request.limitBytes);
  }
  const uris = await storeFiles(files, blobs, signal);
  return Object.fromEntries([...values].map(([name, value]) => [name, withUris(value, uris)]));
}

/** The message of the user's error file, its first `limitBytes`; null when there is no such file. */
export async function readErrorFile(directory: RunFiles, limitBytes: number): Promise<string | null> {
  try {
    const file = await openInside(directory, join(directory.outputs, ERROR_FILE));
    if (file === null) return null;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, 0);
      return withoutNul(firstBytes(buffer.toString('utf8', 0, bytesRead), limitBytes)).trim();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ValueError) return '';
    throw error;
  }
}

async function readValues(request: OutputsRequest, problems: string[]): Promise<Map<string, unknown>> {
  const values = new Map<string, unknown>();
  const budget = { leftBytes: request.limitBytes };
  const written = await collectProblem(OUTPUTS_FILE, problems, () => readOutputsFile(request, budget));
  for (const name of Object.keys(written ?? {})) {
    if (!Object.hasOwn(request.declared, name))
      problems.push(`${OUTPUTS_FILE} has ${name}, which is not declared`);
  }
  for (const [name, { type }] of Object.entries(request.declared)) {
    const value = await collectProblem(name, problems, () =>
      written && Object.hasOwn(written, name)
        ? valueFromJson(type, written[name])
        : readFileValue(request, budget, name, type),
    );
    values.set(name, value);
  }
  return values;
}

async function readOutputsFile(
  request: OutputsRequest,
  budget: Budget,
): Promise<Record<string, unknown> | null> {
  const text = await readText(request, budget, OUTPUTS_FILE);
  if (text === null) return null;
  const value = jsonOf(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ValueError('is not an object');
  return value as Record<string, unknown>;
}

async function readFileValue(
  request: OutputsRequest,
  budget: Budget,
  name: string,
  type: LiteralType,
): Promise<unknown> {
  if (isFileType(type)) {
    const file = await openInside(request.directory, join(request.directory.outputs, name));
    await file?.close();
    if (file !== null) return new LocalFile(name);
  } else {
    const text = await readText(request, budget, name);
    if (text !== null) return valueFromText(type, text);
  }
  if (isOptional(type)) return null;
  throw new ValueError('was not written');
}

async function readText(
  { directory, limitBytes }: OutputsRequest,
  budget: Budget,
  name: string,
): Promise<string | null> {
  const file = await openInside(directory, join(directory.outputs, name));
  if (file === null) return null;
  try {
    budget.leftBytes -= (await file.stat()).size;
    if (budget.leftBytes < 0) throw tooLarge(limitBytes);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.readFile());
  } catch (error) {
    if (error instanceof TypeError) throw new ValueError('is not UTF-8');
    throw error;
  } finally {
    await file.close();
  }
}

/** Every local file among the values → the path under which it can be read, links followed. */
async function findFiles(
  request: OutputsRequest,
  values: ReadonlyMap<string, unknown>,
  problems: string[],
): Promise<Map<LocalFile, string>> {
  const files = new Map<LocalFile, string>();
  for (const [name, value] of values) {
    for (const local of localFilesIn(value)) {
      if (request.inputUris.has(local.path)) continue;
      await collectProblem(name, problems, async () => {
        const path = resolve(request.directory.outputs, local.path);
        const file = await openInside(request.directory, path);
        if (file === null) throw new ValueError(`names a file that does not exist: ${local.path}`);
        await file.close();
        files.set(local, await realpath(path));
      });
    }
  }
  return files;
}

async function storeFiles(
  files: ReadonlyMap<LocalFile, string>,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<Map<LocalFile, string>> {
  const uris = new Map<LocalFile, string>();
  for (const [local, path] of files) {
    try {
      uris.set(local, await blobs.store(path, signal));
    } catch (cause) {
      if (cause instanceof RunError) throw cause;
      throw new RunError('SYSTEM', 'OutputNotStored', 'a file of the outputs could not be stored', { cause });
    }
  }
  return uris;
}

function withUris(value: unknown, uris: ReadonlyMap<LocalFile, string>): unknown {
  if (value instanceof LocalFile) return uris.get(value) ?? value.path;
  if (localFilesIn(value).length === 0) return value;
  if (Array.isArray(value)) return value.map((item) => withUris(item, uris));
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => [key, withUris(item, uris)]),
  );
}

function localFilesIn(value: unknown): LocalFile[] {
  if (value instanceof LocalFile) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(localFilesIn);
}

/**
 * Opens a plain file for reading, if it is there.
 *
 * @throws ValueError when it is something else, cannot be read, or is a link that leads out of the run's directory.
 */
async function openInside(directory: RunFiles, path: string): Promise<FileHandle | null> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(`${await realpath(directory.path)}${sep}`)) {
      throw new ValueError("leads out of the run's directory");
    }
    // Without O_NONBLOCK a named pipe would be waited for.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new ValueError('is not a plain file');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return null;
    throw code === null ? error : new ValueError(`cannot be read: ${code}`);
  }
}

async function collectProblem<T>(
  name: string,
  problems: string[],
  read: () => T | Promise<T>,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(`${name} ${error.message}`);
    return null;
  }
}

function tooLarge(limitBytes: number): RunError {
  return new RunError('USER', 'OutputsTooLarge', `the outputs are larger than ${limitBytes} bytes in all`);
}
