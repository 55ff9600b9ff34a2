import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Credential } from '../../generated/prisma/client.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import type { CredentialBy } from '../domain/addresses.ts';
import { lockCredential } from '../lock-credential.ts';

/**
 * Ends an access key and all tokens that were issued with it, at once.
 *
 * @throws NotFoundError for a key that does not exist, is already revoked or belongs to another user;
 * PermissionDeniedError for a key of a user above the caller. Source: ClearML's auth.revoke_credentials, where the
 * tokens stayed valid.
 */
export async function revokeCredentials(caller: Caller, by: CredentialBy): Promise<Credential> {
  const revoked = await inTransaction(async (tx) => {
    const { id, tenantId, userId, accessKey } = await lockCredential(tx, caller, by);
    const after = await tx.credential.update({ where: { id }, data: { revokedAt: new Date() } });
    const target = { type: 'access key', id, name: accessKey } as const;
    await recordChange(tx, caller, { action: 'credential:revoke', target, tenantId });
    await recordAccessChange(tx, { tenantId, userId, kind: 'PRINCIPAL' });
    return after;
  });
  logOf(caller).info('access key revoked');
  return revoked;
}
