import type { LaunchPlan } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { triggersIn } from '../domain/triggers.ts';
import { endTriggersOfName, endTriggersOfVersion, startTriggers } from '../store/triggers.ts';

/**
 * Starts or ends the triggers of a version whose state was set. An activation starts them anew, also if the version is
 * active already: what has ended before it counts no more. A pause stays; it ends with a deactivation. The caller has locked the versions.
 */
export async function moveTriggers(tx: Tx, { userId }: Caller, plan: LaunchPlan): Promise<void> {
  if (plan.state === 'INACTIVE') {
    await endTriggersOfVersion(tx, plan.id);
    return;
  }
  const pause = await endTriggersOfName(tx, plan.entityId);
  const triggers = triggersIn(plan.spec);
  if (triggers.length > 0) await startTriggers(tx, plan, userId, triggers, pause);
}
