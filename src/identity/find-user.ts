import { isAllowed } from '../authorization/can.ts';
import type { User } from '../generated/prisma/client.ts';
import { type Context, callerOf } from '../graphql/context.ts';
import { isId } from '../platform/ids.ts';
import { nameKey } from '../platform/text.ts';
import { isOwn, parseUsername, type UserBy } from './domain/addresses.ts';
import { reachesAllTenants } from './reach.ts';

/**
 * The user of an address; null if there is none. Callers who reach all tenants find any user by id or `tenant/name`;
 * other callers find only users of their own tenant.
 */
export async function findUserAt(context: Context, by: UserBy): Promise<User | null> {
  const caller = callerOf(context);
  const { tenantId } = caller;
  // If the address can only be in the caller's own tenant, we need not check how far the caller reaches.
  const isFar = 'id' in by ? by.id !== caller.userId : 'username' in by && by.username.includes('/');
  const inAllTenants = isFar && (await reachesAllTenants(caller));
  return await context.loaders.userAt.load({ tenantId, by, inAllTenants });
}

/**
 * The author in a filter: a user of the caller's tenant. An e-mail address finds only the caller, unless the caller may
 * list users.
 */
export async function findAuthor(context: Context, by: UserBy): Promise<{ readonly id: string } | null> {
  const caller = callerOf(context);
  // This includes deleted users.
  if ('id' in by) return isId(by.id) ? by : null;
  const isOpen =
    'username' in by || (await isOwnAddress(context, by)) || (await isAllowed(caller, 'user:list'));
  return isOpen ? await context.loaders.userAt.load({ tenantId: caller.tenantId, by }) : null;
}

/** Whether an address is the caller's own. It reads no other user. */
export async function isOwnAddress(context: Context, by: UserBy): Promise<boolean> {
  const caller = callerOf(context);
  if ('email' in by) {
    const self = await context.loaders.user.load(caller.userId);
    return self?.emailKey != null && self.emailKey === nameKey(by.email);
  }
  if (isOwn(caller, by) || 'id' in by) return isOwn(caller, by);
  const { tenantKey, key } = parseUsername(by.username);
  if (key !== nameKey(caller.username)) return false;
  return (await context.loaders.tenant.load(caller.tenantId))?.nameKey === tenantKey;
}
