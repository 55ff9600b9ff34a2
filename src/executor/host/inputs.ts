import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from './run-error.ts';
import type { RunFiles } from './run-files.ts';
import type { BlobStore, LiteralType, RunSpec, Variables } from './runtime.ts';
import { isOptional } from './values.ts';

const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/** The inputs of a run as its command sees them. */
export interface LocalInputs {
  /** Name → text, as in its file and in templates. A blob's text is its path. */
  readonly texts: ReadonlyMap<string, string>;
  /** Local path → the uri it was fetched from. */
  readonly blobs: ReadonlyMap<string, string>;
}

/**
 * Writes each input to `inputs/<name>` and all of them to `inputs/inputs.json`, with blobs fetched and replaced by
 * their local paths, also inside lists and maps.
 *
 * @throws RunError `InputUnavailable` (SYSTEM) when a blob cannot be fetched, `InvalidInterface` for an unusable name.
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
    const type = typeOf(spec.interface.inputs, name);
    const file = join(directory.inputs, name);
    const fetchTo = async (uri: string, toFile: string): Promise<string> => {
      await fetchBlob(name, uri, toFile, blobs, signal);
      fetched.set(toFile, uri);
      return toFile;
    };
    if (type?.blob && typeof value === 'string') {
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
    if (!texts.has(name) && isOptional(type)) texts.set(name, '');
  }
  await writeFile(directory.inputsFile, JSON.stringify(Object.fromEntries(local)), { mode: 0o600 });
  return { texts, blobs: fetched };
}

/** @throws RunError `InvalidInterface` when a name cannot be that of a file, or is one that the runtime needs. */
export function requireFileNames(kind: string, names: readonly string[], taken: readonly string[]): void {
  for (const name of names) {
    const isFileName = /^[^./\0][^/\0]*$/.test(name) && Buffer.byteLength(name) <= 255;
    if (isFileName && !taken.includes(name)) continue;
    throw new RunError(
      'USER',
      'InvalidInterface',
      `the ${kind} ${JSON.stringify(name)} cannot have a file of that name`,
    );
  }
}

export function typeOf(variables: Variables, name: string): LiteralType | null {
  return Object.hasOwn(variables, name) ? (variables[name]?.type ?? null) : null;
}

/** The value with every blob in it fetched: `fetchBlobOf` gives the path that takes the uri's place. */
async function localize(
  type: LiteralType | null,
  value: unknown,
  fetchBlobOf: (uri: string) => Promise<string>,
): Promise<unknown> {
  if (type === null || value === null) return value;
  if (type.blob && typeof value === 'string') return fetchBlobOf(value);
  if (type.collectionType && Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await localize(type.collectionType, item, fetchBlobOf));
    return items;
  }
  if (type.mapValueType && typeof value === 'object') {
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      entries.push([key, await localize(type.mapValueType, item, fetchBlobOf)]);
    }
    return Object.fromEntries(entries);
  }
  const variant = type.unionType?.variants.find((candidate) => hasShapeOf(candidate, value));
  return variant === undefined ? value : localize(variant, value, fetchBlobOf);
}

/** Which variant of a union a value has matters here only as far as blobs may be inside it. */
function hasShapeOf(type: LiteralType, value: unknown): boolean {
  if (type.blob) return typeof value === 'string' && URI.test(value);
  if (type.collectionType) return Array.isArray(value);
  if (type.mapValueType) return typeof value === 'object' && value !== null && !Array.isArray(value);
  return false;
}

/** Strings as they are, structures as JSON; null, which only an optional input has, as nothing. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
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
    throw new RunError('SYSTEM', 'InputUnavailable', `the file of input ${name} cannot be fetched`, {
      cause,
    });
  }
}
