import type { Prisma } from '../../generated/prisma/client.ts';
import { UnavailableError } from '../errors.ts';
import { db } from './client.ts';
import { isDatabaseLost, isWriteConflict } from './failures.ts';

/** The transaction that a command passes to the stores. */
export type Tx = Prisma.TransactionClient;

const MAX_TRIES = 5;

/** The functions to run after the commit of each open transaction. */
const afterwards = new WeakMap<Tx, Set<() => Promise<void>>>();

/**
 * Runs `work` in one READ COMMITTED transaction, and repeats it from the start if PostgreSQL reports a deadlock or a
 * write conflict. So `work` must change nothing outside of the database. An error of `work` rolls back and is thrown.
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
 * Runs `next` after the commit of the transaction and before `inTransaction` returns: once, even if it is registered
 * several times, and not at all after a rollback. It must not fail, because the commit cannot be undone.
 */
export function afterCommit(tx: Tx, next: () => Promise<void>): void {
  const waiting = afterwards.get(tx);
  if (!waiting) throw new Error('there is no such transaction');
  waiting.add(next);
}
