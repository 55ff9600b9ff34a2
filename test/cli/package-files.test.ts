import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageLimits, readPackage } from '../../src/cli/flyte/package-files.ts';
import { tarOf, writeArchive } from './packages.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-package-'));
  file = join(folder, 'package.tgz');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const limits = { archiveBytes: 100_000, totalBytes: 20_000, files: 3, fileBytes: 5000 };
const read = async (path = file) =>
  (await readPackage(path, limits)).map(({ name, content }) => [name, Buffer.from(content).toString()]);

describe('readPackage', () => {
  it('reads the files of an archive in the order of their numbers', async () => {
    writeArchive(file, [
      { path: './', type: 'Directory' },
      { path: './10_a_1.pb', content: 'ten' },
      // As archives had it before POSIX.
      { path: '2_b_2.pb', content: 'two', type: 'OldFile' },
      { path: 'other', content: '' },
    ]);
    expect(await read()).toEqual([
      ['2_b_2.pb', 'two'],
      ['10_a_1.pb', 'ten'],
      ['other', ''],
    ]);
  });

  it('reads files without a number last, and files with the same number in the order of their names', async () => {
    writeArchive(
      file,
      ['beta', 'alpha', '11_d', '2_c', '2_b', '2_a', '2_0'].map((path) => ({ path })),
    );
    const names = (await readPackage(file)).map(({ name }) => name);
    expect(names).toEqual(['2_0', '2_a', '2_b', '2_c', '11_d', 'alpha', 'beta']);
  });

  it('reads a folder with the same files', async () => {
    mkdirSync(join(folder, 'package'));
    writeFileSync(join(folder, 'package/10_a_1.pb'), 'ten');
    writeFileSync(join(folder, 'package/2_b_2.pb'), 'two');
    // Files that may be executed are files too.
    chmodSync(join(folder, 'package/2_b_2.pb'), 0o755);
    expect(await read(join(folder, 'package'))).toEqual([
      ['2_b_2.pb', 'two'],
      ['10_a_1.pb', 'ten'],
    ]);
  });

  it('accepts exactly what the limits allow', async () => {
    writeArchive(
      file,
      [1, 2, 3].map((number) => ({ path: `${number}`, content: 'a'.repeat(5000) })),
    );
    expect(await read()).toHaveLength(3);
    const { size } = statSync(file);
    expect(await readPackage(file, { ...limits, archiveBytes: size })).toHaveLength(3);
    await expect(readPackage(file, { ...limits, archiveBytes: size - 1 })).rejects.toThrow(
      `the archive has more than ${size - 1} bytes`,
    );
  });

  it('allows archives of 32 MiB with 10,000 files of 8 MiB, and 128 MiB together', () => {
    expect(packageLimits).toEqual({
      archiveBytes: 33_554_432,
      totalBytes: 134_217_728,
      files: 10_000,
      fileBytes: 8_388_608,
    });
  });

  it.each([
    ['more files', [1, 2, 3, 4].map((number) => ({ path: `${number}` })), 'more than 3 files'],
    ['a larger file', [{ path: 'a', content: 'a'.repeat(5001) }], 'a has more than 5000 bytes'],
    ['a file that ends too early', [{ path: 'a', content: 'a', size: 4000 }], 'it is damaged'],
    ['a folder', [{ path: 'a/b' }], 'a/b is in a folder'],
    ['a path upwards', [{ path: '../b' }], '../b is in a folder'],
    ['a file in the place of its own folder', [{ path: '.' }], '. is in a folder'],
    ['the folder above', [{ path: '..' }], '.. is in a folder'],
    ['an absolute path', [{ path: '/etc/cron' }], '/etc/cron is in a folder'],
    ['a path of Windows', [{ path: 'C:\\b' }], 'is in a folder'],
    ['a symbolic link', [{ path: 'a', type: 'SymbolicLink' }], 'a is not a file'],
    ['a hard link', [{ path: 'a', type: 'Link' }], 'a is not a file'],
    ['a device', [{ path: 'a', type: 'CharacterDevice' }], 'a is not a file'],
    ['a link in the place of its own folder', [{ path: './', type: 'SymbolicLink' }], ' is not a file'],
    ['a pipe', [{ path: 'a', type: 'FIFO' }], 'a is not a file'],
    ['a folder without files', [{ path: 'a', type: 'Directory' }], 'a is not a file'],
    ['a name twice', [{ path: 'a' }, { path: './a' }], 'a comes twice'],
  ] as const)('refuses an archive with %s', async (_name, entries, message) => {
    writeArchive(file, entries);
    await expect(read()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['is too large', Buffer.alloc(100_001), 'more than 100000 bytes'],
    ['grows too much', gzipSync(Buffer.alloc(20_001)), 'its files have more than 20000 bytes'],
    ['is compressed twice', gzipSync(gzipSync(tarOf([{ path: 'a' }]))), 'it is not a tar archive'],
    ['is compressed twice and looks like tar', gzipSync(namedGzip()), 'it is not a tar archive'],
    ['begins like zstd', gzipSync(tarOf([{ path: '(a' }])), 'it is not a tar archive'],
    ['is not compressed', tarOf([{ path: 'a' }]), 'it is damaged'],
    ['is no archive', gzipSync('hello'), 'it is not a tar archive'],
    ['is cut', gzipSync(tarOf([{ path: 'a' }])).subarray(0, 40), 'it is damaged'],
    ['has a wrong checksum', gzipSync(withByte(tarOf([{ path: 'a' }]), 0, 0x62)), 'it is damaged'],
  ])('refuses a file that %s', async (_name, content, message) => {
    writeFileSync(file, content);
    await expect(read()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a folder whose files are too large together', async () => {
    mkdirSync(join(folder, 'package'));
    for (const name of ['1', '2']) writeFileSync(join(folder, 'package', name), 'a'.repeat(5000));
    const path = join(folder, 'package');
    expect(await readPackage(path, { ...limits, totalBytes: 10_000 })).toHaveLength(2);
    await expect(readPackage(path, { ...limits, totalBytes: 9999 })).rejects.toThrow('more than 9999 bytes');
  });

  it('refuses links in a folder, and what does not exist', async () => {
    mkdirSync(join(folder, 'package'));
    symlinkSync('/etc/passwd', join(folder, 'package/1_a_1.pb'));
    await expect(read(join(folder, 'package'))).rejects.toThrow('is not a file');
    await expect(read(join(folder, 'absent'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value;
  return bytes;
}

/** A compressed archive with a name in its header, so that the mark of tar stands where it stands in tar. */
function namedGzip(): Buffer {
  const compressed = gzipSync(tarOf([{ path: 'a' }]));
  const header = Buffer.from(compressed.subarray(0, 10));
  header[3] = 0x08;
  const name = Buffer.from(`${'a'.repeat(247)}ustar\0`);
  return Buffer.concat([header, name, compressed.subarray(10)]);
}
