/**
 * Applies the migrations of `prisma/migrations` in this process, with Prisma's own schema engine compiled to
 * WebAssembly. The folders, the table `_prisma_migrations` and the checksums are Prisma's, so an operator can also run
 * `prisma migrate deploy`. Three things are stricter here:
 *
 * - Each migration and its row in `_prisma_migrations` are one transaction. If a migration fails or its process is
 *   killed, the database does not change, and the next start tries again. Only a script that contains the word
 *   CONCURRENTLY runs outside of a transaction, because PostgreSQL requires it. Such a script should have only that
 *   statement.
 * - A script is sent as a whole. Prisma's adapter would cut it at every semicolon, also inside the body of a function.
 * - What an earlier start left behind is checked first: see `MigrationError`.
 *
 * This needs its own connection to PostgreSQL itself, not to a pooler that shares sessions between transactions.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type {
  MigrationDirectory,
  MigrationList,
  SchemaEngine,
} from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/**
 * Why the database was not migrated. Migrations before the named one may have been applied; otherwise it did not
 * change.
 *
 * - `newer`: the database has migrations that this release does not know, because a newer release has used it.
 * - `edited`: a migration was changed after it was applied.
 * - `unfinished`: a migration outside of a transaction started and did not finish; an operator must look at it.
 * - `refused`: PostgreSQL refused the script, or the database has tables but no record of migrations.
 * - `busy`: another process has held the lock for too long.
 */
export class MigrationError extends Error {
  override name = 'MigrationError';
  readonly reason: 'newer' | 'edited' | 'unfinished' | 'refused' | 'busy';
  readonly migrations: readonly string[];

  constructor(
    reason: MigrationError['reason'],
    migrations: readonly string[],
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options);
    this.reason = reason;
    this.migrations = migrations;
  }
}

/** Relative to this file, so that it is the same under `src/` and, compiled, under `dist/`. */
const shippedMigrations = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** The lock of Prisma's own engine, so that we and `prisma migrate deploy` wait for each other. */
const MIGRATION_LOCK = 72_707_369;

const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * Applies the migrations in `folder` that the database does not have yet, oldest first. Several processes may call this
 * at the same time: one works, and the others wait up to `waitSeconds` and then find nothing to do.
 *
 * @returns the names of the migrations that this call applied, in order; empty if there was nothing to do.
 * @throws MigrationError
 */
export async function applyMigrations(
  databaseUrl: string,
  { folder = shippedMigrations, waitSeconds = 600 }: { folder?: string; waitSeconds?: number } = {},
): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'slipway migrations',
    connectionTimeoutMillis: 10_000,
  });
  // The next query fails with this error. Without a listener, it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    if (await isUpToDate(client, migrations)) return [];
    await client.query('set statement_timeout = 0');
    await takeLock(client, waitSeconds);

    let scriptError: unknown;
    const { loadSchemaEngine } = await import('./schema-engine.ts');
    const engine = await loadSchemaEngine(
      overOneSession(client, (error) => {
        scriptError = error;
      }),
    );
    try {
      const pending = await judgeHistory(engine, migrations);
      for (const [index, name] of pending.entries()) {
        const later = new Set(pending.slice(index + 1));
        const upToThis = migrations.migrationDirectories.filter(({ path }) => !later.has(path));
        await applyOne(client, engine, { ...migrations, migrationDirectories: upToThis }, name).catch(
          (error) => {
            throw refusal(name, scriptOf(migrations, name), scriptError ?? error);
          },
        );
      }
      return pending;
    } finally {
      engine.free();
    }
  } finally {
    await client.end();
  }
}

/**
 * Whether the database has exactly these migrations, each applied as it is now. Then a start needs neither the lock nor
 * the engine, which costs it a fifth of a second of CPU time and more than 10 MB.
 */
async function isUpToDate(client: pg.Client, { migrationDirectories }: MigrationList): Promise<boolean> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    "select to_regclass('_prisma_migrations') is not null as exists",
  );
  if (!tables[0]?.exists) return false;
  const { rows } = await client.query<{ name: string; checksum: string; isApplied: boolean }>(
    `select migration_name as name, checksum, finished_at is not null and rolled_back_at is null as "isApplied"
     from _prisma_migrations`,
  );
  const checksums = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  return (
    rows.every(({ isApplied }) => isApplied) &&
    checksums.size === migrationDirectories.length &&
    migrationDirectories.every(
      ({ path, migrationFile: { content } }) => checksums.get(path) === checksumOf(content.value),
    )
  );
}

/** As Prisma computes it. */
const checksumOf = (script: string) => createHash('sha256').update(script).digest('hex');

/** Refuses a database whose history does not fit; otherwise returns the names of the migrations to apply. */
async function judgeHistory(engine: SchemaEngine, migrations: MigrationList): Promise<string[]> {
  const { failedMigrationNames, editedMigrationNames, history } = await engine.diagnoseMigrationHistory({
    migrationsList: migrations,
    optInToShadowDatabase: false,
    filters: NO_FILTERS,
  });

  const [unfinished] = failedMigrationNames;
  if (unfinished !== undefined) {
    throw new MigrationError(
      'unfinished',
      failedMigrationNames,
      `migration ${unfinished} has started on this database and not finished. Undo its changes by hand, then run this:\n` +
        '  update _prisma_migrations set rolled_back_at = now() ' +
        `where migration_name = '${unfinished}' and finished_at is null;`,
    );
  }
  if (history !== null && history.diagnostic !== 'databaseIsBehind') {
    const unknown = history.unpersistedMigrationNames;
    throw new MigrationError(
      'newer',
      unknown,
      `the database has migrations that this release does not know (${unknown.join(', ')}): ` +
        'a newer release has used it. Start that release or a later one, or restore an older backup.',
    );
  }
  if (editedMigrationNames.length > 0) {
    throw new MigrationError(
      'edited',
      editedMigrationNames,
      `these migrations were changed after they were applied to this database: ${editedMigrationNames.join(', ')}. ` +
        'Restore the files, and write a new migration for the change.',
    );
  }
  return history?.unappliedMigrationNames ?? [];
}

async function applyOne(
  client: pg.Client,
  engine: SchemaEngine,
  upToThis: MigrationList,
  name: string,
): Promise<void> {
  const apply = () => engine.applyMigrations({ migrationsList: upToThis, filters: NO_FILTERS });
  if (/\bconcurrently\b/i.test(scriptOf(upToThis, name))) {
    await apply();
    return;
  }
  await client.query('begin');
  try {
    await apply();
    await client.query('commit');
  } catch (error) {
    // If the session is lost, PostgreSQL has already rolled back.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

function refusal(name: string, script: string, cause: unknown): MigrationError {
  // The engine appends a stack trace of its own code.
  const [message] = (cause instanceof Error ? cause.message : String(cause)).split('\n   0: ');
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN;
  const place = Number.isNaN(position)
    ? ''
    : `, line ${[...script].slice(0, position).join('').split('\n').length}`;
  return new MigrationError('refused', [name], `migration ${name} failed${place}: ${message}`, {
    cause,
  });
}

/**
 * Waits by asking repeatedly, not inside of PostgreSQL. A statement that waits keeps a snapshot, and CREATE INDEX
 * CONCURRENTLY in the process that has the lock would wait for that snapshot.
 */
async function takeLock(client: pg.Client, waitSeconds: number): Promise<void> {
  const deadline = performance.now() + waitSeconds * 1000;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.taken) return;
    if (performance.now() > deadline) {
      throw new MigrationError(
        'busy',
        [],
        `another process has been migrating this database for ${waitSeconds} s`,
      );
    }
    await sleep(100);
  }
}

/**
 * Prisma's adapter over one session that is never replaced. The lock and the open transaction belong to the session, so
 * nothing more may be sent after it is lost. A pool would open another session, even after a simple error of SQL.
 */
function overOneSession(
  client: pg.Client,
  onScriptError: (error: unknown) => void,
): SqlMigrationAwareDriverAdapterFactory {
  const pool = new pg.Pool();
  pool.query = client.query.bind(client) as typeof pool.query;
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    // Sends the script as one message, and keeps PostgreSQL's own error.
    adapter.executeScript = async (script) => {
      try {
        await client.query(script);
      } catch (error) {
        onScriptError(error);
        throw error;
      }
    };
    return adapter;
  };
  return factory;
}

/** The migrations of a folder, by name. Each name begins with the time when it was written. */
async function readMigrations(folder: string): Promise<MigrationList> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const migrationDirectories = await Promise.all(
    names.map(async (name): Promise<MigrationDirectory> => {
      const script = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return {
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok', value: script },
        },
      };
    }),
  );
  return {
    baseDir: folder,
    lockfile: {
      path: 'migration_lock.toml',
      content: 'provider = "postgresql"\n',
    },
    shadowDbInitScript: '',
    migrationDirectories,
  };
}

function scriptOf(migrations: MigrationList, name: string): string {
  return migrations.migrationDirectories.find(({ path }) => path === name)?.migrationFile.content.value ?? '';
}
