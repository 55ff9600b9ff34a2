import type { Level } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import {
  asRefusal,
  type DomainError,
  NotFoundError,
  PermissionDeniedError,
  type RefusalTarget,
} from '../platform/errors.ts';
import { idOfNothing, isId } from '../platform/ids.ts';
import { kindOf, type ObjectKind } from '../platform/object-kinds.ts';
import { type Decision, decide } from './domain/decision.ts';
import { isAtLeast } from './domain/levels.ts';
import {
  type Obstacle,
  obstacleTo,
  type Permission,
  permissions,
  type Requirement,
} from './domain/permissions.ts';
import { obstacleText } from './domain/requirement-text.ts';
import type { Target } from './domain/resources.ts';
import { managesTenant } from './domain/roles.ts';
import { grantsOf } from './subject-grants.ts';

/** How an object is named in messages. */
interface Name {
  readonly kind: ObjectKind;
  readonly key: string;
}

/** How a decision finds the object that grants decide about. */
export interface FindTarget extends Partial<Name> {
  target(): Promise<Target | null>;
  /**
   * Whether the caller may read something inside a target that it may not read itself: enough to list what is there.
   * Asked with null where there is no target, so that absent and hidden cost the same.
   */
  within?(target: Target | null): Promise<boolean>;
  /** The rule only asks whether the caller may read the target: the command asks for the permission's own level. */
  readonly levelIsAskedLater?: boolean;
}

/** The object that a call is about, as a refusal names it, and how it is found where it must be there. */
export interface Find extends Partial<Omit<FindTarget, keyof Name>>, Name {
  /** Where it is known without a look. */
  readonly id?: string | null;
  /** Where an input names it; left out, the whole call is about it. */
  readonly path?: readonly string[];
  /** For objects without grants, such as users and groups: asked after the role has been judged. */
  lookUp?(): Promise<FoundObject | null>;
}

export interface FoundObject {
  readonly id: string;
  /** The caller may not know that it is there. */
  readonly isHidden?: boolean;
}

/**
 * Whether the caller may do this, decided in the order that keeps hidden things hidden:
 *
 * 1. the role or scope can never do it: PERMISSION_DENIED, without looking for the object;
 * 2. the object is absent, or the caller may not read it: NOT_FOUND, alike, after the same statements;
 * 3. it is readable but the level is too low: PERMISSION_DENIED.
 *
 * @returns null when it is allowed, else the error, marked as a refusal unless the object is absent: it goes to the audit
 * log where it becomes an answer. An exception means that the check itself failed.
 */
export async function refusal(
  caller: Caller,
  permission: Permission,
  find?: Find,
): Promise<DomainError | null> {
  const { obstacle, target } = await judge(caller, permission, find);
  if (obstacle) {
    const error = errorOf(obstacle, permission, find);
    const isAbsent = obstacle === 'UNSEEN' && target === null;
    return isAbsent
      ? error
      : asRefusal(error, { action: permission, target: find ? nameOf(find, idIn(target, find)) : null });
  }
  if (!find?.lookUp) return null;
  const found = await find.lookUp();
  if (found && !found.isHidden) return null;
  const error = new NotFoundError(find.kind, find.key, find.path);
  return found ? asRefusal(error, { action: permission, target: nameOf(find, found.id) }) : error;
}

/** The object that a call is about, for the audit log. */
export async function refusalTargetOf(find: Find): Promise<RefusalTarget> {
  const target = (await find.target?.()) ?? null;
  return nameOf(find, idIn(target, find) ?? (await find.lookUp?.())?.id ?? null);
}

/** Of a target whose nearest resource is the object itself; a run, for example, has no grants of its own. */
function idIn(target: Target | null, { kind }: Find): string | null {
  const [nearest] = target?.resources ?? [];
  return nearest && kindOf[nearest.type] === kind ? nearest.id : null;
}

const nameOf = ({ kind, key, id: known = null }: Find, id: string | null): RefusalTarget => ({
  type: kind,
  id: id ?? known ?? (isId(key) ? key : null),
  name: key,
});

/** The same, where a refusal is no attempt of the caller's: a nested field that shows null, a filter. */
export async function isAllowed(caller: Caller, permission: Permission, find?: FindTarget): Promise<boolean> {
  return (await judge(caller, permission, find)).obstacle === null;
}

/** What came of a question: nothing in the way, or the first obstacle. */
interface Verdict {
  /** UNSEEN: the target is absent, or the caller may not read it. A level: the caller reads the target and lacks this. */
  readonly obstacle: Obstacle | 'UNSEEN' | { readonly level: Level } | null;
  readonly target: Target | null;
}

async function judge(
  caller: Caller,
  permission: Permission,
  find: Partial<FindTarget> = {},
): Promise<Verdict> {
  const obstacle = obstacleTo(caller, permission);
  const { level: wanted }: Requirement = permissions[permission];
  if (obstacle || wanted === 'NONE') return { obstacle, target: null };
  if (!find.target) throw new Error(`${permission} is about an object, and its rule finds none`);
  const target = await find.target();
  const { level } = await decisionOn(caller, target ?? nothing(caller, find));
  const isReadable = isAtLeast(level, 'READ') || (find.within ? await find.within(target) : false);
  if (!target || !isReadable) return { obstacle: 'UNSEEN', target };
  const needed = neededLevel(caller, wanted, find);
  // What is inside a target can be listed by who may read some of it.
  const isEnough = isAtLeast(level, needed) || needed === 'READ';
  return { obstacle: isEnough ? null : { level: needed }, target };
}

function errorOf(
  obstacle: NonNullable<Verdict['obstacle']>,
  permission: Permission,
  find?: Find,
): DomainError {
  const { kind = 'tenant', key = '', path = [] } = find ?? {};
  if (obstacle === 'UNSEEN') return new NotFoundError(kind, key, path);
  if (typeof obstacle === 'string') return new PermissionDeniedError(obstacleText(obstacle, permission));
  return new PermissionDeniedError(`requires ${obstacle.level} on ${kind} ${key}`);
}

function neededLevel(
  { creationPolicy }: Caller,
  wanted: Level | 'CREATION_POLICY',
  { levelIsAskedLater }: Partial<FindTarget>,
): Level {
  if (levelIsAskedLater) return 'READ';
  if (wanted !== 'CREATION_POLICY') return wanted;
  return creationPolicy === 'OPEN' ? 'READ' : 'EDIT';
}

/** What is asked about in place of what is not there, so that the same statements are sent. */
const nothing = ({ tenantId }: Caller, { kind, key }: Partial<Name>): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: idOfNothing(`${kind} ${key}`) }],
});

/** The caller's level on a target, and which step of the model answered. One statement for all that are asked at once. */
export async function decisionOn(caller: Caller, target: Target): Promise<Decision> {
  if (managesTenant(caller.role) || target.isPublic || target.tenantId !== caller.tenantId)
    return decide(caller, target, () => undefined);
  const levelsOn = await grantsOf(caller).on(target.resources.map(({ id }) => id));
  return decide(caller, target, levelsOn);
}

/**
 * Whether the caller's level lets it read a target, whatever the scopes of its sign-in say: enough to be told that
 * something has a name. Asked with null where there is no target, so that absent and hidden cost the same.
 */
export async function isSeen(caller: Caller, name: Name, target: Target | null): Promise<boolean> {
  const { level } = await decisionOn(caller, target ?? nothing(caller, name));
  return target !== null && isAtLeast(level, 'READ');
}
