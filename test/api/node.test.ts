import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel, makeVersion } from '../tracking/model-seed.ts';

/** That both show each object to exactly the callers who may look it up stands in test/architecture/edges.test.ts. */

let app: App;
let project: string;
let reader: string;
let stranger: string;
const tasks: string[] = [];

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  project = await registerProject(app, 'home');
  for (let at = 0; at < 50; at += 1) await registerTask(app, 'home', `task-${at}`);
  tasks.push(...(await db.task.findMany({ select: { id: true } })).map(({ id }) => id));
  reader = await newCaller({ role: 'USER', grants: [{ type: 'PROJECT', id: project, level: 'READ' }] });
  stranger = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
});
afterAll(() => app.stop());

const single = 'query ($id: ID!) { node(id: $id) { __typename id ... on Task { name } } }';
const several = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Task { name version } } }';

const readBy = async (authorization: string, document: string, variables: object) => {
  // What is remembered between requests is there.
  await app.ask(document, variables, authorization);
  return await statementsOf(() => app.ask(document, variables, authorization));
};

describe('node', () => {
  it('reads again what a refetchable fragment was about, as Relay asks for it', async () => {
    const document = `query TaskRefetchQuery($id: ID!) { node(id: $id) { __typename ...TaskFragment id } }
      fragment TaskFragment on Task { name version project { identifier } }`;
    const { task } = (
      await app.ask('query ($key: EntityKeyInput!) { task(by: { key: $key }) { id } }', {
        key: keyOf('home', 'task-7'),
      })
    ).data;
    const { data, errors } = await app.ask(document, { id: task.id }, reader);
    expect(errors).toBeUndefined();
    expect(data.node).toEqual({
      __typename: 'Task',
      id: task.id,
      name: 'task-7',
      version: 'v1',
      project: { identifier: 'home' },
    });
  });

  it.each([
    ['hidden', () => tasks[0] ?? ''],
    ['absent', () => newId()],
    ['no id at all', () => 'task-0'],
  ])('of what is %s is NOT_FOUND, after the same statement', async (_what, idOf) => {
    const id = idOf();
    const { result, statements } = await readBy(stranger, single, { id });
    expect(result.data).toEqual({ node: null });
    expect(result.errors).toMatchObject([
      { message: `object ${id} not found`, extensions: { code: 'NOT_FOUND' } },
    ]);
    expect(statements).toHaveLength(1);
    const other = await readBy(stranger, single, { id: newId() });
    expect(statements).toEqual(other.statements);
  });

  it('of a user is NOT_FOUND for callers who may not list users, as for nobody', async () => {
    const { id: userId } = await newUser({ role: 'USER' });
    const hidden = await readBy(stranger, single, { id: userId });
    const absent = await readBy(stranger, single, { id: newId() });
    expect(hidden.result.errors?.[0]?.extensions).toEqual(absent.result.errors?.[0]?.extensions);
    expect(hidden.statements).toEqual(absent.statements);
    await flushDenials();
    expect(await db.auditEvent.findFirst({ where: { targetId: userId } })).toMatchObject({
      ...{ action: 'user:list', outcome: 'DENIED', targetType: 'user' },
    });
  });

  it('of a user or tenant elsewhere is found by those who reach all tenants, and costs others what nothing costs', async () => {
    const tenantId = await newTenant('elsewhere');
    const far = await newUser({ tenantId });
    const find = async (id: string, authorization: string) =>
      (await app.ask(single, { id }, authorization)).data.node?.id ?? null;
    for (const role of ['ROOT', 'SYSTEM'] as const) {
      const authorization = await newCaller({ role });
      expect(await find(far.id, authorization)).toBe(far.id);
      expect(await find(tenantId, authorization)).toBe(tenantId);
    }
    const { tenantId: home } = await newUser();
    const outsiders = [
      [await newCaller({ role: 'ADMIN' }), [far.id, tenantId]],
      [await newCaller({ role: 'SYSTEM', tenantId }), [(await newUser()).id, home]],
    ] as const;
    for (const [authorization, ids] of outsiders)
      for (const id of ids) {
        const { result, statements } = await readBy(authorization, single, { id });
        expect(result.data).toEqual({ node: null });
        expect(statements).toEqual((await readBy(authorization, single, { id: newId() })).statements);
      }
  });

  it('records what it hides in the audit log, as the own lookup of the type does', async () => {
    const { id: userId, authorization } = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    const [first = '', second = ''] = tasks;
    await app.ask(single, { id: first }, authorization);
    await app.ask(several, { ids: [second, newId()] }, authorization);
    const events = await eventually(
      () => db.auditEvent.findMany({ where: { actorId: userId }, orderBy: { id: 'asc' } }),
      (all) => all.length >= 2,
    );
    expect(
      events.map(({ action, code, targetType, targetId }) => [action, code, targetType, targetId]),
    ).toEqual([
      ['task:read', 'NOT_FOUND', 'task', first],
      ['task:read', 'NOT_FOUND', 'task', second],
    ]);
  });
});

describe('node, of a hidden object of each type', () => {
  it('names the permission to read it in the audit log', async () => {
    await registerWorkflow(app, 'home', 'chain', { a: [] }, { task: 'task-0' });
    const experiment = await makeExperiment(app, 'home', 'trial');
    const model = await makeModel(app, 'home', 'finch');
    const only = { where: { name: 'chain' } };
    const hidden = [
      ['task:read', 'task', tasks[0] ?? ''],
      ['workflow:read', 'workflow', (await db.workflow.findFirstOrThrow(only)).id],
      ['launchPlan:read', 'launch plan', (await db.launchPlan.findFirstOrThrow(only)).id],
      ['experiment:read', 'experiment', experiment],
      ['run:read', 'run', await makeRun(app, experiment)],
      ['model:read', 'registered model', model],
      ['model:read', 'model version', (await makeVersion(app, model)).id],
    ];
    const { id: actorId, authorization } = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    for (const [, , id] of hidden) await app.ask(single, { id }, authorization);
    const events = await eventually(
      () => db.auditEvent.findMany({ where: { actorId }, orderBy: { id: 'asc' } }),
      (all) => all.length >= hidden.length,
    );
    expect(events.map(({ action, targetType, targetId }) => [action, targetType, targetId])).toEqual(hidden);
  });
});

describe('nodes', () => {
  it('answers in the order of the ids, with null for what is absent or hidden', async () => {
    await mutate(app, 'createQueue', { name: 'fast' });
    const queue = await db.queue.findFirstOrThrow({ where: { name: 'fast' } });
    const [first = '', second = ''] = tasks;
    const ids = [second, queue.id, newId(), project, first, second, 'nothing'];
    const { data, errors } = await app.ask(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids },
      reader,
    );
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual([
      { id: second },
      null,
      null,
      { id: project },
      { id: first },
      { id: second },
      null,
    ]);
  });

  it.each([
    ['a reader', () => reader, 50],
    ['a stranger', () => stranger, 0],
    ['an administrator', () => app.admin, 50],
  ])('sends as many statements for 1 id as for 50, for %s', async (_who, whoOf, shown) => {
    const one = await readBy(whoOf(), several, { ids: tasks.slice(0, 1) });
    const many = await readBy(whoOf(), several, { ids: tasks });
    expect(many.result.data.nodes.filter((node: object | null) => node !== null)).toHaveLength(shown);
    expect(many.statements).toHaveLength(one.statements.length);
    expect(many.statements.length).toBeLessThanOrEqual(3);
  });

  it('sends as many statements for 1 group as for 5', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const { group } = await mutate(app, 'createGroup', { name: `team ${at}` }, 'group { id }');
      ids.push(group.id);
    }
    const one = await readBy(app.admin, several, { ids: ids.slice(0, 1) });
    const many = await readBy(app.admin, several, { ids });
    expect(many.result.data.nodes).toEqual(ids.map((id) => ({ id })));
    expect(many.statements).toHaveLength(one.statements.length);
  });

  it('refuses more than 100 ids', async () => {
    const ids = Array.from({ length: 101 }, () => newId());
    const { errors } = await app.ask(several, { ids });
    expect(errors).toMatchObject([
      { message: 'must have at most 100 ids', extensions: { code: 'INVALID_ARGUMENT', path: ['ids'] } },
    ]);
    expect((await app.ask(several, { ids: ids.slice(1) })).errors).toBeUndefined();
  });
});
