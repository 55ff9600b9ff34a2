import type { Level } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import { type DomainError, NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { NO_ID } from '../platform/ids.ts';
import { noteDenial } from './audit.ts';
import { type Decision, decide } from './domain/decision.ts';
import { isAtLeast, managesTenant } from './domain/levels.ts';
import {
  isForAnonymous,
  mayCreateAnywhere,
  openToConfined,
  type Permission,
  permissions,
  type Requirement,
  scopesAllow,
} from './domain/permissions.ts';
import {
  ANONYMOUS,
  CONFINED,
  createsNothing,
  needsRole,
  needsServiceScope,
  outsideScopes,
} from './domain/requirement-text.ts';
import type { Target } from './domain/resources.ts';
import { grantsOf } from './granted.ts';

/** How a decision finds what it is about, and names it when it must look absent. */
export interface Find {
  readonly kind: string;
  readonly key: string;
  target(): Promise<Target | null>;
  /**
   * Whether the caller may read something inside a target that it may not read itself: enough to list what is there.
   * Asked with null where there is no target, so that absent and hidden cost the same.
   */
  within?(target: Target | null): Promise<boolean>;
}

/**
 * Whether the caller may do this, decided in the order that keeps hidden things hidden:
 *
 * 1. the role or scope can never do it: PERMISSION_DENIED, without looking for the object;
 * 2. the object is absent, or the caller may not read it: NOT_FOUND, alike, after the same statements;
 * 3. it is readable but the level is too low: PERMISSION_DENIED.
 *
 * Refusals go to the audit log, but for what is not there.
 *
 * @returns null when it is allowed, else the refusal. It refuses nothing by throwing: what is thrown is a failure.
 */
export async function refusal(
  caller: Caller,
  permission: Permission,
  find?: Find,
): Promise<DomainError | null> {
  const { error, target } = await judge(caller, permission, find);
  if (error && (target || error.code !== 'NOT_FOUND'))
    noteDenial(caller, permission, error.code, target, find);
  return error;
}

/** The same, where a refusal is no attempt of the caller's: a nested field that shows null, a filter. */
export async function isAllowed(caller: Caller, permission: Permission, find?: Find): Promise<boolean> {
  return (await judge(caller, permission, find)).error === null;
}

interface Verdict {
  readonly error: DomainError | null;
  readonly target: Target | null;
}
const allowed: Verdict = { error: null, target: null };
const denied = (message: string, target: Target | null = null): Verdict => ({
  error: new PermissionDeniedError(message),
  target,
});

async function judge(caller: Caller, permission: Permission, find?: Find): Promise<Verdict> {
  const requirement: Requirement = permissions[permission];
  if (!scopesAllow(caller, permission, requirement)) return denied(outsideScopes(permission));
  if (caller.confinedTo && !openToConfined(permission, requirement)) return denied(CONFINED);
  if (caller.method === 'ANONYMOUS' && !isForAnonymous(permission)) return denied(ANONYMOUS);
  if ('caller' in requirement) return allowed;
  if ('serviceScope' in requirement) {
    const { serviceScope } = requirement;
    const hasScope = caller.role === 'SYSTEM' && caller.scopes.includes(serviceScope);
    return hasScope ? allowed : denied(needsServiceScope(serviceScope));
  }
  if ('roles' in requirement) {
    if (!requirement.roles.includes(caller.role)) return denied(needsRole(requirement.roles));
    // Who is confined to some resources does nothing to the tenant at large.
    return caller.confinedTo ? denied(CONFINED) : allowed;
  }
  if ('create' in requirement && !mayCreateAnywhere(caller.role)) return denied(createsNothing(caller.role));
  if (!find) throw new Error(`${permission} is about an object, and its rule names none`);
  const target = await find.target();
  const { level } = await decisionOn(caller, target ?? nothing(caller));
  const isSeen = isAtLeast(level, 'READ') || (find.within ? await find.within(target) : false);
  if (!target || !isSeen) return { error: new NotFoundError(find.kind, find.key), target };
  const wanted = wantedLevel(caller, requirement);
  if (isAtLeast(level, wanted)) return allowed;
  // What is inside a target can be listed by who may read some of it.
  return wanted === 'READ' ? allowed : denied(`requires ${wanted} on ${find.kind} ${find.key}`, target);
}

function wantedLevel(caller: Caller, requirement: { level: Level } | { create: true }): Level {
  if ('level' in requirement) return requirement.level;
  return caller.creationPolicy === 'OPEN' ? 'READ' : 'EDIT';
}

/** What is asked about in place of what is not there, so that the same statements are sent. */
const nothing = ({ tenantId }: Caller): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: NO_ID }],
});

/** The caller's level on a target, and which step of the model answered. One statement for all that are asked at once. */
export async function decisionOn(caller: Caller, target: Target): Promise<Decision> {
  if (managesTenant(caller.role) || target.isPublic || target.tenantId !== caller.tenantId)
    return decide(caller, target, () => undefined);
  const granted = await grantsOf(caller).at(target.resources.map(({ id }) => id));
  return decide(caller, target, granted);
}

/** The same decision for a second object that an input names, asked by a command. @throws the refusal. */
export async function requireMay(
  caller: Caller,
  permission: Permission,
  target: Target,
  kind: string,
  key: string,
): Promise<void> {
  const refused = await refusal(caller, permission, { kind, key, target: async () => target });
  if (refused) throw refused;
}
