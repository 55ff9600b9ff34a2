import type { Level, Role } from '../../generated/prisma/enums.ts';

/** Lowest first. Source: MLflow's permission levels, with USE of its later versions. */
export const levels: readonly Level[] = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];

export function isAtLeast(level: Level, wanted: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted);
}

export function lower(one: Level, other: Level): Level {
  return isAtLeast(one, other) ? other : one;
}

/** The most that a role may do on any resource, whatever is granted. */
export const ceilings: Readonly<Record<Role, Level>> = {
  ROOT: 'MANAGE',
  SYSTEM: 'MANAGE',
  ADMIN: 'MANAGE',
  SUPERUSER: 'MANAGE',
  USER: 'MANAGE',
  ANNOTATOR: 'USE',
  GUEST: 'READ',
};

const managers: ReadonlySet<Role> = new Set(['ROOT', 'SYSTEM', 'ADMIN']);

/** Whether the role has MANAGE on everything in its tenant, whatever the grants say. */
export const managesTenant = (role: Role): boolean => managers.has(role);
