import type { Tenant } from '../generated/prisma/client.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { reachesAllTenants } from './reach.ts';

/** The tenant with this id; null if there is none or the caller does not reach it. */
export async function findReachedTenant(context: Context, id: string): Promise<Tenant | null> {
  const caller = callerOf(context);
  const isReached = id === caller.tenantId || (await reachesAllTenants(caller));
  return isReached ? await context.loaders.tenant.load(id) : null;
}
