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
  /** Required if users change their own password. */
  readonly currentPassword: string | null;
}

/**
 * Sets the password of a user and ends all tokens that were issued before. To change their own password, users must
 * give the current one, and the new one must differ. Administrators who set the password of another user learn nothing
 * about the old one.
 *
 * @throws InvalidArgumentError for a password that breaks the rules, or if the current password is wrong or missing;
 * FailedPreconditionError if the user has no password, is a fixed user, or if the password has changed in the meantime;
 * PermissionDeniedError for a user above the caller; NotFoundError; ResourceExhaustedError if too many passwords wait
 * to be hashed.
 * Source: MLflow's update-password, with the current password of its later versions.
 */
export async function updateUserPassword(
  caller: Caller,
  user: User,
  { password, currentPassword }: NewPassword,
): Promise<User> {
  const problems = userProblems({ password });
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const isSelf = isOneself(caller, user);
  // A sign-in with scopes must not set a password that allows more than its scopes.
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
    // The user may have changed since the check.
    requirePasswordable(held);
    if (!isSelf && !isRoleAtLeast(caller.role, held.role)) throw aboveCaller();
    if (isSelf && held.passwordHash !== user.passwordHash)
      throw new FailedPreconditionError('the password has changed in the meantime');
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
    throw new FailedPreconditionError('a service account has no password, it signs in with access keys');
}

/**
 * These guesses count together with those of signing in, so that somebody who steals a token cannot use it to guess the
 * password.
 */
async function requireCurrent(
  { address }: Caller,
  user: User,
  { password, currentPassword: current }: NewPassword,
): Promise<void> {
  if (user.passwordHash === null)
    throw new FailedPreconditionError('this user has no password; an administrator can set one');
  const path = ['input', 'currentPassword'];
  if (current === null)
    throw InvalidArgumentError.of(path, 'to change your own password, give the current one', 'MissingField');
  const { username, passwordHash } = user;
  const isRight = await limitedAttempt(
    { username, address },
    () => isPassword(current, passwordHash),
    (isTheCurrent) => isTheCurrent,
  );
  if (!isRight) throw asRefusal(InvalidArgumentError.of(path, 'the current password is wrong'));
  if (password === current)
    throw InvalidArgumentError.of(['input', 'password'], 'the new password must differ from the current one');
}
