/** What remains of a deleted user, and what does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordAccessChange } from '../../src/authorization/store/changes.ts';
import { removeUser } from '../../src/identity/store/public-users.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { answerOf, endOf, mutate } from '../support/mutate.ts';
import { createUser, deleteUser, password, updatePreferences } from '../support/people.ts';
import {
  createExecution,
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { grantTo, newCaller, tokenOf } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel, makeVersion } from '../tracking/model-seed.ts';

const project = 'archive';
let app: App;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'chain', { a: [] });
});
afterAll(() => app.stop());

let count = 0;
/** A user who manages the project, with the header of a token. */
async function manager(): Promise<{ id: string; username: string; authorization: string }> {
  const username = `worker-${++count}`;
  const { id } = (await createUser(app, { username, name: `Worker ${count}`, password })).user;
  await grantTo({ userId: id }, 'PROJECT', projectId, 'MANAGE');
  return { id, username, authorization: await tokenOf(app, basic(username, password)) };
}

describe('what a deleted user did', () => {
  const who = '{ id username name deletedAt }';
  const question = `query ($experiment: ID!, $run: ID!, $model: ID!, $version: ID!, $execution: ID!) {
    experiment(by: { id: $experiment }) { createdBy ${who} }
    run(by: { id: $run }) { createdBy ${who} }
    registeredModel(by: { id: $model }) { createdBy ${who} }
    modelVersion(by: { id: $version }) { createdBy ${who} }
    execution(by: { id: $execution }) { principal ${who} abort { principal ${who} } }
  }`;
  let worker: Awaited<ReturnType<typeof manager>>;
  let ids: Record<string, string>;
  const authors = async () => {
    const { data, errors } = await app.ask(question, ids);
    expect(errors).toBeUndefined();
    return [
      ...['experiment', 'run', 'registeredModel', 'modelVersion'].map((field) => data[field].createdBy),
      data.execution.principal,
      data.execution.abort.principal,
    ];
  };

  beforeAll(async () => {
    worker = await manager();
    const as = worker.authorization;
    const experiment = await makeExperiment(app, project, 'kept', as);
    const run = await makeRun(app, experiment, {}, as);
    const model = await makeModel(app, project, 'kept', as);
    const version = (await makeVersion(app, model, {}, as)).id;
    const launched = await createExecution(
      app,
      { project, domain, launchPlan: { key: keyOf(project, 'chain') } },
      as,
    );
    const execution = launched.execution.id;
    await mutate(app, 'terminateExecution', { by: { id: execution }, cause: 'enough' }, '', as);
    ids = { experiment, run, model, version, execution };
  });

  it('keeps the id and the names that the user had', async () => {
    const { id, username } = worker;
    const author = { id, username, name: `Worker ${username.split('-')[1]}`, deletedAt: null };
    expect(await authors()).toEqual(Array(6).fill(author));
    const before = await countStatements(authors);
    expect(await deleteUser(app, { by: { id } })).toMatchObject({ user: { id } });
    expect(await authors()).toEqual(Array(6).fill({ ...author, deletedAt: expect.any(String) }));
    const after = await countStatements(authors);
    expect(after.statements).toHaveLength(before.statements.length);
    const { data } = await app.ask(
      `{ auditEvents(filter: { actor: { id: "${id}" } }, first: 1) { edges { node { actor { id username } } } } }`,
    );
    expect(data.auditEvents.edges[0].node.actor).toEqual({ id, username });
  });

  it('is not attributed to a later user of the same name', async () => {
    const again = await createUser(app, { username: worker.username, name: 'Somebody else' });
    expect(again).toMatchObject({ user: { username: worker.username } });
    expect(again.user.id).not.toBe(worker.id);
    for (const author of await authors())
      expect(author).toMatchObject({ id: worker.id, username: worker.username });
  });

  it('keeps no e-mail address, secret or preference', async () => {
    const { id } = (
      await createUser(app, { username: 'forgotten', email: 'forgotten@example.com', password })
    ).user;
    await updatePreferences(app, { preferences: { color: 'a secret color' } }, basic('forgotten', password));
    await deleteUser(app, { by: { id } });
    expect(await db.formerUser.findUniqueOrThrow({ where: { id } })).toEqual({
      id,
      tenantId: expect.any(String),
      username: 'forgotten',
      name: 'forgotten',
      deletedAt: expect.any(Date),
    });
  });
});

describe('a deleted user', () => {
  it('is in no list, is not found, and cannot sign in', async () => {
    const { id, username, authorization } = await manager();
    await deleteUser(app, { by: { id } });
    const { data } = await app.ask(
      `{ users(first: 1000) { edges { node { id } } }
         everyone: group(by: { name: "everyone" }) { members(first: 1000) { edges { node { id } } } } }`,
    );
    const listed = [...data.users.edges, ...data.everyone.members.edges].map(({ node }: Answer) => node.id);
    expect(listed.length).toBeGreaterThan(0);
    expect(listed).not.toContain(id);
    for (const by of [{ id }, { username }])
      expect(
        answerOf(await app.ask('query ($by: UserByInput!) { user(by: $by) { id } }', { by })),
      ).toMatchObject({
        code: 'NOT_FOUND',
      });
    for (const header of [authorization, basic(username, password)])
      expect((await app.ask('{ viewer { id } }', {}, header)).status).toBe(401);
  });

  it('is named by validateToken for an old token', async () => {
    const { id, username, authorization } = await manager();
    await deleteUser(app, { by: { id } });
    const { data } = await app.ask(
      'query ($token: String!) { validateToken(token: $token) { valid message user { id username } } }',
      { token: authorization.replace('Bearer ', '') },
      await newCaller({ role: 'ROOT' }),
    );
    const message = 'the user is disabled or deleted';
    expect(data.validateToken).toEqual({ valid: false, message, user: { id, username } });
  });
});

describe('a call of a user who is being deleted', () => {
  const calls: Readonly<Record<string, () => readonly [string, object]>> = {
    createExperiment: () => ['createExperiment', { project, name: `of ${++count}` }],
    createRegisteredModel: () => ['createRegisteredModel', { project, name: `of-${++count}` }],
    createCredentials: () => ['createCredentials', { label: 'x' }],
    updatePreferences: () => ['updatePreferences', { preferences: { a: 1 } }],
    updateUserPassword: () => [
      'updateUserPassword',
      { password: 'another password', currentPassword: password },
    ],
  };

  it.each(Object.entries(calls))('is refused because the sign-in has ended: %s', async (_name, call) => {
    const { id, authorization } = await manager();
    const [field, input] = call();
    const answer = await overtaken(
      () => mutate(app, field, input, '', authorization),
      (tx) => tx.$executeRaw`select id from users where id = ${id}::uuid for update`,
      async (tx) => {
        const user = await tx.user.findUniqueOrThrow({ where: { id } });
        await removeUser(tx, user);
        await recordAccessChange(tx, { tenantId: user.tenantId, userId: id, kind: 'PRINCIPAL' });
      },
    );
    expect([field, endOf(answer)]).toEqual([field, 'UNAUTHENTICATED']);
  });

  it('succeeds or is refused, and never fails', async () => {
    const ends = new Set<string>();
    for (let round = 0; round < 5; round += 1) {
      const { id, authorization } = await manager();
      const asks = Object.values(calls).flatMap((call) => [call, call]);
      const [, ...answers] = await Promise.all([
        deleteUser(app, { by: { id } }),
        ...asks.map((call) => mutate(app, ...call(), '', authorization)),
        app
          .ask('{ viewer { id } }', {}, authorization)
          .then(({ data, errors }) => (data?.viewer ? {} : { refused: errors?.[0]?.extensions.code })),
      ]);
      for (const answer of answers) ends.add(endOf(answer));
    }
    // The grants are deleted with the user, so a call in between may find nothing that the user could see.
    // Of two changes of the password, the later one may find that it has changed in the meantime.
    const expected = ['OK', 'UNAUTHENTICATED', 'NOT_FOUND', 'FAILED_PRECONDITION'];
    expect([...ends].filter((end) => !expected.includes(end))).toEqual([]);
  });

  it('answers no viewer, and says why', async () => {
    const { id, authorization } = await manager();
    await app.ask('{ viewer { id } }', {}, authorization);
    // As if it happened between the check of the sign-in and the read of the row.
    await db.user.delete({ where: { id } });
    const { data, errors } = await app.ask('{ viewer { id } }', {}, authorization);
    expect(data?.viewer ?? null).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });
});
