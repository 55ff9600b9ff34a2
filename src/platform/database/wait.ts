import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigurationError } from '../config/environment.ts';
import { isDatabaseLost } from './failures.ts';

const TRY_SECONDS = 60;
const CONNECT_MS = 5_000;

/**
 * Waits until the database answers, for at most a minute, because it may be starting too. If it does not answer at the
 * first try, `tell` says so at once.
 *
 * @param tell  gets a line for the operator.
 * @throws ConfigurationError if no database answers in time, or if it answers and refuses us.
 */
export async function waitForDatabase(
  databaseUrl: string,
  { trySeconds = TRY_SECONDS, tell = (line: string) => void process.stderr.write(`${line}\n`) } = {},
): Promise<void> {
  for (const until = Date.now() + trySeconds * 1000, told = new Set<string>(); ; await sleep(250)) {
    const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch (error) {
      const where = `${client.host}:${client.port}`;
      const reason = reasonOf(error);
      if (!isDatabaseLost(error))
        throw new ConfigurationError(
          `DATABASE_URL: PostgreSQL at ${where} cannot be used (${reason}). Correct DATABASE_URL, or repair the server there.`,
        );
      const line = `DATABASE_URL: no PostgreSQL answers at ${where} (${reason}). Start it, or correct DATABASE_URL.`;
      if (Date.now() > until) throw new ConfigurationError(line);
      if (!told.has(reason)) tell(`${line} Trying for ${trySeconds} s.`);
      told.add(reason);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** If a host has several addresses, the error contains an error for each of them and has no message of its own. */
function reasonOf(error: unknown): string {
  const { message, errors } = error as { message: string; errors?: unknown[] };
  return errors?.[0] === undefined ? message : reasonOf(errors[0]);
}
