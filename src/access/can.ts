import type { Level } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import { type DomainError, NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { type Permission, permissions, type Requirement } from './domain/permissions.ts';
import { effectiveLevel, isAtLeast } from './domain/roles.ts';

/** A protected object as a rule finds it: whose it is, and how to name it when it must look absent. */
export interface Target {
  readonly tenantId: string;
}

/**
 * Whether the caller may do this, decided in the order that keeps hidden things hidden:
 *
 * 1. the role or scope can never do it: PERMISSION_DENIED, without looking for the object;
 * 2. the object is absent, or the caller may not read it: NOT_FOUND, alike;
 * 3. it is readable but the level is too low: PERMISSION_DENIED.
 *
 * @returns null when it is allowed, else the refusal. It refuses nothing by throwing: what is thrown is a failure.
 */
export async function refusal(
  caller: Caller,
  permission: Permission,
  find?: { kind: string; key: string; target: () => Promise<Target | null> },
): Promise<DomainError | null> {
  const requirement: Requirement = permissions[permission];
  if (!scopesAllow(caller, permission, requirement)) return new PermissionDeniedError();
  if ('caller' in requirement) return null;
  if ('serviceScope' in requirement) {
    const isService = caller.role === 'SYSTEM' && caller.scopes.includes(requirement.serviceScope);
    return isService ? null : new PermissionDeniedError();
  }
  if ('roles' in requirement)
    return requirement.roles.includes(caller.role) ? null : new PermissionDeniedError();
  if (!find) throw new Error(`${permission} is about an object, and its rule names none`);
  const target = await find.target();
  if (!target || !isAtLeast(levelOn(caller, target), 'READ')) return new NotFoundError(find.kind, find.key);
  return isAtLeast(levelOn(caller, target), requirement.level) ? null : new PermissionDeniedError();
}

/** The same decision for a second object that an input names, asked by a command. @throws the refusal. */
export async function requireMay(
  caller: Caller,
  permission: Permission,
  target: Target,
  kind: string,
  key: string,
) {
  const refused = await refusal(caller, permission, {
    kind,
    key,
    target: async () => target,
  });
  if (refused) throw refused;
}

function levelOn(caller: Caller, target: Target): Level {
  return effectiveLevel(caller, target);
}

/** A credential with scopes does what they name and nothing else; without, all that its user may do. */
function scopesAllow(caller: Caller, permission: Permission, requirement: Requirement): boolean {
  if (caller.scopes.length === 0 || 'caller' in requirement) return true;
  if ('serviceScope' in requirement) return caller.scopes.includes(requirement.serviceScope);
  return caller.scopes.includes(permission);
}
