import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { lockCredential } from '../lock-credential.ts';

/**
 * Ends an access key, at once, and every token that was made with it.
 *
 * @throws NotFoundError for a key that is absent, revoked before or somebody else's, the same; PermissionDeniedError for
 * a key of somebody above an administrator. Source: ClearML's auth.revoke_credentials, where tokens lived on.
 */
export async function revokeCredentials(caller: Caller, accessKey: string): Promise<void> {
  await inTransaction(async (tx) => {
    const { id, tenantId, userId } = await lockCredential(tx, caller, accessKey);
    await tx.credential.update({ where: { id }, data: { revokedAt: new Date() } });
    const target = { type: 'access key', id, name: accessKey } as const;
    await recordChange(tx, caller, { action: 'credential:revoke', target, tenantId });
    await recordAccessChange(tx, { tenantId, userId, kind: 'PRINCIPAL' });
  });
  caller.log.info('access key revoked');
}
