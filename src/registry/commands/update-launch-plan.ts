import { refusal } from '../../authorization/can.ts';
import { nameUnavailable } from '../../authorization/name-conflict.ts';
import type { LaunchPlan, LaunchPlanState } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { launchPlanTarget } from '../domain/targets.ts';
import { lockVersions } from '../locks.ts';
import { moveSchedule, requireMayStart } from './move-schedule.ts';
import { moveTriggers } from './move-triggers.ts';

/**
 * Activates or deactivates a version. Activating a version deactivates the active version of the same name in the same
 * transaction; deactivating changes no other version. Repeating a call succeeds. The schedule and the triggers go with the
 * state: an activation starts them, also if the version is active already, and they end with the version that is no longer
 * active.
 *
 * @param plan  the version. The caller has EDIT on it.
 * @throws NotFoundError if it was deleted meanwhile; PermissionDeniedError if the caller may read the active version but
 * does not have EDIT on it; InvalidArgumentError `NameUnavailable`, as for a reserved name, if the caller may not read it.
 * Source: Flyte's UpdateLaunchPlan.
 */
export async function updateLaunchPlan(
  caller: Caller,
  plan: LaunchPlan,
  state: LaunchPlanState,
): Promise<LaunchPlan> {
  const { id, workflowEntityId } = plan;
  // Versions of one name may launch different workflows, and the grants on a workflow decide about its launch plans.
  const judged = new Set([workflowEntityId]);
  if (state === 'ACTIVE') await requireMayStart(caller, plan);
  for (;;) {
    const done = await inTransaction(async (tx) => {
      const versions = await lockVersions(tx, plan);
      if (!versions.some((version) => version.id === id))
        throw new NotFoundError('launch plan', plan.name, ['input', 'by']);
      // It may be the same version.
      const active = state === 'ACTIVE' ? versions.find((version) => version.state === 'ACTIVE') : undefined;
      if (active && !judged.has(active.workflowEntityId)) return { unjudged: active } as const;
      if (active) await tx.launchPlan.update({ where: { id: active.id }, data: { state: 'INACTIVE' } });
      const updated = await tx.launchPlan.update({ where: { id }, data: { state } });
      await moveSchedule(tx, caller, updated);
      await moveTriggers(tx, caller, updated);
      return { updated } as const;
    });
    if (done.updated) return done.updated;
    // The check runs without the lock, and then the update is tried again. Each round checks one more workflow.
    await requireMayDeactivate(caller, { ...plan, ...done.unjudged });
    judged.add(done.unjudged.workflowEntityId);
  }
}

async function requireMayDeactivate(caller: Caller, active: LaunchPlan): Promise<void> {
  const { domain, name, version } = active;
  const refused = await refusal(caller, 'launchPlan:update', {
    kind: 'launch plan',
    key: addressText({ key: { domain, name, version } }),
    target: async () => launchPlanTarget(active),
  });
  if (refused?.code === 'NOT_FOUND') throw nameUnavailable(['input', 'by']);
  if (refused) throw refused;
}
