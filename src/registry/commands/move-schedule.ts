import { closedTo, refusal } from '../../authorization/can.ts';
import type { LaunchPlan } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { entityMetadataIn } from '../domain/entity-metadata.ts';
import { hasSlots } from '../domain/schedules.ts';
import { slotsOf } from '../domain/slots.ts';
import { launchPlanTarget } from '../domain/targets.ts';
import { triggersIn } from '../domain/triggers.ts';
import { endScheduleOfName, endScheduleOfVersion, readNow, startSchedule } from '../store/schedules.ts';

/**
 * The executions of a schedule or trigger are started as the user who activates the version. So the sign-in must be one
 * that can start executions itself: a schedule must not do what the access key that activates it may not do. A trigger
 * also reads the executions that it waits for.
 *
 * @throws PermissionDeniedError if the launch plan has a schedule or triggers and the caller may not start executions of
 * it, or if it has triggers and the sign-in may not read executions.
 */
export async function requireMayStart(caller: Caller, plan: LaunchPlan): Promise<void> {
  const hasTriggers = triggersIn(plan.spec).length > 0;
  if (!hasTriggers && !hasSlots(entityMetadataIn(plan.spec).schedule)) return;
  const closed = hasTriggers ? closedTo(caller, 'execution:read') : null;
  if (closed) throw closed;
  const { domain, name, version } = plan;
  const refused = await refusal(caller, 'launchPlan:use', {
    kind: 'launch plan',
    key: addressText({ key: { domain, name, version } }),
    target: async () => launchPlanTarget(plan),
  });
  if (refused) throw refused;
}

/** Starts or ends the schedule of a version whose state was set. The caller has locked the versions. */
export async function moveSchedule(tx: Tx, { userId }: Caller, plan: LaunchPlan): Promise<void> {
  if (plan.state === 'INACTIVE') {
    await endScheduleOfVersion(tx, plan.id);
    return;
  }
  const { schedule } = entityMetadataIn(plan.spec);
  if (!hasSlots(schedule)) {
    await endScheduleOfName(tx, plan.entityId);
    return;
  }
  const now = await readNow(tx);
  await startSchedule(tx, plan, { userId, now, firstSlot: slotsOf(schedule, now).after(now) });
}
