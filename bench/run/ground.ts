import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { FirstSecrets } from '../../src/identity/commands/first-start.ts';
import { startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';
import { fillHistory, type Sizes } from './fill.ts';
import type { Person, World } from './workloads.ts';

/** What all servers stand on. */
export interface Ground {
  readonly databaseUrl: string;
  readonly secrets: string;
  /** The public keys of Slipway's tokens. */
  readonly jwks: object;
  readonly world: World;
  readonly secretsOfFirstStart: FirstSecrets;
  /** The process of PostgreSQL; its children are its connections. */
  readonly postgresPid: number;
  stop(): Promise<void>;
}

const SECRETS = 'a-secret-of-the-benchmark-that-is-long-enough';

/** As PostgreSQL is usually set on a machine with some memory. Writes are durable. */
const SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'top',
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  max_connections: 120,
  // Its work in the middle of a window would be counted as that of a request.
  autovacuum_naptime: '1h',
};

/** A PostgreSQL with our real tables, filled with history, and tokens of real users. It is removed at the end. */
export async function prepareGround(sizes: Sizes): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  // Also when somebody stops the bench.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const database = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), settings: SETTINGS });
  const client = new pg.Client(database.url);
  const stop = async () => {
    await client.end();
    await database.stop();
  };
  try {
    Object.assign(process.env, {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      SLIPWAY_SECRETS: SECRETS,
      LOG_LEVEL: 'error',
      METRICS_PORT: 'off',
    });
    const secretsOfFirstStart = await install(database.url);
    await client.connect();
    await client.query('create extension pg_stat_statements');
    await fillHistory(client, sizes);
    await tidy(client);
    const { people, jwks } = await signIn(client);
    return {
      databaseUrl: database.url,
      secrets: SECRETS,
      secretsOfFirstStart,
      jwks,
      world: { client, people },
      postgresPid: database.pid,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a new row needs no more: statistics, visibility, and everything on disk. */
export async function tidy(client: pg.Client): Promise<void> {
  await client.query('vacuum (freeze, analyze)');
  await client.query('checkpoint');
}

// The modules of the product read the configuration when they are imported.

async function install(databaseUrl: string): Promise<FirstSecrets> {
  const { applyMigrations } = await import('../../src/platform/database/migrations.ts');
  const { firstStart } = await import('../../src/identity/commands/first-start.ts');
  await applyMigrations(databaseUrl);
  let secrets: FirstSecrets | undefined;
  await firstStart('admin', async (made) => {
    secrets = made;
  });
  if (secrets === undefined) throw new Error('the database was used before');
  return secrets;
}

/** One token for each user, as `login` issues it. */
async function signIn(client: pg.Client): Promise<{ people: Person[]; jwks: object }> {
  const { issueToken } = await import('../../src/sign-in/access-tokens.ts');
  const { accessTokenKeys } = await import('../../src/key-sets/signing-keys.ts');
  const { closeDatabase } = await import('../../src/platform/database/client.ts');
  const { rows } = await client.query<{ id: string; tenantId: string; version: number }>(
    `select id, tenant_id as "tenantId", version from users where username like 'user-%' order by username`,
  );
  const people: Person[] = [];
  for (const { id, tenantId, version } of rows) {
    const { token } = await issueToken({
      ...{ userId: id, tenantId, version },
      ...{ credentialId: null, signedInAt: new Date(), vouchedUntil: null },
      expiresAt: new Date(Date.now() + 86_400_000),
      ...{ scopes: null, confinedTo: null, actor: null, clientId: null, keyThumbprint: null },
    });
    people.push({ id, token });
  }
  const { all } = await accessTokenKeys.current();
  const jwks = { keys: all.map(({ publicJwk, kid }) => ({ ...publicJwk, kid })) };
  await closeDatabase();
  return { people, jwks };
}
