import type { Level, Role } from '../../generated/prisma/enums.ts';

/** All roles, lowest first, each with the highest level that it can have on a resource, whatever is granted. */
export const ceilings = {
  GUEST: 'READ',
  ANNOTATOR: 'USE',
  USER: 'MANAGE',
  SUPERUSER: 'MANAGE',
  ADMIN: 'MANAGE',
  SYSTEM: 'MANAGE',
  ROOT: 'MANAGE',
} as const satisfies Readonly<Record<Role, Level>>;

const ladder = Object.keys(ceilings) as Role[];

/** Whether a role is equal to another role or higher. */
export function isRoleAtLeast(role: Role, least: Role): boolean {
  return ladder.indexOf(role) >= ladder.indexOf(least);
}

/** Whether the role has MANAGE on everything in its tenant, whatever the grants say. */
export const managesTenant = (role: Role): boolean => isRoleAtLeast(role, 'ADMIN');
