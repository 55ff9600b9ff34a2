import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { grant, newCaller, newTenant } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';

const project = 'museum';
let app: App;
let execution: string;
let neighbour: string;
let neighbours: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one');
  neighbours = await newTenant('neighbours');
  neighbour = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS', tenantId: neighbours });
});
afterAll(() => app.stop());

let made = 0;
const publish = (id: string, authorization?: string) =>
  mutate(app, 'publishExperiment', { by: { id } }, 'experiment { publicAt }', authorization);
const unpublish = (id: string, authorization?: string) =>
  mutate(app, 'unpublishExperiment', { by: { id } }, 'experiment { publicAt }', authorization);
async function exhibit() {
  const id = await makeExperiment(app, project, `exhibit ${++made}`);
  const run = await makeRun(app, id, { name: 'shown', execution: { id: execution } });
  expect(endOf(await publish(id))).toBe('OK');
  return { id, run };
}

const document = `query ($id: ID!, $run: ID!) {
  experiment(by: { id: $id }) {
    name projectIdentifier project { id } createdBy { id }
    runs { edges { node { name execution { id } createdBy { id } } } }
  }
  run(by: { id: $run }) { name experiment { id } }
  runs(filter: { experimentIds: [$id] }) { totalCount edges { node { name } } }
}`;

describe('a public experiment', () => {
  it('can be read by every tenant with its runs, but without its project, users and executions', async () => {
    const { id, run } = await exhibit();
    const { data, errors } = await app.ask(document, { id, run }, neighbour);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      experiment: {
        name: `exhibit ${made}`,
        projectIdentifier: project,
        project: null,
        createdBy: null,
        runs: { edges: [{ node: { name: 'shown', execution: null, createdBy: null } }] },
      },
      run: { name: 'shown', experiment: { id } },
      runs: { totalCount: 1, edges: [{ node: { name: 'shown' } }] },
    });
  });

  it('can be read in its own tenant also without a grant and with NO_PERMISSIONS', async () => {
    const { id, run } = await exhibit();
    const shutOut = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(shutOut, 'EXPERIMENT', id, 'NO_PERMISSIONS');
    const { data, errors } = await app.ask(document, { id, run }, shutOut);
    expect(errors).toBeUndefined();
    expect(data.experiment).toMatchObject({ name: `exhibit ${made}`, project: null });
  });

  it('cannot be changed, not even by its owner, an administrator or ROOT, until it is unpublished', async () => {
    const { id, run } = await exhibit();
    const owner = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(owner, 'EXPERIMENT', id, 'MANAGE');
    const root = await newCaller({ role: 'ROOT' });
    const by = { id };
    const writes: [string, object][] = [
      ['updateExperiment', { by, name: 'x' }],
      ['deleteExperiment', { by }],
      ['restoreExperiment', { by }],
      ['updateExperimentTags', { by, tags: [{ key: 'a', value: 'b' }] }],
      ['deleteExperimentTags', { by, keys: ['a'] }],
      ['createRun', { experiment: by }],
      ['updateRun', { by: { id: run }, name: 'x' }],
      ['deleteRun', { by: { id: run } }],
      ['restoreRun', { by: { id: run } }],
      ['updateRunTags', { by: { id: run }, tags: [{ key: 'a', value: 'b' }] }],
      ['deleteRunTags', { by: { id: run }, keys: ['a'] }],
    ];
    for (const who of [owner, app.admin, root, neighbour])
      for (const [field, input] of writes)
        expect([field, endOf(await mutate(app, field, input, '', who))]).toEqual([
          field,
          'PERMISSION_DENIED',
        ]);
    expect((await unpublish(id, owner)).experiment).toEqual({ publicAt: null });
    expect(endOf(await mutate(app, 'updateExperiment', { by, description: 'x' }, '', owner))).toBe('OK');
    const { errors } = await app.ask(document, { id, run }, neighbour);
    expect(errors?.map((error) => error.extensions.code)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  });

  it('is not changed by a call that was allowed before it was published', async () => {
    const id = await makeExperiment(app, project, 'overtaken');
    const run = await makeRun(app, id);
    for (const [field, input] of [
      ['updateExperimentTags', { by: { id }, tags: [{ key: 'a', value: 'b' }] }],
      ['deleteExperiment', { by: { id } }],
      ['restoreExperiment', { by: { id } }],
      ['createRun', { experiment: { id } }],
      ['updateRun', { by: { id: run }, name: 'x' }],
    ] as const) {
      const answer = await overtaken(
        () => mutate(app, field, input),
        (tx) => tx.experiment.update({ where: { id }, data: { publicAt: new Date() } }),
      );
      expect([field, answer.refused]).toEqual([field, 'PERMISSION_DENIED']);
      await db.experiment.update({ where: { id }, data: { publicAt: null } });
    }
  });
});

describe('publishExperiment and unpublishExperiment', () => {
  it('refuse an experiment that is in that state already', async () => {
    const { id } = await exhibit();
    expect(await publish(id)).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(endOf(await unpublish(id))).toBe('OK');
    expect(await unpublish(id)).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('are NOT_FOUND for another tenant, and refused in the own tenant to callers who can only read', async () => {
    const { id } = await exhibit();
    const neighbourAdmin = await newCaller({ role: 'ADMIN', tenantId: neighbours });
    for (const who of [neighbour, neighbourAdmin]) {
      expect(await unpublish(id, who)).toMatchObject({ refused: 'NOT_FOUND' });
      expect(await publish(id, who)).toMatchObject({ refused: 'NOT_FOUND' });
    }
    const passerBy = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const editor = await newCaller({ role: 'USER', level: 'EDIT' });
    for (const who of [passerBy, editor])
      expect(await unpublish(id, who)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    await unpublish(id);
    expect(await unpublish(id, passerBy)).toMatchObject({ refused: 'NOT_FOUND' });
  });

  it('are recorded with the actor in the audit log and in the feed of changes', async () => {
    const { id } = await exhibit();
    const before = await db.accessChange.count({ where: { kind: 'GRANT' } });
    await unpublish(id);
    await flushDenials();
    const events = await db.auditEvent.findMany({
      where: { targetId: id, action: { startsWith: 'experiment:' }, outcome: 'DONE' },
      orderBy: { id: 'asc' },
    });
    expect(events).toMatchObject([
      {
        action: 'experiment:publish',
        actorName: 'admin',
        before: { isPublic: false },
        after: { isPublic: true },
      },
      { action: 'experiment:publish', targetType: 'experiment', after: { isPublic: false } },
    ]);
    expect(await db.accessChange.count({ where: { kind: 'GRANT' } })).toBe(before + 1);
  });

  it('happen once when many calls ask at the same time', async () => {
    const id = await makeExperiment(app, project, 'published once');
    const ends = (await Promise.all(Array.from({ length: 10 }, () => publish(id)))).map(endOf);
    expect(ends.sort()).toEqual([...Array(9).fill('FAILED_PRECONDITION'), 'OK']);
    expect(
      await db.auditEvent.count({ where: { targetId: id, action: { startsWith: 'experiment:' } } }),
    ).toBe(1);
  });
});

describe('a list of public experiments', () => {
  it('has experiments of every tenant; other lists have only those of the own tenant', async () => {
    const { id } = await exhibit();
    const list = async (filter: object | null, authorization: string) => {
      const { data } = await app.ask(
        'query ($filter: ExperimentFilterInput) { experiments(filter: $filter, first: 1000) { totalCount edges { node { id } } } }',
        { filter },
        authorization,
      );
      const found = data.experiments.edges.map((edge: Answer) => edge.node.id);
      expect(data.experiments.totalCount).toBe(found.length);
      return found;
    };
    const neighbourAdmin = await newCaller({ role: 'ADMIN', tenantId: neighbours });
    const passerBy = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    for (const who of [neighbour, neighbourAdmin]) {
      expect(await list({ public: true }, who)).toContain(id);
      expect(await list(null, who)).toEqual([]);
      expect(await list({ public: false }, who)).toEqual([]);
    }
    expect(await list(null, passerBy)).toContain(id);
    expect(await list({ project }, passerBy)).toContain(id);
    expect(await list({ public: false }, app.admin)).not.toContain(id);
    expect(await list({ public: true }, app.admin)).toContain(id);
  });
});
