import { refusal } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, requireChanges } from '../../platform/errors.ts';
import { userProblems } from '../domain/user-checks.ts';
import { type ChangedUser, changeUser, type UserChanges } from './change-user.ts';

/** Every user may change its own names and picture, but not these fields. */
const administratorFields: ReadonlySet<string> = new Set([
  'role',
  'email',
  'username',
  'defaultLevel',
  'isDisabled',
] satisfies (keyof UserChanges)[]);

/**
 * Changes a user. If all values are the same as before, nothing changes, and the answer says so.
 *
 * @throws InvalidArgumentError with all problems, or if there are no changes; PermissionDeniedError;
 * FailedPreconditionError for the caller itself, the last administrator or a fixed user; AlreadyExistsError if the name
 * is taken; NotFoundError.
 * Source: ClearML's edit_user.
 */
export async function editUser(
  caller: Caller,
  address: { readonly tenantId: string; readonly id: string },
  changes: UserChanges,
): Promise<ChangedUser> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  requireChanges(given.length > 0);
  const problems = userProblems(changes);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (given.some(([field]) => administratorFields.has(field))) {
    const refused = await refusal(caller, 'user:administer');
    if (refused) throw refused;
  }
  return await changeUser(caller, address, () => changes);
}
