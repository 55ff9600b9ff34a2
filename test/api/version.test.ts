import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildInfo } from '../../prisma/build-info.ts';
import { readBuildInfo } from '../../src/api/build-info.ts';
import { type LocalApp, startApp } from '../support/app.ts';

const now = new Date('2026-01-01T12:00:00.000Z');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-build-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A repository with one commit. @returns its folder and the commit. */
function repository(name: string) {
  const root = join(folder, name);
  mkdirSync(root);
  writeFileSync(join(root, 'file'), 'one');
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
    const { status, stdout, stderr } = spawnSync('git', [...who, ...args], { cwd: root, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    return stdout.trim();
  };
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'one');
  return { root, commit: git('rev-parse', 'HEAD') };
}

describe('a build', () => {
  it('names its commit, and says if files were changed after it', () => {
    const { root, commit } = repository('clean');
    expect(buildInfo(root, { GIT_COMMIT: 'other' }, now)).toEqual({
      build: commit,
      buildTime: '2026-01-01T12:00:00.000Z',
    });
    writeFileSync(join(root, 'file'), 'two');
    expect(buildInfo(root, {}, now).build).toBe(`${commit}-dirty`);
  });

  it('does not take a repository around it for its own', () => {
    const { root } = repository('around');
    const inner = join(root, 'inner');
    mkdirSync(inner);
    expect(buildInfo(inner, {}, now).build).toBe('');
    expect(buildInfo(inner, { GIT_COMMIT: 'abc' }, now).build).toBe('abc');
  });

  it.each([
    ['1767225600', '2026-01-01T00:00:00.000Z'],
    ['soon', '2026-01-01T12:00:00.000Z'],
  ])('takes its time from SOURCE_DATE_EPOCH=%s', (epoch, buildTime) => {
    expect(buildInfo(folder, { SOURCE_DATE_EPOCH: epoch }, now).buildTime).toBe(buildTime);
  });

  it('is read as it was written', () => {
    const file = join(folder, 'build.json');
    writeFileSync(file, JSON.stringify(buildInfo(folder, { GIT_COMMIT: 'abc' }, now)));
    expect(readBuildInfo(pathToFileURL(file))).toEqual({ build: 'abc', buildTime: now });
    expect(readBuildInfo(pathToFileURL(join(folder, 'nothing.json')))).toEqual({
      build: '',
      buildTime: null,
    });
  });
});

describe('version', () => {
  let app: LocalApp;
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
  });
  afterAll(() => app.stop());

  it('is that of the package, and has no build if the server runs from source', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const { data, errors } = await app.ask('{ version { version build buildTime } }');
    expect(errors).toBeUndefined();
    expect(data).toEqual({ version: { version, build: '', buildTime: null } });
  });
});
