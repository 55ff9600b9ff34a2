/** How long the database may take, before a request fails instead of waiting for it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it, vi } from 'vitest';
import { db, pool } from '../../../src/platform/database/client.ts';
import { run, statement } from '../../../src/platform/database/statement.ts';
import { inTransaction, type Tx } from '../../../src/platform/database/transaction.ts';

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
    maxWait: 10_000,
    timeout: 30_000,
  });
  transactions.mockRestore();
});

const backend = statement<{ id: number }>('select pg_backend_pid() as id');

it('a statement of a transaction has the connection of Prisma, and one outside of it has another', async () => {
  await inTransaction(async (tx) => {
    const [ours] = await run(backend, [], tx);
    expect(await tx.$queryRaw`select pg_backend_pid() as id`).toEqual([ours]);
    const [other] = await run(backend, []);
    expect(other).not.toEqual(ours);
    expect(await run(backend, [], tx)).toEqual([ours]);
  });
});

it('transactions at the same time have a connection each', async () => {
  const backends = await Promise.all(
    Array.from({ length: 5 }, () =>
      inTransaction(async (tx) => {
        const [ours] = await run(backend, [], tx);
        expect(await tx.$queryRaw`select pg_backend_pid() as id`).toEqual([ours]);
        return ours?.id;
      }),
    ),
  );
  expect(backends).toHaveLength(5);
});

it.each([
  ['committed', async () => {}],
  [
    'rolled back',
    async () => {
      throw new Error('no');
    },
  ],
])('a transaction that was %s runs no statement', async (_end, end) => {
  let ended: Tx | undefined;
  await inTransaction(async (tx) => {
    ended = tx;
    await end();
  }).catch(() => {});
  await expect(run(backend, [], ended)).rejects.toThrow('the transaction has ended');
});

it('what a transaction reads is what was committed when the statement began, whatever the database says', async () => {
  const isolation = statement<{ transaction_isolation: string }>('show transaction_isolation');
  expect(await inTransaction((tx) => run(isolation, [], tx))).toEqual([
    { transaction_isolation: 'read committed' },
  ]);
  expect(pool.options.options).toContain('default_transaction_isolation=read\\ committed');
});

it.each(['committed', 'rolled back'])(
  'Node follows promises only until a transaction has its connection, because before Node 24 that costs a tenth of each request: %s',
  async (end) => {
    const disabled = vi.spyOn(AsyncLocalStorage.prototype, 'disable');
    await inTransaction(async () => {
      expect(disabled).toHaveBeenCalledOnce();
      if (end !== 'committed') throw new Error(end);
    }).catch((error: Error) => expect(error.message).toBe(end));
    expect(disabled).toHaveBeenCalledOnce();
    disabled.mockRestore();
  },
);

it('a transaction that does not begin waits no longer for its connection', async () => {
  const disabled = vi.spyOn(AsyncLocalStorage.prototype, 'disable');
  const transactions = vi.spyOn(db, '$transaction').mockRejectedValue(new Error('no'));
  await expect(inTransaction(async () => {})).rejects.toThrow('no');
  expect(disabled).toHaveBeenCalledOnce();
  transactions.mockRestore();
  disabled.mockRestore();
});

it('each of many transactions has the connection of Prisma, also beside those that fail and those of Prisma itself', async () => {
  const one = (at: number) =>
    inTransaction(async (tx) => {
      const [ours] = await run(backend, [], tx);
      expect(await tx.$queryRaw`select pg_backend_pid() as id`).toEqual([ours]);
      if (at % 5 === 0) throw new Error('rolled back');
    }).catch((error: Error) => expect(error.message).toBe('rolled back'));
  for (let round = 1; round <= 10; round += 1)
    await Promise.all(
      Array.from({ length: 2 * round }, async (_, at) => {
        if (at % 3 === 0) await run(backend, []);
        if (at % 4 === 0) await db.$transaction([db.tenant.count(), db.user.count()]);
        await one(at);
      }),
    );
});
