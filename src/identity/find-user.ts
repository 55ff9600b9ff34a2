import type { User } from '../generated/prisma/client.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { nameKey } from '../platform/text.ts';
import { isOwn, type UserBy } from './domain/addresses.ts';
import { reachesAllTenants } from './reach.ts';

/**
 * Whom an address names: a user of the caller's tenant; by id any, for whoever reaches all tenants. Null when there is
 * none.
 */
export async function findUserAt(context: Context, by: UserBy): Promise<User | null> {
  const caller = callerOf(context);
  const isFar = 'id' in by && by.id !== caller.userId && (await reachesAllTenants(caller));
  return await context.loaders.userAt.load({ tenantId: isFar ? null : caller.tenantId, by });
}

/** Whether an address is the caller's own. Looks at nobody else. */
export async function isOwnAddress(context: Context, by: UserBy): Promise<boolean> {
  const caller = callerOf(context);
  if (!('email' in by)) return isOwn(caller, by);
  const self = await context.loaders.user.load(caller.userId);
  return self?.emailKey != null && self.emailKey === nameKey(by.email);
}
