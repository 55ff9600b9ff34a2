import type { LaunchPlan } from '../../generated/prisma/client.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError } from '../../platform/errors.ts';
import { insertExecution, type NewExecution } from '../store/create.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { isLimited, takeSlot } from './take-slot.ts';

/** Undoes what was done for an execution whose name is taken. */
class NameIsTaken extends Error {}

/**
 * Stores a new execution, as the concurrency policy of its launch plan allows. The decision and the insert are one
 * transaction.
 *
 * @returns null if the name is taken.
 * @throws AlreadyExistsError if the policy refuses the execution. Source: Flyte's code for this.
 */
export async function insertWithinLimit(
  plan: LaunchPlan,
  execution: NewExecution,
): Promise<ExecutionRow | null> {
  if (!isLimited(plan)) return await insertExecution(execution);
  try {
    return await inTransaction(async (tx) => {
      const slot = await takeSlot(tx, plan, execution);
      if ('refusal' in slot) throw new AlreadyExistsError(slot.refusal, { path: ['input', 'launchPlan'] });
      const row = await insertExecution({ ...execution, ...slot }, tx);
      if (!row) throw new NameIsTaken();
      return row;
    });
  } catch (error) {
    if (error instanceof NameIsTaken) return null;
    throw error;
  }
}
