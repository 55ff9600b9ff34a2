/** A database as an older release would have left it. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { applyMigrations } from '../../src/platform/database/migrations.ts';
import { createEmptyDatabase, type TestDatabase } from './database.ts';

const migrations = resolve(import.meta.dirname, '../../prisma/migrations');

/** Applies all migrations before this one to an empty database. */
export async function applyBefore(url: string, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-migrations-'));
  const all = (await readdir(migrations)).filter((one) => /^\d/.test(one)).sort();
  const older = all.slice(
    0,
    all.findIndex((one) => one.endsWith(`_${name}`)),
  );
  for (const one of older) await cp(join(migrations, one), join(folder, one), { recursive: true });
  await applyMigrations(url, { folder });
  await rm(folder, { recursive: true });
}

/**
 * A new database for each test of a file, with all migrations before this one, and a connection to it.
 *
 * @param name  of the migration; none are applied if it is left out.
 */
export function olderDatabase(name?: string) {
  let database: TestDatabase;
  let client: pg.Client;
  beforeEach(async () => {
    database = await createEmptyDatabase();
    client = new pg.Client(database.url);
    await client.connect();
    if (name !== undefined) await applyBefore(database.url, name);
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });
  return {
    get url() {
      return database.url;
    },
    query: (text: string, values: unknown[] = []): Promise<pg.QueryResult> => client.query(text, values),
  };
}
