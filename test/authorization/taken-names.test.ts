/** A name that is taken: by an object that the caller may read, and by a hidden object. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { nameConflict } from '../../src/authorization/name-conflict.ts';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { homeTenant, newCaller, newTenant, newUser } from '../support/users.ts';
import { makeExperiment } from '../tracking/experiment-seed.ts';
import { makeModel } from '../tracking/model-seed.ts';

const project = 'open';
let app: LocalApp;
/** May read and use the object with the name `seen`, and create objects beside it. */
let caller: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const open = await registerProject(app, project);
  const seen = await registerProject(app, 'seen');
  await registerProject(app, 'unseen');
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'mine', { a: [] });
  for (const name of ['seen', 'unseen']) {
    await registerWorkflow(app, project, name, { a: [] });
    await launch(app, project, name, { name });
    await mutate(app, 'createQueue', { name });
  }
  const hidden = await db.namedEntity.findFirstOrThrow({ where: { name: 'unseen', type: 'WORKFLOW' } });
  const queue = await db.queue.findFirstOrThrow({ where: { name: 'seen' } });
  const [, experiment] = [
    await makeExperiment(app, project, 'seen'),
    await makeExperiment(app, project, 'unseen'),
  ];
  const [, model] = [await makeModel(app, project, 'seen'), await makeModel(app, project, 'unseen')];
  caller = await newCaller({
    role: 'SUPERUSER',
    grants: [
      { type: 'PROJECT', id: open, level: 'EDIT' },
      { type: 'PROJECT', id: seen, level: 'READ' },
      { type: 'QUEUE', id: queue.id, level: 'READ' },
      { type: 'WORKFLOW', id: hidden.id, level: 'NO_PERMISSIONS' },
      { type: 'EXPERIMENT', id: experiment, level: 'NO_PERMISSIONS' },
      { type: 'REGISTERED_MODEL', id: model, level: 'NO_PERMISSIONS' },
    ],
  });
});
afterAll(() => app.stop());

describe('a name that is reserved', () => {
  it.each<Role>(['USER', 'ADMIN'])('is not said to exist, whoever asks: %s', async (role) => {
    const asker = { ...systemCaller(await homeTenant(), newId()), role };
    const path = ['input', 'name'];
    const error = await nameConflict(asker, null, { kind: 'project', name: 'reserved', path });
    expect(error).toMatchObject({ problems: [{ code: 'NameUnavailable', path }] });
  });
});

describe('a name that is taken', () => {
  it.each([
    ['registerProject', 'identifier', (identifier: string) => ({ identifier, name: 'New' })],
    ['createQueue', 'name', (name: string) => ({ name })],
    [
      'createExecution',
      'name',
      (name: string) => ({ project, domain, name, launchPlan: { key: keyOf(project, 'mine') } }),
    ],
    ['createExperiment', 'name', (name: string) => ({ project, name })],
    ['createRegisteredModel', 'name', (name: string) => ({ project, name })],
  ] as const)(
    'is reported by %s only to callers who can read the object that has it',
    async (field, part, input) => {
      const ask = (name: string) => mutate(app, field, input(name), '', caller);
      await ask('seen');
      const seen = await statementsOf(() => ask('seen'));
      const unseen = await statementsOf(() => ask('unseen'));
      const path = ['input', part];
      expect(seen.result).toMatchObject({ __typename: 'AlreadyExistsError', path });
      expect(unseen.result).toMatchObject({
        message: 'this name cannot be used here',
        problems: [{ code: 'NameUnavailable', path }],
      });
      expect(unseen.statements).toEqual(seen.statements);
    },
  );
});

describe('a database that refuses a row for another reason', () => {
  const refused = 'refused by the table';
  it.each<[string, string, string, () => object | Promise<object>]>([
    ['registerProject', 'projects', 'name', () => ({ identifier: 'refused', name: refused })],
    ['createQueue', 'queues', 'name', () => ({ name: refused })],
    ['createUser', 'users', 'username', () => ({ username: refused })],
    ['editUser', 'users', 'username', async () => ({ by: { id: (await newUser()).id }, username: refused })],
    ['createTenant', 'tenants', 'name', () => ({ name: refused })],
    ['updateTenant', 'tenants', 'name', async () => ({ by: { id: await newTenant('any') }, name: refused })],
    ['createGroup', 'groups', 'name', () => ({ name: refused })],
    [
      'updateGroup',
      'groups',
      'name',
      async () => {
        await mutate(app, 'createGroup', { name: 'any' });
        return { by: { name: 'any' }, name: refused };
      },
    ],
  ])('is not reported by %s as a taken name', async (field, table, column, input) => {
    await pool.query(`alter table ${table} add constraint for_a_test check (${column} <> '${refused}')`);
    onTestFinished(async () => {
      await pool.query(`alter table ${table} drop constraint for_a_test`);
    });
    const root = await newCaller({ role: 'ROOT' });
    expect(await mutate(app, field, await input(), '', root)).toMatchObject({ refused: 'INTERNAL' });
  });
});
