import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { controlPlaneConfig } from '../config/control-plane.ts';
import { ConfigurationError } from '../config/environment.ts';

/**
 * The database: one pool for Prisma and for the prepared statements of the `store.ts` files. ARCHITECTURE.md explains
 * which of the two reads what.
 */

if (controlPlaneConfig.databaseUrl === undefined)
  throw new ConfigurationError(
    'DATABASE_URL is required, such as postgresql://user:password@host:5432/database. Only `npm start` works without it, with an embedded database.',
  );
export const databaseUrl = controlPlaneConfig.databaseUrl;

/**
 * PostgreSQL keeps the plan of a prepared statement, perhaps from a time when the tables were empty, and all our
 * statements have indexes. So it plans with indexes from the beginning, and never compiles a plan.
 */
const PLANNING = '-c enable_seqscan=off -c jit=off';
/** Prisma says nothing about it for each transaction, which would take one more round trip. */
const ISOLATION = '-c default_transaction_isolation=read\\ committed';

/** The connection of a transaction of Prisma; null before it begins and after its end. */
export interface Connection {
  client: pg.PoolClient | null;
}

const beginning = new AsyncLocalStorage<Beginning>();

/** A transaction of Prisma that waits for its connection. */
interface Beginning {
  connection: Connection | null;
}

/**
 * How many transactions wait for their connection. While there are none, nothing follows the promises of the process:
 * before Node 24, that costs a tenth of each request.
 */
let waiting = 0;

function endWaiting(begun: Beginning): void {
  if (!begun.connection) return;
  begun.connection = null;
  waiting -= 1;
  if (waiting === 0) beginning.disable();
}

/** A pool that shows the connections of Prisma's transactions to our own statements. */
class Pool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(done: Parameters<pg.Pool['connect']>[0]): void;
  override connect(done?: Parameters<pg.Pool['connect']>[0]): Promise<pg.PoolClient> {
    if (done) return super.connect(done) as never;
    const begun = beginning.getStore();
    const connection = begun?.connection;
    const connecting = super.connect();
    if (!begun || !connection) return connecting;
    // Only the first connection is that of the transaction.
    endWaiting(begun);
    return connecting.then((client) => lend(client, connection));
  }
}

/** The connection can be used until Prisma gives it back. */
function lend(client: pg.PoolClient, connection: Connection): pg.PoolClient {
  const { release } = client;
  connection.client = client;
  client.release = (error) => {
    connection.client = null;
    release.call(client, error);
  };
  return client;
}

/**
 * Runs `begin`, which begins a transaction of Prisma, and gives it the connection that the transaction will have.
 */
export async function withConnection<T>(begin: (connection: Connection) => Promise<T>): Promise<T> {
  const connection: Connection = { client: null };
  const begun: Beginning = { connection };
  waiting += 1;
  try {
    return await beginning.run(begun, () => begin(connection));
  } finally {
    endWaiting(begun);
  }
}

export const pool: pg.Pool = new Pool({
  connectionString: databaseUrl,
  max: controlPlaneConfig.databasePoolSize,
  idleTimeoutMillis: 60_000,
  connectionTimeoutMillis: 5_000,
  application_name: 'slipway',
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
  options: `${PLANNING} ${ISOLATION}`,
});

// When an idle connection breaks, the pool replaces it. Without a listener, the error would end the process.
pool.on('error', () => {});

/** With a name, PostgreSQL plans a statement of Prisma only once. Statements beyond the limit have no name. */
const statementNames = new Map<string, string>();
const MAX_STATEMENT_NAMES = 2000;
function statementName(query: { sql: string }): string {
  const known = statementNames.get(query.sql);
  if (known) return known;
  if (statementNames.size >= MAX_STATEMENT_NAMES) return '';
  const name = `p${statementNames.size}`;
  statementNames.set(query.sql, name);
  return name;
}

export const db = new PrismaClient({
  adapter: new PrismaPg(pool, { statementNameGenerator: statementName }),
});

/** Closes all connections. The database cannot be used afterwards. */
export async function closeDatabase(): Promise<void> {
  await db.$disconnect();
  await pool.end();
}
