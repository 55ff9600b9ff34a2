import type { Prisma } from '../../generated/prisma/client.ts';
import { UnavailableError } from '../errors.ts';
import { db } from './client.ts';
import { isDatabaseLost, isWriteConflict } from './failures.ts';

/** What a command hands to the stores inside its transaction. */
export type Tx = Prisma.TransactionClient;

const MAX_TRIES = 5;

/** What waits for the commit of each open transaction. */
const afterwards = new WeakMap<Tx, Set<() => Promise<void>>>();

/**
 * Runs `work` in one READ COMMITTED transaction, again from the start when PostgreSQL reports a deadlock or a write
 * conflict. So `work` must do nothing outside the database. Its own errors roll back and pass through.
 */
export async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const waiting = new Set<() => Promise<void>>();
    try {
      const result = await db.$transaction(
        (tx) => {
          afterwards.set(tx, waiting);
          return work(tx);
        },
        { isolationLevel: 'ReadCommitted', maxWait: 10_000, timeout: 30_000 },
      );
      for (const next of waiting) await next();
      return result;
    } catch (error) {
      if (isDatabaseLost(error)) throw new UnavailableError(undefined, { cause: error });
      if (tries === MAX_TRIES || !isWriteConflict(error)) throw error;
    }
  }
}

/**
 * Has `next` done once the transaction has committed, before `inTransaction` answers; once, however often it is asked
 * for, and not at all when the transaction is rolled back. It must not fail: what was committed cannot be taken back.
 */
export function afterCommit(tx: Tx, next: () => Promise<void>): void {
  const waiting = afterwards.get(tx);
  if (!waiting) throw new Error('there is no such transaction');
  waiting.add(next);
}
