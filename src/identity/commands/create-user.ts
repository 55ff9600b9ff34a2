import { recordChange } from '../../authorization/audit.ts';
import { managesTenant } from '../../authorization/domain/roles.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import type { User } from '../../generated/prisma/client.ts';
import type { Level, Role, UserKind } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import {
  AlreadyExistsError,
  InvalidArgumentError,
  PermissionDeniedError,
  type Problem,
} from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { nameKey } from '../../platform/text.ts';
import { mayAssign } from '../domain/administration.ts';
import { kindProblems, userProblems } from '../domain/user-checks.ts';
import { hashPassword } from '../passwords.ts';
import { reachedTenantId } from '../reach.ts';
import type { TenantBy } from '../store/tenants.ts';
import { findTakenName } from '../store/users.ts';

export interface NewUser {
  readonly username: string | null;
  readonly email: string | null;
  readonly password: string | null;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly avatar: string | null;
  readonly role: Role;
  readonly kind: UserKind;
  readonly defaultLevel: Level | null;
  /** Null means the caller's tenant. */
  readonly tenant: TenantBy | null;
}

/**
 * Creates a person or a service account. The user name or the e-mail address is enough: each replaces the other, and
 * the user name replaces the name for people. Without a password, the user cannot sign in with one.
 *
 * @throws InvalidArgumentError with all problems; PermissionDeniedError for a role above the caller's, or for another
 * tenant; NotFoundError for an unknown tenant; AlreadyExistsError with the field that is taken; ResourceExhaustedError
 * if too many passwords wait to be hashed.
 * Source: MLflow's create user and ClearML's auth.create_user.
 */
export async function createUser(caller: Caller, given: NewUser): Promise<User> {
  const problems = problemsOf(given);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const username = given.username ?? given.email ?? '';
  // A sign-in with scopes must not create a user who could sign in without them.
  const isWide = given.password !== null || managesTenant(given.role);
  if (caller.scopes !== null && isWide)
    throw new PermissionDeniedError(
      'a sign-in with scopes can only create users without a password and with a role below ADMIN',
    );
  if (!mayAssign(caller.role, given.role, given.kind))
    throw new PermissionDeniedError(`the role ${given.role} is higher than yours`);
  const tenantId = await reachedTenantId(caller, given.tenant, ['input', 'tenant']);
  const keys = { usernameKey: nameKey(username), emailKey: given.email && nameKey(given.email) };
  const passwordHash = given.password === null ? null : await hashPassword(given.password);
  const { email, givenName, familyName, avatar, role, kind, defaultLevel } = given;
  const row = {
    ...keys,
    ...{ tenantId, username, email, name: given.name ?? username, role, kind, defaultLevel, passwordHash },
    ...{ givenName: givenName || null, familyName: familyName || null, avatar: avatar || null },
  };
  try {
    return await inTransaction(async (tx) => {
      const user = await tx.user.create({ data: { id: newId(), ...row } });
      await recordChange(tx, caller, {
        tenantId,
        action: 'user:create',
        target: { type: 'user', id: user.id, name: username },
        after: { username, email, role, kind, defaultLevel, hasPassword: passwordHash !== null },
      });
      await recordAccessChange(tx, { tenantId, userId: user.id, kind: 'PRINCIPAL' });
      return user;
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const field = (await findTakenName(tenantId, keys)) ?? 'username';
    throw userNameConflict(field, given.username === null ? 'email' : field);
  }
}

function problemsOf(given: NewUser): Problem[] {
  const username = given.username ?? given.email ?? undefined;
  const message = 'a user needs a user name or an e-mail address';
  const missing: Problem = { path: ['input', 'username'], code: 'MissingField', message };
  return [
    ...(username === undefined ? [missing] : []),
    ...userProblems({ ...given, username, name: given.name ?? undefined }),
    ...kindProblems(given),
  ];
}

/** @param field  the name of the field in the input. */
export function userNameConflict(what: 'username' | 'email', field = what): AlreadyExistsError {
  const message =
    what === 'username' ? 'the user name is already taken' : 'the e-mail address is already taken';
  return new AlreadyExistsError(message, { path: ['input', field] });
}
