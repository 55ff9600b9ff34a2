import { resourceNames } from '../../attributes/domain/payloads.ts';
import { payloadFor } from '../../attributes/domain/resolve.ts';
import { projectScope } from '../../attributes/domain/scopes.ts';
import { readMatching } from '../../attributes/store.ts';
import type { ResourceEntry } from '../domain/task-templates.ts';

const nameOf = {
  cpu: 'CPU',
  gpu: 'GPU',
  memory: 'MEMORY',
  storage: 'STORAGE',
  ephemeralStorage: 'EPHEMERAL_STORAGE',
} as const satisfies Readonly<Record<(typeof resourceNames)[number], ResourceEntry['name']>>;

/** The most that the containers of new tasks may request: the limits in the attributes of the domain or the project. */
export async function platformLimitsIn(
  tenantId: string,
  projectId: string,
  domain: string,
): Promise<ResourceEntry[]> {
  const scope = { ...projectScope(projectId), domain };
  const records = await readMatching(tenantId, scope, ['TASK_RESOURCE']);
  const limits = payloadFor(records, 'TASK_RESOURCE', scope)?.limits ?? {};
  return resourceNames.flatMap((resource) => {
    const value = limits[resource];
    return value === undefined ? [] : [{ name: nameOf[resource], value }];
  });
}
