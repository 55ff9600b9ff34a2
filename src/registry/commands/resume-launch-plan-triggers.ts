import { inTransaction } from '../../platform/database/transaction.ts';
import { lockTriggers, resumeTriggers } from '../store/triggers.ts';
import { noTriggers } from './pause-launch-plan-triggers.ts';

/**
 * Lets paused triggers act again. What has ended during the pause starts nothing. Resuming triggers that are not paused
 * changes nothing.
 *
 * @param plan  the version. The caller has EDIT on it.
 * @throws FailedPreconditionError if no triggers of the version act.
 */
export async function resumeLaunchPlanTriggers(plan: { readonly id: string }): Promise<void> {
  await inTransaction(async (tx) => {
    if (!(await lockTriggers(tx, plan.id))) throw noTriggers();
    await resumeTriggers(tx, plan.id);
  });
}
