import type { Caller } from '../platform/caller.ts';
import { decisionOn } from './can.ts';
import { type GrantResource, grantResourcesOf } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import { managesTenant } from './domain/roles.ts';

/**
 * The resources of a target whose grants a caller may see: the resources that the caller manages. Only administrators
 * see grants on all resources of a type and on the tenant.
 */
export async function managedResources(caller: Caller, target: Target): Promise<GrantResource[]> {
  const { tenantId, resources } = target;
  const kept = await Promise.all(
    resources.map(async (resource, at) => {
      const { level } = await decisionOn(caller, { tenantId, resources: resources.slice(at) });
      return level === 'MANAGE' ? [resource] : [];
    }),
  );
  const isAdministrator = managesTenant(caller.role) && !caller.confinedTo;
  const wide = grantResourcesOf(target).filter(({ id }) => id === null);
  return [...kept.flat(), ...(isAdministrator ? wide : [])];
}
