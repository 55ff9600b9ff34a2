import { describe, expect, it } from 'vitest';
import {
  decide,
  type GrantLevels,
  type GrantResource,
  grantResourcesOf,
  type Subject,
} from '../../src/authorization/domain/decision.ts';
import type { Resource, Target } from '../../src/authorization/domain/resources.ts';
import type { Level, Role } from '../../src/generated/prisma/enums.ts';

/** The rules of the decision, step by step. Each row is one of their sentences. */

const run: Resource = { type: 'EXPERIMENT', id: 'e' };
const project: Resource = { type: 'PROJECT', id: 'p' };
const target: Target = { tenantId: 'home', resources: [run, project] };
const user: Subject = {
  tenantId: 'home',
  role: 'USER',
  defaultLevel: 'NO_PERMISSIONS',
  defaultFrom: 'SERVER',
  confinedTo: null,
};

/** `e` and `p` are resources, `EXPERIMENT` and `PROJECT` all resources of a type, `TENANT` the tenant. */
type Rows = Readonly<Partial<Record<string, { own?: Level; group?: Level }>>>;

const grantedIn =
  (rows: Rows) =>
  ({ type, id }: GrantResource): GrantLevels | undefined => {
    const row = rows[id ?? type];
    return row && { own: row.own ?? null, group: row.group ?? null };
  };

function decided(rows: Rows, subject: Partial<Subject> = {}, about: Partial<Target> = {}) {
  const { level, decidedBy, resource, caps } = decide(
    { ...user, ...subject },
    { ...target, ...about },
    grantedIn(rows),
  );
  return [level, decidedBy, resource && (resource.id ?? resource.type), ...caps];
}

describe('grantResourcesOf', () => {
  it('answers the resource and its ancestors, then their types in the same order, then the tenant', () => {
    expect(grantResourcesOf(target)).toEqual([
      run,
      project,
      { type: 'EXPERIMENT', id: null },
      { type: 'PROJECT', id: null },
      { type: 'TENANT', id: null },
    ]);
  });

  it('answers the type and the tenant for all resources of a type, and the tenant for the tenant', () => {
    expect(grantResourcesOf({ tenantId: 'home', resources: [], allOf: 'QUEUE' })).toEqual([
      { type: 'QUEUE', id: null },
      { type: 'TENANT', id: null },
    ]);
    expect(grantResourcesOf({ tenantId: 'home', resources: [] })).toEqual([{ type: 'TENANT', id: null }]);
  });
});

describe('the nearest resource decides', () => {
  it.each<[string, Rows, unknown[]]>([
    [
      'the resource before its project',
      { e: { own: 'READ' }, p: { own: 'MANAGE' } },
      ['READ', 'USER_GRANT', 'e'],
    ],
    ['upwards too', { e: { own: 'MANAGE' }, p: { own: 'READ' } }, ['MANAGE', 'USER_GRANT', 'e']],
    [
      'a closed resource stays closed in an open project',
      { e: { own: 'NO_PERMISSIONS' }, p: { own: 'MANAGE' } },
      ['NO_PERMISSIONS', 'USER_GRANT', 'e'],
    ],
    [
      'an open resource is open in a closed project',
      { e: { own: 'EDIT' }, p: { own: 'NO_PERMISSIONS' } },
      ['EDIT', 'USER_GRANT', 'e'],
    ],
    [
      "a group's row on the resource goes before the user's own on the project",
      { e: { group: 'READ' }, p: { own: 'MANAGE' } },
      ['READ', 'GROUP_GRANT', 'e'],
    ],
    [
      'the project before all of a type',
      { p: { own: 'READ' }, EXPERIMENT: { own: 'EDIT' } },
      ['READ', 'USER_GRANT', 'p'],
    ],
    [
      'all of the nearest type before all of the next',
      { EXPERIMENT: { own: 'READ' }, PROJECT: { own: 'EDIT' } },
      ['READ', 'USER_GRANT', 'EXPERIMENT'],
    ],
    [
      'all of the next type before the tenant',
      { PROJECT: { own: 'EDIT' }, TENANT: { own: 'READ' } },
      ['EDIT', 'USER_GRANT', 'PROJECT'],
    ],
    ['the tenant before the default', { TENANT: { group: 'USE' } }, ['USE', 'GROUP_GRANT', 'TENANT']],
    [
      'rows elsewhere say nothing',
      { x: { own: 'MANAGE' }, QUEUE: { own: 'MANAGE' } },
      ['NO_PERMISSIONS', 'SERVER_DEFAULT', null],
    ],
  ])('%s', (_sentence, rows, expected) => {
    expect(decided(rows)).toEqual(expected);
  });
});

describe('at one resource', () => {
  it.each<[string, Rows, unknown[]]>([
    [
      'the own row beats a higher one of a group',
      { e: { own: 'READ', group: 'MANAGE' } },
      ['READ', 'USER_GRANT', 'e'],
    ],
    ['and a lower one', { e: { own: 'EDIT', group: 'NO_PERMISSIONS' } }, ['EDIT', 'USER_GRANT', 'e']],
    [
      'an own NO_PERMISSIONS beats any group',
      { e: { own: 'NO_PERMISSIONS', group: 'MANAGE' } },
      ['NO_PERMISSIONS', 'USER_GRANT', 'e'],
    ],
    [
      "a group's NO_PERMISSIONS closes when no group says more",
      { e: { group: 'NO_PERMISSIONS' }, p: { own: 'MANAGE' } },
      ['NO_PERMISSIONS', 'GROUP_GRANT', 'e'],
    ],
  ])('%s', (_sentence, rows, expected) => {
    expect(decided(rows)).toEqual(expected);
  });
});

describe('without a grant', () => {
  it.each(['USER', 'TENANT', 'SERVER'] as const)('the default of the %s decides', (defaultFrom) => {
    expect(decided({}, { defaultFrom, defaultLevel: 'EDIT' })).toEqual([
      'EDIT',
      `${defaultFrom}_DEFAULT`,
      null,
    ]);
  });

  it('a grant of NO_PERMISSIONS beats a default that gives a level', () => {
    expect(decided({ TENANT: { group: 'NO_PERMISSIONS' } }, { defaultLevel: 'MANAGE' })).toEqual([
      'NO_PERMISSIONS',
      'GROUP_GRANT',
      'TENANT',
    ]);
  });
});

describe('before any grant', () => {
  const shut: Rows = { e: { own: 'NO_PERMISSIONS' } };
  const open: Rows = { e: { own: 'MANAGE' } };
  it.each<[string, Rows, Partial<Subject>, Partial<Target>, unknown[]]>([
    [
      'a disabled user has nothing',
      open,
      { isDisabled: true, role: 'ADMIN' },
      { isPublic: true },
      ['NO_PERMISSIONS', 'DISABLED', null],
    ],
    ['what is public is READ for those with nothing', shut, {}, { isPublic: true }, ['READ', 'PUBLIC', null]],
    [
      'what is public is READ for who would manage it',
      open,
      { role: 'ADMIN' },
      { isPublic: true },
      ['READ', 'PUBLIC', null],
    ],
    ['also for another tenant', {}, { tenantId: 'away' }, { isPublic: true }, ['READ', 'PUBLIC', null]],
    ['another tenant has nothing', open, { tenantId: 'away' }, {}, ['NO_PERMISSIONS', 'OTHER_TENANT', null]],
    [
      'nor has its administrator',
      open,
      { tenantId: 'away', role: 'ADMIN' },
      {},
      ['NO_PERMISSIONS', 'OTHER_TENANT', null],
    ],
    [
      'nor its system',
      open,
      { tenantId: 'away', role: 'SYSTEM' },
      {},
      ['NO_PERMISSIONS', 'OTHER_TENANT', null],
    ],
    ['root manages every tenant', shut, { tenantId: 'away', role: 'ROOT' }, {}, ['MANAGE', 'ROLE', null]],
    ['an administrator manages, whatever the rows', shut, { role: 'ADMIN' }, {}, ['MANAGE', 'ROLE', null]],
    ['so does system', shut, { role: 'SYSTEM' }, {}, ['MANAGE', 'ROLE', null]],
    ['a superuser does not', shut, { role: 'SUPERUSER' }, {}, ['NO_PERMISSIONS', 'USER_GRANT', 'e']],
  ])('%s', (_sentence, rows, subject, about, expected) => {
    expect(decided(rows, subject, about)).toEqual(expected);
  });
});

describe('after the grants', () => {
  const levels: Level[] = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];
  it.each<[Role, Level[]]>([
    ['GUEST', ['NO_PERMISSIONS', 'READ', 'READ', 'READ', 'READ']],
    ['ANNOTATOR', ['NO_PERMISSIONS', 'READ', 'USE', 'USE', 'USE']],
    ['USER', levels],
    ['SUPERUSER', levels],
  ])('a %s has at most the ceiling of the role, whether by grant or by default', (role, expected) => {
    expect(levels.map((own) => decided({ e: { own } }, { role })[0])).toEqual(expected);
    expect(levels.map((defaultLevel) => decided({}, { role, defaultLevel })[0])).toEqual(expected);
    expect(decided({ e: { own: 'MANAGE' } }, { role: 'GUEST' })[3]).toBe('ROLE_CEILING');
  });

  it('a token confined to other resources has no access, whoever its user is', () => {
    const elsewhere: Resource[] = [{ type: 'PROJECT', id: 'x' }];
    for (const subject of [{}, { role: 'ADMIN' }, { role: 'ROOT' }] as Partial<Subject>[])
      expect(decided({ e: { own: 'MANAGE' } }, { ...subject, confinedTo: elsewhere })[0]).toBe(
        'NO_PERMISSIONS',
      );
    expect(decided({}, { confinedTo: elsewhere }, { isPublic: true })).toEqual([
      'NO_PERMISSIONS',
      'PUBLIC',
      null,
      'TOKEN_RESOURCES',
    ]);
    expect(decided({ e: { own: 'MANAGE' } }, { confinedTo: [] })[0]).toBe('NO_PERMISSIONS');
    // It takes nothing from a user who has nothing.
    expect(decided({}, { confinedTo: elsewhere })).toEqual(['NO_PERMISSIONS', 'SERVER_DEFAULT', null]);
  });

  it('a token confined to the resource or to a resource that contains it has the level of its user', () => {
    for (const within of [run, project]) {
      expect(decided({ e: { own: 'EDIT' } }, { confinedTo: [within] })).toEqual(['EDIT', 'USER_GRANT', 'e']);
      expect(decided({}, { confinedTo: [within] })[0]).toBe('NO_PERMISSIONS');
    }
    expect(decided({}, { defaultLevel: 'READ', confinedTo: [{ type: 'QUEUE', id: 'p' }] })[0]).toBe(
      'NO_PERMISSIONS',
    );
  });
});

describe('the steps of an explanation', () => {
  it('end with the step that decided', () => {
    const steps: [string, boolean][] = [];
    decide(user, target, grantedIn({ p: { group: 'READ' } }), (step) =>
      steps.push([step.step, step.answered]),
    );
    expect(steps).toEqual([
      ['DISABLED', false],
      ['PUBLIC', false],
      ['OTHER_TENANT', false],
      ['ROLE', false],
      ['GRANTS', false],
      ['GRANTS', true],
    ]);
  });
});
