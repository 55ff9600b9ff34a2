import type { Level } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import { type DomainError, NotFoundError, PermissionDeniedError } from '../platform/errors.ts';
import { idOfNothing } from '../platform/ids.ts';
import { noteDenial } from './audit.ts';
import { type Decision, decide } from './domain/decision.ts';
import { isAtLeast } from './domain/levels.ts';
import { obstacleTo, type Permission, permissions, type Requirement } from './domain/permissions.ts';
import { obstacleText } from './domain/requirement-text.ts';
import type { Target } from './domain/resources.ts';
import { managesTenant } from './domain/roles.ts';
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
  /** The rule only asks whether the caller may read the target: the command asks for the permission's own level. */
  readonly levelIsAskedLater?: boolean;
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
  const obstacle = obstacleTo(caller, permission);
  if (obstacle) return denied(obstacleText(obstacle, permission));
  const { level: wanted }: Requirement = permissions[permission];
  if (wanted === 'NONE') return allowed;
  if (!find) throw new Error(`${permission} is about an object, and its rule names none`);
  const target = await find.target();
  const { level } = await decisionOn(caller, target ?? nothing(caller, find));
  const isReadable = isAtLeast(level, 'READ') || (find.within ? await find.within(target) : false);
  if (!target || !isReadable) return { error: new NotFoundError(find.kind, find.key), target };
  const needed = find.levelIsAskedLater
    ? 'READ'
    : wanted === 'CREATION_POLICY'
      ? levelToCreate(caller)
      : wanted;
  if (isAtLeast(level, needed)) return allowed;
  // What is inside a target can be listed by who may read some of it.
  return needed === 'READ' ? allowed : denied(`requires ${needed} on ${find.kind} ${find.key}`, target);
}

const levelToCreate = ({ creationPolicy }: Caller): Level => (creationPolicy === 'OPEN' ? 'READ' : 'EDIT');

/** How an object is named in messages. */
type Name = Pick<Find, 'kind' | 'key'>;

/** What is asked about in place of what is not there, so that the same statements are sent. */
const nothing = ({ tenantId }: Caller, { kind, key }: Name): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: idOfNothing(`${kind} ${key}`) }],
});

/** The caller's level on a target, and which step of the model answered. One statement for all that are asked at once. */
export async function decisionOn(caller: Caller, target: Target): Promise<Decision> {
  if (managesTenant(caller.role) || target.isPublic || target.tenantId !== caller.tenantId)
    return decide(caller, target, () => undefined);
  const granted = await grantsOf(caller).at(target.resources.map(({ id }) => id));
  return decide(caller, target, granted);
}

/**
 * Whether the caller's level lets it read a target, whatever the scopes of its sign-in say: enough to be told that
 * something has a name. Asked with null where there is no target, so that absent and hidden cost the same.
 */
export async function isSeen(caller: Caller, name: Name, target: Target | null): Promise<boolean> {
  const { level } = await decisionOn(caller, target ?? nothing(caller, name));
  return target !== null && isAtLeast(level, 'READ');
}
