import { isDatabaseLost } from '../../platform/database/failures.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

const lockStatement = statement<{ locked: string }>(
  `select pg_advisory_xact_lock(hashtextextended('slipway:fixed-users', 0))::text as locked`,
);

/** If several servers start at once, only one at a time changes the fixed users. */
export async function lockFixedUsers(tx: Tx): Promise<void> {
  await run(lockStatement, [], tx);
}

const answersStatement = statement<{ one: number }>('select 1 as one');

/** Whether the database answers, which every sign-in needs. */
export async function doesDatabaseAnswer(): Promise<boolean> {
  try {
    await run(answersStatement, []);
    return true;
  } catch (error) {
    if (isDatabaseLost(error)) return false;
    throw error;
  }
}
