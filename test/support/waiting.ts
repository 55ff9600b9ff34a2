/** Waiting for a cause, and races with a known winner. */
import { onTestFinished } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';

// As they are before a test puts the clock in its own hands.
const { setTimeout } = globalThis;
const { now } = Date;

/** Longer than anything that a test waits for, also on a machine that is busy; shorter than a test may take. */
const PATIENCE_MS = 150_000;

/** Asks again until it holds. @throws Error with the last answer when it never does. */
export async function eventually<T>(read: () => T | Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const until = now() + PATIENCE_MS;
  for (;;) {
    const answer = await read();
    if (holds(answer)) return answer;
    if (now() > until) throw new Error(`it never came to hold: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const waiting = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock'`;

/** Until so many sessions wait for locks that others hold. */
export async function untilLocked(sessions = 1): Promise<void> {
  await eventually(
    async () => (await pool.query(waiting)).rows[0]?.count as number,
    (count) => count >= sessions,
  );
}

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
    await untilLocked();
    await meanwhile(tx);
    return { answer };
  });
  return await answer;
}

/**
 * Runs `lock`, and begins each call when those before it wait for what that locks. Then they go on in their order.
 *
 * @returns what the calls came to.
 */
export async function inLine<T extends readonly unknown[]>(
  lock: (tx: Tx) => Promise<unknown>,
  ...calls: { readonly [K in keyof T]: () => Promise<T[K]> }
): Promise<T> {
  const { answers } = await inTransaction(async (tx) => {
    await lock(tx);
    const begun: Promise<unknown>[] = [];
    for (const call of calls) {
      begun.push(call());
      await untilLocked(begun.length);
    }
    return { answers: Promise.all(begun) as Promise<unknown> as Promise<T> };
  });
  return await answers;
}

/** Makes every statement on the table hang, without an error, at most until the test ends. @returns what ends that. */
export async function hangTable(table: string): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`lock table ${table} in access exclusive mode`);
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('rollback');
    client.release();
  };
  onTestFinished(release);
  return release;
}
