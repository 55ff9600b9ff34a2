import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsInRounds, statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';

let app: LocalApp;
let reader: string;
const ids = new Map<string, string>();
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const nearId = await registerProject(app, 'near');
  await registerProject(app, 'far');
  await registerTask(app, 'near', 'double');
  await registerWorkflow(app, 'near', 'one', { a: [] });
  const execution = { id: await launch(app, 'near', 'one') };
  for (const name of ['alpha 1', 'alpha 2', 'beta', 'secret']) {
    const id = await makeExperiment(app, 'near', name);
    ids.set(name, id);
    for (let runs = 0; runs < 3; runs += 1) await makeRun(app, id, { execution });
  }
  for (const name of ['shared', 'kept']) ids.set(name, await makeExperiment(app, 'far', name));
  reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
  await grant(reader, 'PROJECT', nearId, 'READ');
  await grant(reader, 'EXPERIMENT', ids.get('secret') ?? '', 'NO_PERMISSIONS');
  await grant(reader, 'EXPERIMENT', ids.get('shared') ?? '', 'READ');
});
afterAll(() => app.stop());

const document = `query ($filter: ExperimentFilterInput, $first: Int, $after: String) {
  experiments(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { name } } } }`;
async function list(variables: object, authorization: string = reader) {
  const { data, errors } = await app.ask(document, variables, authorization);
  if (errors) return errors[0]?.extensions.code;
  const { edges, totalCount, pageInfo } = data.experiments;
  return { names: edges.map((edge: Answer) => edge.node.name), totalCount, pageInfo };
}

describe('experiments', () => {
  it('shows the experiments of all projects that the caller can read, newest first, and counts no others', async () => {
    const names = ['shared', 'beta', 'alpha 2', 'alpha 1'];
    expect(await list({})).toMatchObject({ names, totalCount: 4 });
    const all = ['kept', 'shared', 'secret', 'beta', 'alpha 2', 'alpha 1'];
    expect(await list({}, app.admin)).toMatchObject({ names: all, totalCount: 6 });
    expect(await list({}, await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }))).toMatchObject({
      names: [],
      totalCount: 0,
    });
  });

  it('pages over the readable experiments only', async () => {
    const first = (await list({ first: 3 })) as Answer;
    expect(first).toMatchObject({ names: ['shared', 'beta', 'alpha 2'], pageInfo: { hasNextPage: true } });
    expect(await list({ first: 3, after: first.pageInfo.endCursor })).toMatchObject({
      names: ['alpha 1'],
      pageInfo: { hasNextPage: false },
    });
  });

  it.each([
    [{ project: 'near' }, ['beta', 'alpha 2', 'alpha 1']],
    [{ namePrefix: 'alpha' }, ['alpha 2', 'alpha 1']],
    [{ namePrefix: 'alpha%' }, []],
    [{ project: 'far' }, ['shared']],
    [{ stage: 'DELETED' }, []],
    [{ public: true }, []],
    [{ public: false, namePrefix: 'b' }, ['beta']],
  ])('filters by %o', async (filter, names) => {
    expect(await list({ filter })).toMatchObject({ names, totalCount: names.length });
  });

  it('shows deleted experiments when the filter asks for them', async () => {
    const by = { id: ids.get('beta') };
    await mutate(app, 'deleteExperiment', { by });
    expect(await list({ filter: { project: 'near' } })).toMatchObject({ names: ['alpha 2', 'alpha 1'] });
    expect(await list({ filter: { stage: 'DELETED' } })).toMatchObject({ names: ['beta'], totalCount: 1 });
    expect(await list({ filter: { stage: 'ALL', project: 'near' } })).toMatchObject({ totalCount: 3 });
    await mutate(app, 'restoreExperiment', { by });
  });

  it('answers the same for a hidden project as for an absent one', async () => {
    const stranger = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const ask = (project: string) => app.ask(document, { filter: { project } }, stranger);
    await ask('far');
    const hidden = await statementsOf(() => ask('far'));
    const absent = await statementsOf(() => ask('nil'));
    expect(hidden.result.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const plain = (answer: unknown) => JSON.stringify(answer).replaceAll(/far|nil/g, 'x');
    expect(plain(hidden.result.errors)).toBe(plain(absent.result.errors));
    expect(hidden.statements).toEqual(absent.statements);
  });
});

describe('the number of statements', () => {
  it('is the same for one experiment and for many, with their runs and executions', async () => {
    const page = `query ($first: Int) { experiments(filter: { project: "near" }, first: $first) { totalCount edges { node {
      name project { id } createdBy { username }
      runs(first: 3) { edges { node { name execution { name phase } experiment { name } } } } } } } }`;
    for (const caller of [reader, app.admin]) {
      const ask = (first: number) => app.ask(page, { first }, caller);
      await ask(3);
      const one = await statementsInRounds(() => ask(1));
      const many = await statementsInRounds(() => ask(3));
      expect(many.result.errors).toBeUndefined();
      expect(many.result.data.experiments.edges).toHaveLength(3);
      for (const { node } of many.result.data.experiments.edges) {
        expect(node.runs.edges).toHaveLength(3);
        expect(node.runs.edges[0].node.execution).toMatchObject({ phase: 'QUEUED' });
      }
      expect(many.statements).toHaveLength(one.statements.length);
      // Sign-in 2; project, list and count; runs, executions, experiments, projects, users; at most 3 for decisions.
      expect(many.statements.length).toBeLessThanOrEqual(13);
    }
  });

  it.each([
    ['experiment by id', 'query ($id: ID!) { experiment(by: { id: $id }) { id } }', () => ids.get('secret')],
    ['run', 'query ($id: ID!) { run(by: { id: $id }) { id } }', () => hiddenRun()],
  ])('is the same for hidden and absent objects: %s', async (_what, ask, hiddenId) => {
    const id = await hiddenId();
    await app.ask(ask, { id }, reader);
    const hidden = await statementsOf(() => app.ask(ask, { id }, reader));
    const absent = await statementsOf(() => app.ask(ask, { id: newId() }, reader));
    expect(hidden.result.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(absent.result.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(hidden.statements).toEqual(absent.statements);
  });

  const hiddenRun = () => makeRun(app, ids.get('secret') ?? '');
});
