import type { TaskResourceAttributes } from '../attributes/domain/payloads.ts';
import { payloadFor } from '../attributes/domain/resolve.ts';
import type { Scope } from '../attributes/domain/scopes.ts';
import { readMatching } from '../attributes/store.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import type { Tx } from '../platform/database/transaction.ts';

/**
 * The default resources of the containers in a scope, and their limits. A record of attributes replaces the
 * configuration of the server as a whole: a record with only limits leaves no defaults.
 */
export async function readPlatformResources(
  tenantId: string,
  scope: Scope,
  tx?: Tx,
): Promise<TaskResourceAttributes> {
  const records = await readMatching(tenantId, scope, ['TASK_RESOURCE'], tx);
  return payloadFor(records, 'TASK_RESOURCE', scope) ?? controlPlaneConfig.taskResources;
}
