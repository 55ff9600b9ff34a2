import type { Credential } from '../generated/prisma/client.ts';
import type { Caller } from '../platform/caller.ts';
import { db } from '../platform/database/client.ts';
import { lastIdFirst, type Page } from '../platform/database/page.ts';
import { keyOwnerId } from './credential-owner.ts';
import { addressText, type UserBy } from './domain/addresses.ts';
import { userGone } from './user-gone.ts';

/** The newest first. */
export const credentialOrder = lastIdFirst('credential');

/**
 * A user's access keys, newest first, without what proves their secrets: up to `limit + 1` of them.
 *
 * @throws PermissionDeniedError when somebody else is named by one who does not manage the tenant; NotFoundError for a
 * user who is absent or of another tenant.
 */
export async function listCredentials(
  caller: Caller,
  { user, withRevoked }: { user: UserBy | null; withRevoked: boolean },
  page: Page,
): Promise<Omit<Credential, 'secretHash'>[]> {
  const id = await keyOwnerId(caller, user, ['user']);
  const tenant = caller.role === 'ROOT' ? {} : { tenantId: caller.tenantId };
  const owner = await db.user.findFirst({ where: { id, ...tenant }, select: { id: true } });
  if (!owner) throw userGone(caller, id, user ? addressText(user) : id, ['user']);
  const [from] = page.from ?? [];
  return await db.credential.findMany({
    where: {
      userId: id,
      ...(withRevoked ? {} : { revokedAt: null }),
      ...(from === undefined ? {} : { id: page.backward ? { gt: from } : { lt: from } }),
    },
    omit: { secretHash: true },
    orderBy: { id: page.backward ? 'asc' : 'desc' },
    take: page.limit + 1,
  });
}
