import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { Role, UserKind } from '../../generated/prisma/enums.ts';
import { asRefusal, FailedPreconditionError } from '../../platform/errors.ts';

/**
 * Whether an administrator may make somebody of that role, or delete one: nobody above itself. An administrator's
 * executors need SYSTEM, which manages a tenant as ADMIN does; so it may make service accounts of that role.
 */
export function mayAssign(by: Role, role: Role, kind: UserKind): boolean {
  if (by === 'ADMIN' && role === 'SYSTEM') return kind === 'SERVICE_ACCOUNT';
  return isRoleAtLeast(by, role);
}

/** Who keeps a tenant from being without anybody who manages it. */
export function isActiveAdministrator(user: {
  readonly role: Role;
  readonly kind: UserKind;
  readonly disabledAt: Date | null;
}): boolean {
  return user.kind === 'PERSON' && (user.role === 'ADMIN' || user.role === 'ROOT') && !user.disabledAt;
}

/**
 * What a tenant is kept from: that somebody shuts itself out, or that nobody is left to manage it.
 *
 * @param otherAdministrators  how many active ones there are besides, all held until commit.
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
