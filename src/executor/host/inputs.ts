import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entryOf, isRecord } from '../../values/json.ts';
import type { LiteralType } from '../../values/literal-types.ts';
import { literalFromPlain } from '../../values/plain-values.ts';
import { Place } from '../../values/problem-list.ts';
import { variantsOf } from '../../values/unions.ts';
import { blobUrisIn } from '../../values/uris.ts';
import { RunError } from './run-error.ts';
import type { RunFiles } from './run-files.ts';
import type { BlobStore, RunSpec } from './runtime.ts';

const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/** The inputs of a run, as its command sees them. */
export interface LocalInputs {
  /** The text of each input by name, for its file and for placeholders. The text of a blob is its path. */
  readonly texts: ReadonlyMap<string, string>;
  /** The URI of each downloaded file, by its local path. */
  readonly blobs: ReadonlyMap<string, string>;
}

/**
 * Writes each input to `inputs/<name>` and all inputs to `inputs/inputs.json`. Blobs are downloaded and replaced by
 * their local paths, even inside lists and maps.
 *
 * @throws RunError `InputUnavailable` (SYSTEM) if a blob cannot be downloaded, `InvalidInterface` for a name that
 * cannot be used.
 */
export async function writeInputs(
  spec: Pick<RunSpec, 'interface' | 'inputs'>,
  directory: RunFiles,
  blobs: BlobStore,
  signal: AbortSignal,
): Promise<LocalInputs> {
  requireFileNames('input', Object.keys(spec.inputs), ['inputs.json']);
  const fetched = new Map<string, string>();
  const local: [string, unknown][] = [];
  const texts = new Map<string, string>();

  for (const [name, value] of Object.entries(spec.inputs)) {
    const type = entryOf(spec.interface.inputs, name)?.type;
    const file = join(directory.inputs, name);
    const fetchTo = async (uri: string, toFile: string): Promise<string> => {
      await fetchBlob(name, uri, toFile, blobs, signal);
      fetched.set(toFile, uri);
      return toFile;
    };
    if (type && 'blob' in type && typeof value === 'string') {
      const path = await fetchTo(value, file);
      local.push([name, path]);
      texts.set(name, path);
    } else {
      const localValue = await localize(type, value, (uri) =>
        fetchTo(uri, join(directory.blobs, String(fetched.size))),
      );
      local.push([name, localValue]);
      texts.set(name, textOf(localValue));
      await writeFile(file, textOf(localValue), { mode: 0o600 });
    }
  }
  for (const [name, { type }] of Object.entries(spec.interface.inputs)) {
    if (!texts.has(name) && mayBeAbsent(type)) texts.set(name, '');
  }
  await writeFile(directory.inputsFile, JSON.stringify(Object.fromEntries(local)), { mode: 0o600 });
  return { texts, blobs: fetched };
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

/** The value with all its blobs downloaded: `fetchBlobOf` returns the path that replaces the URI. */
async function localize(
  type: LiteralType | undefined,
  value: unknown,
  fetchBlobOf: (uri: string) => Promise<string>,
): Promise<unknown> {
  if (type === undefined) return value;
  if ('blob' in type && typeof value === 'string') return fetchBlobOf(value);
  if ('collectionType' in type && Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await localize(type.collectionType, item, fetchBlobOf));
    return items;
  }
  if ('mapValueType' in type && isRecord(value)) {
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      entries.push([key, await localize(type.mapValueType, item, fetchBlobOf)]);
    }
    return Object.fromEntries(entries);
  }
  if (!('unionType' in type)) return value;
  const candidates = variantsOf(type.unionType).forPlain(value);
  const variant = candidates.find((candidate) => holdsFilesOf(candidate, value));
  return localize(variant, value, fetchBlobOf);
}

/** For a value of a union, whose variant the server has already checked, only the files in it matter here. */
function holdsFilesOf(type: LiteralType, value: unknown): boolean {
  const literal = literalFromPlain(type, value, new Place([]).trial());
  const uris = literal ? blobUrisIn(literal) : [];
  return uris.length > 0 && uris.every((uri) => URI.test(uri));
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
