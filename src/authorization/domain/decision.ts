import type { Level, ResourceType, Role } from '../../generated/prisma/enums.ts';
import { isAtLeast, lower } from './levels.ts';
import type { Resource, Target } from './resources.ts';
import { ceilings, managesTenant } from './roles.ts';

/** A decision is about this user. */
export interface Subject {
  readonly tenantId: string;
  readonly role: Role;
  /** The level if no grant decides: of the user, or else of the tenant, or else of the server. */
  readonly defaultLevel: Level;
  readonly defaultFrom: DefaultSource;
  /** The resources that the token is limited to; null for no such limit. */
  readonly confinedTo: readonly Resource[] | null;
  /**
   * The user cannot sign in. This is never true of a caller; it matters only when a decision about another user is
   * explained.
   */
  readonly isDisabled?: boolean;
}

export type DefaultSource = 'USER' | 'TENANT' | 'SERVER';

/** The levels of a user on one resource: by its own grant, and the highest by grants to its groups. */
export interface GrantLevels {
  readonly own: Level | null;
  readonly group: Level | null;
}

/**
 * The resource of a grant: one resource, all resources of a type (`id` null), or the tenant (type TENANT, `id` null).
 */
export interface GrantResource {
  readonly type: ResourceType;
  readonly id: string | null;
}

/** The step that decided. */
export type DecidedBy =
  | 'DISABLED'
  | 'PUBLIC'
  | 'OTHER_TENANT'
  | 'ROLE'
  | 'USER_GRANT'
  | 'GROUP_GRANT'
  | 'USER_DEFAULT'
  | 'TENANT_DEFAULT'
  | 'SERVER_DEFAULT';

/** What lowered the level after a step had decided. */
export type Cap = 'ROLE_CEILING' | 'TOKEN_RESOURCES';

export interface Decision {
  readonly level: Level;
  readonly decidedBy: DecidedBy;
  /** The resource of the grant that decided; null if no grant decided. */
  readonly resource: GrantResource | null;
  readonly caps: readonly Cap[];
}

/** One step of a decision: a question about the subject, or one resource with the levels that the grants on it give. */
export interface Step {
  readonly step: 'DISABLED' | 'PUBLIC' | 'OTHER_TENANT' | 'ROLE' | 'GRANTS' | 'DEFAULT';
  readonly resource: GrantResource | null;
  readonly levels: GrantLevels | null;
  /** Whether this step decided. The steps after it are not asked. */
  readonly answered: boolean;
}

/**
 * The resources whose grants count, in this order: the resource and its ancestors, nearest first; their types; the
 * tenant.
 */
export function grantResourcesOf({ resources, allOf }: Target): GrantResource[] {
  const types = allOf ? [allOf] : resources.map(({ type }) => type);
  return [...resources, ...types.map((type) => ({ type, id: null })), { type: 'TENANT', id: null }];
}

/**
 * The level of a subject on a target. The first step that has an answer decides; then the limits lower the level.
 *
 * 1. A disabled subject has no level. On a public target the level is READ. On a target of another tenant there is
 *    none, except for ROOT.
 * 2. Roles that manage the tenant have MANAGE, whatever the grants say.
 * 3. The nearest resource with a grant decides. The user's own grant decides alone, whether higher or lower; without
 *    one, the highest grant of its groups.
 * 4. The default of the user decides, or else of the tenant, or else of the server.
 *
 * @param levelsOn  the levels that the grants on a resource give. It is called for the nearest resource first, and only
 * as often as necessary.
 * @param note  is called for each step; the last one is the step that decided.
 */
export function decide(
  subject: Subject,
  target: Target,
  levelsOn: (resource: GrantResource) => GrantLevels | undefined,
  note: (step: Step) => void = () => {},
): Decision {
  const { level, ...how } = answeringStep(subject, target, levelsOn, note);
  const caps: Cap[] = [];
  let capped = level;
  if (!isAtLeast(ceilings[subject.role], capped)) {
    caps.push('ROLE_CEILING');
    capped = lower(capped, ceilings[subject.role]);
  }
  if (!isWithin(subject.confinedTo, target) && capped !== 'NO_PERMISSIONS') {
    caps.push('TOKEN_RESOURCES');
    capped = 'NO_PERMISSIONS';
  }
  return { level: capped, ...how, caps };
}

function answeringStep(
  subject: Subject,
  target: Target,
  levelsOn: (resource: GrantResource) => GrantLevels | undefined,
  note: (step: Step) => void,
): Omit<Decision, 'caps'> {
  const answers = (step: Step['step'], answered: boolean) => {
    note({ step, resource: null, levels: null, answered });
    return answered;
  };
  if (answers('DISABLED', subject.isDisabled === true))
    return { level: 'NO_PERMISSIONS', decidedBy: 'DISABLED', resource: null };
  if (answers('PUBLIC', target.isPublic === true))
    return { level: 'READ', decidedBy: 'PUBLIC', resource: null };
  if (answers('OTHER_TENANT', target.tenantId !== subject.tenantId && subject.role !== 'ROOT'))
    return { level: 'NO_PERMISSIONS', decidedBy: 'OTHER_TENANT', resource: null };
  if (answers('ROLE', managesTenant(subject.role)))
    return { level: 'MANAGE', decidedBy: 'ROLE', resource: null };
  for (const resource of grantResourcesOf(target)) {
    const { own = null, group = null } = levelsOn(resource) ?? {};
    const level = own ?? group;
    note({ step: 'GRANTS', resource, levels: { own, group }, answered: level !== null });
    if (level) return { level, decidedBy: own ? 'USER_GRANT' : 'GROUP_GRANT', resource };
  }
  answers('DEFAULT', true);
  return { level: subject.defaultLevel, decidedBy: `${subject.defaultFrom}_DEFAULT`, resource: null };
}

function isWithin(confinedTo: readonly Resource[] | null, { resources }: Target): boolean {
  if (!confinedTo) return true;
  return resources.some(({ type, id }) => confinedTo.some((one) => one.type === type && one.id === id));
}
