import { recordChange } from '../../authorization/audit.ts';
import { isRoleAtLeast, managesTenant } from '../../authorization/domain/roles.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { User } from '../../generated/prisma/client.ts';
import type { Level, Role } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { asRefusal, InvalidArgumentError, PermissionDeniedError } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';
import { aboveCaller } from '../denials.ts';
import { isActiveAdministrator, requireStillManaged } from '../domain/administration.ts';
import { kindProblems } from '../domain/user-checks.ts';
import { requireNotFixed } from '../fixed-users.ts';
import { findTakenName, lockUserAmongAdministrators } from '../store/users.ts';
import { userGone } from '../user-gone.ts';
import { userNameConflict } from './create-user.ts';

/** The changes of a user. Undefined means no change; null clears the field. */
export interface UserChanges {
  readonly role?: Role | undefined;
  readonly name?: string | undefined;
  readonly givenName?: string | null | undefined;
  readonly familyName?: string | null | undefined;
  readonly avatar?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly username?: string | undefined;
  readonly defaultLevel?: Level | null | undefined;
  readonly isDisabled?: boolean | undefined;
}

export interface ChangedUser {
  readonly user: User;
  /** Whether anything has changed. */
  readonly isChanged: boolean;
}

/**
 * Changes a user. The user is locked first and then checked, so if two administrators take the role from each other at
 * the same time, one of them stays.
 *
 * @param changesOf  computes the changes from the locked user.
 * @throws PermissionDeniedError if the user or the new role is above the caller's role; FailedPreconditionError for a
 * fixed user, for the caller itself, or for the last administrator; AlreadyExistsError if the name is taken;
 * NotFoundError.
 */
export async function changeUser(
  caller: Caller,
  address: { readonly tenantId: string; readonly id: string },
  changesOf: (user: User) => UserChanges,
): Promise<ChangedUser> {
  let attempt: UserChanges = {};
  try {
    return await inTransaction(async (tx) => {
      const held = await lockUserAmongAdministrators(tx, address);
      if (!held) throw userGone(caller, address.id, address.id);
      const { user, otherAdministrators } = held;
      requireNotFixed(user);
      const changes = changesOf(user);
      attempt = changes;
      requireAllowed(caller, user, changes, otherAdministrators);
      const changed = changedColumns(user, changes);
      if (Object.keys(changed).length === 0) return { user, isChanged: false };
      // A disabled user must not come back later with an old token.
      const version = changed.disabledAt ? { version: { increment: 1 } } : {};
      const after = await tx.user.update({ where: { id: user.id }, data: { ...changed, ...version } });
      const { id, tenantId } = user;
      await recordChange(tx, caller, {
        tenantId,
        action: 'user:update',
        target: { type: 'user', id, name: user.username },
        before: pick(user, Object.keys(changed)),
        after: pick(after, Object.keys(changed)),
      });
      await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
      return { user: after, isChanged: true };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const keys = {
      usernameKey: nameKey(attempt.username ?? ''),
      emailKey: attempt.email ? nameKey(attempt.email) : null,
    };
    const field = await findTakenName(address.tenantId, keys, address.id);
    throw userNameConflict(field ?? (attempt.username === undefined ? 'email' : 'username'));
  }
}

function requireAllowed(caller: Caller, user: User, changes: UserChanges, otherAdministrators: number): void {
  if (!isRoleAtLeast(caller.role, user.role)) throw denied(aboveCaller());
  const isSelf = isOneself(caller, user);
  const standing = { isSelf, isAdministrator: isActiveAdministrator(user), otherAdministrators };
  const { role, isDisabled } = changes;
  if (role !== undefined && role !== user.role) {
    const isWidened = caller.scopes !== null && managesTenant(role);
    if (isWidened)
      throw denied(new PermissionDeniedError(`a sign-in with scopes cannot give the role ${role}`));
    if (!isRoleAtLeast(caller.role, role))
      throw denied(new PermissionDeniedError(`the role ${role} is higher than yours`));
    const problems = kindProblems({ kind: user.kind, role });
    if (problems.length > 0) throw new InvalidArgumentError(problems);
    const isAdministrator = standing.isAdministrator && !isActiveAdministrator({ ...user, role });
    if (!isRoleAtLeast(role, user.role)) requireStillManaged('demote', { ...standing, isAdministrator });
  }
  if (isDisabled) requireStillManaged('disable', standing);
}

const denied = (error: PermissionDeniedError) => asRefusal(error, { action: 'user:administer' });

/** Also true for the real user if the caller acts as another user. */
export function isOneself({ userId, real }: Caller, user: { readonly id: string }): boolean {
  return userId === user.id || real?.userId === user.id;
}

/** The columns that really change. */
function changedColumns(user: User, changes: UserChanges) {
  const { isDisabled, username, email, givenName, familyName, avatar, ...plain } = changes;
  const wanted: Partial<User> = {
    ...plain,
    ...(username === undefined ? {} : { username, usernameKey: nameKey(username) }),
    ...(email === undefined ? {} : { email, emailKey: email && nameKey(email) }),
    ...(givenName === undefined ? {} : { givenName: givenName || null }),
    ...(familyName === undefined ? {} : { familyName: familyName || null }),
    ...(avatar === undefined ? {} : { avatar: avatar || null }),
    ...(isDisabled === undefined || isDisabled === (user.disabledAt !== null)
      ? {}
      : { disabledAt: isDisabled ? new Date() : null }),
  };
  const changed = Object.entries(wanted).filter(
    ([column, value]) => value !== undefined && value !== user[column as keyof User],
  );
  return Object.fromEntries(changed) as Partial<Omit<User, 'preferences'>>;
}

const derivedColumns: ReadonlySet<string> = new Set(['usernameKey', 'emailKey']);

function pick(user: User, columns: readonly string[]): object {
  const recorded = columns.filter((column) => !derivedColumns.has(column));
  return Object.fromEntries(recorded.map((column) => [column, user[column as keyof User]]));
}
