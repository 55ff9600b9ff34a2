/** Objects of one name in two projects, ids that are no ids, and who may be named in a version. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { grant, newCaller, newTenant } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';
import { makeModel, makeVersion, source } from './model-seed.ts';

const projects = ['here', 'there'];
let app: LocalApp;
const ids: Record<string, string[]> = { experiment: [], registeredModel: [] };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const project of projects) {
    await registerProject(app, project);
    for (const name of ['same', 'other']) {
      ids['experiment']?.push(await makeExperiment(app, project, name));
      ids['registeredModel']?.push(await makeModel(app, project, name));
    }
  }
});
afterAll(() => app.stop());

const idsOf = (connection: Answer) => connection.edges.map(({ node }: Answer) => node.id);

describe.each([
  ['experiment', 'Experiment'],
  ['registeredModel', 'RegisteredModel'],
])('%s', (noun, type) => {
  it('is found by its project and its name', async () => {
    const keys = projects.flatMap((project) => ['same', 'other'].map((name) => ({ project, name })));
    for (const [at, key] of keys.entries()) {
      const { data } = await app.ask(`query ($by: ${type}ByInput!) { ${noun}(by: $by) { id } }`, {
        by: { key },
      });
      expect(data[noun]).toEqual({ id: ids[noun]?.[at] });
    }
  });

  it('is in a list of private ones only while it is private', async () => {
    const filter = { project: 'here', namePrefix: 'same' };
    const [id = ''] = ids[noun] ?? [];
    const list = async (isPublic: boolean | null) => {
      const { data } = await app.ask(
        `query ($filter: ${type}FilterInput) { ${noun}s(filter: $filter) { edges { node { id } } } }`,
        { filter: { ...filter, public: isPublic } },
      );
      return idsOf(data[`${noun}s`]);
    };
    expect([await list(true), await list(false), await list(null)]).toEqual([[], [id], [id]]);
    await mutate(app, `publish${type}`, { by: { id } });
    expect([await list(true), await list(false), await list(null)]).toEqual([[id], [], [id]]);
    await mutate(app, `unpublish${type}`, { by: { id } });
  });

  it('is not told to have a name that is taken when the database fails', async () => {
    const table = noun === 'experiment' ? 'experiments' : 'registered_models';
    await db.$executeRawUnsafe(`alter table ${table} add constraint cursed check (name <> 'cursed')`);
    expect(await mutate(app, `create${type}`, { project: 'here', name: 'cursed' })).toMatchObject({
      refused: 'INTERNAL',
    });
  });
});

describe('an id that is not a UUID', () => {
  it.each(['experiment', 'run', 'registeredModel', 'modelVersion'])('is not found: %s', async (noun) => {
    const { errors } = await app.ask(`{ ${noun}(by: { id: "no id" }) { id } }`);
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });
});

describe('a list', () => {
  it('is open to guests', async () => {
    const [experiment = ''] = ids['experiment'] ?? [];
    const [model = ''] = ids['registeredModel'] ?? [];
    const run = await makeRun(app, experiment);
    const guest = await newCaller({ role: 'GUEST', level: 'NO_PERMISSIONS' });
    await grant(guest, 'EXPERIMENT', experiment, 'READ');
    await grant(guest, 'REGISTERED_MODEL', model, 'READ');
    const { data, errors } = await app.ask(
      `query ($ids: [ID!]!) { experiments { edges { node { id } } } registeredModels { edges { node { id } } }
         runs(filter: { experimentIds: $ids }) { edges { node { id } } } }`,
      { ids: [experiment] },
      guest,
    );
    expect(errors).toBeUndefined();
    expect(Object.values(data as Record<string, Answer>).map(idsOf)).toEqual([[experiment], [model], [run]]);
  });
});

describe('createModelVersion', () => {
  it('is refused when the project is archived', async () => {
    const id = await registerProject(app, 'closing');
    const model = { id: await makeModel(app, 'closing', 'late') };
    await db.project.update({ where: { id }, data: { state: 'ARCHIVED' } });
    const { problems } = await mutate(app, 'createModelVersion', { model, source });
    expect(problems).toMatchObject([{ path: ['input', 'model'], code: 'InactiveProject' }]);
  });

  it('answers NOT_FOUND for the run of a public experiment in another tenant, which everybody can read', async () => {
    const [experiment = ''] = ids['experiment'] ?? [];
    const run = { id: await makeRun(app, experiment) };
    await mutate(app, 'publishExperiment', { by: { id: experiment } });
    const neighbour = await newCaller({ role: 'ADMIN', tenantId: await newTenant('neighbours') });
    await mutate(app, 'registerProject', { identifier: 'theirs', name: 'theirs' }, '', neighbour);
    const model = { id: await makeModel(app, 'theirs', 'finch', neighbour) };
    expect(await mutate(app, 'createModelVersion', { model, source, run }, '', neighbour)).toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'run'],
    });
    const [own = ''] = ids['registeredModel'] ?? [];
    expect(endOf(await mutate(app, 'createModelVersion', { model: { id: own }, source, run }))).toBe('OK');
    await mutate(app, 'unpublishExperiment', { by: { id: experiment } });
  });
});

describe('a public model', () => {
  it('is not deleted permanently by a call that was allowed before it was published', async () => {
    const id = await makeModel(app, 'here', 'overtaken');
    const answer = await overtaken(
      () => mutate(app, 'deleteRegisteredModel', { by: { id }, permanently: true }),
      (tx) => tx.registeredModel.update({ where: { id }, data: { publicAt: new Date() } }),
    );
    expect(answer).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await db.registeredModel.count({ where: { id } })).toBe(1);
  });
});

describe('what one request creates', () => {
  it('is counted by the next operation of the request: runs', async () => {
    const id = await makeExperiment(app, 'here', 'counted');
    const create = `createRun(input: { experiment: { id: $id } }) {
      ... on CreateRunPayload { run { experiment { runs { totalCount edges { node { id } } } } } } }`;
    const { data } = await app.ask(`mutation ($id: ID!) { one: ${create} two: ${create} }`, { id });
    for (const [at, field] of ['one', 'two'].entries()) {
      const { runs } = data[field].run.experiment;
      expect([runs.totalCount, runs.edges.length]).toEqual([at + 1, at + 1]);
    }
  });

  it('is counted by the next operation of the request: versions and aliases', async () => {
    const id = await makeModel(app, 'here', 'counted');
    await makeVersion(app, id);
    const create = `createModelVersion(input: { model: { id: $id }, source: "${source}" }) {
      ... on CreateModelVersionPayload { modelVersion { model { latestVersion { version } versions { totalCount } } } } }`;
    const { data } = await app.ask(`mutation ($id: ID!) { one: ${create} two: ${create} }`, { id });
    for (const [at, field] of ['one', 'two'].entries())
      expect(data[field].modelVersion.model).toEqual({
        latestVersion: { version: at + 2 },
        versions: { totalCount: at + 2 },
      });
  });
});
