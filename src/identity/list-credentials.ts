import type { Credential } from '../generated/prisma/client.ts';
import type { Caller } from '../platform/caller.ts';
import { db } from '../platform/database/client.ts';
import { lastIdFirst, type Page } from '../platform/database/page.ts';
import { keyOwnerId } from './credential-owner.ts';
import { addressText, type UserBy } from './domain/addresses.ts';
import { userGone } from './user-gone.ts';

/** The newest key first. */
export const credentialOrder = lastIdFirst('credential');

/** Which access keys a list shows: the keys of one user. */
export interface CredentialFilter {
  readonly userId: string;
  readonly withRevoked: boolean | null | undefined;
}

/**
 * The id of the user whose access keys are listed: the named user, or else the caller.
 *
 * @throws PermissionDeniedError if the caller names another user but does not manage the tenant; NotFoundError for a
 * user who does not exist or belongs to another tenant.
 */
export async function listedOwnerId(caller: Caller, user: UserBy | null): Promise<string> {
  const id = await keyOwnerId(caller, user, ['user']);
  const tenant = caller.role === 'ROOT' ? {} : { tenantId: caller.tenantId };
  const owner = await db.user.findFirst({ where: { id, ...tenant }, select: { id: true } });
  if (!owner) throw userGone(caller, id, user ? addressText(user) : id, ['user']);
  return owner.id;
}

const whereOf = ({ userId, withRevoked }: CredentialFilter) => ({
  userId,
  ...(withRevoked ? {} : { revokedAt: null }),
});

/**
 * The access keys of a user, newest first, without the hashes of their secrets: one page, and one more row if there is
 * one.
 */
export async function listCredentials(
  filter: CredentialFilter,
  { limit, backward, from }: Page,
): Promise<Omit<Credential, 'secretHash'>[]> {
  const [id] = from ?? [];
  return await db.credential.findMany({
    where: { ...whereOf(filter), ...(id === undefined ? {} : { id: backward ? { gt: id } : { lt: id } }) },
    omit: { secretHash: true },
    orderBy: { id: backward ? 'asc' : 'desc' },
    take: limit + 1,
  });
}

/** The number of these keys. It is read only if a query asks for it. */
export const countCredentials = (filter: CredentialFilter): Promise<number> =>
  db.credential.count({ where: whereOf(filter) });
