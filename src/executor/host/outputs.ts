import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { LITERALS_PER_PLAIN } from '../../platform/literals-per-plain.ts';
import { fitLiteral } from '../../values/fit-literal.ts';
import { isRecord, mapRecord } from '../../values/json.ts';
import type { LiteralType, Variable } from '../../values/literal-types.ts';
import type { Literal, LiteralMap } from '../../values/literals.ts';
import { literalsBesidePlain } from '../../values/literals-beside-plain.ts';
import { literalFromPlain, toPlain } from '../../values/plain-values.ts';
import { Place } from '../../values/problem-list.ts';
import { literal } from '../../values/read-literals.ts';
import { MAX_JSON_DEPTH, nestsWithin } from '../../values/readers.ts';
import { jsonFromText, literalFromText } from '../../values/text-values.ts';
import { unionLiteral } from '../../values/unions.ts';
import { blobUrisIn, withBlobUris } from '../../values/uris.ts';
import { mayBeAbsent } from './inputs.ts';
import { RunError, systemErrorCode } from './run-error.ts';
import { LITERALS_FILE, OUTPUTS_FILE, type RunFiles } from './run-files.ts';
import type { BlobStore } from './runtime.ts';
import { firstBytes, withoutNul } from './utf8.ts';

/** From Flyte's copilot: a command that writes this file has failed, whatever its exit code, and the file says why. */
const ERROR_FILE = '_ERROR';
export const RESERVED_OUTPUT_NAMES = [OUTPUTS_FILE, LITERALS_FILE, ERROR_FILE];

const MESSAGE_LIMIT_BYTES = 8 * 1024;
/**
 * How deep values can be nested. The server allows one level more, because the names of the outputs are the first
 * level.
 */
const MAX_NESTING = MAX_JSON_DEPTH - 1;

interface OutputsRequest {
  readonly declared: Readonly<Record<string, Variable>>;
  readonly directory: RunFiles;
  /** The URIs of the inputs of the run. The run may pass them on, but no other URIs. */
  readonly inputUris: ReadonlySet<string>;
  /** The limit for all values together, without the content of blobs. */
  readonly limitBytes: number;
}

/** How much text may still be read. All files of a run share it. */
interface Budget {
  leftBytes: number;
}

/** Why a file cannot be an output. The code that reads it adds which file it is. */
class FileFault extends Error {
  override name = this.constructor.name;
}

/** The outputs of a run as plain values, and as literals those that plain values do not say completely. */
export interface CollectedOutputs {
  readonly outputs: Record<string, unknown>;
  readonly outputLiterals: LiteralMap;
}

/**
 * Reads the outputs that a command has written: each output from `literals.json`, which has Flyte's literals, or from
 * `outputs.json`, which has plain values, or else from the file with its name. In both JSON files, the value of a blob
 * is its path, relative to the outputs directory. Only a literal can say which variant of a union a value has if several
 * variants accept it. Blobs are stored after all outputs were checked.
 *
 * @throws RunError `OutputsInvalid` with all problems, `OutputsTooLarge`, or `OutputNotStored` (SYSTEM).
 */
export async function readOutputs(
  request: OutputsRequest,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<CollectedOutputs> {
  const place = new Place([]);
  const literals = await readLiterals(request, place);
  const files = await findFiles(request, literals, place);
  if (place.problems.size > 0) throw invalid(place.problems.all);
  const uris = await storeFiles(files, blobs, signal);
  const values = mapRecord(Object.fromEntries(literals), (one) =>
    withBlobUris(one, (uri) => uris.get(uri) ?? uri),
  );
  const outputLiterals = literalsBesidePlain(request.declared, values);
  requireReportable(outputLiterals, request.limitBytes);
  return { outputs: mapRecord(values, toPlain), outputLiterals };
}

/** @throws RunError if the server would refuse these literals. */
function requireReportable(literals: LiteralMap, limitBytes: number): void {
  const limit = LITERALS_PER_PLAIN * limitBytes;
  if (Buffer.byteLength(JSON.stringify(literals)) > limit)
    throw new RunError('USER', 'OutputsTooLarge', `the outputs are larger than ${limit} bytes as literals`);
  const deep = Object.keys(literals).find((name) => !nestsWithin(literals[name], MAX_NESTING));
  if (deep === undefined) return;
  const message = `its literal is nested more than ${MAX_NESTING} levels deep`;
  throw invalid([{ path: [deep], code: 'InvalidValue', message }]);
}

function invalid(problems: readonly Problem[]): RunError {
  const texts = problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const code = problems.some((problem) => problem.code === 'TooLarge') ? 'OutputsTooLarge' : 'OutputsInvalid';
  return new RunError('USER', code, firstBytes(texts.join('; '), MESSAGE_LIMIT_BYTES));
}

/** The message in the error file of the user's code, at most `limitBytes`; null if there is no such file. */
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
    if (error instanceof FileFault) return '';
    throw error;
  }
}

/** The literals of the outputs. A blob still has the path of its file. @throws RunError `OutputsTooLarge` */
async function readLiterals(request: OutputsRequest, place: Place): Promise<Map<string, Literal>> {
  const budget = { leftBytes: request.limitBytes };
  const written = await readJsonFile(request, budget, OUTPUTS_FILE, place);
  const literalBudget = { leftBytes: LITERALS_PER_PLAIN * request.limitBytes };
  const writtenLiterals = await readJsonFile(request, literalBudget, LITERALS_FILE, place);
  for (const name of Object.keys(writtenLiterals)) {
    if (Object.hasOwn(written, name))
      place
        .at(name)
        .report('ParameterBoundMoreThanOnce', `has a value in both ${OUTPUTS_FILE} and ${LITERALS_FILE}`);
  }
  const literals = new Map<string, Literal>();
  for (const [name, { type }] of Object.entries(request.declared)) {
    const at = place.at(name);
    const read = await withinBudget(() =>
      Object.hasOwn(writtenLiterals, name)
        ? literalOf(type, writtenLiterals[name], at)
        : Object.hasOwn(written, name)
          ? plainOutput(type, written[name], at)
          : readFileValue(request, budget, name, type, at),
    );
    if (read === undefined) continue;
    literals.set(name, read);
    if (!nestsWithin(toPlain(read), MAX_NESTING))
      at.report('InvalidValue', `is nested more than ${MAX_NESTING} levels deep`);
  }
  const plain = [...literals].map(([name, literal]) => [name, toPlain(literal)]);
  if (Buffer.byteLength(JSON.stringify(Object.fromEntries(plain))) > request.limitBytes)
    throw tooLarge(request.limitBytes);
  return literals;
}

/** @throws RunError if reading takes too many steps. */
async function withinBudget<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof InvalidArgumentError ? invalid(error.problems) : error;
  }
}

function literalOf(type: LiteralType, written: unknown, place: Place): Literal | undefined {
  const read = literal(written, place);
  return read && fitLiteral(type, read, place);
}

/** The literal of a plain value. If it fits several variants of a union, the message says how to choose one. */
function plainOutput(type: LiteralType, written: unknown, place: Place): Literal | undefined {
  const trial = place.apart();
  const read = literalFromPlain(type, written, trial);
  for (const { path, code, message } of trial.problems.all) {
    const isAmbiguous = code === 'AmbiguousBindingUnionValue';
    const advice = isAmbiguous ? `; to choose a variant, write the literal to ${LITERALS_FILE}` : '';
    place.problems.add(() => ({ path, code, message: `${message}${advice}` }));
  }
  return read;
}

/** A JSON file with values by the names of outputs; empty if there is none. */
async function readJsonFile(
  request: OutputsRequest,
  budget: Budget,
  file: string,
  outer: Place,
): Promise<Record<string, unknown>> {
  const place = outer.at(file);
  const text = await fileOrFault(place, () => readText(request, budget, file));
  if (typeof text !== 'string') return {};
  const parsed = jsonFromText(text, place);
  if (parsed && !isRecord(parsed.json)) place.report('InvalidValue', 'expected a JSON object');
  const values = parsed && isRecord(parsed.json) ? parsed.json : {};
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(request.declared, name))
      place.report('VariableNameNotFound', `${name} is not declared`);
  }
  return values;
}

async function readFileValue(
  request: OutputsRequest,
  budget: Budget,
  name: string,
  type: LiteralType,
  place: Place,
): Promise<Literal | undefined> {
  const isFileItself = isFile(type);
  const text = await fileOrFault(place, () =>
    isFileItself ? pathOf(request.directory, name) : readText(request, budget, name),
  );
  if (text === undefined) return undefined;
  if (text !== null) {
    return isFileItself ? fileLiteral(type, text, place) : literalFromText(type, text, place);
  }
  return mayBeAbsent(type)
    ? literalFromPlain(type, null, place)
    : place.report('ValueRequired', 'the command did not write this file');
}

/** Whether a file is itself the value, and not the text of a value. */
function isFile(type: LiteralType): boolean {
  return 'blob' in type || ('unionType' in type && type.unionType.variants.some(isFile));
}

/** The literal of a file, for the first variant that is a file. */
function fileLiteral(type: LiteralType, path: string, place: Place): Literal | undefined {
  if (!('unionType' in type)) return literalFromPlain(type, path, place);
  const variant = type.unionType.variants.find(isFile);
  const value = variant && fileLiteral(variant, path, place);
  return variant && value && unionLiteral(variant, value, place);
}

/** The path of a file by its name, relative to the outputs directory; null if there is none. */
async function pathOf(directory: RunFiles, name: string): Promise<string | null> {
  const file = await openInside(directory, join(directory.outputs, name));
  await file?.close();
  return file && name;
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
    if (error instanceof TypeError) throw new FileFault('the file is not UTF-8');
    throw error;
  } finally {
    await file.close();
  }
}

/** For each path in the outputs, the path from which the file can be read, after following links. */
async function findFiles(
  request: OutputsRequest,
  literals: ReadonlyMap<string, Literal>,
  place: Place,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [name, literal] of literals) {
    for (const named of new Set(blobUrisIn(literal))) {
      if (request.inputUris.has(named)) continue;
      const real = await fileOrFault(place.at(name), async () => {
        const path = resolve(request.directory.outputs, named);
        const file = await openInside(request.directory, path);
        if (file === null) throw new FileFault(`the file ${named} does not exist`);
        await file.close();
        return await realpath(path);
      });
      if (real !== undefined) files.set(named, real);
    }
  }
  return files;
}

/** @returns the URI of each file, by its path in the outputs. */
async function storeFiles(
  files: ReadonlyMap<string, string>,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const uris = new Map<string, string>();
  for (const [named, path] of files) {
    try {
      uris.set(named, await blobs.store(path, signal));
    } catch (cause) {
      if (cause instanceof RunError) throw cause;
      throw new RunError('SYSTEM', 'OutputNotStored', 'cannot store an output file', { cause });
    }
  }
  return uris;
}

/**
 * Opens a regular file for reading, if it exists.
 *
 * @throws FileFault if it is not a regular file, cannot be read, or is a link to a place outside of the run's
 * directory.
 */
async function openInside(directory: RunFiles, path: string): Promise<FileHandle | null> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(`${await realpath(directory.path)}${sep}`)) {
      throw new FileFault("the file is outside of the run's directory");
    }
    // Without O_NONBLOCK, opening a named pipe would wait.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new FileFault('the file is not a regular file');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return null;
    throw code === null ? error : new FileFault(`cannot read the file: ${code}`);
  }
}

/** The result of reading a file; undefined if the file has a problem, which is reported. */
async function fileOrFault<T>(place: Place, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return place.report('InvalidValue', error.message);
  }
}

function tooLarge(limitBytes: number): RunError {
  return new RunError('USER', 'OutputsTooLarge', `the outputs are larger than ${limitBytes} bytes in total`);
}
