import type { Level, Role } from '../../generated/prisma/enums.ts';

/** Lowest first. Source: MLflow's permission levels, with USE of its later versions. */
const levelOrder: readonly Level[] = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];

export function isAtLeast(level: Level, wanted: Level): boolean {
  return levelOrder.indexOf(level) >= levelOrder.indexOf(wanted);
}

export function lower(one: Level, other: Level): Level {
  return isAtLeast(one, other) ? other : one;
}

/** The most that a role may do on any resource, whatever is granted. */
const ceilings: Readonly<Record<Role, Level>> = {
  ROOT: 'MANAGE',
  SYSTEM: 'MANAGE',
  ADMIN: 'MANAGE',
  SUPERUSER: 'MANAGE',
  USER: 'MANAGE',
  ANNOTATOR: 'USE',
  GUEST: 'READ',
};

/** Roles that have MANAGE on everything in their tenant, whatever the grants say. */
const managers: ReadonlySet<Role> = new Set(['ROOT', 'SYSTEM', 'ADMIN']);

/**
 * The level of a user on a resource of `tenantId`, by the steps of the one model: another tenant's is none (root
 * excepted), managers have MANAGE, else the user's default, else the tenant's; capped by the role's ceiling.
 */
export function effectiveLevel(
  user: { role: Role; tenantId: string; defaultLevel: Level },
  resource: { tenantId: string },
): Level {
  if (resource.tenantId !== user.tenantId && user.role !== 'ROOT') return 'NO_PERMISSIONS';
  if (managers.has(user.role)) return 'MANAGE';
  return lower(user.defaultLevel, ceilings[user.role]);
}
