/** Races with a known winner. */
import { pool } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';
import { eventually } from './seed.ts';

const waiting = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock'`;

/**
 * Runs `before`, which locks something; then begins `ask`; once that waits for the lock runs `meanwhile` and commits.
 *
 * @returns what `ask` came to.
 */
export async function overtaken<T>(
  ask: () => Promise<T>,
  before: (tx: Tx) => Promise<unknown>,
  meanwhile: (tx: Tx) => Promise<unknown> = async () => {},
): Promise<T> {
  const { answer } = await inTransaction(async (tx) => {
    await before(tx);
    const answer = ask();
    await eventually(
      async () => (await pool.query(waiting)).rows[0]?.count as number,
      (count) => count > 0,
    );
    await meanwhile(tx);
    return { answer };
  });
  return await answer;
}
