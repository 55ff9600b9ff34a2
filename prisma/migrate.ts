/**
 * Writes the next migration: `npm run db:migrate -- add_queues`.
 *
 * It compares prisma/schema with the schema as of the last migration, which is kept as `schema.lock.prisma` beside the
 * migrations, and needs no database. The script may be edited until it is committed: checks, partial indexes and
 * triggers, which the schema cannot say, are added by hand, and later comparisons do not see and so never drop them.
 * A server applies what is pending when it starts.
 *
 *   npm run db:migrate -- <name>           writes prisma/migrations/<time>_<name>/migration.sql
 *   npm run db:migrate -- <name> --empty   the same without a change of the schema, to be filled by hand
 *   npm run db:migrate -- --check          fails when the schema has changed and no migration was written
 *
 * When two branches both wrote a migration, `schema.lock.prisma` conflicts on purpose: take theirs, delete your own
 * migration and write it again.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ColumnTypeEnum, type SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaContainer } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { loadSchemaEngine } from '../src/platform/database/schema-engine.ts';

const schemaFolder = fileURLToPath(new URL('schema', import.meta.url));
const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url));
const schemaLock = join(migrationsFolder, 'schema.lock.prisma');

/** The schema before the first migration. */
const datasourceOnly = 'datasource db {\n  provider = "postgresql"\n}\n';

/** Prisma's mark on a folder of migrations: the kind of database that they are for. */
const lockFile = '# Written by npm run db:migrate; belongs into version control.\nprovider = "postgresql"\n';

/**
 * To compare two schemas, the engine asks the database only for its version. We answer with the oldest PostgreSQL that
 * we support.
 */
const noDatabase: SqlMigrationAwareDriverAdapterFactory = {
  provider: 'postgres',
  adapterName: 'none',
  connect: async () => ({
    provider: 'postgres',
    adapterName: 'none',
    queryRaw: async () => ({
      columnNames: ['exists', 'version', 'numeric_version'],
      columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
      rows: [[true, 'PostgreSQL 15.0', 150_000]],
    }),
    executeRaw: () => unavailable(),
    executeScript: () => unavailable(),
    startTransaction: () => unavailable(),
    dispose: async () => undefined,
  }),
  connectToShadowDb: () => unavailable(),
};
const unavailable = () => Promise.reject(new Error('migrations are written without a database'));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    empty: { type: 'boolean', default: false },
  },
});

const schema = readSchema();
const script = await scriptBetween(readSchemaLock(), schema);

if (options.check) {
  if (script !== '') {
    fail(`prisma/schema has changed without a migration:\n\n${script}\nRun: npm run db:migrate -- <name>`);
  }
  console.log('the migrations match prisma/schema');
} else {
  const name = positionals
    .join('_')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  if (name === '') fail('Name the migration: npm run db:migrate -- add_queues');
  if (script === '' && !options.empty) {
    fail('prisma/schema has not changed. For a migration written by hand, add --empty');
  }
  writeMigration(name);
}

function writeMigration(name: string): void {
  const folder = join(migrationsFolder, `${nextTimestamp()}_${name}`);
  const file = join(folder, 'migration.sql');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, script === '' ? '-- Written by hand.\n' : script);
  writeFileSync(join(migrationsFolder, 'migration_lock.toml'), lockFile);
  writeFileSync(schemaLock, asOneText(schema));

  console.log(`wrote ${relative(process.cwd(), file)}`);
  console.log(
    'Read it, add by hand what the schema cannot say, and commit it. Once applied it must not change:',
  );
  console.log('a server refuses to start on a database to which another version of it was applied.');
  if (/\bdrop (table|column|type)\b|\bset not null\b|\brename\b/i.test(script)) {
    console.log(
      'It drops, renames or tightens something that the previous release may still use while both run.',
    );
  }
}

/**
 * The time in UTC, but always after the last migration, so that the names have the order in which they were written.
 */
function nextTimestamp(): string {
  const now = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const last = existsSync(migrationsFolder)
    ? readdirSync(migrationsFolder)
        .filter((entry) => /^\d{14}_/.test(entry))
        .sort()
        .at(-1)
        ?.slice(0, 14)
    : undefined;
  return last !== undefined && last >= now ? String(BigInt(last) + 1n) : now;
}

function readSchema(): SchemaContainer[] {
  return readdirSync(schemaFolder)
    .filter((file) => file.endsWith('.prisma'))
    .sort()
    .map((file) => ({
      path: `prisma/schema/${file}`,
      content: readFileSync(join(schemaFolder, file), 'utf8'),
    }));
}

/** All files as one text, which means the same to Prisma. */
function asOneText(files: SchemaContainer[]): string {
  return files.map(({ path, content }) => `// ${path}\n\n${content.trim()}\n`).join('\n');
}

function readSchemaLock(): SchemaContainer[] {
  const content = existsSync(schemaLock) ? readFileSync(schemaLock, 'utf8') : datasourceOnly;
  return [{ path: 'prisma/migrations/schema.lock.prisma', content }];
}

/** The SQL that changes one schema into the other; empty if their tables are the same. */
async function scriptBetween(from: SchemaContainer[], to: SchemaContainer[]): Promise<string> {
  const engine = await loadSchemaEngine(noDatabase);
  const { stdout } = await engine
    .diff({
      from: { tag: 'schemaDatamodel', files: from },
      to: { tag: 'schemaDatamodel', files: to },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    .catch((error: Error) => fail(error.message));
  engine.free();
  const text = stdout?.trim() ?? '';
  return text === '' || text === '-- This is an empty migration.' ? '' : `${text}\n`;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
