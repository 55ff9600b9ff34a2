import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { grantTo, homeTenant, newGroup, newUser, type User } from '../support/users.ts';
import { experiment, permissionMutations } from './stage.ts';

const project = 'explained';
let app: App;
let projectId: string;
let trialId: string;
let write: ReturnType<typeof permissionMutations>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  write = permissionMutations(app);
  projectId = await registerProject(app, project);
  trialId = (await experiment(projectId, 'trial')).id;
});
afterAll(() => app.stop());

const trial = { experiment: { key: { project, name: 'trial' } } };
const home = { project: { identifier: project } };
const grant = async (subject: object, resource: object, level: string) =>
  expect(endOf(await write.grant({ subject, resource, level }))).toBe('OK');
const to = ({ id }: User) => ({ user: { id } });

const document = `query ($user: UserByInput!, $resource: ResourceByInput!) {
  explainPermission(user: $user, resource: $resource) {
    level decidedBy resource { type id name } caps
    grant { level subject { __typename ... on Principal { id } ... on Group { name } } }
    steps { step resource { type id name } ownLevel groupLevel groups answered }
  }
}`;
const ask = (who: User, resource: object = trial, authorization?: string) =>
  app.ask(document, { user: { id: who.id }, resource }, authorization);
async function explained(who: User, resource?: object, authorization?: string): Promise<Answer> {
  const { data, errors } = await ask(who, resource, authorization);
  expect(errors).toBeUndefined();
  return data.explainPermission;
}

const before = ['DISABLED', 'PUBLIC', 'OTHER_TENANT', 'ROLE'].map((step) => ({
  step,
  resource: null,
  ownLevel: null,
  groupLevel: null,
  groups: [],
  answered: false,
}));
const at = (type: string, id: string | null, name: string | null, more: object = {}) => ({
  step: 'GRANTS',
  resource: { type, id, name },
  ownLevel: null,
  groupLevel: null,
  groups: [],
  answered: false,
  ...more,
});

describe('explainPermission', () => {
  it('lists every resource that was consulted, the nearest first, and the default that decided', async () => {
    const somebody = await newUser();
    expect(await explained(somebody)).toEqual({
      level: 'NO_PERMISSIONS',
      decidedBy: 'SERVER_DEFAULT',
      resource: null,
      grant: null,
      caps: [],
      steps: [
        ...before,
        at('EXPERIMENT', trialId, 'trial'),
        at('PROJECT', projectId, project),
        at('EXPERIMENT', null, null),
        at('PROJECT', null, null),
        at('TENANT', null, null),
        { ...before[0], step: 'DEFAULT', answered: true },
      ],
    });
    const reader = await newUser({ level: 'READ' });
    expect(await explained(reader)).toMatchObject({ level: 'READ', decidedBy: 'USER_DEFAULT' });
  });

  it('names the permission of the user when it decides against the permissions of the groups', async () => {
    const somebody = await newUser();
    await newGroup('strong', [somebody]);
    await newGroup('weak', [somebody]);
    await grant(to(somebody), home, 'READ');
    await grant({ group: { name: 'strong' } }, home, 'MANAGE');
    await grant({ group: { name: 'weak' } }, home, 'USE');
    const answer = await explained(somebody);
    expect(answer).toMatchObject({
      level: 'READ',
      decidedBy: 'USER_GRANT',
      resource: { type: 'PROJECT', id: projectId, name: project },
      grant: { level: 'READ', subject: { __typename: 'Principal', id: somebody.id } },
    });
    expect(answer.steps).toEqual([
      ...before,
      at('EXPERIMENT', trialId, 'trial'),
      at('PROJECT', projectId, project, {
        ownLevel: 'READ',
        groupLevel: 'MANAGE',
        groups: ['strong', 'weak'],
        answered: true,
      }),
    ]);
  });

  it('names the highest permission of the groups of the user, with `everyone` among them', async () => {
    const somebody = await newUser();
    await newGroup('lab', [somebody]);
    await grant({ group: { name: 'lab' } }, trial, 'EDIT');
    await grant({ group: { name: 'Everyone' } }, trial, 'NO_PERMISSIONS');
    expect(await explained(somebody)).toMatchObject({
      level: 'EDIT',
      decidedBy: 'GROUP_GRANT',
      grant: { level: 'EDIT', subject: { __typename: 'Group', name: 'lab' } },
      steps: expect.arrayContaining([
        at('EXPERIMENT', trialId, 'trial', {
          groupLevel: 'EDIT',
          groups: ['lab', 'everyone'],
          answered: true,
        }),
      ]),
    });
    expect(await explained(await newUser())).toMatchObject({
      level: 'NO_PERMISSIONS',
      decidedBy: 'GROUP_GRANT',
    });
    await write.revoke({ subject: { group: { name: 'everyone' } }, resource: trial });
  });

  it('names in each step only the groups with grants on its resource', async () => {
    const somebody = await newUser();
    const names = ['of the tenant', 'of experiments', 'of projects', 'of the experiment', 'of another type'];
    for (const name of names) await newGroup(name, [somebody]);
    const to = (name: string) => ({ group: { name } });
    await grant(to('of the tenant'), { tenant: true }, 'USE');
    await grant(to('of experiments'), { all: 'EXPERIMENT' }, 'USE');
    await grant(to('of projects'), { all: 'PROJECT' }, 'USE');
    const other = await experiment(projectId, 'another trial');
    await grant(to('of the experiment'), { experiment: { id: other.id } }, 'USE');
    // No grant on another type counts, even if the id is the same.
    const { id: groupId } = await db.group.findFirstOrThrow({ where: { name: 'of another type' } });
    await grantTo({ groupId }, 'QUEUE', trialId, 'MANAGE');
    const { steps } = await explained(somebody);
    expect(steps.slice(before.length).map(({ groups }: Answer) => groups)).toEqual([
      [],
      [],
      ['of experiments'],
    ]);
    await write.revoke({ subject: to('of experiments'), resource: { all: 'EXPERIMENT' } });
    expect((await explained(somebody)).steps.at(-1)).toMatchObject({ groups: ['of projects'] });
    await write.revoke({ subject: to('of projects'), resource: { all: 'PROJECT' } });
    expect((await explained(somebody)).steps.at(-1)).toMatchObject({ groups: ['of the tenant'] });
    await write.revoke({ subject: to('of the tenant'), resource: { tenant: true } });
    expect((await explained(somebody, { experiment: { id: other.id } })).steps.at(-1)).toMatchObject({
      groups: ['of the experiment'],
    });
  });

  it('shows at most a thousand groups of a user, as the user does', async () => {
    const somebody = await newUser();
    const tenantId = await homeTenant();
    const ids = Array.from({ length: 1001 }, newId);
    await db.group.createMany({
      data: ids.map((id) => ({ id, tenantId, name: `many ${id}`, nameKey: `many ${id}` })),
    });
    await db.groupMember.createMany({
      data: ids.map((groupId) => ({ groupId, userId: somebody.id, tenantId })),
    });
    await db.grant.createMany({
      data: ids.map((groupId) => ({
        ...{ id: newId(), tenantId, groupId },
        ...({ resourceType: 'EXPERIMENT', resourceId: trialId, level: 'READ' } as const),
      })),
    });
    const { steps } = await explained(somebody);
    expect(steps.at(-1).groups).toHaveLength(1000);
    const { data } = await app.ask('{ viewer { groups { name } } }', {}, somebody.authorization);
    expect(data.viewer.groups).toHaveLength(1000);
  });

  it.each<[Role, string, string[]]>([
    ['GUEST', 'READ', ['ROLE_CEILING']],
    ['ANNOTATOR', 'USE', ['ROLE_CEILING']],
    ['USER', 'MANAGE', []],
    ['SUPERUSER', 'MANAGE', []],
  ])('explains that a grant of MANAGE gives a %s the level %s', async (role, level, caps) => {
    const somebody = await newUser({ role });
    await grant(to(somebody), trial, 'MANAGE');
    expect(await explained(somebody)).toMatchObject({ level, caps, decidedBy: 'USER_GRANT' });
  });

  it('says that the role of an administrator decides, not its permissions', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    await grant(to(admin), trial, 'NO_PERMISSIONS');
    expect(await explained(admin)).toMatchObject({
      level: 'MANAGE',
      decidedBy: 'ROLE',
      resource: null,
      grant: null,
    });
    const { steps } = await explained(admin);
    expect(steps.at(-1)).toMatchObject({ step: 'ROLE', answered: true });
  });

  it('says that the user is disabled', async () => {
    const gone = await newUser({ role: 'ADMIN' });
    await db.user.update({ where: { id: gone.id }, data: { disabledAt: new Date() } });
    expect(await explained(gone)).toMatchObject({
      level: 'NO_PERMISSIONS',
      decidedBy: 'DISABLED',
      steps: [{ step: 'DISABLED', answered: true }],
    });
  });

  it('says that the resource is public', async () => {
    await experiment(projectId, 'open', new Date());
    const open = { experiment: { key: { project, name: 'open' } } };
    expect(await explained(await newUser(), open)).toMatchObject({ level: 'READ', decidedBy: 'PUBLIC' });
    expect(await explained(await newUser({ role: 'ADMIN' }), open)).toMatchObject({ level: 'READ' });
    const [manager, reader] = [await newUser(), await newUser()];
    await grant(to(manager), home, 'MANAGE');
    expect(await explained(reader, open, manager.authorization)).toMatchObject({ decidedBy: 'PUBLIC' });
    expect(endOf(await ask(manager, open, reader.authorization))).toBe('PERMISSION_DENIED');
    // While it is public, nobody can change it.
    const change = await write.grant({ subject: to(reader), resource: open, level: 'READ' });
    expect(endOf(change)).toBe('PERMISSION_DENIED');
  });

  it('agrees with what the API allows', async () => {
    const levels = ['NO_PERMISSIONS', 'READ', 'MANAGE'];
    for (const [index, level] of levels.entries()) {
      const somebody = await newUser();
      await grant(to(somebody), home, level);
      expect((await explained(somebody, home)).level).toBe(level);
      const read = await app.ask(
        'query ($by: ProjectByInput!) { project(by: $by) { id } }',
        { by: home.project },
        somebody.authorization,
      );
      expect(endOf(read)).toBe(index === 0 ? 'NOT_FOUND' : 'OK');
      const rename = await write.grant(
        { subject: to(somebody), resource: home, level },
        somebody.authorization,
      );
      expect(endOf(rename)).toBe(['NOT_FOUND', 'PERMISSION_DENIED', 'ALREADY_EXISTS'][index]);
    }
  });

  it('requires an administrator to explain a level on all resources of a type or on the tenant', async () => {
    const somebody = await newUser();
    await grant(to(somebody), { all: 'QUEUE' }, 'USE');
    expect(await explained(somebody, { all: 'QUEUE' })).toMatchObject({
      level: 'USE',
      resource: { type: 'QUEUE', id: null },
    });
    expect(await explained(somebody, { tenant: true })).toMatchObject({
      level: 'NO_PERMISSIONS',
      decidedBy: 'SERVER_DEFAULT',
    });
    expect(endOf(await ask(somebody, { all: 'QUEUE' }, somebody.authorization))).toBe('PERMISSION_DENIED');
  });

  it('explains the own level to readers of the resource, and the levels of others to its managers', async () => {
    const [reader, manager, outsider] = [await newUser(), await newUser(), await newUser()];
    await grant(to(reader), trial, 'READ');
    await grant(to(manager), trial, 'MANAGE');
    expect(await explained(reader, trial, reader.authorization)).toMatchObject({ level: 'READ' });
    expect(endOf(await ask(manager, trial, reader.authorization))).toBe('PERMISSION_DENIED');
    expect(await explained(reader, trial, manager.authorization)).toMatchObject({ level: 'READ' });
    expect(endOf(await ask(outsider, trial, outsider.authorization))).toBe('NOT_FOUND');
    const ghost = { ...reader, id: outsider.username };
    expect(endOf(await ask(ghost, trial, manager.authorization))).toBe('NOT_FOUND');
    expect(endOf(await ask(ghost, trial, reader.authorization))).toBe('PERMISSION_DENIED');
  });

  it('shows managers of a resource no grants on other resources, though one of them decided', async () => {
    const [somebody, manager] = [await newUser(), await newUser()];
    await grant(to(somebody), home, 'USE');
    await grant(to(manager), trial, 'MANAGE');
    const whole = await explained(somebody);
    expect(whole).toMatchObject({ level: 'USE', resource: { type: 'PROJECT' }, grant: { level: 'USE' } });
    const part = await explained(somebody, trial, manager.authorization);
    expect(part).toEqual({
      ...whole,
      resource: null,
      grant: null,
      steps: whole.steps.filter(
        ({ resource }: Answer) => resource === null || resource.type === 'EXPERIMENT',
      ),
    });
    expect(part.steps.length).toBeLessThan(whole.steps.length);
    // Grants on all experiments are not grants on this one.
    const { steps } = await explained(await newUser(), trial, manager.authorization);
    expect(steps.map(({ resource }: Answer) => resource).filter(Boolean)).toEqual([
      { type: 'EXPERIMENT', id: trialId, name: 'trial' },
    ]);
  });
});
