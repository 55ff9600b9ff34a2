import type { LaunchPlan, LaunchPlanState } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { lockVersions } from '../locks.ts';
import { findLaunchPlan, type VersionBy } from '../store.ts';

/**
 * Activates or deactivates a version. Activating one deactivates the version of the same name that was active, in the
 * same step; deactivating touches no other. Repeating either succeeds.
 *
 * @throws NotFoundError. Source: Flyte's UpdateLaunchPlan, workflows.md §5.4.
 */
export async function updateLaunchPlan(
  caller: Caller,
  by: VersionBy,
  state: LaunchPlanState,
): Promise<LaunchPlan> {
  const plan = await findLaunchPlan(caller.tenantId, by);
  if (!plan) throw new NotFoundError('launch plan', 'id' in by ? by.id : by.key.name, ['input', 'by']);
  const { tenantId, projectId, domain, name } = plan;
  return await inTransaction(async (tx) => {
    await lockVersions(tx, plan);
    if (state === 'ACTIVE') {
      await tx.launchPlan.updateMany({
        where: {
          tenantId,
          projectId,
          domain,
          name,
          state: 'ACTIVE',
          id: { not: plan.id },
        },
        data: { state: 'INACTIVE' },
      });
    }
    return await tx.launchPlan.update({
      where: { id: plan.id },
      data: { state },
    });
  });
}
