import type { Prisma } from '../../generated/prisma/client.ts';
import { UnavailableError } from '../errors.ts';
import { db } from './client.ts';
import { isDatabaseLost, isWriteConflict } from './failures.ts';

/** What a command hands to the stores inside its transaction. */
export type Tx = Prisma.TransactionClient;

const MAX_TRIES = 5;

/**
 * Runs `work` in one READ COMMITTED transaction, again from the start when PostgreSQL reports a deadlock or a write
 * conflict. So `work` must do nothing outside the database. Its own errors roll back and pass through.
 */
export async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.$transaction(work, {
        isolationLevel: 'ReadCommitted',
        maxWait: 10_000,
        timeout: 30_000,
      });
    } catch (error) {
      if (isDatabaseLost(error)) throw new UnavailableError(undefined, { cause: error });
      if (tries === MAX_TRIES || !isWriteConflict(error)) throw error;
    }
  }
}
