import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newKey, newTenant, newUser, tokenOf, type User } from '../support/users.ts';
import { experiment, registeredModel } from './stage.ts';

/**
 * The eight operations of MLflow's authentication API, with the behaviour of its `create`, `get`, `update` and
 * `delete`.
 */

let app: App;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, 'home');
});
afterAll(() => app.stop());

const nouns = [
  { field: 'experiment', name: 'Experiment', by: 'ExperimentByInput', make: experiment },
  { field: 'registeredModel', name: 'RegisteredModel', by: 'RegisteredModelByInput', make: registeredModel },
] as const;

let made = 0;
describe.each(nouns)('permissions of $field', ({ field, name, by, make }) => {
  const permission = `${field}Permission { ${field}Id userId permission user { username } }`;
  let resourceId: string;
  let manager: User;
  let other: User;
  const change = (verb: string) => (input: object, authorization?: string) =>
    mutate(app, `${verb}${name}Permission`, input, permission, authorization);
  const [create, update, remove] = [change('create'), change('update'), change('delete')];
  const get = (username: string, authorization?: string, resource: object = { id: resourceId }) =>
    app.ask(
      `query ($by: ${by}!, $user: UserByInput!) {
         ${field}Permission(${field}: $by, user: $user) { ${field}Id userId permission }
       }`,
      { by: resource, user: { username } },
      authorization,
    );
  const giving = ({ username }: User, level: string) => ({
    [field]: { id: resourceId },
    user: { username },
    permission: level,
  });
  const taking = ({ username }: User) => ({ [field]: { id: resourceId }, user: { username } });

  beforeEach(async () => {
    resourceId = (await make(projectId, `thing-${++made}`)).id;
    manager = await newUser();
    other = await newUser();
    expect(endOf(await create(giving(manager, 'MANAGE')))).toBe('OK');
  });

  it('are created, read, changed and deleted by a manager, by id and by name', async () => {
    const created = await create(giving(other, 'READ'), manager.authorization);
    const shown = { [`${field}Id`]: resourceId, userId: other.id, permission: 'READ' };
    expect(created[`${field}Permission`]).toEqual({
      ...shown,
      user: { username: other.username },
    });
    const byKey = { key: { project: 'home', name: `thing-${made}` } };
    for (const resource of [{ id: resourceId }, byKey])
      expect((await get(other.username, manager.authorization, resource)).data).toEqual({
        [`${field}Permission`]: shown,
      });
    expect(endOf(await update(giving(other, 'EDIT'), manager.authorization))).toBe('OK');
    expect((await get(other.username)).data[`${field}Permission`].permission).toBe('EDIT');
    expect(endOf(await remove(taking(other), manager.authorization))).toBe('OK');
    expect(endOf(await get(other.username))).toBe('NOT_FOUND');
  });

  it('are created only where none exists: otherwise the answer is ALREADY_EXISTS, whatever the level', async () => {
    await create(giving(other, 'NO_PERMISSIONS'));
    expect(endOf(await create(giving(other, 'READ')))).toBe('ALREADY_EXISTS');
    expect((await get(other.username)).data[`${field}Permission`].permission).toBe('NO_PERMISSIONS');
  });

  it('can be read by managers, but not by the user that they are about', async () => {
    await create(giving(other, 'EDIT'));
    expect(endOf(await get(other.username, other.authorization))).toBe('PERMISSION_DENIED');
    const outsider = await newUser();
    expect(endOf(await get(other.username, outsider.authorization))).toBe('NOT_FOUND');
  });

  it('are stored grants: where there is none the answer is NOT_FOUND, even if a default applies', async () => {
    const reader = await newUser({ level: 'MANAGE' });
    expect(endOf(await get(reader.username))).toBe('NOT_FOUND');
    expect(endOf(await get('ghost'))).toBe('NOT_FOUND');
  });

  it('answer NOT_FOUND when one that does not exist is updated or deleted', async () => {
    expect(endOf(await update(giving(other, 'READ')))).toBe('NOT_FOUND');
    expect(await db.grant.count({ where: { userId: other.id } })).toBe(0);
    await create(giving(other, 'READ'));
    expect(endOf(await remove(taking(other)))).toBe('OK');
    expect(endOf(await remove(taking(other)))).toBe('NOT_FOUND');
  });

  it('let a manager raise others to MANAGE and lower itself, after which it is no manager', async () => {
    expect(endOf(await create(giving(other, 'MANAGE'), manager.authorization))).toBe('OK');
    expect(endOf(await update(giving(manager, 'NO_PERMISSIONS'), manager.authorization))).toBe('OK');
    expect(endOf(await update(giving(manager, 'MANAGE'), manager.authorization))).toBe('NOT_FOUND');
    expect(endOf(await remove(taking(manager), other.authorization))).toBe('OK');
  });

  it('report an invalid level first, then an unknown user with its path', async () => {
    const ghost = { ...other, username: 'ghost' };
    expect(endOf(await create(giving(ghost, 'read')))).toBe('INVALID_ARGUMENT');
    expect(await create(giving(ghost, 'READ'))).toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'user'],
    });
  });

  it('cannot be created on an absent or hidden resource', async () => {
    const absent = { [field]: { id: newId() }, user: { username: other.username }, permission: 'READ' };
    expect(endOf(await create(absent))).toBe('NOT_FOUND');
    expect(endOf(await create(giving(other, 'READ'), other.authorization))).toBe('NOT_FOUND');
    expect(await db.grant.count({ where: { userId: other.id } })).toBe(0);
  });

  it('follow a resource through its rename', async () => {
    await create(giving(other, 'READ'));
    const data = { name: `renamed-${made}` };
    if (field === 'experiment') await db.experiment.update({ where: { id: resourceId }, data });
    else await db.registeredModel.update({ where: { id: resourceId }, data });
    const renamed = { key: { project: 'home', name: `renamed-${made}` } };
    expect((await get(other.username, app.admin, renamed)).data[`${field}Permission`].permission).toBe(
      'READ',
    );
  });

  it('are listed on the user, the newest first, without defaults and grants of groups', async () => {
    const list = `query ($first: Int, $after: String) { viewer {
      ${field}Permissions(first: $first, after: $after) {
        edges { node { ${field}Id permission } } pageInfo { hasNextPage endCursor } } } }`;
    const reader = await newUser({ level: 'READ' });
    const mine = async (variables: object) =>
      (await app.ask(list, variables, reader.authorization)).data.viewer[`${field}Permissions`];
    expect((await mine({})).edges).toEqual([]);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      resourceId = (await make(projectId, `listed-${++made}`)).id;
      await create(giving(reader, 'USE'));
      ids.unshift(resourceId);
    }
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Answer = await mine({ first: 2, after });
      seen.push(...page.edges.map((edge: Answer) => edge.node[`${field}Id`]));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(ids);
  });
});

describe('the lists on users', () => {
  it('take one statement for all users of an answer', async () => {
    const ask = () => app.ask('{ viewer { experimentPermissions { edges { cursor } } } }', {}, app.admin);
    await ask();
    const { statements } = await countStatements(ask);
    expect(statements.filter((text) => /from grants/.test(text))).toHaveLength(1);
  });

  it('are null for a credential that may not list permissions', async () => {
    const narrow = await newUser({ scopes: ['project:read'] });
    const { data } = await app.ask(
      '{ viewer { username experimentPermissions { edges { cursor } } } }',
      {},
      narrow.authorization,
    );
    expect(data.viewer).toEqual({ username: expect.any(String), experimentPermissions: null });
  });
});

describe('the permissions of a user', () => {
  let owner: User;
  let models: { id: string }[];
  beforeAll(async () => {
    models = [await registeredModel(projectId, 'first'), await registeredModel(projectId, 'second')];
    const grants = models.map(({ id }) => ({ type: 'REGISTERED_MODEL', id, level: 'READ' }) as const);
    owner = await newUser({ grants });
  });

  const shown = async (authorization: string) => {
    const { data } = await app.ask(
      `query ($id: ID!) { user(by: { id: $id }) {
         registeredModelPermissions { totalCount nodes { registeredModelId name } } } }`,
      { id: owner.id },
      authorization,
    );
    return data.user.registeredModelPermissions;
  };
  const rows = (names: readonly (string | null)[]) => ({
    totalCount: names.length,
    nodes: expect.arrayContaining(names.map((name) => ({ registeredModelId: expect.any(String), name }))),
  });

  it('are shown to the user and to administrators, with the names of the models', async () => {
    for (const authorization of [owner.authorization, app.admin])
      expect(await shown(authorization)).toEqual(rows(['first', 'second']));
  });

  it('are null for others, even if they may see the user', async () => {
    const superuser = await newUser({ role: 'SUPERUSER', level: 'MANAGE' });
    expect(await shown(superuser.authorization)).toBeNull();
  });

  it('need the scope permission:list, and the names need model:read', async () => {
    const key = async (...scopes: string[]) => (await newKey(owner, ['user:read', ...scopes])).authorization;
    expect(await shown(await key('permission:explain', 'model:read'))).toBeNull();
    expect(await shown(await key('permission:list', 'model:list'))).toEqual(rows([null, null]));
    expect(await shown(await key('permission:list', 'model:read'))).toEqual(rows(['first', 'second']));
  });

  it('are only those on the resources to which a token is confined', async () => {
    const resources = [{ type: 'REGISTERED_MODEL', id: models[1]?.id }];
    const token = await tokenOf(app, owner.authorization, { resources });
    expect(await shown(token)).toEqual(rows(['second']));
  });
});

describe('the resources of another tenant', () => {
  it('are NOT_FOUND, also for administrators of their tenant', async () => {
    const tenantId = await newTenant('elsewhere');
    const admin = await newUser({ role: 'ADMIN', tenantId });
    const { id } = await experiment(projectId, 'ours');
    const answer = await app.ask(
      'query ($id: ID!) { experimentPermission(experiment: { id: $id }, user: { username: "x" }) { userId } }',
      { id },
      admin.authorization,
    );
    expect(endOf(answer)).toBe('NOT_FOUND');
  });
});
