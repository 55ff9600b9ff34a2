import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entryOf } from '../../values/json.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import type { Literal } from '../../values/literals.ts';
import { literalFromPlain, toPlain } from '../../values/plain-values.ts';
import { Place } from '../../values/problem-list.ts';
import { blobUrisIn, withBlobUris } from '../../values/uris.ts';
import { RunError } from './run-error.ts';
import { INPUTS_FILE, LITERALS_FILE, type RunFiles } from './run-files.ts';
import type { RunSpec } from './run-spec.ts';
import type { BlobStore } from './runtime.ts';

/** The inputs of a run, as its command sees them. */
export interface LocalInputs {
  /** The text of each input by name, for its file and for placeholders. The text of a blob is its path. */
  readonly texts: ReadonlyMap<string, string>;
  /** The URI of each downloaded file, by its local path. */
  readonly blobs: ReadonlyMap<string, string>;
}

/**
 * Writes each input to `inputs/<name>`, all inputs to `inputs/inputs.json`, and their literals to
 * `inputs/literals.json`. Blobs are downloaded and replaced by their local paths, even inside lists and maps. Which
 * texts of a union are blobs is never guessed: the literal says it, or the only variant that accepts the value.
 *
 * @throws RunError `InputUnavailable` (SYSTEM) if a blob cannot be downloaded, `InvalidInterface` for a name that
 * cannot be used.
 */
export async function writeInputs(
  spec: Pick<RunSpec, 'interface' | 'inputs' | 'inputLiterals'>,
  directory: RunFiles,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<LocalInputs> {
  requireFileNames('input', Object.keys(spec.inputs), [INPUTS_FILE, LITERALS_FILE]);
  const fetched = new Map<string, string>();
  const plain: [string, unknown][] = [];
  const literals: [string, Literal][] = [];
  const texts = new Map<string, string>();

  for (const [name, value] of Object.entries(spec.inputs)) {
    const type = entryOf(spec.interface.inputs, name)?.type;
    const file = join(directory.inputs, name);
    const isFile = type !== undefined && 'blob' in type;
    const given = entryOf(spec.inputLiterals, name) ?? literalOf(type, value);
    const paths: string[] = [];
    for (const uri of given ? blobUrisIn(given) : []) {
      const path = isFile ? file : join(directory.blobs, String(fetched.size));
      await fetchBlob(name, uri, path, blobs, signal);
      fetched.set(path, uri);
      paths.push(path);
    }
    // Both functions go through the blobs in the same order.
    const local = given && withBlobUris(given, () => paths.shift() ?? '');
    const localValue = local ? toPlain(local) : value;
    plain.push([name, localValue]);
    if (local) literals.push([name, local]);
    texts.set(name, textOf(localValue));
    if (!isFile) await writeFile(file, textOf(localValue), { mode: 0o600 });
  }
  for (const [name, { type }] of Object.entries(spec.interface.inputs)) {
    if (!texts.has(name) && mayBeAbsent(type)) texts.set(name, '');
  }
  await writeJson(directory.inputsFile, plain);
  await writeJson(directory.literalsFile, literals);
  return { texts, blobs: fetched };
}

async function writeJson(file: string, entries: readonly (readonly [string, unknown])[]): Promise<void> {
  await writeFile(file, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
}

/** Undefined if the plain value does not say the literal. */
function literalOf(type: LiteralType | undefined, value: unknown): Literal | undefined {
  return type && literalFromPlain(type, value, new Place([]).trial());
}

/** @throws RunError `InvalidInterface` if a name cannot be the name of a file, or if the runtime uses it itself. */
export function requireFileNames(kind: string, names: readonly string[], taken: readonly string[]): void {
  for (const name of names) {
    const isFileName = /^[^./\0][^/\0]*$/.test(name) && Buffer.byteLength(name) <= 255;
    if (isFileName && !taken.includes(name)) continue;
    throw new RunError(
      'USER',
      'InvalidInterface',
      `the name of the ${kind} ${JSON.stringify(name)} cannot be the name of a file`,
    );
  }
}

/** Whether the value may be missing. */
export function mayBeAbsent(type: LiteralType): boolean {
  return literalFromPlain(type, null, new Place([]).trial()) !== undefined;
}

/**
 * Strings stay as they are, and structures become JSON. Null, which only an optional input can have, becomes an empty
 * text.
 */
function textOf(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function fetchBlob(
  name: string,
  uri: string,
  toFile: string,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<void> {
  try {
    await blobs.fetch(uri, toFile, signal);
  } catch (cause) {
    if (cause instanceof RunError) throw cause;
    throw new RunError('SYSTEM', 'InputUnavailable', `cannot download the file of the input ${name}`, {
      cause,
    });
  }
}
