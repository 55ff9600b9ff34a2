import type { LaunchPlan } from '../../generated/prisma/client.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { AlreadyExistsError } from '../../platform/errors.ts';
import { insertExecution, type NewExecution } from '../store/create.ts';
import type { ExecutionRow } from '../store/reads.ts';
import { isLimited, takeSlot } from './take-slot.ts';

/** Undoes what was done for an execution whose name is taken. */
class NameIsTaken extends Error {}

interface Conditions {
  /** The node that starts it. */
  readonly parent?: { lock(tx: Tx): Promise<void> } | null | undefined;
  /** The schedule or trigger that starts it. */
  readonly recorded?: { record(tx: Tx): Promise<void> } | undefined;
}

/**
 * Stores a new execution, as the concurrency policy of its launch plan allows. The decision and the insert are one
 * transaction, with the progress of the schedule or trigger that starts the execution. A node that starts it stays
 * open until then. A slot of a schedule is over also if
 * the policy refuses its execution, or if the slot has one already; so is the firing of a trigger.
 *
 * @returns null if the name is taken.
 * @throws AlreadyExistsError if the policy refuses the execution (source: Flyte's code for this); the errors of the lock.
 */
export async function insertWithinLimit(
  plan: LaunchPlan,
  execution: NewExecution,
  { parent, recorded: scheduled }: Conditions = {},
): Promise<ExecutionRow | null> {
  if (!isLimited(plan) && !scheduled && !parent) return await insertExecution(execution);
  try {
    const { row, refusal } = await inTransaction(async (tx) => {
      await parent?.lock(tx);
      await scheduled?.record(tx);
      const slot = await takeSlot(tx, plan, execution);
      if ('refusal' in slot) return { row: null, refusal: slot.refusal };
      const inserted = await insertExecution({ ...execution, ...slot }, tx);
      if (!inserted && !scheduled) throw new NameIsTaken();
      return { row: inserted, refusal: null };
    });
    if (refusal !== null) throw new AlreadyExistsError(refusal, { path: ['input', 'launchPlan'] });
    return row;
  } catch (error) {
    if (error instanceof NameIsTaken) return null;
    throw error;
  }
}
