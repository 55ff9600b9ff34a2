import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import type { Tx } from '../../src/platform/database/transaction.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller, newTenant, userOf } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { experimentFields, makeExperiment } from './experiment-seed.ts';

const project = 'trials';
let app: LocalApp;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
});
afterAll(() => app.stop());

const create = (input: object, authorization?: string) =>
  mutate(app, 'createExperiment', { project, ...input }, experimentFields, authorization);
const read = async (by: object, authorization?: string) => {
  const { data, errors } = await app.ask(
    `query ($by: ExperimentByInput!) { experiment(by: $by) { id name stage tags { key value } } }`,
    { by },
    authorization,
  );
  return errors ? errors[0]?.extensions.code : data.experiment;
};

describe('createExperiment', () => {
  it('creates an ACTIVE experiment that is found by id and by key, with MANAGE for its creator', async () => {
    const owner = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(owner, 'PROJECT', projectId, 'READ');
    const tags = [{ key: 'team', value: 'birds' }];
    const { experiment } = await create({ name: 'first', description: 'of all', tags }, owner);
    expect(experiment).toMatchObject({
      name: 'first',
      projectIdentifier: project,
      description: 'of all',
      stage: 'ACTIVE',
      publicAt: null,
      tags,
    });
    for (const by of [{ id: experiment.id }, { key: { project, name: 'first' } }])
      expect(await read(by, owner)).toMatchObject({ id: experiment.id, tags });
    expect(await db.grant.findMany({ where: { resourceId: experiment.id } })).toMatchObject([
      { resourceType: 'EXPERIMENT', level: 'MANAGE', userId: (await userOf(owner)).id },
    ]);
    expect(endOf(await mutate(app, 'deleteExperiment', { by: { id: experiment.id } }, '', owner))).toBe('OK');
  });

  it.each([
    ['an empty name', { name: ' ' }, ['input', 'name']],
    ['a name that is too long', { name: 'x'.repeat(256) }, ['input', 'name']],
    ['a name with a control character', { name: 'a\u0007b' }, ['input', 'name']],
    ['a long description', { name: 'x', description: 'x'.repeat(5001) }, ['input', 'description']],
    ['an empty key', { name: 'x', tags: [{ key: '', value: '' }] }, ['input', 'tags', '']],
    [
      'a long key',
      { name: 'x', tags: [{ key: 'k'.repeat(251), value: '' }] },
      ['input', 'tags', 'k'.repeat(251)],
    ],
    ['a long value', { name: 'x', tags: [{ key: 'k', value: 'v'.repeat(5001) }] }, ['input', 'tags', 'k']],
    [
      'too many tags',
      { name: 'x', tags: Array.from({ length: 101 }, (_, at) => ({ key: `k${at}`, value: '' })) },
      ['input', 'tags'],
    ],
    [
      'a key that is given twice',
      {
        name: 'x',
        tags: [
          { key: 'k', value: '1' },
          { key: 'k', value: '2' },
        ],
      },
      ['input', 'tags', 'k'],
    ],
  ])('refuses %s and names the path', async (_what, input, path) => {
    const answer = await create(input);
    expect(answer).toMatchObject({ __typename: 'InvalidArgumentError' });
    expect(answer.problems.map((problem: { path: string[] }) => problem.path)).toEqual([path]);
  });

  it('accepts values at the limits, and reports all problems together', async () => {
    const tags = Array.from({ length: 100 }, (_, at) => ({
      key: `${at}`.padEnd(250, 'k'),
      value: 'v'.repeat(50),
    }));
    expect(endOf(await create({ name: 'n'.repeat(255), tags }))).toBe('OK');
    const answer = await create({ name: '', description: 'x'.repeat(5001), tags: [{ key: '', value: '' }] });
    expect(answer.problems).toHaveLength(3);
  });

  it('requires an ACTIVE project', async () => {
    const id = await registerProject(app, 'shut');
    await db.project.update({ where: { id }, data: { state: 'ARCHIVED' } });
    const answer = await create({ project: 'shut', name: 'late' });
    expect(answer.problems).toMatchObject([{ path: ['input', 'project'], code: 'InactiveProject' }]);
  });

  it('creates one experiment with one grant when many calls use one name at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({ name: 'raced' })));
    expect(answers.map((answer) => answer.__typename).sort()).toEqual([
      ...Array(19).fill('AlreadyExistsError'),
      'CreateExperimentPayload',
    ]);
    const { id } = await db.experiment.findFirstOrThrow({ where: { name: 'raced' } });
    expect(await db.experiment.count({ where: { name: 'raced' } })).toBe(1);
    expect(await db.grant.count({ where: { resourceId: id } })).toBe(1);
  });
});

describe('a name that is taken', () => {
  it('is reported to callers who can read the experiment that has it, deleted or not', async () => {
    const id = await makeExperiment(app, project, 'seen');
    expect(await create({ name: 'seen' })).toMatchObject({ code: 'ALREADY_EXISTS', path: ['input', 'name'] });
    await mutate(app, 'deleteExperiment', { by: { id } });
    expect(await create({ name: 'seen' })).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('gets the same words and statements as a reserved name when a hidden object has it', async () => {
    const hidden = await makeExperiment(app, project, 'hidden');
    const caller = await newCaller({ role: 'USER', level: 'READ' });
    await grant(caller, 'EXPERIMENT', hidden, 'NO_PERMISSIONS');
    const own = await makeExperiment(app, project, 'own', caller);
    const rename = (name: string) => mutate(app, 'updateExperiment', { by: { id: own }, name }, '', caller);
    for (const ask of [(name: string) => create({ name }, caller), rename]) {
      await ask('hidden');
      const taken = await statementsOf(() => ask('hidden'));
      const reserved = await statementsOf(() => ask('__hidden'));
      expect(taken.result).toMatchObject({
        __typename: 'InvalidArgumentError',
        problems: [{ path: ['input', 'name'], code: 'NameUnavailable' }],
      });
      expect(reserved.result).toEqual(taken.result);
      expect(reserved.statements).toEqual(taken.statements);
    }
  });

  it('is refused for a rename too, also when many calls rename to it at the same time', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, at) => makeExperiment(app, project, `many-${at}`)),
    );
    const answers = await Promise.all(
      ids.map((id) => mutate(app, 'updateExperiment', { by: { id }, name: 'one of many' })),
    );
    expect(answers.map(endOf).sort()).toEqual([...Array(9).fill('ALREADY_EXISTS'), 'OK']);
  });
});

describe('who may create', () => {
  const roles = ['ADMIN', 'SUPERUSER', 'USER', 'ANNOTATOR', 'GUEST'] as const;
  it.each([
    ['OPEN', 'READ', { ADMIN: 'OK', SUPERUSER: 'OK', USER: 'OK' }],
    ['OPEN', 'NO_PERMISSIONS', { ADMIN: 'OK', SUPERUSER: 'NOT_FOUND', USER: 'NOT_FOUND' }],
    ['RESTRICTED', 'USE', { ADMIN: 'OK', SUPERUSER: 'PERMISSION_DENIED', USER: 'PERMISSION_DENIED' }],
    ['RESTRICTED', 'EDIT', { ADMIN: 'OK', SUPERUSER: 'OK', USER: 'OK' }],
    ['RESTRICTED', 'NO_PERMISSIONS', { ADMIN: 'OK', SUPERUSER: 'NOT_FOUND', USER: 'NOT_FOUND' }],
  ] as const)('in a tenant that is %s, with %s on the project', async (creationPolicy, level, expected) => {
    const tenantId = await newTenant(`${creationPolicy} ${level}`);
    await db.tenant.update({ where: { id: tenantId }, data: { creationPolicy } });
    const root = await newCaller({ role: 'ADMIN', tenantId });
    const made = await mutate(
      app,
      'registerProject',
      { identifier: 'home', name: 'home' },
      'project { id }',
      root,
    );
    for (const role of roles) {
      const caller = await newCaller({ role, level: 'NO_PERMISSIONS', tenantId });
      await grant(caller, 'PROJECT', made.project.id, level);
      const answer = await create({ project: 'home', name: `by ${role}` }, caller);
      // A role that can never create anything is refused before the project is looked up.
      expect([role, endOf(answer)]).toEqual([
        role,
        (expected as Record<string, string>)[role] ?? 'PERMISSION_DENIED',
      ]);
    }
  });
});

describe('updateExperiment', () => {
  it('changes name and description: the new name is the key at once, and grants stay', async () => {
    const id = await makeExperiment(app, project, 'before');
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(reader, 'EXPERIMENT', id, 'READ');
    const input = { by: { key: { project, name: 'before' } }, name: 'after', description: 'new' };
    const { experiment } = await mutate(app, 'updateExperiment', input, experimentFields);
    expect(experiment).toMatchObject({ id, name: 'after', description: 'new' });
    expect(await read({ key: { project, name: 'after' } }, reader)).toMatchObject({ id });
    expect(await read({ key: { project, name: 'before' } }, reader)).toBe('NOT_FOUND');
    expect(endOf(await mutate(app, 'updateExperiment', { by: { id }, name: 'after' }))).toBe('OK');
    expect(await mutate(app, 'updateExperiment', { by: { id }, name: '' })).toMatchObject({
      problems: [{ path: ['input', 'name'], code: 'InvalidValue' }],
    });
  });

  it('changes the object that the rule checked, even when its name moves to another in between', async () => {
    const mine = await makeExperiment(app, project, 'mine');
    const theirs = await makeExperiment(app, project, 'theirs');
    const editor = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(editor, 'EXPERIMENT', mine, 'EDIT');
    const tags = [{ key: 'by', value: 'editor' }];
    const rename = (tx: Tx, id: string, name: string) =>
      tx.experiment.update({ where: { id }, data: { name } });
    const answer = await overtaken(
      () => mutate(app, 'updateExperimentTags', { by: { key: { project, name: 'mine' } }, tags }, '', editor),
      // The rule has found the experiment and reads the grants on it.
      (tx) => tx.$executeRaw`lock table grants in access exclusive mode`,
      async (tx) => {
        await rename(tx, mine, 'parked');
        await rename(tx, theirs, 'mine');
      },
    );
    expect(endOf(answer)).toBe('OK');
    expect((await db.experiment.findUniqueOrThrow({ where: { id: theirs } })).tags).toEqual({});
    expect((await db.experiment.findUniqueOrThrow({ where: { id: mine } })).tags).toEqual({ by: 'editor' });
  });
});

describe('deleteExperiment and restoreExperiment', () => {
  it('keep rows, name and grants, and refuse an experiment that is in that state already', async () => {
    const id = await makeExperiment(app, project, 'put away');
    const reader = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    await grant(reader, 'EXPERIMENT', id, 'READ');
    const by = { id };
    const stage = async (field: string) => {
      const answer = await mutate(app, field, { by }, 'experiment { stage }');
      return answer.experiment?.stage ?? answer.code;
    };
    expect(await stage('restoreExperiment')).toBe('FAILED_PRECONDITION');
    expect(await stage('deleteExperiment')).toBe('DELETED');
    expect(await stage('deleteExperiment')).toBe('FAILED_PRECONDITION');
    expect(await read(by, reader)).toMatchObject({ stage: 'DELETED' });
    for (const [field, more] of [
      ['updateExperiment', { name: 'x' }],
      ['updateExperimentTags', { tags: [{ key: 'a', value: 'b' }] }],
      ['deleteExperimentTags', { keys: ['a'] }],
      ['publishExperiment', {}],
    ] as const)
      expect([field, endOf(await mutate(app, field, { by, ...more }))]).toEqual([
        field,
        'FAILED_PRECONDITION',
      ]);
    expect(endOf(await mutate(app, 'createRun', { experiment: by }))).toBe('FAILED_PRECONDITION');
    expect(await stage('restoreExperiment')).toBe('ACTIVE');
    expect(await read(by, reader)).toMatchObject({ stage: 'ACTIVE' });
  });

  it('happen once when many calls ask at the same time', async () => {
    const by = { id: await makeExperiment(app, project, 'gone once') };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => mutate(app, 'deleteExperiment', { by })),
    );
    expect(answers.map(endOf).sort()).toEqual([...Array(9).fill('FAILED_PRECONDITION'), 'OK']);
  });
});

describe('tags', () => {
  it('are added, replaced and removed by key, with a limit on their total number', async () => {
    const by = { id: await makeExperiment(app, project, 'tagged') };
    const set = (tags: object[]) => mutate(app, 'updateExperimentTags', { by, tags }, experimentFields);
    await set([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    expect((await set([{ key: 'b', value: '3' }])).experiment.tags).toEqual([
      { key: 'a', value: '1' },
      { key: 'b', value: '3' },
    ]);
    const keys = ['a', 'never there'];
    const { experiment } = await mutate(app, 'deleteExperimentTags', { by, keys }, experimentFields);
    expect(experiment.tags).toEqual([{ key: 'b', value: '3' }]);
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `k${at}`, value: '' }));
    expect(await set(many(100))).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'tags'] });
    expect(endOf(await set(many(99)))).toBe('OK');
  });

  it('are all stored when many calls set them at the same time', async () => {
    const id = await makeExperiment(app, project, 'tagged by many');
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        mutate(app, 'updateExperimentTags', { by: { id }, tags: [{ key: `k${at}`, value: `${at}` }] }),
      ),
    );
    const { tags } = await db.experiment.findUniqueOrThrow({ where: { id } });
    expect(Object.keys(tags as object)).toHaveLength(20);
  });
});

describe('what one request changes', () => {
  it('is visible to the next operation of the request', async () => {
    const { data } = await app.ask(
      `mutation ($project: String!, $by: ExperimentByInput!) {
         createExperiment(input: { project: $project, name: "in one go" }) { __typename }
         publishExperiment(input: { by: $by }) { __typename }
         unpublishExperiment(input: { by: $by }) { __typename }
         updateExperiment(input: { by: $by, description: "changed" }) {
           ... on UpdateExperimentPayload { experiment { description publicAt } }
         }
       }`,
      { project, by: { key: { project, name: 'in one go' } } },
    );
    expect(data.updateExperiment).toEqual({ experiment: { description: 'changed', publicAt: null } });
  });
});
