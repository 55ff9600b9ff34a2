import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAtLeast } from '../../src/authorization/domain/levels.ts';
import {
  isScope,
  isWithinScopes,
  obstacleTo,
  type Permission,
  permissions,
  type Requirement,
  type SignIn,
} from '../../src/authorization/domain/permissions.ts';
import { obstacleText } from '../../src/authorization/domain/requirement-text.ts';
import { ceilings, isRoleAtLeast } from '../../src/authorization/domain/roles.ts';
import type { Role } from '../../src/generated/prisma/enums.ts';

/** The same facts as in the table, written a second time and sorted by kind of caller. */

/** The permissions of a guest. */
const forGuests: readonly Permission[] = [
  ...(['consentSession:read', 'consentSession:revoke'] as const),
  ...(['version:read', 'viewer:read', 'token:create', 'token:validate', 'token:createForOthers'] as const),
  ...([
    'session:end',
    'project:read',
    'project:list',
    'task:read',
    'workflow:read',
    'launchPlan:read',
    'attributes:read',
    'attributes:list',
    'retention:read',
  ] as const),
  ...(['namedEntity:read', 'descriptionEntity:read'] as const),
  ...([
    'execution:read',
    'execution:list',
    'queue:read',
    'queue:list',
    'job:read',
    'job:list',
    'experiment:read',
    'experiment:list',
  ] as const),
  ...(['run:read', 'run:list', 'model:read', 'model:list', 'permission:list', 'permission:explain'] as const),
  ...(['user:read', 'user:update', 'user:changePassword', 'group:list', 'tenant:read'] as const),
  ...(['credential:read', 'credential:create', 'credential:update', 'credential:revoke'] as const),
];
/** The further permissions of each higher role. */
const besides: Readonly<Record<Exclude<Role, 'GUEST'>, readonly Permission[]>> = {
  ANNOTATOR: ['task:use', 'launchPlan:use', 'execution:create', 'blob:create', 'job:submit'],
  USER: [
    ...(['job:cancel', 'job:reprioritize', 'job:preempt'] as const),
    ...(['task:create', 'workflow:create', 'launchPlan:create', 'launchPlan:update'] as const),
    ...(['execution:update', 'execution:terminate', 'execution:signal', 'execution:report'] as const),
    ...(['experiment:create', 'experiment:update', 'experiment:delete'] as const),
    ...(['task:delete', 'workflow:delete', 'launchPlan:delete', 'execution:delete'] as const),
    'project:update',
    ...(['queue:update', 'queue:delete', 'queue:cordon'] as const),
    'attributes:update',
    'retention:update',
    'namedEntity:update',
    'cacheEntry:read',
    'cacheEntry:evict',
    'notification:redeliver',
    'webhookKey:read',
    ...(['experiment:publish', 'run:create', 'run:update', 'run:delete', 'model:create'] as const),
    ...(['model:update', 'model:delete', 'model:publish', 'permission:read', 'permission:grant'] as const),
  ],
  SUPERUSER: [
    ...(['project:register', 'queue:create', 'user:list', 'group:create'] as const),
    'executor:read',
    ...(['retryPolicy:read', 'retryPolicy:create', 'retryPolicy:update', 'retryPolicy:delete'] as const),
  ],
  ADMIN: [
    ...(['permission:administer', 'user:create', 'user:administer', 'group:administer'] as const),
    ...(['tenant:administer', 'audit:read', 'retention:report', 'executor:administer'] as const),
    ...(['jsonWebKey:read', 'jsonWebKey:administer', 'jsonWebKey:export'] as const),
    ...(['oauth2Client:read', 'oauth2Client:list', 'oauth2Client:administer'] as const),
    ...(['consentSession:administer', 'oauth2Token:introspect', 'oauth2Token:administer'] as const),
  ],
  SYSTEM: ['tenant:create', 'job:run', 'loginRequest:answer'],
  ROOT: [],
};
const ladder = ['GUEST', 'ANNOTATOR', 'USER', 'SUPERUSER', 'ADMIN', 'SYSTEM', 'ROOT'] as const;

/** The permissions of requests without credentials. */
const forAnonymous: readonly Permission[] = [
  ...(['version:read', 'viewer:read', 'project:read', 'project:list', 'task:read', 'workflow:read'] as const),
  ...(['namedEntity:read', 'descriptionEntity:read'] as const),
  ...([
    'attributes:read',
    'attributes:list',
    'retention:read',
    'launchPlan:read',
    'execution:read',
    'execution:list',
    'queue:read',
    'queue:list',
    'job:read',
    'job:list',
    'experiment:read',
  ] as const),
  ...(['experiment:list', 'run:read', 'run:list', 'model:read', 'model:list', 'permission:list'] as const),
  ...(['user:read', 'group:list', 'tenant:read'] as const),
];
/** The permissions of a user that several people share. */
const forShared: readonly Permission[] = [
  ...forAnonymous,
  ...(['token:create', 'session:end', 'token:validate', 'permission:explain'] as const),
];
/** The permissions of a token that is limited to some resources. */
const forConfined: readonly Permission[] = [
  ...forAnonymous,
  ...besides.ANNOTATOR,
  ...besides.USER,
  ...(['token:create', 'session:end', 'permission:explain'] as const),
];
/** The permissions of every access key and token with scopes, whatever the scopes are. */
const outOfScope: readonly Permission[] = ['version:read', 'viewer:read', 'token:create', 'session:end'];

/** The level that each permission requires on the object of the call. All others require none. */
const levelsOf: Readonly<
  Record<Exclude<Requirement['level'], 'NONE' | 'NO_PERMISSIONS'>, readonly Permission[]>
> = {
  READ: [
    ...(['project:read', 'task:read', 'workflow:read', 'launchPlan:read', 'execution:read'] as const),
    ...(['queue:read', 'job:read', 'experiment:read', 'run:read', 'model:read'] as const),
    ...(['attributes:read', 'namedEntity:read', 'descriptionEntity:read', 'permission:explain'] as const),
    'retention:read',
  ],
  USE: ['task:use', 'launchPlan:use', 'execution:create', 'blob:create', 'job:submit'],
  EDIT: [
    ...(['job:cancel', 'job:reprioritize', 'job:preempt'] as const),
    ...(['task:create', 'workflow:create', 'launchPlan:create', 'launchPlan:update'] as const),
    ...(['execution:update', 'execution:terminate', 'execution:signal', 'execution:report'] as const),
    ...(['experiment:update', 'run:create', 'run:update', 'model:update'] as const),
    ...(['namedEntity:update', 'cacheEntry:read', 'cacheEntry:evict'] as const),
    'notification:redeliver',
  ],
  MANAGE: [
    ...(['task:delete', 'workflow:delete', 'launchPlan:delete', 'execution:delete'] as const),
    ...(['experiment:delete', 'experiment:publish', 'run:delete', 'model:delete', 'model:publish'] as const),
    ...(['permission:read', 'permission:grant', 'attributes:update', 'webhookKey:read'] as const),
    ...(['project:update', 'retention:update', 'queue:update', 'queue:delete', 'queue:cordon'] as const),
  ],
  CREATION_POLICY: ['experiment:create', 'model:create'],
};

const all = Object.keys(permissions) as Permission[];

/** The permissions that only a scope of services opens. */
const serviceScopes: Readonly<Partial<Record<Permission, string>>> = {
  'job:run': 'executor',
  'loginRequest:answer': 'login-app',
};

function isInLists(signIn: SignIn, permission: Permission): boolean {
  const rungs = ladder.slice(1, ladder.indexOf(signIn.role) + 1) as Exclude<Role, 'GUEST'>[];
  const ofRole = [...forGuests, ...rungs.flatMap((role) => besides[role])];
  const { scopes } = signIn;
  // A scope for reading also covers listing.
  const names = [permission, permission.replace(/:list$/, ':read'), `${permission.split(':')[0]}:*`];
  const ofService = serviceScopes[permission];
  const isNamed =
    ofService !== undefined
      ? scopes?.includes(ofService)
      : !scopes || names.some((name) => scopes.includes(name));
  return (
    ofRole.includes(permission) &&
    (signIn.method !== 'ANONYMOUS' || forAnonymous.includes(permission)) &&
    (!signIn.isShared || forShared.includes(permission)) &&
    (!signIn.confinedTo || forConfined.includes(permission)) &&
    (isNamed || outOfScope.includes(permission))
  );
}

const signIns: fc.Arbitrary<SignIn> = fc.record({
  role: fc.constantFrom(...ladder),
  method: fc.constantFrom('PASSWORD', 'ACCESS_KEY', 'TOKEN', 'ANONYMOUS'),
  isShared: fc.boolean(),
  confinedTo: fc.constantFrom(null, []),
  scopes: fc.option(fc.subarray([...all, 'executor', 'engine', 'login-app', 'run:*', 'credential:*'])),
});
const plain = { method: 'PASSWORD', isShared: false, confinedTo: null, scopes: null };

describe('the table of permissions', () => {
  it('agrees with the lists for every caller and every permission', () => {
    fc.assert(
      fc.property(signIns, (signIn) => {
        const usable = all.filter((permission) => obstacleTo(signIn, permission) === null);
        expect(usable).toEqual(all.filter((permission) => isInLists(signIn, permission)));
      }),
      { numRuns: 2000 },
    );
  });

  it('has each permission in exactly one list', () => {
    expect([...forGuests, ...Object.values(besides).flat()].toSorted()).toEqual(all.toSorted());
  });

  it('requires the levels of the lists', () => {
    const requiring = (level: string) => all.filter((permission) => permissions[permission].level === level);
    for (const [level, listed] of Object.entries(levelsOf))
      expect([level, requiring(level).toSorted()]).toEqual([level, listed.toSorted()]);
    expect(all.filter((permission) => permissions[permission].level !== 'NONE').toSorted()).toEqual(
      Object.values(levelsOf).flat().toSorted(),
    );
  });

  it('never requires a level that its role cannot have', () => {
    for (const [permission, { level, role }] of Object.entries(permissions) as [string, Requirement][]) {
      if (level === 'NONE') continue;
      const needed = level === 'CREATION_POLICY' ? 'EDIT' : level;
      expect([permission, isAtLeast(ceilings[role], needed)]).toEqual([permission, true]);
    }
  });

  it('allows requests without credentials only what shared identities may do', () => {
    for (const { openTo } of Object.values(permissions) as Requirement[])
      if (openTo.includes('ANONYMOUS')) expect(openTo).toContain('SHARED');
  });
});

describe('scopes', () => {
  it('set no limit when they are null, and allow nothing when the list is empty', () => {
    const usable = (scopes: readonly string[] | null) =>
      all.filter((permission) => obstacleTo({ ...plain, role: 'ROOT', scopes }, permission) === null);
    expect(usable(null)).toEqual(all.filter((permission) => !serviceScopes[permission]));
    expect(usable([])).toEqual(all.filter((permission) => outOfScope.includes(permission)));
  });

  it.each<[scope: string, isOne: boolean]>([
    ['project:list', true],
    ['project:*', true],
    ['*:read', true],
    ['executor', true],
    ['*:*', false],
    ['project:fly', false],
    ['project:list:all', false],
    ['*:fly', false],
    ['project', false],
    ['', false],
  ])('%j exists: %s', (scope, isOne) => {
    expect(isScope(scope)).toBe(isOne);
  });

  it.each<[scope: string, others: string[], isWithin: boolean]>([
    ['run:list', ['run:list'], true],
    ['run:list', ['run:read'], true],
    ['run:read', ['run:list'], false],
    ['run:update', ['run:*'], true],
    ['run:*', ['run:*'], true],
    ['run:*', ['run:read', 'run:list'], false],
    ['model:read', ['*:read'], true],
    ['model:update', ['*:read'], false],
    ['executor', ['executor'], true],
    ['executor', ['login-app'], false],
    ['executor', ['executor:*', '*:read'], false],
    ['run:read', [], false],
  ])('%s is within %j: %s', (scope, others, isWithin) => {
    expect(isWithinScopes(scope, others)).toBe(isWithin);
  });
});

describe('the message of a refusal', () => {
  it.each<[obstacle: Parameters<typeof obstacleText>[0], permission: Permission, message: RegExp]>([
    ['ROLE', 'job:run', /^requires a SYSTEM account whose credential has the scope executor$/],
    ['OUT_OF_SCOPE', 'job:run', /^requires a SYSTEM account whose credential has the scope executor$/],
    ['CONFINED', 'job:run', /limited to some resources/],
    ['ANONYMOUS', 'job:run', /sign in first/],
    ['SHARED', 'job:run', /several people share/],
    ['ROLE', 'audit:read', /^requires the role ADMIN or a higher one$/],
    ['OUT_OF_SCOPE', 'audit:read', /^the scopes of this sign-in do not cover audit:read$/],
  ])('for %s and %s says what is required', (obstacle, permission, message) => {
    expect(obstacleText(obstacle, permission)).toMatch(message);
  });
});

describe('the ladder of roles', () => {
  it('is in this order', () => {
    for (const [at, role] of ladder.entries())
      expect(ladder.filter((least) => isRoleAtLeast(role, least))).toEqual(ladder.slice(0, at + 1));
    expect(Object.keys(ceilings)).toHaveLength(ladder.length);
  });
});
