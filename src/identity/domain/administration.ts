import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { asRefusal, FailedPreconditionError } from '../../platform/errors.ts';

/**
 * Whether an administrator may create or delete a user with this role: not above its own. The executors of an
 * administrator need SYSTEM, which manages a tenant as ADMIN does, so an administrator may also create service accounts
 * with this role.
 */
export function mayAssign(by: Role, role: Role, kind: UserKind): boolean {
  if (by === 'ADMIN' && role === 'SYSTEM') return kind === 'SERVICE_ACCOUNT';
  return isRoleAtLeast(by, role);
}

/** Whether a user counts as an active administrator. Every tenant must keep at least one. */
export function isActiveAdministrator(user: {
  readonly role: Role;
  readonly kind: UserKind;
  readonly disabledAt: Date | null;
}): boolean {
  return user.kind === 'PERSON' && (user.role === 'ADMIN' || user.role === 'ROOT') && !user.disabledAt;
}

/**
 * Prevents that users lock themselves out, or that a tenant has no administrator any more.
 *
 * @param otherAdministrators how many other active administrators there are. All of them are locked until the
 * transaction ends.
 * @throws FailedPreconditionError
 */
export function requireStillManaged(
  change: 'demote' | 'disable' | 'delete',
  { isSelf, isAdministrator, otherAdministrators }: Standing,
): void {
  if (isSelf) throw asRefusal(new FailedPreconditionError(`you cannot ${change} yourself`));
  if (isAdministrator && otherAdministrators === 0)
    throw asRefusal(
      new FailedPreconditionError(`the last administrator of a tenant cannot be ${past[change]}`),
    );
}

export interface Standing {
  readonly isSelf: boolean;
  readonly isAdministrator: boolean;
  readonly otherAdministrators: number;
}

const past = { demote: 'demoted', disable: 'disabled', delete: 'deleted' } as const;
