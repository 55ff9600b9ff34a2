/**
 * Once per run: a throw-away PostgreSQL in the temporary folder and, in it, the template that `database.ts` copies.
 * With TEST_DATABASE_URL the template is made on that server instead, for a role that may create databases.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';
import { homeMode } from '../../src/platform/database/embedded-host.ts';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { FolderInUseError, lockFolder } from '../../src/platform/folder-lock.ts';
import { asAdmin, urlOf } from './database.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const givenUrl = process.env['TEST_DATABASE_URL'];
  const server = givenUrl === undefined ? await startThrowAwayServer() : undefined;
  const adminUrl = server?.url ?? givenUrl ?? '';
  const prefix = `slipway_test_${randomBytes(4).toString('hex')}_`;
  const template = `${prefix}template`;

  const teardown = async () => {
    if (server !== undefined) await server.remove();
    else await dropDatabases(adminUrl, prefix);
  };
  try {
    await asAdmin(adminUrl, `create database ${template} template template0`);
    await applyMigrations(urlOf(adminUrl, template));
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('testServer', { adminUrl, template, prefix });
  return teardown;
}

async function dropDatabases(adminUrl: string, prefix: string): Promise<void> {
  const found = await asAdmin(
    adminUrl,
    `select datname from pg_database where starts_with(datname, '${prefix}')`,
  );
  await asAdmin(adminUrl, ...found.map(({ datname }) => `drop database if exists ${datname} with (force)`));
}

/**
 * The folder is the same from run to run, so that a run that was killed leaves nothing for good: the next one shuts
 * its server down, goes on in the folder and removes it. A second run at the same time takes the next folder.
 */
async function startThrowAwayServer(): Promise<EmbeddedPostgres & { remove: () => Promise<void> }> {
  const { uid } = userInfo();
  const project = createHash('sha256')
    .update(import.meta.url)
    .digest('hex')
    .slice(0, 8);
  for (let slot = 0; slot < 16; slot += 1) {
    const folder = join(tmpdir(), `slipway-test-${uid}-${project}-${slot}`);
    await mkdir(folder, { recursive: true, mode: homeMode() });
    const found = await lstat(folder);
    if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) continue;
    try {
      lockFolder(folder);
    } catch (error) {
      if (error instanceof FolderInUseError) continue;
      throw error;
    }
    const server = await startEmbeddedPostgres({
      folder: join(folder, 'postgres'),
      isDurable: false,
      settings: { max_connections: 300 },
    });
    // The database may be elsewhere (embedded-host.ts). A run that is interrupted does not get as far as `remove`.
    const removeAtOnce = () => {
      for (const path of [server.place.path, folder])
        rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', removeAtOnce);
    const remove = async () => {
      await server.stop();
      process.off('exit', removeAtOnce);
      removeAtOnce();
    };
    return { ...server, remove };
  }
  throw new Error('too many test runs at once');
}
