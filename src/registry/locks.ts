import { run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';

const lockStatement = statement<{ id: string }>(
  `select id from launch_plans
    where tenant_id = $1::uuid and project_id = $2::uuid and domain = $3 and name = $4
    order by id for update`,
);

/** Holds every version of a launch plan until commit, so that two activations follow one another. */
export async function lockVersions(
  tx: Tx,
  plan: { tenantId: string; projectId: string; domain: string; name: string },
): Promise<void> {
  await run(lockStatement, [plan.tenantId, plan.projectId, plan.domain, plan.name], tx);
}
