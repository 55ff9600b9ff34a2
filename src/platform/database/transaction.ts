import type pg from 'pg';
import type { Prisma } from '../../generated/prisma/client.ts';
import { UnavailableError } from '../errors.ts';
import { type Connection, db, withConnection } from './client.ts';
import { isDatabaseLost, isWriteConflict } from './failures.ts';

/** The transaction that a command passes to the stores. */
export type Tx = Prisma.TransactionClient;

const MAX_TRIES = 5;

interface Open {
  readonly connection: Connection;
  /** The functions to run after the commit. */
  readonly afterwards: Set<() => Promise<void>>;
}

const transactions = new WeakMap<Tx, Open>();

/**
 * Runs `work` in one READ COMMITTED transaction, and repeats it from the start if PostgreSQL reports a deadlock or a
 * write conflict. So `work` must change nothing outside of the database. An error of `work` rolls back and is thrown.
 */
export async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const afterwards = new Set<() => Promise<void>>();
    try {
      const result = await withConnection((connection) =>
        db.$transaction(
          (tx) => {
            transactions.set(tx, { connection, afterwards });
            return work(tx);
          },
          { maxWait: 10_000, timeout: 30_000 },
        ),
      );
      for (const next of afterwards) await next();
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
  openTransaction(tx).afterwards.add(next);
}

/** The connection of a transaction. @throws Error after its end. */
export function connectionOf(tx: Tx): pg.PoolClient {
  const { client } = openTransaction(tx).connection;
  if (!client) throw new Error('the transaction has ended');
  return client;
}

function openTransaction(tx: Tx): Open {
  const open = transactions.get(tx);
  if (!open) throw new Error('there is no such transaction');
  return open;
}
