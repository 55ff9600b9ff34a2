import type { Level, Role } from '../../generated/prisma/enums.ts';

/** What a permission takes: a level on the object named, one of some roles, or a scope that only programs carry. */
export type Requirement =
  | { readonly level: Level }
  | { readonly roles: readonly Role[] }
  | { readonly serviceScope: string }
  | { readonly caller: true };

const superusers: readonly Role[] = ['ROOT', 'SYSTEM', 'ADMIN', 'SUPERUSER'];

/** Every permission of the product, `noun:verb`; usable as an OAuth scope. */
export const permissions = {
  'version:read': { caller: true },
  'viewer:read': { caller: true },
  'token:create': { caller: true },
  'project:register': { roles: superusers },
  'project:read': { level: 'READ' },
  'project:list': { caller: true },
  'task:create': { level: 'EDIT' },
  'task:read': { level: 'READ' },
  'workflow:create': { level: 'EDIT' },
  'workflow:read': { level: 'READ' },
  'launchPlan:create': { level: 'EDIT' },
  'launchPlan:read': { level: 'READ' },
  'launchPlan:update': { level: 'EDIT' },
  'launchPlan:use': { level: 'USE' },
  'execution:create': { level: 'USE' },
  'execution:read': { level: 'READ' },
  'execution:terminate': { level: 'EDIT' },
  'blob:create': { level: 'USE' },
  'queue:create': { roles: superusers },
  'queue:read': { level: 'READ' },
  'queue:list': { caller: true },
  'job:read': { level: 'READ' },
  'job:run': { serviceScope: 'executor' },
} as const satisfies Readonly<Record<string, Requirement>>;

export type Permission = keyof typeof permissions;
