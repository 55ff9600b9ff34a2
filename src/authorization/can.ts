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
import type { Grantee, GrantLevelsRow } from './store/grant-levels.ts';
import { grantsOf } from './subject-grants.ts';

/** The name of an object in messages. */
interface Name {
  readonly kind: ObjectKind;
  readonly key: string;
}

/** How a decision finds the object whose grants decide. */
export interface FindTarget extends Partial<Name> {
  target(): Promise<Target | null>;
  /**
   * Whether the caller may read something inside a target that it may not read itself. Then the caller may list it. If
   * there is no target, it is called with null, so that absent and hidden targets take the same statements.
   */
  within?(target: Target | null): Promise<boolean>;
  /** The rule only checks whether the caller may read the target. The command checks the level of the permission. */
  readonly levelIsAskedLater?: boolean;
}

/** The object of a call: its name in a refusal, and how to find it if it must exist. */
export interface Find extends Partial<Omit<FindTarget, keyof Name>>, Name {
  /** The id, if it is known without a read. */
  readonly id?: string | null;
  /** The path of the object in the input; left out if the whole call is about it. */
  readonly path?: readonly string[];
  /** Finds an object without grants, such as a user or a group. It is called after the role has been checked. */
  lookUp?(): Promise<FoundObject | null>;
}

export interface FoundObject {
  readonly id: string;
  /** True if the caller may not know that the object exists. */
  readonly isHidden?: boolean;
}

/**
 * Decides whether the caller may do something, in an order that does not reveal hidden objects:
 *
 * 1. If the role or the scopes can never do it: PERMISSION_DENIED, without a look at the object.
 * 2. If the object does not exist or the caller may not read it: NOT_FOUND. Both cases take the same statements.
 * 3. If the caller may read it but the level is too low: PERMISSION_DENIED.
 *
 * @returns null if it is allowed, or else the error. The error is marked as a refusal unless the object does not exist;
 * the audit log records it when it becomes an answer. If this function throws, the check itself has failed.
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

/**
 * The refusal of a permission that the caller's role, scopes or token never allow; null if they allow it. For a call
 * about many objects, which asks for the level on each of them later.
 */
export function closedTo(caller: Caller, permission: Permission): DomainError | null {
  const obstacle = obstacleTo(caller, permission);
  return obstacle && asRefusal(errorOf(obstacle, permission), { action: permission, target: null });
}

/** The object of a call, for the audit log. */
export async function refusalTargetOf(find: Find): Promise<RefusalTarget> {
  const target = (await find.target?.()) ?? null;
  return nameOf(find, idIn(target, find) ?? (await find.lookUp?.())?.id ?? null);
}

/** The id of the target, if its nearest resource is the object itself. A run, for example, has no grants of its own. */
function idIn(target: Target | null, { kind }: Find): string | null {
  const [nearest] = target?.resources ?? [];
  return nearest && kindOf[nearest.type] === kind ? nearest.id : null;
}

const nameOf = ({ kind, key, id: known = null }: Find, id: string | null): RefusalTarget => ({
  type: kind,
  id: id ?? known ?? (isId(key) ? key : null),
  name: key,
});

/** The same decision for cases that are not an attempt of the caller: a nested field that becomes null, or a filter. */
export async function isAllowed(caller: Caller, permission: Permission, find?: FindTarget): Promise<boolean> {
  return (await judge(caller, permission, find)).obstacle === null;
}

/** The result of a decision: no obstacle, or the first one. */
interface Verdict {
  /**
   * UNSEEN: the target does not exist, or the caller may not read it. A level: the caller may read the target, but does
   * not have this level.
   */
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
  if (!find.target) throw new Error(`${permission} needs an object, but its rule finds none`);
  const target = await find.target();
  const needed = neededLevel(caller, wanted, find);
  if (target && needed === 'READ' && grantsOf(caller).isKnownReadable(target))
    return { obstacle: null, target };
  const { level } = await decisionOn(caller, target ?? nothing(caller, find));
  const isReadable = isAtLeast(level, 'READ') || (find.within ? await find.within(target) : false);
  if (!target || !isReadable) return { obstacle: 'UNSEEN', target };
  // A caller who may read something inside a target may list it.
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

/** Takes the place of an object that does not exist, so that the same statements are sent. */
const nothing = ({ tenantId }: Pick<Caller, 'tenantId'>, { kind, key }: Partial<Name>): Target => ({
  tenantId,
  resources: [{ type: 'PROJECT', id: idOfNothing(`${kind} ${key}`) }],
});

/**
 * Keeps the caller's grants that were read together with an object, so that no other statement reads them. For an object
 * that does not exist, they must be read as well, so that it takes the same statements as a hidden one.
 *
 * @param target  null if the object does not exist.
 */
export function keepGrants(
  caller: Grantee,
  name: Name,
  target: Target | null,
  rows: readonly GrantLevelsRow[],
): void {
  const { resources } = target ?? nothing(caller, name);
  grantsOf(caller).keep(
    resources.map(({ id }) => id),
    rows,
  );
}

/**
 * Notes that a list has shown these objects to its caller. Lists leave out what their caller may not read, so fields
 * inside of the objects that require READ on them need no look at the grants.
 *
 * @returns the same rows.
 */
export function noteReadable<Row>(caller: Grantee, rows: Row[], targetOf: (row: Row) => Target): Row[] {
  const known = grantsOf(caller);
  for (const row of rows) known.noteReadable(targetOf(row));
  return rows;
}

/**
 * The caller's level on a target, and the step that decided. All decisions that are asked for at the same time take one
 * statement.
 */
export async function decisionOn(caller: Caller, target: Target): Promise<Decision> {
  if (managesTenant(caller.role) || target.isPublic || target.tenantId !== caller.tenantId)
    return decide(caller, target, () => undefined);
  const levelsOn = await grantsOf(caller).on(target.resources.map(({ id }) => id));
  return decide(caller, target, levelsOn);
}

/**
 * Whether the caller's level allows reading a target, whatever the scopes of the sign-in are. This is enough to be told
 * that a name is taken. If there is no target, it is called with null, so that absent and hidden targets take the same
 * statements.
 */
export async function isSeen(caller: Caller, name: Name, target: Target | null): Promise<boolean> {
  const { level } = await decisionOn(caller, target ?? nothing(caller, name));
  return target !== null && isAtLeast(level, 'READ');
}
