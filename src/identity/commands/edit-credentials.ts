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
  /** Null removes it. */
  readonly label: string | null;
  /** Null removes it; undefined means no change. */
  readonly expiresAt: Date | null | undefined;
}

/**
 * Changes the label of an access key and, if one is given, its expiry.
 *
 * @throws InvalidArgumentError with all problems; NotFoundError for a key that does not exist, is revoked or belongs to
 * another user; PermissionDeniedError for a key of a user above the caller. Source: ClearML's auth.edit_credentials: a
 * label that is left out is removed.
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
      throw new PermissionDeniedError(
        'the access key cannot be valid for longer than the sign-in that changes it',
      );
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
