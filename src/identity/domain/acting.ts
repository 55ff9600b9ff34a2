import { managesTenant } from '../../authorization/domain/levels.ts';
import type { Role } from '../../generated/prisma/enums.ts';

/** From the bottom up. */
const rank: Readonly<Record<Role, number>> = {
  GUEST: 0,
  ANNOTATOR: 1,
  USER: 2,
  SUPERUSER: 3,
  ADMIN: 4,
  SYSTEM: 5,
  ROOT: 6,
};

/** Whether a role stands above another: nobody is handed what stands above them. */
export const isAbove = (role: Role, other: Role): boolean => rank[role] > rank[other];

export interface Person {
  readonly tenantId: string;
  readonly role: Role;
}

/**
 * Whether somebody may act as a user: never upwards, and in another tenant only root. Source: ClearML's impersonation,
 * access.md §2.6, where an administrator could become a system user.
 */
export function mayActAs(caller: Person, user: Person): boolean {
  if (!managesTenant(caller.role) || isAbove(user.role, caller.role)) return false;
  return caller.tenantId === user.tenantId || caller.role === 'ROOT';
}

/**
 * Whether somebody may make, change and end access keys of another user. Of those above them only such as do nothing
 * but run work or report on it: so an administrator can add an executor, and end a key of one that leaked.
 *
 * @param scopes  of the key.
 */
export function mayManageKeys(caller: Person, owner: Person, scopes: readonly string[]): boolean {
  if (mayActAs(caller, owner)) return true;
  if (!managesTenant(caller.role) || caller.tenantId !== owner.tenantId || owner.role !== 'SYSTEM')
    return false;
  return scopes.length > 0 && scopes.every((scope) => workScopes.has(scope));
}

const workScopes: ReadonlySet<string> = new Set(['executor', 'engine']);
