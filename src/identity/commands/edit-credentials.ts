import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { Credential } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, PermissionDeniedError } from '../../platform/errors.ts';
import type { CredentialBy } from '../domain/addresses.ts';
import { credentialProblems, latestEnd } from '../domain/credentials.ts';
import { lockCredential } from '../lock-credential.ts';

export interface CredentialChanges {
  /** Null clears it. */
  readonly label: string | null;
  /** Null clears it; undefined leaves it. */
  readonly expiresAt: Date | null | undefined;
}

/**
 * Changes an access key's label and, where one is given, its end.
 *
 * @throws InvalidArgumentError with every fault; NotFoundError for a key that is absent, revoked or somebody else's;
 * PermissionDeniedError for a key of somebody above an administrator. Source: ClearML's auth.edit_credentials: a label
 * that is left out is cleared.
 */
export async function editCredentials(
  caller: Caller,
  by: CredentialBy,
  { label, expiresAt }: CredentialChanges,
): Promise<Credential> {
  const problems = credentialProblems({ label, expiresAt: expiresAt ?? null }, new Date());
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await inTransaction(async (tx) => {
    const before = await lockCredential(tx, caller, by);
    const latest = latestEnd(caller, before.userId);
    if (latest && expiresAt !== undefined && (expiresAt === null || expiresAt > latest))
      throw new PermissionDeniedError('an access key does not outlive the sign-in that changes it');
    const after = await tx.credential.update({
      where: { id: before.id },
      data: { label, ...(expiresAt === undefined ? {} : { expiresAt }) },
    });
    await recordChange(tx, caller, {
      action: 'credential:update',
      target: { type: 'access key', id: before.id, name: before.accessKey },
      before: { label: before.label, expiresAt: before.expiresAt },
      after: { label: after.label, expiresAt: after.expiresAt },
      tenantId: before.tenantId,
    });
    await recordAccessChange(tx, { tenantId: before.tenantId, userId: before.userId, kind: 'PRINCIPAL' });
    return after;
  });
}
