import type { Caller } from '../platform/caller.ts';
import { decisionOn } from './can.ts';
import { type Place, placesOf } from './domain/decision.ts';
import type { Target } from './domain/resources.ts';
import { managesTenant } from './domain/roles.ts';

/**
 * The places of a target whose permissions are for a caller to see: the resources that it manages. What was granted on
 * all of a type and on the tenant is for administrators.
 */
export async function managedPlaces(caller: Caller, target: Target): Promise<Place[]> {
  const { tenantId, resources } = target;
  const kept = await Promise.all(
    resources.map(async (place, at) => {
      const { level } = await decisionOn(caller, { tenantId, resources: resources.slice(at) });
      return level === 'MANAGE' ? [place] : [];
    }),
  );
  const isAdministrator = managesTenant(caller.role) && !caller.confinedTo;
  const wide = placesOf(target).filter(({ id }) => id === null);
  return [...kept.flat(), ...(isAdministrator ? wide : [])];
}
