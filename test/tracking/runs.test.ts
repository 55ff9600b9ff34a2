import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller, newTenant } from '../support/users.ts';
import { makeExperiment, makeRun } from './experiment-seed.ts';

const project = 'runs';
let app: LocalApp;
let projectId: string;
let execution: string;
let experiment: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one', { name: 'work' });
  experiment = await makeExperiment(app, project, 'trial');
});
afterAll(() => app.stop());

const runFields = 'run { id name stage tags { key value } experiment { id } execution { id } }';
const create = (input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'createRun', { experiment: { id: experiment }, ...input }, runFields, authorization);

/** A user with a level on the experiment and nothing else. */
async function guestOf(experimentId: string, level: 'READ' | 'EDIT'): Promise<string> {
  const caller = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
  await grant(caller, 'EXPERIMENT', experimentId, level);
  return caller;
}

describe('createRun', () => {
  it.each([
    ['id', () => ({ id: execution })],
    ['key', () => ({ key: { project, domain, name: 'work' } })],
  ])('links the experiment to an execution, by %s', async (_how, by) => {
    const tags = [{ key: 'seed', value: '7' }];
    const { run } = await create({ name: 'linked', execution: by(), tags });
    expect(run).toMatchObject({
      name: 'linked',
      stage: 'ACTIVE',
      tags,
      experiment: { id: experiment },
      execution: { id: execution },
    });
  });

  it('needs no execution, and makes up a name', async () => {
    const { run } = await create({});
    expect(run).toMatchObject({ name: expect.stringMatching(/^run-[a-z0-9]{8}$/), execution: null });
  });

  it('answers the same, with the same statements, for a hidden execution as for an absent one', async () => {
    const editor = await guestOf(experiment, 'EDIT');
    const hide = (answer: Answer) => JSON.stringify(answer).replaceAll(/work|nope/g, 'x');
    const ask = (name: string) => create({ execution: { key: { project, domain, name } } }, editor);
    await ask('work');
    const hidden = await statementsOf(() => ask('work'));
    const absent = await statementsOf(() => ask('nope'));
    expect(hidden.result).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'execution'] });
    expect(hide(hidden.result)).toBe(hide(absent.result));
    expect(hidden.statements).toEqual(absent.statements);
    const before = await db.experimentRun.count();
    await create({ execution: { id: newId() } }, editor);
    expect(await db.experimentRun.count()).toBe(before);
  });

  it('answers NOT_FOUND for an execution of another tenant, also to an administrator', async () => {
    const tenantId = await newTenant('neighbours');
    const neighbour = await newCaller({ role: 'ADMIN', tenantId });
    const input = { identifier: 'next-door', name: 'next door' };
    await mutate(app, 'registerProject', input, '', neighbour);
    const theirs = await makeExperiment(app, 'next-door', 'theirs', neighbour);
    const answer = await create({ experiment: { id: theirs }, execution: { id: execution } }, neighbour);
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'execution'] });
  });

  it('is refused when the project is archived', async () => {
    const id = await registerProject(app, 'closing');
    const inside = await makeExperiment(app, 'closing', 'late');
    await db.project.update({ where: { id }, data: { state: 'ARCHIVED' } });
    const answer = await create({ experiment: { id: inside } });
    expect(answer.problems).toMatchObject([{ path: ['input', 'experiment'], code: 'InactiveProject' }]);
  });

  it('comes before a concurrent deletion of the experiment or is refused', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const id = await makeExperiment(app, project, `deleted meanwhile ${turn}`);
      const answers = await Promise.all([
        ...Array.from({ length: 5 }, () => create({ experiment: { id } })),
        mutate(app, 'deleteExperiment', { by: { id } }),
      ]);
      const ends = answers.map(endOf);
      expect(ends.at(-1)).toBe('OK');
      const kept = ends.slice(0, -1).filter((end) => end === 'OK').length;
      expect(ends.slice(0, -1).every((end) => end === 'OK' || end === 'FAILED_PRECONDITION')).toBe(true);
      expect(await db.experimentRun.count({ where: { experimentId: id } })).toBe(kept);
    }
  });
});

describe('an existing run', () => {
  it('can be renamed, tagged, deleted and restored; each refuses a repeat', async () => {
    const id = await makeRun(app, experiment, { name: 'old' });
    const does = (field: string, more: object = {}) => mutate(app, field, { by: { id }, ...more }, runFields);
    expect((await does('updateRun', { name: 'new' })).run.name).toBe('new');
    expect(await does('updateRun', { name: '' })).toMatchObject({ path: ['input', 'name'] });
    await does('updateRunTags', { tags: [{ key: 'a', value: '1' }] });
    const { run } = await does('updateRunTags', { tags: [{ key: 'b', value: '2' }] });
    expect(run.tags).toEqual([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    expect((await does('deleteRunTags', { keys: ['a'] })).run.tags).toEqual([{ key: 'b', value: '2' }]);
    expect(endOf(await does('restoreRun'))).toBe('FAILED_PRECONDITION');
    expect((await does('deleteRun')).run.stage).toBe('DELETED');
    for (const [field, more] of [
      ['deleteRun', {}],
      ['updateRun', { name: 'x' }],
      ['updateRunTags', { tags: [{ key: 'a', value: 'b' }] }],
      ['deleteRunTags', { keys: ['a'] }],
    ] as const)
      expect([field, endOf(await does(field, more))]).toEqual([field, 'FAILED_PRECONDITION']);
    expect((await does('restoreRun')).run.stage).toBe('ACTIVE');
  });

  it('cannot be changed while its experiment is deleted', async () => {
    const home = await makeExperiment(app, project, 'gone home');
    const id = await makeRun(app, home);
    await mutate(app, 'deleteExperiment', { by: { id: home } });
    for (const [field, more] of [
      ['deleteRun', {}],
      ['updateRun', { name: 'another' }],
    ] as const)
      expect(endOf(await mutate(app, field, { by: { id }, ...more }))).toBe('FAILED_PRECONDITION');
  });

  it('shows its experiment, and neither execution nor project, to callers who can only read the experiment', async () => {
    const id = await makeRun(app, experiment, { execution: { id: execution } });
    const reader = await guestOf(experiment, 'READ');
    const { data, errors } = await app.ask(
      `query ($id: ID!) { run(by: { id: $id }) { execution { id } experiment { projectIdentifier project { id } } } }`,
      { id },
      reader,
    );
    expect(errors).toBeUndefined();
    expect(data.run).toEqual({
      execution: null,
      experiment: { projectIdentifier: project, project: null },
    });
    await grant(reader, 'PROJECT', projectId, 'READ');
    const now = await app.ask(
      'query ($id: ID!) { run(by: { id: $id }) { execution { id } } }',
      { id },
      reader,
    );
    expect(now.data.run.execution).toEqual({ id: execution });
  });

  it('is null for credentials without the scope run:read', async () => {
    const id = await makeRun(app, experiment);
    const narrow = await newCaller({ role: 'USER', level: 'READ', scopes: ['experiment:read'] });
    const nested = 'query ($id: ID!) { experiment(by: { id: $id }) { runs { edges { node { id } } } } }';
    expect((await app.ask(nested, { id: experiment }, narrow)).data.experiment).toEqual({ runs: null });
    const other = await newCaller({ role: 'USER', level: 'READ', scopes: ['run:read'] });
    const upwards = await app.ask(
      'query ($id: ID!) { run(by: { id: $id }) { experiment { id } } }',
      { id },
      other,
    );
    expect(upwards.data.run).toEqual({ experiment: null });
  });
});

describe('runs', () => {
  const list = `query ($filter: RunFilterInput!, $first: Int, $after: String, $last: Int, $before: String) {
    runs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor } edges { node { name } }
    } }`;
  const ask = async (variables: object, authorization?: string) => {
    const { data, errors } = await app.ask(list, variables, authorization);
    expect(errors).toBeUndefined();
    const { edges, ...rest } = data.runs;
    return { names: edges.map((edge: Answer) => edge.node.name), ...rest };
  };
  let open: string;
  let closed: string;
  let reader: string;
  beforeAll(async () => {
    open = await makeExperiment(app, project, 'open');
    closed = await makeExperiment(app, project, 'closed');
    for (const name of ['o1', 'o2', 'o3']) await makeRun(app, open, { name });
    for (const name of ['c1', 'c2']) await makeRun(app, closed, { name });
    await mutate(app, 'deleteRun', { by: { id: await makeRun(app, open, { name: 'o4' }) } });
    reader = await guestOf(open, 'READ');
  });

  it('silently leaves out hidden and absent experiments, in counts too', async () => {
    const experimentIds = [open, closed, newId(), 'no id at all'];
    expect(await ask({ filter: { experimentIds } })).toMatchObject({
      names: ['c2', 'c1', 'o3', 'o2', 'o1'],
      totalCount: 5,
    });
    expect(await ask({ filter: { experimentIds } }, reader)).toMatchObject({
      names: ['o3', 'o2', 'o1'],
      totalCount: 3,
      pageInfo: { hasNextPage: false },
    });
    const nothing = { names: [], totalCount: 0, pageInfo: { hasNextPage: false, endCursor: null } };
    expect(await ask({ filter: { experimentIds: [closed] } }, reader)).toMatchObject(nothing);
    expect(await ask({ filter: { experimentIds: [] } }, reader)).toMatchObject(nothing);
    const admin = await newCaller({ role: 'ADMIN', tenantId: await newTenant('far away') });
    expect(await ask({ filter: { experimentIds } }, admin)).toMatchObject(nothing);
  });

  it('pages over the runs that the caller can read, forward and backward', async () => {
    const filter = { experimentIds: [closed, open] };
    const first = await ask({ filter, first: 2 }, reader);
    expect(first).toMatchObject({ names: ['o3', 'o2'], pageInfo: { hasNextPage: true } });
    const second = await ask({ filter, first: 2, after: first.pageInfo.endCursor }, reader);
    expect(second).toMatchObject({ names: ['o1'], pageInfo: { hasNextPage: false } });
    const back = await ask({ filter, last: 2, before: second.pageInfo.startCursor }, reader);
    expect(back).toMatchObject({ names: ['o3', 'o2'], pageInfo: { hasPreviousPage: false } });
  });

  it('shows deleted runs when the filter asks for them', async () => {
    const experimentIds = [open];
    expect((await ask({ filter: { experimentIds, stage: 'DELETED' } })).names).toEqual(['o4']);
    expect((await ask({ filter: { experimentIds, stage: 'ALL' } })).totalCount).toBe(4);
  });

  it('accepts at most 1000 experiments', async () => {
    const experimentIds = Array.from({ length: 1001 }, () => open);
    expect((await ask({ filter: { experimentIds: experimentIds.slice(1) } })).totalCount).toBe(3);
    const { errors } = await app.ask(list, { filter: { experimentIds } });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['filter', 'experimentIds'],
    });
  });

  it('are paged within each experiment', async () => {
    const document = `query ($id: ID!, $after: String) { experiment(by: { id: $id }) {
      runs(first: 2, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } }
      all: runs(stage: ALL) { edges { node { name } } } back: runs(last: 1) { edges { node { name } } } } }`;
    const names = (connection: Answer) => connection.edges.map((edge: Answer) => edge.node.name);
    const { data } = await app.ask(document, { id: open });
    expect(names(data.experiment.runs)).toEqual(['o3', 'o2']);
    expect(names(data.experiment.all)).toEqual(['o4', 'o3', 'o2', 'o1']);
    expect(names(data.experiment.back)).toEqual(['o1']);
    const { endCursor } = data.experiment.runs.pageInfo;
    const next = await app.ask(document, { id: open, after: endCursor });
    expect(names(next.data.experiment.runs)).toEqual(['o1']);
  });
});
