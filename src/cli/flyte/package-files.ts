import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Parser } from 'tar';
import { CliError } from '../cli-error.ts';

export interface PackageFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Larger packages are refused, so that a hostile one cannot use up the memory. */
export interface PackageLimits {
  readonly archiveBytes: number;
  /** All files together, after decompression. */
  readonly totalBytes: number;
  readonly files: number;
  readonly fileBytes: number;
}

/** A workflow with 100 nodes has less than 1 MiB. */
export const packageLimits: PackageLimits = {
  archiveBytes: 32 * 1024 * 1024,
  totalBytes: 128 * 1024 * 1024,
  files: 10_000,
  fileBytes: 8 * 1024 * 1024,
};

/**
 * The files of a package that `pyflyte package` has made, or of a folder with the same files, in the order of the
 * numbers in their names.
 *
 * @throws CliError INVALID_ARGUMENT if a limit is exceeded, or if there is anything but files without a folder.
 */
export async function readPackage(path: string, limits = packageLimits): Promise<PackageFile[]> {
  const found = await lstat(path).catch((cause) => {
    throw new CliError('NOT_FOUND', `cannot read ${path}`, { cause });
  });
  const files = found.isDirectory()
    ? await filesInFolder(path, limits)
    : await filesInArchive(path, found.size, limits);
  return files.sort((one, other) => numberOf(one) - numberOf(other) || (one.name < other.name ? -1 : 1));
}

/** Files without a number come last. */
const numberOf = ({ name }: PackageFile) => {
  const number = Number.parseInt(name, 10);
  return Number.isNaN(number) ? Number.MAX_SAFE_INTEGER : number;
};

async function filesInFolder(path: string, limits: PackageLimits): Promise<PackageFile[]> {
  const found = new Collected(limits);
  for (const name of await readdir(path)) {
    const { size, ...entry } = await lstat(join(path, name));
    const isFile = (entry.mode & 0o170000) === 0o100000;
    found.announce(name, isFile ? 'File' : 'other', size);
    found.add(name, await readFile(join(path, name)));
  }
  return found.files;
}

async function filesInArchive(path: string, size: number, limits: PackageLimits): Promise<PackageFile[]> {
  if (size > limits.archiveBytes) throw refused(`the archive has more than ${limits.archiveBytes} bytes`);
  const bytes = inflate(await readFile(path), limits.totalBytes);
  // The parser would decompress once more, without a limit.
  if (!isTar(bytes)) throw refused('it is not a tar archive, compressed by gzip');
  const found = new Collected(limits);
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      strict: true,
      onReadEntry(entry) {
        const name = entry.path.replace(/^(?:\.\/)+/, '');
        // `tar -C FOLDER .` also writes the folder itself.
        if (entry.type === 'Directory' && name === '') return void entry.resume();
        try {
          found.announce(name, entry.type, entry.size);
        } catch (error) {
          parser.abort(error as Error);
          return;
        }
        const parts: Uint8Array[] = [];
        entry.on('data', (part) => parts.push(part));
        entry.on('end', () => found.add(name, Buffer.concat(parts)));
      },
    });
    parser.on('error', (error) => reject(error instanceof CliError ? error : damaged(error)));
    parser.on('end', resolve);
    parser.end(bytes);
  });
  return found.files;
}

function inflate(compressed: Uint8Array, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(compressed, { maxOutputLength });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    throw isTooLarge ? refused(`its files have more than ${maxOutputLength} bytes`) : damaged(error);
  }
}

const isTar = (bytes: Buffer) =>
  bytes.subarray(257, 262).toString('latin1') === 'ustar' && bytes[0] !== 0x1f && bytes[0] !== 0x28;

/** The files so far, each checked before its content is read. */
class Collected {
  readonly files: PackageFile[] = [];
  readonly #limits: PackageLimits;
  readonly #names = new Set<string>();
  #bytes = 0;

  constructor(limits: PackageLimits) {
    this.#limits = limits;
  }

  announce(name: string, type: string, size: number): void {
    const { files, fileBytes, totalBytes } = this.#limits;
    if (type !== 'File' && type !== 'OldFile') throw refused(`${name} is not a file`);
    if (/^\.{0,2}$|[/\\\0]/.test(name)) throw refused(`${name} is in a folder`);
    if (this.#names.has(name)) throw refused(`${name} comes twice`);
    this.#names.add(name);
    if (this.#names.size > files) throw refused(`it has more than ${files} files`);
    if (size > fileBytes) throw refused(`${name} has more than ${fileBytes} bytes`);
    this.#bytes += size;
    if (this.#bytes > totalBytes) throw refused(`its files have more than ${totalBytes} bytes`);
  }

  add(name: string, content: Uint8Array): void {
    this.files.push({ name, content });
  }
}

const refused = (reason: string) => new CliError('INVALID_ARGUMENT', `the package is refused: ${reason}`);

const damaged = (cause: unknown) =>
  new CliError('INVALID_ARGUMENT', 'the package is refused: it is damaged', { cause });
