import DataLoader from 'dataloader';
import type { User } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';
import { isId } from '../platform/ids.ts';
import { usernameKey } from './domain/usernames.ts';
import { findPrincipal, type Principal } from './principals.ts';

/** How a user is addressed. */
export type UserBy = { readonly id: string } | { readonly username: string } | { readonly email: string };

export function identityLoaders(tenantId: string) {
  return {
    user: new DataLoader<string, User | null>(async (ids) => {
      const rows = await db.user.findMany({
        where: { id: { in: [...ids] }, tenantId },
      });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    userBy: new DataLoader<UserBy, User | null, string>(
      (addresses) => Promise.all(addresses.map((by) => findUser(tenantId, by))),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
    /** As a sign-in of the user would be: its role and default level; null for who is disabled or gone. */
    principal: new DataLoader<string, Principal | null>((ids) =>
      Promise.all(ids.map((id) => findPrincipal(id, null))),
    ),
  };
}

async function findUser(tenantId: string, by: UserBy): Promise<User | null> {
  if ('id' in by) return isId(by.id) ? await db.user.findUnique({ where: { id: by.id, tenantId } }) : null;
  if ('username' in by)
    return await db.user.findUnique({
      where: { tenantId_usernameKey: { tenantId, usernameKey: usernameKey(by.username) } },
    });
  return await db.user.findUnique({
    where: { tenantId_emailKey: { tenantId, emailKey: usernameKey(by.email) } },
  });
}

export type IdentityLoaders = ReturnType<typeof identityLoaders>;
