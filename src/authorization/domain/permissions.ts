import type { Level, Role } from '../../generated/prisma/enums.ts';

/** What a permission takes. */
export type Requirement =
  /** A level on the object named. */
  | { readonly level: Level }
  /** Leave to make something in the object named, by the tenant's policy. */
  | { readonly create: true }
  /** One of some roles. */
  | { readonly roles: readonly Role[] }
  /** A scope that only programs carry. */
  | { readonly serviceScope: string }
  /** Somebody who is signed in: about oneself, or filtered. */
  | { readonly caller: true };

const admins: readonly Role[] = ['ROOT', 'SYSTEM', 'ADMIN'];
const superusers: readonly Role[] = [...admins, 'SUPERUSER'];

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

  // Experiments and registered models.
  'experiment:create': { create: true },
  'experiment:read': { level: 'READ' },
  'experiment:list': { caller: true },
  'experiment:update': { level: 'EDIT' },
  'experiment:delete': { level: 'MANAGE' },
  'experiment:publish': { level: 'MANAGE' },
  'run:create': { level: 'EDIT' },
  'run:read': { level: 'READ' },
  'run:list': { caller: true },
  'run:update': { level: 'EDIT' },
  'run:delete': { level: 'MANAGE' },
  'model:create': { create: true },
  'model:read': { level: 'READ' },
  'model:list': { caller: true },
  'model:update': { level: 'EDIT' },
  'model:delete': { level: 'MANAGE' },
  'model:publish': { level: 'MANAGE' },

  // Permissions on resources.
  'permission:read': { level: 'MANAGE' },
  'permission:grant': { level: 'MANAGE' },
  'permission:list': { caller: true },
  'permission:explain': { level: 'READ' },
  'permission:administer': { roles: admins },

  // People and programs.
  'user:list': { roles: superusers },
  'user:read': { caller: true },
  'user:create': { roles: admins },
  'user:update': { caller: true },
  'user:administer': { roles: admins },
  'user:changePassword': { caller: true },
  'group:list': { caller: true },
  'group:create': { roles: superusers },
  'group:administer': { roles: admins },
  'tenant:read': { caller: true },
  'tenant:administer': { roles: admins },
  'tenant:create': { roles: ['ROOT', 'SYSTEM'] },
  'credential:read': { caller: true },
  'credential:create': { caller: true },
  'credential:update': { caller: true },
  'credential:revoke': { caller: true },
  'session:end': { caller: true },
  'token:createForOthers': { caller: true },
  'token:validate': { caller: true },
  'audit:read': { roles: admins },
} as const satisfies Readonly<Record<string, Requirement>>;

export type Permission = keyof typeof permissions;

/** Whether a scope is one of ours: a permission, `noun:*`, `*:verb`, or a scope of services. */
export function isScope(scope: string): boolean {
  if (serviceScopes.has(scope)) return true;
  return Object.keys(permissions).some((permission) => covers(scope, permission));
}

export const serviceScopes: ReadonlySet<string> = new Set(['executor', 'engine', 'login-app']);

/** `execution:read` covers reading and listing; `execution:*` all about executions; `*:read` all reading. */
function covers(scope: string, permission: string): boolean {
  const [noun = '', verb = ''] = scope.split(':');
  const [wantedNoun, wantedVerb] = permission.split(':');
  if (noun === '*' && verb === '*') return false;
  const isVerb = verb === '*' || verb === wantedVerb || (verb === 'read' && wantedVerb === 'list');
  return (noun === '*' || noun === wantedNoun) && isVerb;
}

/** Whether a scope allows nothing that none of the others does: wildcards stay inside wildcards. */
export function isWithinScopes(scope: string, others: readonly string[]): boolean {
  return others.some((other) => other === scope || (!serviceScopes.has(scope) && covers(other, scope)));
}

/** What somebody may do with any sign-in, however narrow: ask who it is, take a token no wider, and end it. */
const alwaysAllowed: ReadonlySet<string> = new Set([
  'version:read',
  'viewer:read',
  'token:create',
  'session:end',
]);

/** A credential with scopes does what they name and nothing else; without, all that its user may do. */
export function scopesAllow(
  { scopes }: { readonly scopes: readonly string[] },
  permission: Permission,
  requirement: Requirement,
): boolean {
  if (scopes.length === 0 || alwaysAllowed.has(permission)) return true;
  if ('serviceScope' in requirement) return scopes.includes(requirement.serviceScope);
  return scopes.some((scope) => covers(scope, permission));
}

/**
 * Whether a token that is confined to some resources may be asked for this at all: for what is about resources, which
 * the decision confines, and for looking. Nothing about people, programs or the tenant, and no way to a wider sign-in.
 */
export function openToConfined(permission: Permission, requirement: Requirement): boolean {
  if ('level' in requirement || 'create' in requirement || alwaysAllowed.has(permission)) return true;
  return 'caller' in requirement && /:(read|list|explain)$/.test(permission);
}

/**
 * Whether somebody who gave no credentials, and acts as the anonymous user, may ask for it: reading and listing. The user
 * is nobody's own, so nobody changes it, gives it tokens or access keys, or sees those that it has.
 */
export function isForAnonymous(permission: Permission): boolean {
  return /:(read|list)$/.test(permission) && !permission.startsWith('credential:');
}

/** Roles that a tenant's creation policy is about. The others make nothing anywhere. */
export function mayCreateAnywhere(role: Role): boolean {
  return role !== 'GUEST' && role !== 'ANNOTATOR';
}
