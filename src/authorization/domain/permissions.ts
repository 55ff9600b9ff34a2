import type { Level, Role } from '../../generated/prisma/enums.ts';
import { isRoleAtLeast } from './roles.ts';

/**
 * What one permission requires. A row lists everything; a permission is closed to a sign-in unless its row opens it.
 */
export interface Requirement {
  /**
   * The required level on the object of the call. CREATION_POLICY: READ or EDIT on the project of the new object, as
   * the creation policy of the tenant says. NONE: the call is about no object that has grants.
   */
  readonly level: Level | 'CREATION_POLICY' | 'NONE';
  /** The lowest role that may use the permission. */
  readonly role: Role;
  /** The narrow sign-ins that may use the permission too. */
  readonly openTo: readonly NarrowSignIn[];
  /** A scope that the sign-in must have. Only access keys of service accounts, and their tokens, can have it. */
  readonly serviceScope?: ServiceScope;
}

/**
 * Why a sign-in may do less than its user. A sign-in can be several of these; a permission must be open to each of
 * them.
 */
export type NarrowSignIn =
  /** A request without credentials. It acts as the anonymous user. */
  | 'ANONYMOUS'
  /** A user that several people share: the configured guest or the anonymous user. */
  | 'SHARED'
  /** A token that is limited to some resources. */
  | 'CONFINED'
  /** An access key or a token with scopes, none of which covers the permission. */
  | 'OUT_OF_SCOPE';

const ANYONE = ['ANONYMOUS', 'SHARED', 'CONFINED'] as const;
const CONFINED = ['CONFINED'] as const;
const NOBODY = [] as const;

/** All permissions, as `noun:verb`. Each of them is also a scope. */
export const permissions = {
  'version:read': { level: 'NONE', role: 'GUEST', openTo: [...ANYONE, 'OUT_OF_SCOPE'] },
  'viewer:read': { level: 'NONE', role: 'GUEST', openTo: [...ANYONE, 'OUT_OF_SCOPE'] },
  'token:create': { level: 'NONE', role: 'GUEST', openTo: ['SHARED', 'CONFINED', 'OUT_OF_SCOPE'] },
  'session:end': { level: 'NONE', role: 'GUEST', openTo: ['SHARED', 'CONFINED', 'OUT_OF_SCOPE'] },
  'project:register': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'project:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'project:update': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'project:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'attributes:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'attributes:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'attributes:update': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'task:create': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'task:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'task:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'task:use': { level: 'USE', role: 'ANNOTATOR', openTo: CONFINED },
  'workflow:create': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'workflow:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'workflow:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'launchPlan:create': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'launchPlan:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'launchPlan:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'launchPlan:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'launchPlan:use': { level: 'USE', role: 'ANNOTATOR', openTo: CONFINED },
  'namedEntity:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'namedEntity:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'descriptionEntity:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'execution:create': { level: 'USE', role: 'ANNOTATOR', openTo: CONFINED },
  'execution:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'execution:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'execution:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'execution:terminate': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'execution:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'execution:signal': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'execution:report': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'retention:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'retention:update': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'retention:report': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'cacheEntry:read': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'cacheEntry:evict': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'notification:redeliver': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'webhookKey:read': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'blob:create': { level: 'USE', role: 'ANNOTATOR', openTo: CONFINED },
  'queue:create': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'queue:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'queue:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'queue:update': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'queue:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'queue:cordon': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'retryPolicy:read': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'retryPolicy:create': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'retryPolicy:update': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'retryPolicy:delete': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'executor:read': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'executor:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'job:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'job:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'job:submit': { level: 'USE', role: 'ANNOTATOR', openTo: CONFINED },
  'job:cancel': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'job:reprioritize': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'job:preempt': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'job:run': { level: 'NONE', role: 'SYSTEM', openTo: NOBODY, serviceScope: 'executor' },

  // Experiments and registered models.
  'experiment:create': { level: 'CREATION_POLICY', role: 'USER', openTo: CONFINED },
  'experiment:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'experiment:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'experiment:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'experiment:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'experiment:publish': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'run:create': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'run:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'run:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'run:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'run:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'model:create': { level: 'CREATION_POLICY', role: 'USER', openTo: CONFINED },
  'model:read': { level: 'READ', role: 'GUEST', openTo: ANYONE },
  'model:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'model:update': { level: 'EDIT', role: 'USER', openTo: CONFINED },
  'model:delete': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'model:publish': { level: 'MANAGE', role: 'USER', openTo: CONFINED },

  // Grants on resources.
  'permission:read': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'permission:grant': { level: 'MANAGE', role: 'USER', openTo: CONFINED },
  'permission:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'permission:explain': { level: 'READ', role: 'GUEST', openTo: ['SHARED', 'CONFINED'] },
  'permission:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },

  // People and programs. A shared user cannot change its account or create access keys.
  'user:list': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'user:read': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'user:create': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'user:update': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'user:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'user:changePassword': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'group:list': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'group:create': { level: 'NONE', role: 'SUPERUSER', openTo: NOBODY },
  'group:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'tenant:read': { level: 'NONE', role: 'GUEST', openTo: ANYONE },
  'tenant:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'tenant:create': { level: 'NONE', role: 'SYSTEM', openTo: NOBODY },
  'credential:read': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'credential:create': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'credential:update': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'credential:revoke': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'token:createForOthers': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'token:validate': { level: 'NONE', role: 'GUEST', openTo: ['SHARED'] },
  'jsonWebKey:read': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'jsonWebKey:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'jsonWebKey:export': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'oauth2Client:read': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'oauth2Client:list': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'oauth2Client:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'loginRequest:answer': { level: 'NONE', role: 'SYSTEM', openTo: NOBODY, serviceScope: 'login-app' },
  'identityProvider:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'identityLink:list': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'identityLink:delete': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'consentSession:read': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'consentSession:revoke': { level: 'NONE', role: 'GUEST', openTo: NOBODY },
  'consentSession:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'oauth2Token:introspect': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'oauth2Token:administer': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
  'audit:read': { level: 'NONE', role: 'ADMIN', openTo: NOBODY },
} as const satisfies Readonly<Record<string, Requirement>>;

export type Permission = keyof typeof permissions;

/** Scopes of services. They are not permissions: only these scopes open what they are for. */
const serviceScopes = ['executor', 'engine', 'login-app'] as const;
export type ServiceScope = (typeof serviceScopes)[number];

export const isServiceScope = (scope: string): boolean => serviceScopes.some((one) => one === scope);

/** Whether a scope exists: a permission, `noun:*`, `*:verb`, or a scope of services. */
export const isScope = (scope: string): boolean => isServiceScope(scope) || coveringScopes.has(scope);

/** All that `covers` finds a permission for. */
const coveringScopes: ReadonlySet<string> = new Set(
  Object.keys(permissions).flatMap((permission) => {
    const [noun, verb] = permission.split(':');
    const scopes = [noun, '*'].flatMap((one) => [verb, 'read', '*'].map((other) => `${one}:${other}`));
    return scopes.filter((scope) => covers(scope, permission));
  }),
);

/**
 * `execution:read` covers reading and listing; `execution:*` covers all permissions of executions; `*:read` covers all
 * reading.
 */
function covers(scope: string, permission: string): boolean {
  const [noun = '', verb = ''] = scope.split(':');
  const [wantedNoun, wantedVerb] = permission.split(':');
  if (noun === '*' && verb === '*') return false;
  const isVerb = verb === '*' || verb === wantedVerb || (verb === 'read' && wantedVerb === 'list');
  return (noun === '*' || noun === wantedNoun) && isVerb;
}

/**
 * Whether everything that a scope allows is allowed by one of the others. A wildcard must be inside another wildcard.
 */
export function isWithinScopes(scope: string, others: readonly string[]): boolean {
  return others.some((other) => other === scope || (!isServiceScope(scope) && covers(other, scope)));
}

/** The parts of a caller that decide whether a permission is open to it. */
export interface SignIn {
  readonly role: Role;
  readonly method: string;
  readonly isShared: boolean;
  readonly confinedTo: object | null;
  readonly scopes: readonly string[] | null;
}

/** Why a permission is closed to a caller, whatever the call is about. */
export type Obstacle = NarrowSignIn | 'ROLE';

/** The first obstacle between a caller and a permission; null if there is none. */
export function obstacleTo(signIn: SignIn, permission: Permission): Obstacle | null {
  const { role, openTo }: Requirement = permissions[permission];
  const narrow = narrowSignIns.find((one) => isSignIn[one](signIn, permission) && !openTo.includes(one));
  return narrow ?? (isRoleAtLeast(signIn.role, role) ? null : 'ROLE');
}

const isSignIn: Readonly<Record<NarrowSignIn, (signIn: SignIn, permission: Permission) => boolean>> = {
  OUT_OF_SCOPE: ({ scopes }, permission) => !hasScopeFor(scopes, permission),
  CONFINED: ({ confinedTo }) => confinedTo !== null,
  ANONYMOUS: ({ method }) => method === 'ANONYMOUS',
  SHARED: ({ isShared }) => isShared,
};
const narrowSignIns = Object.keys(isSignIn) as NarrowSignIn[];

/** Null means no limit, except for permissions that require a scope of services. An empty list covers nothing. */
function hasScopeFor(scopes: readonly string[] | null, permission: Permission): boolean {
  const { serviceScope }: Requirement = permissions[permission];
  if (serviceScope) return scopes?.includes(serviceScope) ?? false;
  return scopes?.some((scope) => covers(scope, permission)) ?? true;
}
