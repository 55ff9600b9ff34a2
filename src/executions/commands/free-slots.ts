import { inTransaction } from '../../platform/database/transaction.ts';
import { freeWaiting, lockLaunchPlanName } from '../store/slots.ts';

/**
 * Lets executions run that waited for others of their launch plan, as many as its limit allows, oldest first.
 *
 * @param launchPlanId  any version of the launch plan.
 */
export async function freeSlots(launchPlanId: string): Promise<void> {
  await inTransaction(async (tx) => {
    const nameId = await lockLaunchPlanName(tx, launchPlanId);
    if (nameId !== null) await freeWaiting(tx, nameId);
  });
}
