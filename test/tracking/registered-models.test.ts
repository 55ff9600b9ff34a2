import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, grantTo, newCaller, newTenant, userOf } from '../support/users.ts';
import { makeModel, makeVersion, modelFields } from './model-seed.ts';

const project = 'models';
let app: LocalApp;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
});
afterAll(() => app.stop());

const create = (input: object, authorization?: string) =>
  mutate(app, 'createRegisteredModel', { project, ...input }, modelFields, authorization);
const read = async (by: object, authorization?: string) => {
  const { data, errors } = await app.ask(
    'query ($by: RegisteredModelByInput!) { registeredModel(by: $by) { id name stage } }',
    { by },
    authorization,
  );
  return errors ? errors[0]?.extensions.code : data.registeredModel;
};
const remove = (id: string, permanently = false, authorization?: string) =>
  mutate(app, 'deleteRegisteredModel', { by: { id }, permanently }, modelFields, authorization);

describe('createRegisteredModel', () => {
  it('creates a model without versions that is found by id and by key, with MANAGE for its creator', async () => {
    const owner = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(owner, 'PROJECT', projectId, 'READ');
    const tags = [{ key: 'team', value: 'birds' }];
    const { registeredModel } = await create({ name: 'finch', description: 'small', tags }, owner);
    const { id } = registeredModel;
    const expected = { name: 'finch', projectIdentifier: project, stage: 'ACTIVE', publicAt: null, tags };
    expect(registeredModel).toMatchObject(expected);
    for (const by of [{ id }, { key: { project, name: 'finch' } }])
      expect(await read(by, owner)).toMatchObject({ id, name: 'finch' });
    expect(await db.grant.findMany({ where: { resourceId: id } })).toMatchObject([
      { resourceType: 'REGISTERED_MODEL', level: 'MANAGE', userId: (await userOf(owner)).id },
    ]);
  });

  it.each([
    ['an empty name', { name: '' }, ['input', 'name']],
    ['a slash', { name: 'a/b' }, ['input', 'name']],
    ['a colon', { name: 'a:b' }, ['input', 'name']],
    ['a control character', { name: 'a\nb' }, ['input', 'name']],
    ['a long name', { name: 'x'.repeat(256) }, ['input', 'name']],
    ['a long description', { name: 'x', description: 'x'.repeat(5001) }, ['input', 'description']],
    ['an empty key', { name: 'x', tags: [{ key: '', value: '' }] }, ['input', 'tags', '']],
  ])('refuses %s', async (_what, input, path) => {
    expect((await create(input)).problems).toMatchObject([{ path, code: 'InvalidValue' }]);
  });

  it('creates one model when many calls use one name at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({ name: 'raced' })));
    expect(answers.map(endOf).sort()).toEqual([...Array(19).fill('ALREADY_EXISTS'), 'OK']);
    expect(await db.registeredModel.count({ where: { name: 'raced' } })).toBe(1);
  });

  it.each([
    ['OPEN', 'READ', 'USER', 'OK'],
    ['OPEN', 'READ', 'ANNOTATOR', 'PERMISSION_DENIED'],
    ['OPEN', 'READ', 'GUEST', 'PERMISSION_DENIED'],
    ['OPEN', 'NO_PERMISSIONS', 'SUPERUSER', 'NOT_FOUND'],
    ['RESTRICTED', 'USE', 'USER', 'PERMISSION_DENIED'],
    ['RESTRICTED', 'EDIT', 'USER', 'OK'],
    ['RESTRICTED', 'EDIT', 'GUEST', 'PERMISSION_DENIED'],
    ['RESTRICTED', 'NO_PERMISSIONS', 'ADMIN', 'OK'],
  ] as const)(
    'in a tenant with the policy %s, with %s on the project, by %s: %s',
    async (policy, level, role, end) => {
      const tenantId = await newTenant(`${policy} ${level} ${role}`);
      await db.tenant.update({ where: { id: tenantId }, data: { creationPolicy: policy } });
      const admin = await newCaller({ role: 'ADMIN', tenantId });
      const input = { identifier: 'home', name: 'home' };
      const made = await mutate(app, 'registerProject', input, 'project { id }', admin);
      const caller = await newCaller({ role, level: 'NO_PERMISSIONS', tenantId });
      await grant(caller, 'PROJECT', made.project.id, level);
      expect(endOf(await create({ project: 'home', name: 'new' }, caller))).toBe(end);
    },
  );
});

describe('a name that is taken', () => {
  it('gets the same words and statements as a reserved name when a hidden object has it', async () => {
    const hidden = await makeModel(app, project, 'hidden');
    const caller = await newCaller({ role: 'USER', level: 'READ' });
    expect(await create({ name: 'hidden' }, caller)).toMatchObject({ code: 'ALREADY_EXISTS' });
    await grant(caller, 'REGISTERED_MODEL', hidden, 'NO_PERMISSIONS');
    const own = await makeModel(app, project, 'own', caller);
    const rename = (name: string) =>
      mutate(app, 'updateRegisteredModel', { by: { id: own }, name }, '', caller);
    for (const ask of [(name: string) => create({ name }, caller), rename]) {
      await ask('hidden');
      const taken = await statementsOf(() => ask('hidden'));
      const reserved = await statementsOf(() => ask('__hidden'));
      expect(taken.result.problems).toMatchObject([{ path: ['input', 'name'], code: 'NameUnavailable' }]);
      expect(reserved.result).toEqual(taken.result);
      expect(reserved.statements).toEqual(taken.statements);
    }
  });
});

describe('updateRegisteredModel', () => {
  it('renames with EDIT, and keeps versions, aliases and grants', async () => {
    const id = await makeModel(app, project, 'wren');
    await makeVersion(app, id);
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    const editor = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(editor, 'REGISTERED_MODEL', id, 'EDIT');
    const input = { by: { key: { project, name: 'wren' } }, name: 'robin', description: 'red' };
    const renamed = await mutate(app, 'updateRegisteredModel', input, modelFields, editor);
    expect(renamed.registeredModel).toMatchObject({ id, name: 'robin', description: 'red' });
    expect(await read({ key: { project, name: 'robin' } }, editor)).toMatchObject({ id });
    expect(await read({ key: { project, name: 'wren' } })).toBe('NOT_FOUND');
    expect(await db.grant.count({ where: { resourceId: id } })).toBe(2);
    const alias = { model: { key: { project, name: 'robin' } }, alias: 'champion' };
    const { data } = await app.ask(
      'query ($by: ModelVersionByInput!) { modelVersion(by: $by) { version model { name } } }',
      { by: { alias } },
      editor,
    );
    expect(data.modelVersion).toEqual({ version: 1, model: { name: 'robin' } });
  });
});

describe('deleteRegisteredModel', () => {
  it('keeps versions and grants, so that it can be restored', async () => {
    const id = await makeModel(app, project, 'put away');
    await makeVersion(app, id);
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(reader, 'REGISTERED_MODEL', id, 'READ');
    const restore = () => mutate(app, 'restoreRegisteredModel', { by: { id } }, modelFields);
    expect(await restore()).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect((await remove(id)).registeredModel).toMatchObject({
      stage: 'DELETED',
      deletedAt: expect.any(String),
    });
    expect(await remove(id)).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await read({ id }, reader)).toMatchObject({ stage: 'DELETED' });
    expect(await create({ name: 'put away' })).toMatchObject({ code: 'ALREADY_EXISTS' });
    for (const [field, input] of [
      ['updateRegisteredModel', { by: { id }, name: 'x' }],
      ['updateRegisteredModelTags', { by: { id }, tags: [{ key: 'a', value: 'b' }] }],
      ['deleteRegisteredModelTags', { by: { id }, keys: ['a'] }],
      ['publishRegisteredModel', { by: { id } }],
      ['createModelVersion', { model: { id }, source: 's3://x/y' }],
      ['updateModelAlias', { model: { id }, alias: 'a', version: 1 }],
      ['deleteModelAlias', { model: { id }, alias: 'a' }],
      ['deleteModelVersion', { by: { key: { model: { id }, version: 1 } } }],
    ] as const)
      expect([field, endOf(await mutate(app, field, input))]).toEqual([field, 'FAILED_PRECONDITION']);
    expect((await restore()).registeredModel).toMatchObject({ stage: 'ACTIVE', deletedAt: null });
    expect(await db.modelVersion.count({ where: { modelId: id } })).toBe(1);
    expect(await read({ id }, reader)).toMatchObject({ stage: 'ACTIVE' });
  });

  it('permanently deletes versions, aliases and all grants, and frees the name', async () => {
    const id = await makeModel(app, project, 'phoenix');
    await makeVersion(app, id);
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(reader, 'REGISTERED_MODEL', id, 'MANAGE');
    await grant(reader, 'EXPERIMENT', id, 'READ');
    const group = await db.group.findFirstOrThrow({
      where: { name: 'everyone', tenantId: (await userOf(reader)).tenantId },
    });
    await grantTo({ groupId: group.id, tenantId: group.tenantId }, 'REGISTERED_MODEL', id, 'EDIT');
    const changes = await db.accessChange.count({ where: { kind: 'GRANT' } });
    const gone = await remove(id, true, reader);
    expect(gone.registeredModel).toMatchObject({ name: 'phoenix', stage: 'DELETED' });
    expect(await db.modelVersion.count({ where: { modelId: id } })).toBe(0);
    expect(await db.modelAlias.count({ where: { modelId: id } })).toBe(0);
    // A grant on another type stays, even with the same id.
    expect(await db.grant.findMany({ where: { resourceId: id } })).toMatchObject([
      { resourceType: 'EXPERIMENT' },
    ]);
    expect(await db.accessChange.count({ where: { kind: 'GRANT' } })).toBe(changes + 1);
    expect(
      await db.auditEvent.findMany({
        where: { targetId: id, outcome: 'DONE', action: { startsWith: 'model:' } },
      }),
    ).toMatchObject([
      {
        action: 'model:delete',
        targetType: 'registered model',
        targetName: 'phoenix',
        before: { lastVersion: 1 },
      },
    ]);
    expect(await read({ id })).toBe('NOT_FOUND');
    const next = await makeModel(app, project, 'phoenix');
    expect(await read({ id: next }, reader)).toBe('NOT_FOUND');
    expect((await makeVersion(app, next)).version).toBe(1);
  });

  it('permanently deletes a deleted model too, which requires MANAGE as well', async () => {
    const id = await makeModel(app, project, 'twice');
    await remove(id);
    const { deletedAt } = await db.registeredModel.findUniqueOrThrow({ where: { id } });
    const editor = await newCaller({ role: 'USER', level: 'EDIT' });
    expect(await remove(id, true, editor)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect((await remove(id, true)).registeredModel.deletedAt).toBe(deletedAt?.toISOString());
    expect(await remove(id, true)).toMatchObject({ refused: 'NOT_FOUND' });
  });

  it('permanently deletes once and leaves no version while versions are created at the same time', async () => {
    const id = await makeModel(app, project, 'contested');
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () =>
        mutate(app, 'createModelVersion', { model: { id }, source: 's3://x/y' }),
      ),
      ...Array.from({ length: 4 }, () => remove(id, true)),
    ]);
    const ends = answers.map(endOf);
    expect(ends.every((end) => end === 'OK' || end === 'NOT_FOUND')).toBe(true);
    expect(ends.slice(8).filter((end) => end === 'OK')).toHaveLength(1);
    expect(await db.modelVersion.count({ where: { modelId: id } })).toBe(0);
    expect(await db.grant.count({ where: { resourceId: id } })).toBe(0);
  });
});

describe('tags of a model', () => {
  it('are added, replaced and removed', async () => {
    const by = { id: await makeModel(app, project, 'tagged') };
    const set = (tags: object[]) => mutate(app, 'updateRegisteredModelTags', { by, tags }, modelFields);
    await set([{ key: 'a', value: '1' }]);
    expect((await set([{ key: 'b', value: '2' }])).registeredModel.tags).toHaveLength(2);
    const taken = await mutate(app, 'deleteRegisteredModelTags', { by, keys: ['a'] }, modelFields);
    expect(taken.registeredModel.tags).toEqual([{ key: 'b', value: '2' }]);
  });
});

describe('a public model', () => {
  const document = `query ($id: ID!, $version: ID!) {
    registeredModel(by: { id: $id }) {
      projectIdentifier project { id } createdBy { id } aliases { alias modelVersion { version } }
      latestVersion { version source execution { id } } versions { edges { node { version } } }
    }
    modelVersion(by: { id: $version }) { version model { id } aliases }
    registeredModels(filter: { public: true }) { edges { node { id } } totalCount }
  }`;

  it('can be read by every tenant and changed by nobody, and only its own tenant can unpublish it', async () => {
    const id = await makeModel(app, project, 'exhibit');
    const version = (await makeVersion(app, id)).id;
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    const neighbour = await newCaller({ role: 'ADMIN', tenantId: await newTenant('next door') });
    const before = await app.ask(document, { id, version }, neighbour);
    expect(before.errors?.map((error) => error.extensions.code)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(endOf(await mutate(app, 'publishRegisteredModel', { by: { id } }))).toBe('OK');
    const { data, errors } = await app.ask(document, { id, version }, neighbour);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      registeredModel: {
        projectIdentifier: project,
        project: null,
        createdBy: null,
        aliases: [{ alias: 'champion', modelVersion: { version: 1 } }],
        latestVersion: { version: 1, source: 's3://models/one', execution: null },
        versions: { edges: [{ node: { version: 1 } }] },
      },
      modelVersion: { version: 1, model: { id }, aliases: ['champion'] },
      registeredModels: { edges: [{ node: { id } }], totalCount: 1 },
    });
    const by = { key: { model: { id }, version: 1 } };
    for (const who of [app.admin, neighbour])
      for (const [field, input] of [
        ['updateRegisteredModel', { by: { id }, name: 'x' }],
        ['deleteRegisteredModel', { by: { id } }],
        ['deleteRegisteredModel', { by: { id }, permanently: true }],
        ['restoreRegisteredModel', { by: { id } }],
        ['updateRegisteredModelTags', { by: { id }, tags: [{ key: 'a', value: 'b' }] }],
        ['deleteRegisteredModelTags', { by: { id }, keys: ['a'] }],
        ['createModelVersion', { model: { id }, source: 's3://x/y' }],
        ['updateModelVersion', { by, description: 'x' }],
        ['updateModelVersionTags', { by, tags: [{ key: 'a', value: 'b' }] }],
        ['deleteModelVersionTags', { by, keys: ['a'] }],
        ['deleteModelVersion', { by }],
        ['updateModelAlias', { model: { id }, alias: 'a', version: 1 }],
        ['deleteModelAlias', { model: { id }, alias: 'champion' }],
      ] as const)
        expect([field, endOf(await mutate(app, field, input, '', who))]).toEqual([
          field,
          'PERMISSION_DENIED',
        ]);
    const unpublish = (who?: string) => mutate(app, 'unpublishRegisteredModel', { by: { id } }, '', who);
    expect(await unpublish(neighbour)).toMatchObject({ refused: 'NOT_FOUND' });
    expect(endOf(await unpublish())).toBe('OK');
    expect(await unpublish()).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await read({ id }, neighbour)).toBe('NOT_FOUND');
    expect(
      (
        await db.auditEvent.findMany({
          where: { targetId: id, outcome: 'DONE', action: { startsWith: 'model:' } },
        })
      ).map(({ action }) => action),
    ).toEqual(['model:publish', 'model:publish']);
  });
});

describe('registeredModels', () => {
  it('shows the models that the caller can read, with filters, counts and pages', async () => {
    const closedId = await registerProject(app, 'closed');
    const ids = [];
    for (const name of ['m1', 'm2', 'm3', 'other']) ids.push(await makeModel(app, 'closed', name));
    const [first = '', , third = '', other = ''] = ids;
    await remove(other);
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const list = async (variables: object, authorization = reader) => {
      const { data, errors } = await app.ask(
        `query ($filter: RegisteredModelFilterInput, $first: Int, $after: String) {
           registeredModels(filter: $filter, first: $first, after: $after) {
             totalCount pageInfo { hasNextPage endCursor } edges { node { name } } } }`,
        variables,
        authorization,
      );
      if (errors) return errors[0]?.extensions.code;
      const { edges, ...rest } = data.registeredModels;
      return { names: edges.map((edge: Answer) => edge.node.name), ...rest };
    };
    const filter = { project: 'closed' };
    expect(await list({ filter })).toBe('NOT_FOUND');
    expect(await list({ filter: { project: 'nowhere' } })).toBe('NOT_FOUND');
    for (const id of [first, third, other]) await grant(reader, 'REGISTERED_MODEL', id, 'READ');
    expect(await list({ filter })).toMatchObject({ names: ['m3', 'm1'], totalCount: 2 });
    expect(await list({})).toMatchObject({ names: ['m3', 'm1'], totalCount: 2 });
    expect(await list({ filter: { stage: 'DELETED' } })).toMatchObject({ names: ['other'] });
    expect(await list({ filter: { stage: 'ALL' } })).toMatchObject({ totalCount: 3 });
    expect(await list({ filter: { ...filter, stage: 'ALL', namePrefix: 'm' } }, app.admin)).toMatchObject({
      names: ['m3', 'm2', 'm1'],
      totalCount: 3,
    });
    const page = (await list({ first: 1 })) as Answer;
    expect(page).toMatchObject({ names: ['m3'], pageInfo: { hasNextPage: true } });
    const next = await list({ first: 1, after: page.pageInfo.endCursor });
    expect(next).toMatchObject({ names: ['m1'], pageInfo: { hasNextPage: false } });
    await grant(reader, 'PROJECT', closedId, 'READ');
    expect(await list({ filter })).toMatchObject({ names: ['m3', 'm2', 'm1'] });
  });
});
