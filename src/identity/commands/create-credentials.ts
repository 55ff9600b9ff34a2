import { recordChange } from '../../authorization/audit.ts';
import { isScope, isServiceScope, isWithinScopes } from '../../authorization/domain/permissions.ts';
import type { Credential } from '../../generated/prisma/client.ts';
import type { Role } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  PermissionDeniedError,
  type Problem,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { keyOwnerId } from '../credential-owner.ts';
import { keysAboveCaller } from '../denials.ts';
import { mayManageKeys } from '../domain/acting.ts';
import { addressText, type UserBy } from '../domain/addresses.ts';
import { credentialProblems, latestEnd, MAX_ACTIVE_CREDENTIALS } from '../domain/credentials.ts';
import { hashSecret, newAccessKey, newSecretKey } from '../domain/secrets.ts';
import { type KeyOwner, lockKeyOwner } from '../store/access-keys.ts';
import { userGone } from '../user-gone.ts';

export interface NewCredentials {
  /** Null means the caller. */
  readonly user: UserBy | null;
  readonly label: string | null;
  readonly expiresAt: Date | null;
  /** Null means the same scopes as this sign-in. */
  readonly scopes: readonly string[] | null;
}

export interface MadeCredentials {
  readonly credential: Credential;
  /** Shown only now; only its hash is stored. */
  readonly secretKey: string;
}

/**
 * Creates an access key and its secret. The key can never do more than this sign-in: a sign-in with scopes creates keys
 * with these scopes at most, and a token that is limited to some resources creates none.
 *
 * @throws InvalidArgumentError with all problems; NotFoundError for a user who does not exist or belongs to another
 * tenant; FailedPreconditionError for a disabled user; ResourceExhaustedError if the user has 100 active keys;
 * PermissionDeniedError.
 * Source: ClearML's auth.create_credentials.
 */
export async function createCredentials(caller: Caller, wanted: NewCredentials): Promise<MadeCredentials> {
  const scopes = wanted.scopes ? [...new Set(wanted.scopes)] : caller.scopes;
  const problems = [...credentialProblems(wanted, new Date()), ...scopeProblems(wanted.scopes)];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (caller.scopes && !scopes?.every((scope) => isWithinScopes(scope, caller.scopes ?? [])))
    throw new PermissionDeniedError('a new access key cannot have scopes that the sign-in does not have');
  const ownerId = await keyOwnerId(caller, wanted.user, ['input', 'user']);
  const latest = latestEnd(caller, ownerId);
  const expiresAt = wanted.expiresAt ?? latest;
  if (latest && expiresAt && expiresAt > latest)
    throw new PermissionDeniedError(
      'a new access key cannot be valid for longer than the sign-in that creates it',
    );
  const made = await inTransaction(async (tx) => {
    const owner = await lockKeyOwner(tx, ownerId);
    requireOwner(caller, owner, { ...wanted, ownerId }, scopes);
    await requireRoom(tx, owner.id);
    return await store(tx, caller, owner, { ...wanted, expiresAt, scopes });
  });
  logOf(caller).info({ credentialId: made.credential.id }, 'access key created');
  return made;
}

function requireOwner(
  caller: Caller,
  owner: KeyOwner | null,
  { ownerId, user }: NewCredentials & { readonly ownerId: string },
  scopes: readonly string[] | null,
): asserts owner is KeyOwner {
  if (!owner || (owner.tenantId !== caller.tenantId && caller.role !== 'ROOT'))
    throw userGone(caller, ownerId, user ? addressText(user) : ownerId, ['input', 'user']);
  if (owner.id !== caller.userId && !mayManageKeys(caller, owner, scopes)) throw keysAboveCaller();
  if (owner.isDisabled)
    throw new FailedPreconditionError('the user is disabled', { path: ['input', 'user'] });
  const problems = serviceScopeProblems(scopes, owner.role);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}

async function requireRoom(tx: Tx, userId: string): Promise<void> {
  const active = await tx.credential.count({
    where: { userId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] },
  });
  if (active >= MAX_ACTIVE_CREDENTIALS)
    throw new ResourceExhaustedError(
      `a user can have at most ${MAX_ACTIVE_CREDENTIALS} access keys; revoke one first`,
    );
}

async function store(
  tx: Tx,
  caller: Caller,
  owner: KeyOwner,
  { label, expiresAt, scopes }: Pick<NewCredentials, 'label' | 'expiresAt' | 'scopes'>,
): Promise<MadeCredentials> {
  const secretKey = newSecretKey();
  const credential = await tx.credential.create({
    data: {
      id: newId(),
      tenantId: owner.tenantId,
      userId: owner.id,
      accessKey: newAccessKey(),
      secretHash: new Uint8Array(hashSecret(secretKey)),
      label,
      ...(scopes ? { scopes: [...scopes] } : {}),
      expiresAt,
    },
  });
  // Processes do not cache that a key does not exist, so they need not be told about a new one.
  await recordChange(tx, caller, {
    action: 'credential:create',
    target: { type: 'access key', id: credential.id, name: credential.accessKey },
    after: { user: owner.username, label, expiresAt, scopes },
    tenantId: owner.tenantId,
  });
  return { credential, secretKey };
}

function scopeProblems(scopes: readonly string[] | null): Problem[] {
  if (scopes?.length === 0) {
    const message = 'list at least one scope, or leave scopes out for a key without this limit';
    return [{ path: ['input', 'scopes'], code: 'InvalidValue', message }];
  }
  return unfitScopes(scopes, isScope, 'this scope does not exist');
}

/** A scope of services would be useless on the key of a user who does not have the role SYSTEM. */
function serviceScopeProblems(scopes: readonly string[] | null, role: Role): Problem[] {
  const isFit = (scope: string) => role === 'SYSTEM' || !isServiceScope(scope);
  return unfitScopes(scopes, isFit, 'only users with the role SYSTEM can have this scope');
}

function unfitScopes(
  scopes: readonly string[] | null,
  isFit: (scope: string) => boolean,
  message: string,
): Problem[] {
  return (scopes ?? []).flatMap((scope, index) =>
    isFit(scope) ? [] : [{ path: ['input', 'scopes', String(index)], code: 'InvalidValue', message }],
  );
}
