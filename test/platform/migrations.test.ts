import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations, MigrationError } from '../../src/platform/database/migrations.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/waiting.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  folder = await mkdtemp(join(tmpdir(), 'slipway-migrations-'));
  await write('20260101000000_queues', 'create table queues (name text primary key);');
  await write('20260102000000_weights', 'alter table queues add weight int not null default 1;');
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

describe('applyMigrations', () => {
  it('applies pending migrations, oldest first, and none twice', async () => {
    expect(await apply()).toEqual(['20260101000000_queues', '20260102000000_weights']);
    expect(await apply()).toEqual([]);

    await write('20260103000000_labels', 'alter table queues add labels jsonb;');
    expect(await apply()).toEqual(['20260103000000_labels']);
    expect(await columnsOfQueues()).toEqual(['name', 'weight', 'labels']);
  });

  it('lets five servers start at the same time', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, apply));
    expect(applied.flat()).toEqual(['20260101000000_queues', '20260102000000_weights']);
  });

  it('applies a migration that is older than one that was applied already', async () => {
    await apply();
    await write('20260101120000_limits', 'create table limits (queue text);');
    expect(await apply()).toEqual(['20260101120000_limits']);
  });

  it('sends a script as a whole, including functions and comments with semicolons', async () => {
    await write(
      '20260103000000_function',
      `-- First; then.
       create function one() returns int language plpgsql as $$ begin perform 1; return 1; end $$;
       create table ones as select one() as value;`,
    );
    await apply();
    expect(await rows('select value from ones')).toEqual([{ value: 1 }]);
  });

  it('rolls back a failed migration as a whole, names its line, and continues when it is repaired', async () => {
    await write('20260103000000_broken', 'create table half (id int);\n\ncreate table half2 (id nonsense);');
    await expect(apply()).rejects.toMatchObject({
      name: 'MigrationError',
      reason: 'refused',
      migrations: ['20260103000000_broken'],
      message: 'migration 20260103000000_broken failed, line 3: type "nonsense" does not exist',
    });
    expect(await rows("select to_regclass('half') as half")).toEqual([{ half: null }]);

    await write('20260103000000_broken', 'create table half (id int);');
    expect(await apply()).toEqual(['20260103000000_broken']);
  });

  it('builds an index concurrently, outside a transaction', async () => {
    await write('20260103000000_index', 'create index concurrently queues_weight on queues (weight);');
    expect(await Promise.all([apply(), apply(), apply()])).toContainEqual([
      '20260101000000_queues',
      '20260102000000_weights',
      '20260103000000_index',
    ]);
  });

  it('stops at a migration that failed outside a transaction, until it is repaired by hand', async () => {
    await write('20260103000000_index', 'create index concurrently queues_no on queues (nothing);');
    await expect(apply()).rejects.toMatchObject({ reason: 'refused' });

    const refusal = await apply().catch((error: MigrationError) => error);
    expect(refusal).toMatchObject({ reason: 'unfinished', migrations: ['20260103000000_index'] });
    const [, repair] = (refusal as MigrationError).message.split('\n');
    await rows(repair ?? '');
    await write('20260103000000_index', 'create index concurrently queues_weight on queues (weight);');
    expect(await apply()).toEqual(['20260103000000_index']);
  });

  it('refuses a migration that was edited after it had been applied', async () => {
    await apply();
    await write('20260102000000_weights', 'alter table queues add weight int not null default 2;');
    await expect(apply()).rejects.toMatchObject({ reason: 'edited', migrations: ['20260102000000_weights'] });
  });

  it('refuses a database that a newer release has migrated', async () => {
    const older = await mkdtemp(join(tmpdir(), 'slipway-migrations-'));
    await cp(folder, older, { recursive: true });
    await write('20260103000000_labels', 'alter table queues add labels jsonb;');
    await apply();
    await expect(applyMigrations(database.url, { folder: older })).rejects.toMatchObject({
      reason: 'newer',
      migrations: ['20260103000000_labels'],
    });
    await rm(older, { recursive: true });
  });

  it('refuses a database with tables of another application', async () => {
    await rows('create table theirs (id int)');
    await expect(apply()).rejects.toMatchObject({ reason: 'refused' });
    expect(await rows("select to_regclass('queues') as queues")).toEqual([{ queues: null }]);
  });

  it('gives up when another process holds the lock for too long', async () => {
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('select pg_advisory_lock(72707369)');
    await expect(applyMigrations(database.url, { folder, waitSeconds: 0.2 })).rejects.toMatchObject({
      reason: 'busy',
    });
    await other.end();
    expect(await apply()).toHaveLength(2);
  });

  it('waits for nobody when there is nothing to do', async () => {
    await apply();
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('select pg_advisory_lock(72707369)');
    expect(await applyMigrations(database.url, { folder, waitSeconds: 0.2 })).toEqual([]);
    await other.end();
  });

  it.each([
    ['rolled back by hand', "set rolled_back_at = now() where migration_name = '20260102000000_weights'"],
    ['not finished', "set finished_at = null where migration_name = '20260102000000_weights'"],
    ['other than it was', "set checksum = repeat('0', 64) where migration_name = '20260102000000_weights'"],
    [
      'unknown',
      "set migration_name = '20260109000000_newer' where migration_name = '20260102000000_weights'",
    ],
  ])('looks closer when a migration of the database is %s', async (_what, change) => {
    await apply();
    await rows(`update _prisma_migrations ${change}`);
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('select pg_advisory_lock(72707369)');
    await expect(applyMigrations(database.url, { folder, waitSeconds: 0.2 })).rejects.toMatchObject({
      reason: 'busy',
    });
    await other.end();
  });

  it('leaves nothing incomplete when the connection breaks in the middle', async () => {
    await write('20260103000000_slow', 'create table slow (id int); select pg_sleep(20);');
    const isSleeper = "query like '%pg_sleep(20)%' and state = 'active' and pid <> pg_backend_pid()";
    const refusal = expect(apply()).rejects.toBeInstanceOf(MigrationError);
    const isInside = async () => (await rows(`select from pg_stat_activity where ${isSleeper}`)).length === 1;
    await eventually(isInside, Boolean);
    await rows(`select pg_terminate_backend(pid) from pg_stat_activity where ${isSleeper}`);
    await refusal;

    await write('20260103000000_slow', 'create table slow (id int);');
    expect(await apply()).toEqual(['20260103000000_slow']);
  });

  it('has nothing left to do on a copy of the template', async () => {
    const ready = await createTestDatabase();
    expect(await applyMigrations(ready.url)).toEqual([]);
    await ready.drop();
  });
});

const apply = () => applyMigrations(database.url, { folder });

async function write(name: string, script: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, 'migration.sql'), script);
}

async function rows(sql: string): Promise<unknown[]> {
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function columnsOfQueues(): Promise<string[]> {
  const found = await rows(
    "select column_name from information_schema.columns where table_name = 'queues' order by ordinal_position",
  );
  return (found as { column_name: string }[]).map((column) => column.column_name);
}
