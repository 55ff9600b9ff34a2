import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsInRounds, statementsOf } from '../support/statements.ts';
import { announce } from '../support/upload.ts';
import { grant, newCaller } from '../support/users.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';
import { makeModel, makeVersion, source } from './model-seed.ts';

const project = 'versions';
let app: LocalApp;
let execution: string;
let run: string;
let experiment: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const identifier of [project, 'elsewhere']) await registerProject(app, identifier);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one', { name: 'work' });
  experiment = await makeExperiment(app, project, 'trial');
  run = await makeRun(app, experiment, { name: 'best', execution: { id: execution } });
});
afterAll(() => app.stop());

const versionFields = `modelVersion {
  id version source description tags { key value } aliases file { uri downloadUrl sizeBytes }
  execution { id } run { id } model { id } createdBy { username } }`;
const create = (id: string, input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'createModelVersion', { model: { id }, source, ...input }, versionFields, authorization);
const find = async (by: object, authorization?: string) => {
  const document = 'query ($by: ModelVersionByInput!) { modelVersion(by: $by) { id version aliases } }';
  const { data, errors } = await app.ask(document, { by }, authorization);
  return errors ? errors[0]?.extensions.code : data.modelVersion;
};

async function upload(identifier: string, text: string): Promise<string> {
  const content = new TextEncoder().encode(text);
  const { uri, uploadUrl } = await announce(app, identifier, content);
  expect((await fetch(uploadUrl, { method: 'PUT', body: content })).ok).toBe(true);
  return uri;
}

describe('createModelVersion', () => {
  it('records the execution and the run that made it', async () => {
    const id = await makeModel(app, project, 'made');
    const tags = [{ key: 'f1', value: '0.9' }];
    const input = {
      execution: { key: { project, domain, name: 'work' } },
      run: { id: run },
      description: 'good',
      tags,
    };
    const { modelVersion } = await create(id, input);
    expect(modelVersion).toMatchObject({
      version: 1,
      source,
      description: 'good',
      tags,
      aliases: [],
      file: null,
      execution: { id: execution },
      run: { id: run },
      model: { id },
      createdBy: { username: 'admin' },
    });
  });

  it('accepts a file of the project of the model, and answers its download link', async () => {
    const id = await makeModel(app, project, 'filed');
    const uri = await upload(project, 'weights');
    const { modelVersion } = await create(id, { source: uri });
    expect(modelVersion.file).toMatchObject({ uri, sizeBytes: '7' });
    expect(await (await fetch(modelVersion.file.downloadUrl)).text()).toBe('weights');
  });

  it('answers NOT_FOUND for a file that is not uploaded, does not exist, or is in another project', async () => {
    const id = await makeModel(app, project, 'fileless');
    const announced = await announce(app, project, new TextEncoder().encode('not yet there'));
    const elsewhere = await upload('elsewhere', 'of others');
    for (const uri of [announced.uri, elsewhere, `slipway://blobs/${newId()}`, 'slipway://blobs/x'])
      expect(await create(id, { source: uri })).toMatchObject({
        code: 'NOT_FOUND',
        path: ['input', 'source'],
      });
    expect((await db.registeredModel.findUniqueOrThrow({ where: { id } })).lastVersion).toBe(0);
  });

  it.each([
    's3://bucket/key',
    'gs://b/k',
    'https://example.org/m?x=1#y',
    'abfss://container@account.dfs.core.windows.net/m',
    'mlflow-artifacts://host/run/artifacts',
  ])('accepts %s', async (address) => {
    const id = await makeModel(app, project, `from ${address.replaceAll(/[/:]/g, ' ')}`);
    expect(endOf(await create(id, { source: address }))).toBe('OK');
  });

  it.each([
    '',
    'model.bin',
    '/tmp/model.bin',
    'file:///tmp/model.bin',
    'FILE://host/model.bin',
    'javascript:alert(1)',
    's3://bucket/a b',
    's3://',
    'https://user:password@example.org/m',
    `s3://${'x'.repeat(2048)}`,
  ])('refuses the source %s', async (address) => {
    const id = await makeModel(app, project, `not ${newId()}`);
    expect((await create(id, { source: address })).problems).toMatchObject([
      { path: ['input', 'source'], code: 'InvalidValue' },
    ]);
  });

  it('answers the same for a hidden execution or run as for an absent one', async () => {
    const id = await makeModel(app, project, 'blind');
    const editor = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(editor, 'REGISTERED_MODEL', id, 'EDIT');
    for (const [field, hidden, absent] of [
      ['execution', { id: execution }, { id: newId() }],
      ['run', { id: run }, { id: newId() }],
    ] as const) {
      const ask = (value: unknown) => create(id, { [field]: value }, editor);
      await ask(hidden);
      const one = await statementsOf(() => ask(hidden));
      const other = await statementsOf(() => ask(absent));
      expect(one.result).toMatchObject({ code: 'NOT_FOUND', path: ['input', field] });
      expect(other.result).toMatchObject({ code: 'NOT_FOUND', path: ['input', field] });
      expect(other.statements).toEqual(one.statements);
    }
    expect(endOf(await create(id, {}, editor))).toBe('OK');
  });

  it('numbers versions from 1 without gap or repeat when many are created at the same time', async () => {
    const id = await makeModel(app, project, 'raced');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        // Some calls fail after the model was locked. They must not use up a number.
        create(id, at % 5 === 4 ? { source: `slipway://blobs/${newId()}` } : {}),
      ),
    );
    const numbers = answers.flatMap((answer) => answer.modelVersion?.version ?? []).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 16 }, (_, at) => at + 1));
    expect((await db.registeredModel.findUniqueOrThrow({ where: { id } })).lastVersion).toBe(16);
  });

  it('creates the versions 1 to 20 when 20 calls ask at the same time', async () => {
    const id = await makeModel(app, project, 'twenty');
    const made = await Promise.all(Array.from({ length: 20 }, () => makeVersion(app, id)));
    expect(made.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
  });
});

describe('modelVersion', () => {
  it('is found by id, by model and number, and by alias', async () => {
    const id = await makeModel(app, project, 'found');
    const version = await makeVersion(app, id);
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    const model = { key: { project, name: 'found' } };
    for (const by of [
      { id: version.id },
      { key: { model: { id }, version: 1 } },
      { key: { model, version: 1 } },
      { alias: { model, alias: 'champion' } },
    ])
      expect(await find(by)).toEqual({ id: version.id, version: 1, aliases: ['champion'] });
    expect(await find({ key: { model, version: 2 } })).toBe('NOT_FOUND');
    expect(await find({ alias: { model, alias: 'loser' } })).toBe('NOT_FOUND');
  });

  it.each([
    ['number', (model: object) => ({ key: { model, version: 1 } })],
    ['alias', (model: object) => ({ alias: { model, alias: 'champion' } })],
  ])('takes the same statements for a hidden model as for an absent one, by %s', async (how, by) => {
    const name = `hidden by ${how}`;
    const id = await makeModel(app, project, name);
    await makeVersion(app, id);
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    const stranger = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const ask = (called: string) => find(by({ key: { project, name: called } }), stranger);
    await ask(name);
    const hidden = await statementsOf(() => ask(name));
    const absent = await statementsOf(() => ask('never there'));
    expect([hidden.result, absent.result]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(hidden.statements).toEqual(absent.statements);
  });

  it('shows neither execution nor run to callers who can only read the model', async () => {
    const id = await makeModel(app, project, 'lonely');
    await create(id, { execution: { id: execution }, run: { id: run } });
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(reader, 'REGISTERED_MODEL', id, 'READ');
    const document = `query ($id: ID!) {
      registeredModel(by: { id: $id }) { projectIdentifier project { id } latestVersion { version execution { id } run { id } } } }`;
    const { data } = await app.ask(document, { id }, reader);
    expect(data.registeredModel).toEqual({
      projectIdentifier: project,
      project: null,
      latestVersion: { version: 1, execution: null, run: null },
    });
    await grant(reader, 'EXPERIMENT', experiment, 'READ');
    const more = await app.ask(document, { id }, reader);
    expect(more.data.registeredModel.latestVersion).toMatchObject({ execution: null, run: { id: run } });
  });
});

describe('an existing version', () => {
  it('can be described and tagged', async () => {
    const id = await makeModel(app, project, 'described');
    const by = { id: (await makeVersion(app, id)).id };
    const change = (field: string, more: object) => mutate(app, field, { by, ...more }, versionFields);
    expect((await change('updateModelVersion', { description: 'new' })).modelVersion.description).toBe('new');
    expect(await change('updateModelVersion', { description: 'x'.repeat(5001) })).toMatchObject({
      path: ['input', 'description'],
    });
    await change('updateModelVersionTags', { tags: [{ key: 'a', value: '1' }] });
    const { modelVersion } = await change('updateModelVersionTags', { tags: [{ key: 'b', value: '2' }] });
    expect(modelVersion.tags).toHaveLength(2);
    const left = await change('deleteModelVersionTags', { keys: ['a'] });
    expect(left.modelVersion.tags).toEqual([{ key: 'b', value: '2' }]);
  });

  it('is deleted with its aliases, and its number is not used again', async () => {
    const id = await makeModel(app, project, 'thinned');
    for (let count = 0; count < 3; count += 1) await makeVersion(app, id);
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 3 });
    await mutate(app, 'updateModelAlias', { model: { id }, alias: 'steady', version: 2 });
    const by = { alias: { model: { id }, alias: 'champion' } };
    const gone = await mutate(app, 'deleteModelVersion', { by }, 'modelVersion { version }');
    expect(gone.modelVersion).toEqual({ version: 3 });
    expect(await find(by)).toBe('NOT_FOUND');
    const { data } = await app.ask(
      `query ($id: ID!) { registeredModel(by: { id: $id }) { latestVersion { version }
         aliases { alias version } versions(first: 1) { edges { node { version } } pageInfo { hasNextPage } } } }`,
      { id },
    );
    expect(data.registeredModel).toEqual({
      latestVersion: { version: 2 },
      aliases: [{ alias: 'steady', version: 2 }],
      versions: { edges: [{ node: { version: 2 } }], pageInfo: { hasNextPage: true } },
    });
    expect((await makeVersion(app, id)).version).toBe(4);
  });
});

describe('aliases', () => {
  let id: string;
  beforeAll(async () => {
    id = await makeModel(app, project, 'aliased');
    for (let count = 0; count < 3; count += 1) await makeVersion(app, id);
  });
  const set = (alias: string, version: number) =>
    mutate(
      app,
      'updateModelAlias',
      { model: { id }, alias, version },
      'registeredModel { aliases { alias version } }',
    );

  it('point at one version at a time', async () => {
    expect((await set('champion', 1)).registeredModel.aliases).toEqual([{ alias: 'champion', version: 1 }]);
    expect((await set('champion', 2)).registeredModel.aliases).toEqual([{ alias: 'champion', version: 2 }]);
    expect((await set('challenger', 2)).registeredModel.aliases).toHaveLength(2);
    expect(await find({ key: { model: { id }, version: 2 } })).toMatchObject({
      aliases: ['challenger', 'champion'],
    });
    expect(await find({ key: { model: { id }, version: 1 } })).toMatchObject({ aliases: [] });
  });

  it('are removed once', async () => {
    await set('short', 1);
    const remove = () => mutate(app, 'deleteModelAlias', { model: { id }, alias: 'short' });
    expect(endOf(await remove())).toBe('OK');
    expect(await remove()).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'alias'] });
  });

  it.each(['', 'a b', 'a/b', 'v1', 'V22', 'latest', 'Latest', 'x'.repeat(256)])(
    'cannot be called %s',
    async (alias) => {
      expect((await set(alias, 1)).problems).toMatchObject([
        { path: ['input', 'alias'], code: 'InvalidValue' },
      ]);
    },
  );

  it('require a version that exists', async () => {
    expect(await set('lost', 99)).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'version'] });
  });

  it('point at one of the given versions when many calls move them at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => set('moved', (at % 3) + 1)));
    expect(answers.map(endOf)).toEqual(Array(20).fill('OK'));
    const rows = await db.modelAlias.findMany({
      where: { modelId: id, alias: 'moved' },
      include: { version: true },
    });
    expect(rows).toHaveLength(1);
    expect([1, 2, 3]).toContain(rows[0]?.version.version);
  });

  it('never point at a deleted version', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const { version } = await makeVersion(app, id);
      const by = { key: { model: { id }, version } };
      const [, ...sets] = await Promise.all([
        mutate(app, 'deleteModelVersion', { by }),
        ...Array.from({ length: 4 }, () => set('ghost', version)),
      ]);
      expect(sets.map(endOf).every((end) => end === 'OK' || end === 'NOT_FOUND')).toBe(true);
      expect(await db.modelAlias.count({ where: { modelId: id, alias: 'ghost' } })).toBe(0);
    }
  });

  it('are limited to 100', async () => {
    const crowded = await makeModel(app, project, 'crowded');
    const versionId = (await makeVersion(app, crowded)).id;
    const { tenantId } = await db.registeredModel.findUniqueOrThrow({ where: { id: crowded } });
    await db.modelAlias.createMany({
      data: Array.from({ length: 99 }, (_, at) => ({
        modelId: crowded,
        alias: `a${at}`,
        tenantId,
        versionId,
      })),
    });
    const add = (alias: string) =>
      mutate(app, 'updateModelAlias', { model: { id: crowded }, alias, version: 1 });
    const ends = (await Promise.all(['b', 'c', 'd'].map(add))).map(endOf);
    expect(ends.sort()).toEqual(['OK', 'RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED']);
    expect(endOf(await add('a1'))).toBe('OK');
  });
});

describe('the number of statements', () => {
  it('is the same for one model and for many, with versions, aliases, runs and executions', async () => {
    await registerProject(app, 'counted');
    for (let model = 0; model < 3; model += 1) {
      const id = await makeModel(app, 'counted', `m${model}`);
      for (let count = 0; count < 2; count += 1)
        await create(id, { execution: { id: execution }, run: { id: run } });
      await mutate(app, 'updateModelAlias', { model: { id }, alias: 'champion', version: 1 });
    }
    const reader = await newCaller({ role: 'USER', level: 'READ' });
    const page = `query ($first: Int) { registeredModels(filter: { project: "counted" }, first: $first) { edges { node {
      name latestVersion { version } aliases { alias version }
      versions(first: 2) { edges { node { version aliases execution { name } run { name } } } } } } } }`;
    const ask = (first: number) => app.ask(page, { first }, reader);
    await ask(3);
    const one = await statementsInRounds(() => ask(1));
    const many = await statementsInRounds(() => ask(3));
    expect(many.result.errors).toBeUndefined();
    expect(many.result.data.registeredModels.edges).toHaveLength(3);
    for (const { node } of many.result.data.registeredModels.edges)
      expect(node).toMatchObject({
        latestVersion: { version: 2 },
        aliases: [{ alias: 'champion', version: 1 }],
        versions: { edges: [{ node: { run: { name: 'best' } } }, { node: { execution: { name: 'work' } } }] },
      });
    expect(many.statements).toHaveLength(one.statements.length);
  });
});
