import type { LaunchPlanState } from '../generated/prisma/enums.ts';
import { run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';

/** The parts of a version that its activation needs. */
export interface LockedVersion {
  readonly id: string;
  readonly version: string;
  readonly state: LaunchPlanState;
  readonly workflowEntityId: string;
}

const lockStatement = statement<LockedVersion>(
  `select id, version, state::text as state, workflow_entity_id as "workflowEntityId" from launch_plans
    where tenant_id = $1::uuid and project_id = $2::uuid and domain = $3 and name = $4
    order by id for update`,
);

/** Locks all versions of a launch plan until the transaction ends, so that two activations run one after the other. */
export async function lockVersions(
  tx: Tx,
  plan: { tenantId: string; projectId: string; domain: string; name: string },
): Promise<LockedVersion[]> {
  return await run(lockStatement, [plan.tenantId, plan.projectId, plan.domain, plan.name], tx);
}
