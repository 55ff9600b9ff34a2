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
 * Locks an access key that the caller may change and that is not revoked, until the transaction ends. Callers may
 * change their own keys; administrators also those of the tenant's users.
 *
 * @throws NotFoundError for a key that does not exist, is revoked, or is hidden from the caller; PermissionDeniedError
 * for a key of a user above the caller.
 */
export async function lockCredential(tx: Tx, caller: Caller, by: CredentialBy): Promise<Credential> {
  const missing = new NotFoundError('access key', addressText(by), ['input', 'by']);
  const where = 'accessKey' in by ? by : { id: isId(by.id) ? by.id : NO_ID };
  const found = await tx.credential.findUnique({ where, select: { userId: true, tenantId: true } });
  if (!found) throw missing;
  // Before anything is locked: a lock takes time, so it would tell callers which keys exist.
  if (!isInReach(caller, found)) throw asRefusal(missing);
  const owner = await lockKeyOwner(tx, found.userId);
  const credential = await tx.credential.findUnique({ where });
  if (!owner || !credential || credential.revokedAt) throw missing;
  if (owner.id === caller.userId) return credential;
  if (!mayManageKeys(caller, owner, scopesOf(credential))) throw keysAboveCaller();
  return credential;
}

/** Neither the owner of a key nor its tenant ever changes. */
function isInReach(caller: Caller, key: Pick<Credential, 'userId' | 'tenantId'>): boolean {
  if (key.userId === caller.userId) return true;
  return managesTenant(caller.role) && (key.tenantId === caller.tenantId || caller.role === 'ROOT');
}
