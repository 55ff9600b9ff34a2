import { managesTenant } from '../authorization/domain/roles.ts';
import type { Credential } from '../generated/prisma/client.ts';
import { addressText } from '../platform/address-text.ts';
import type { Caller } from '../platform/caller.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { asRefusal, NotFoundError } from '../platform/errors.ts';
import { isId, NO_ID } from '../platform/ids.ts';
import { keysAboveCaller } from './denials.ts';
import { mayManageKeys } from './domain/acting.ts';
import type { CredentialBy } from './domain/addresses.ts';
import { scopesOf } from './domain/credentials.ts';
import { lockKeyOwner } from './store/access-keys.ts';

/**
 * An access key that the caller may change, not revoked, and nobody else changes it until commit: their own, or for those
 * who manage the tenant one of its users'.
 *
 * @throws NotFoundError, the same for one that is absent, revoked, or not theirs to know of; PermissionDeniedError for
 * one of somebody above them.
 */
export async function lockCredential(tx: Tx, caller: Caller, by: CredentialBy): Promise<Credential> {
  const missing = new NotFoundError('access key', addressText(by), ['input', 'by']);
  const where = 'accessKey' in by ? by : { id: isId(by.id) ? by.id : NO_ID };
  const found = await tx.credential.findUnique({ where, select: { userId: true } });
  // The same statements for a key that is absent as for somebody else's: the time tells nothing.
  const owner = await lockKeyOwner(tx, found?.userId ?? NO_ID);
  const credential = await tx.credential.findUnique({ where });
  if (!owner || !credential || credential.revokedAt) throw missing;
  if (owner.id === caller.userId) return credential;
  const isInReach =
    managesTenant(caller.role) && (owner.tenantId === caller.tenantId || caller.role === 'ROOT');
  if (!isInReach) throw asRefusal(missing);
  if (!mayManageKeys(caller, owner, scopesOf(credential))) throw keysAboveCaller();
  return credential;
}
