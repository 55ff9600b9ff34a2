import { isRoleAtLeast, managesTenant } from '../../authorization/domain/roles.ts';
import type { Role } from '../../generated/prisma/enums.ts';

export interface Person {
  readonly tenantId: string;
  readonly role: Role;
}

/**
 * Whether a caller may act as a user. The user's role must not be higher, and only ROOT may do it in another tenant.
 * Source: ClearML's impersonation, where an administrator could become a system user.
 */
export function mayActAs(caller: Person, user: Person): boolean {
  if (!managesTenant(caller.role) || !isRoleAtLeast(caller.role, user.role)) return false;
  return caller.tenantId === user.tenantId || caller.role === 'ROOT';
}

/**
 * Whether a caller may create, change and end the access keys of another user. If the user has a higher role, this is
 * allowed only for keys that can do nothing but run work or report about it. So an administrator can add an executor,
 * and can end its key if it leaks.
 *
 * @param scopes the scopes of the key; null means no limit.
 */
export function mayManageKeys(caller: Person, owner: Person, scopes: readonly string[] | null): boolean {
  if (mayActAs(caller, owner)) return true;
  if (!managesTenant(caller.role) || caller.tenantId !== owner.tenantId || owner.role !== 'SYSTEM')
    return false;
  return scopes?.every((scope) => workScopes.has(scope)) ?? false;
}

const workScopes: ReadonlySet<string> = new Set(['executor', 'engine']);
