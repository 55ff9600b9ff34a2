import { recordChange } from '../../authorization/audit.ts';
import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { User } from '../../generated/prisma/client.ts';
import { isOneself } from '../../identity/commands/change-user.ts';
import { aboveCaller } from '../../identity/denials.ts';
import { userProblems } from '../../identity/domain/user-checks.ts';
import { requireNotFixed } from '../../identity/fixed-users.ts';
import { hashPassword, isPassword } from '../../identity/passwords.ts';
import { lockUser, storePasswordHash } from '../../identity/store/users.ts';
import { userGone } from '../../identity/user-gone.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import {
  asRefusal,
  FailedPreconditionError,
  InvalidArgumentError,
  PermissionDeniedError,
} from '../../platform/errors.ts';
import { limitedAttempt } from '../attempts.ts';

export interface NewPassword {
  readonly password: string;
  /** Needed by whoever changes its own. */
  readonly currentPassword: string | null;
}

/**
 * Sets a user's password and ends every token that was made before. One's own takes the current one, and a new one that
 * differs; an administrator who sets another's learns nothing about the old one.
 *
 * @throws InvalidArgumentError for a password that breaks the rules, and a wrong or missing current one;
 * FailedPreconditionError for whoever has no password to change, a fixed user, or a password that was changed meanwhile;
 * PermissionDeniedError for a user above the caller; NotFoundError; ResourceExhaustedError when too many wait to be hashed.
 * Source: MLflow's update-password with the current password of its later versions.
 */
export async function updateUserPassword(
  caller: Caller,
  user: User,
  { password, currentPassword }: NewPassword,
): Promise<User> {
  const problems = userProblems({ password });
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const isSelf = isOneself(caller, user);
  // A narrow sign-in sets nobody a password that could be used for more.
  if (!isSelf && caller.scopes !== null)
    throw new PermissionDeniedError('a sign-in with scopes cannot set the passwords of others');
  if (!isSelf && !isRoleAtLeast(caller.role, user.role)) throw aboveCaller();
  requirePasswordable(user);
  if (isSelf) await requireCurrent(caller, user, { password, currentPassword });
  const passwordHash = await hashPassword(password);
  const { id, tenantId, username } = user;
  return await inTransaction(async (tx) => {
    const held = await lockUser(tx, user);
    if (!held) throw userGone(caller, id, username);
    // It may have become another since it was judged.
    requirePasswordable(held);
    if (!isSelf && !isRoleAtLeast(caller.role, held.role)) throw aboveCaller();
    if (isSelf && held.passwordHash !== user.passwordHash)
      throw new FailedPreconditionError('the password was changed meanwhile');
    const changed = await storePasswordHash(tx, id, passwordHash);
    const target = { type: 'user', id, name: username } as const;
    await recordChange(tx, caller, { tenantId, action: 'user:changePassword', target });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
    return changed;
  });
}

function requirePasswordable(user: User): void {
  requireNotFixed(user);
  if (user.kind === 'SERVICE_ACCOUNT')
    throw new FailedPreconditionError('a service account has no password: it signs in with access keys');
}

/** Guesses count with those of signing in: a token that was found must not tell the password. */
async function requireCurrent(
  { address }: Caller,
  user: User,
  { password, currentPassword: current }: NewPassword,
): Promise<void> {
  if (user.passwordHash === null)
    throw new FailedPreconditionError('there is no password to change: an administrator can set one');
  const path = ['input', 'currentPassword'];
  if (current === null)
    throw InvalidArgumentError.of(path, 'your own password is changed with the current one', 'MissingField');
  const { username, passwordHash } = user;
  const isRight = await limitedAttempt(
    { username, address },
    () => isPassword(current, passwordHash),
    (isTheCurrent) => isTheCurrent,
  );
  if (!isRight) throw asRefusal(InvalidArgumentError.of(path, 'this is not the current password'));
  if (password === current)
    throw InvalidArgumentError.of(['input', 'password'], 'the new password is the old one');
}
