import { isRoleAtLeast, managesTenant } from '../../authorization/domain/roles.ts';
import type { Role } from '../../generated/prisma/enums.ts';

export interface Person {
  readonly tenantId: string;
  readonly role: Role;
}

/**
 * Whether somebody may act as a user: never upwards, and in another tenant only root. Source: ClearML's impersonation,
 * where an administrator could become a system user.
 */
export function mayActAs(caller: Person, user: Person): boolean {
  if (!managesTenant(caller.role) || !isRoleAtLeast(caller.role, user.role)) return false;
  return caller.tenantId === user.tenantId || caller.role === 'ROOT';
}

/**
 * Whether somebody may make, change and end access keys of another user. Of those above them only such as do nothing
 * but run work or report on it: so an administrator can add an executor, and end a key of one that leaked.
 *
 * @param scopes  of the key; null for no limit.
 */
export function mayManageKeys(caller: Person, owner: Person, scopes: readonly string[] | null): boolean {
  if (mayActAs(caller, owner)) return true;
  if (!managesTenant(caller.role) || caller.tenantId !== owner.tenantId || owner.role !== 'SYSTEM')
    return false;
  return scopes?.every((scope) => workScopes.has(scope)) ?? false;
}

const workScopes: ReadonlySet<string> = new Set(['executor', 'engine']);
