/** How long the database may take, before a request fails instead of waiting for it. */
import { expect, it, vi } from 'vitest';
import { db, pool } from '../../../src/platform/database/client.ts';
import { inTransaction } from '../../../src/platform/database/transaction.ts';

it('PostgreSQL ends a statement after 30 seconds, and a transaction that does nothing after a minute', async () => {
  const settingOf = async (name: string) => (await pool.query(`show ${name}`)).rows[0][name];
  expect(await settingOf('statement_timeout')).toBe('30s');
  expect(await settingOf('idle_in_transaction_session_timeout')).toBe('1min');
});

it('PostgreSQL plans with indexes, and compiles no plan', async () => {
  const { rows } = await pool.query(
    `select current_setting('enable_seqscan') as scans, current_setting('jit') as jit`,
  );
  expect(rows).toEqual([{ scans: 'off', jit: 'off' }]);
});

it('a connection is opened within 5 seconds, and closed after a minute without work', () => {
  expect(pool.options).toMatchObject({ connectionTimeoutMillis: 5_000, idleTimeoutMillis: 60_000 });
});

it('a transaction waits 10 seconds for a connection, and ends after 30 seconds', async () => {
  const transactions = vi.spyOn(db, '$transaction');
  expect(await inTransaction(async () => 'done')).toBe('done');
  expect(transactions).toHaveBeenCalledExactlyOnceWith(expect.any(Function), {
    isolationLevel: 'ReadCommitted',
    maxWait: 10_000,
    timeout: 30_000,
  });
  transactions.mockRestore();
});
