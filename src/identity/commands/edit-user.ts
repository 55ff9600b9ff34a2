import { refusal } from '../../authorization/can.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, requireChanges } from '../../platform/errors.ts';
import { userProblems } from '../domain/user-checks.ts';
import { type ChangedUser, changeUser, type UserChanges } from './change-user.ts';

/** Names and picture are everybody's own affair; these are not. */
const administratorFields: ReadonlySet<string> = new Set([
  'role',
  'email',
  'username',
  'defaultLevel',
  'isDisabled',
] satisfies (keyof UserChanges)[]);

/**
 * Changes what is given of a user. The same values again change nothing, and the answer says so.
 *
 * @throws InvalidArgumentError with every fault, or when nothing is given; PermissionDeniedError; FailedPreconditionError
 * for oneself, the last administrator or a fixed user; AlreadyExistsError for a taken name; NotFoundError.
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
