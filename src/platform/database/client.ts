import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { controlPlaneConfig } from '../config/control-plane.ts';
import { ConfigurationError } from '../config/environment.ts';

/**
 * The database: one pool, shared by Prisma and by the prepared statements of the `store.ts` files. Which one reads
 * what, and why, stands in ARCHITECTURE.md.
 */

if (controlPlaneConfig.databaseUrl === undefined)
  throw new ConfigurationError(
    'DATABASE_URL is required, such as postgresql://user:password@host:5432/database. Only `npm start` works without it, with an embedded database.',
  );
export const databaseUrl = controlPlaneConfig.databaseUrl;

export const pool = new pg.Pool({
  connectionString: databaseUrl,
  max: controlPlaneConfig.databasePoolSize,
  idleTimeoutMillis: 60_000,
  connectionTimeoutMillis: 5_000,
  application_name: 'slipway',
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
});

// A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
pool.on('error', () => {});

/** Prisma sends each text once to be planned and afterwards by this short name; past the bound, unnamed. */
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

/** Ends every connection; nothing may be asked afterwards. */
export async function closeDatabase(): Promise<void> {
  await db.$disconnect();
  await pool.end();
}
