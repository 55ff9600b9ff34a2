import type { Level, ResourceType, Role } from '../../generated/prisma/enums.ts';
import { isAtLeast, lower } from './levels.ts';
import type { Resource, Target } from './resources.ts';
import { ceilings, managesTenant } from './roles.ts';

/** Whom a decision is about. */
export interface Subject {
  readonly tenantId: string;
  readonly role: Role;
  /** Where no grant decides: the user's own level, else the tenant's, else the server's. */
  readonly defaultLevel: Level;
  readonly defaultFrom: DefaultSource;
  /** The resources that the token was confined to; null for no such limit. */
  readonly confinedTo: readonly Resource[] | null;
  /** A user who cannot sign in. Never true of a caller: asked only where a decision is explained. */
  readonly isDisabled?: boolean;
}

export type DefaultSource = 'USER' | 'TENANT' | 'SERVER';

/** The levels that a user was granted on one resource: its own, and the highest of its groups'. */
export interface GrantLevels {
  readonly own: Level | null;
  readonly group: Level | null;
}

/** What a grant is on: a resource, all of a type (`id` null), or the tenant (type TENANT, `id` null). */
export interface GrantResource {
  readonly type: ResourceType;
  readonly id: string | null;
}

/** Which step of the model answered. */
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

/** What lowered the level that a step answered. */
export type Cap = 'ROLE_CEILING' | 'TOKEN_RESOURCES';

export interface Decision {
  readonly level: Level;
  readonly decidedBy: DecidedBy;
  /** Where the grant is that decided; null where none did. */
  readonly resource: GrantResource | null;
  readonly caps: readonly Cap[];
}

/** One step as it was asked: a question about the subject, or one resource and the levels that were granted on it. */
export interface Step {
  readonly step: 'DISABLED' | 'PUBLIC' | 'OTHER_TENANT' | 'ROLE' | 'GRANTS' | 'DEFAULT';
  readonly resource: GrantResource | null;
  readonly levels: GrantLevels | null;
  /** Whether it decided; the steps after it are not asked. */
  readonly answered: boolean;
}

/** The resources whose grants are asked, in this order: resource and ancestors, nearest first; their types; the tenant. */
export function grantResourcesOf({ resources, allOf }: Target): GrantResource[] {
  const types = allOf ? [allOf] : resources.map(({ type }) => type);
  return [...resources, ...types.map((type) => ({ type, id: null })), { type: 'TENANT', id: null }];
}

/**
 * The level of a subject on a target: the first step that answers, then the caps.
 *
 * 1. A disabled subject: none. A public target: READ. Another tenant's: none, root excepted.
 * 2. Roles that manage the tenant: MANAGE, whatever the grants say.
 * 3. The nearest resource that has a grant: the user's own decides alone, up or down; else the highest of its groups'.
 * 4. The default of the user, else of the tenant, else of the server.
 *
 * @param levelsOn  what was granted on a resource; asked nearest first, and no further than needed.
 * @param note  is told each step as it is asked, the answering one last.
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
