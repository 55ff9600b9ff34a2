/** Executions that an engine from outside starts for its nodes. The test runs the turns of our own engine itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_NESTING } from '../../src/executions/domain/limits.ts';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { listDueExecutions } from '../../src/scheduler/store.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endExecution } from '../support/ended.ts';
import { answerOf, make, mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

const project = 'families';
const path = ['input', 'parentNodeExecution'];
let app: App;
/** Who launches parents, and the engine that reports for them. */
let owner: User;
let engine: User;
let projectId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  for (const name of ['above', 'below']) await registerWorkflow(app, project, name, { a: [] });
  owner = await newUser({ level: 'USE' });
  engine = await newUser({ level: 'EDIT' });
});
afterAll(() => app.stop());

const at = '2026-01-01T00:00:00Z';
const event = { nodeId: 'n', phase: 'RUNNING', occurredAt: at };

/** Reports a node of an execution. @returns its id. */
const nodeOf = (id: string, more: object = {}): Promise<string> =>
  make(app, 'createNodeEvent', { execution: { id }, ...event, ...more }, 'nodeExecution');

/** An execution of the owner that an engine from outside runs, with the open node `n`. */
async function parentWith(more: object = {}): Promise<{ id: string; node: string }> {
  const id = await make(
    app,
    'createExecution',
    { project, domain, launchPlan: { key: keyOf(project, 'above') }, engine: 'EXTERNAL', ...more },
    'execution',
    owner.authorization,
  );
  return { id, node: await nodeOf(id) };
}

const fields = `execution {
  id name engine mode nesting phase principal { username } executionClusterLabel { value }
  sourceExecution { id } referenceExecution { id } parentNodeExecution { id } }`;
const flat = (answer: Answer) => answer.execution ?? answer;
const startDocument = `mutation ($input: CreateExecutionInput!) {
  createExecution(input: $input) {
    ... on CreateExecutionPayload { ${fields} }
    ... on Error { code message path ... on FailedPreconditionError { current reason } }
  }
}`;

async function start(parent: object | null, more: object = {}, as = engine.authorization): Promise<Answer> {
  const input = { project, domain, launchPlan: { key: keyOf(project, 'below') }, ...more };
  const named = { ...input, parentNodeExecution: parent };
  return flat(answerOf(await app.ask(startDocument, { input: named }, as)));
}
const startId = async (node: string, more: object = {}): Promise<string> =>
  (await start({ id: node }, more)).id;
const count = () => db.execution.count();
const childOf = async (node: string) =>
  (
    await app.ask('query ($id: ID!) { nodeExecution(by: { id: $id }) { childExecution { id } } }', {
      id: node,
    })
  ).data.nodeExecution.childExecution;
const phaseOf = async (id: string) => (await db.execution.findUniqueOrThrow({ where: { id } })).phase;

async function turns(id: string): Promise<void> {
  for (let made = 0; await advanceExecution(id); made += 1) expect(made).toBeLessThan(20);
}

describe('createExecution with the node that starts it', () => {
  it('runs for the user of the parent, one level deeper, and with its cluster label', async () => {
    const parent = await parentWith({ name: 'parent', executionClusterLabel: { value: 'gpu' } });
    const key = { project, domain, execution: 'parent', nodeId: 'n' };
    const child = await start({ key }, { executionClusterLabel: { value: 'other' } });
    expect(child).toMatchObject({
      ...{ engine: 'EXTERNAL', mode: 'CHILD_WORKFLOW', nesting: 1, phase: 'QUEUED' },
      principal: { username: owner.username },
      executionClusterLabel: { value: 'gpu' },
      sourceExecution: { id: parent.id },
      referenceExecution: null,
      parentNodeExecution: { id: parent.node },
    });
    expect(await childOf(parent.node)).toEqual({ id: child.id });
    const inner = await start({ id: await nodeOf(child.id) });
    expect(inner).toMatchObject({
      ...{ nesting: 2, sourceExecution: { id: child.id }, executionClusterLabel: { value: 'gpu' } },
      principal: { username: owner.username },
    });
  });

  it('keeps the cluster label of the request if the parent has none, and starts single tasks too', async () => {
    const { id, node } = await parentWith();
    expect(await start({ id: node }, { executionClusterLabel: { value: 'own' } })).toMatchObject({
      executionClusterLabel: { value: 'own' },
    });
    const task = { launchPlan: null, task: { key: keyOf(project, 'double') }, inputs: { x: 1 } };
    const admin = await newUser({ role: 'ADMIN' });
    expect(await start({ id: node }, task, admin.authorization)).toMatchObject({
      ...{ mode: 'CHILD_WORKFLOW', nesting: 1, sourceExecution: { id } },
      principal: { username: owner.username },
    });
  });

  it('is MANUAL and run by Slipway without a parent', async () => {
    expect(await start(null)).toMatchObject({
      ...{ engine: 'SLIPWAY', mode: 'MANUAL', nesting: 0, sourceExecution: null, parentNodeExecution: null },
      principal: { username: engine.username },
    });
  });

  it('can be run by Slipway, whose turns leave the node of the other engine alone', async () => {
    const { id, node } = await parentWith({ maxParallelism: 1 });
    const kind = { kind: 'LAUNCH_PLAN' } as const;
    await db.nodeExecution.update({ where: { id: node }, data: kind });
    const child = await startId(node, { engine: 'SLIPWAY' });
    const row = await db.execution.findUniqueOrThrow({ where: { id: child } });
    expect(row).toMatchObject({ engine: 'SLIPWAY', budgetIds: [], budgetLimit: null, parentNodeId: node });
    await turns(child);
    expect(await db.nodeExecution.findFirst({ where: { executionId: child } })).toMatchObject({
      nodeId: 'a',
    });
    await endExecution(child, { phase: 'SUCCEEDED' });
    expect(await listDueExecutions()).not.toContain(id);
    expect(await advanceExecution(id)).toBe(false);
    expect(await db.nodeExecution.findUniqueOrThrow({ where: { id: node } })).toMatchObject({
      phase: 'RUNNING',
    });
    expect(await phaseOf(id)).toBe('QUEUED');
  });

  it('gives a name to one of eight callers', async () => {
    const { node } = await parentWith();
    const name = 'only-once';
    const answers = await Promise.all(Array.from({ length: 8 }, () => start({ id: node }, { name })));
    expect(answers.map((answer) => answer.code ?? answer.name).sort()).toEqual([
      ...Array.from({ length: 7 }, () => 'ALREADY_EXISTS'),
      name,
    ]);
    expect(await db.execution.count({ where: { parentNodeId: node } })).toBe(1);
  });

  it('can start several for a node, of which the node shows the newest or the one that its events name', async () => {
    const { id, node } = await parentWith();
    const [first, second] = [await startId(node), await startId(node)];
    expect(await childOf(node)).toEqual({ id: second });
    await nodeOf(id, { phase: 'DYNAMIC_RUNNING', childExecution: { id: first } });
    expect(await childOf(node)).toEqual({ id: first });
  });
});

describe('a parent that cannot start an execution', () => {
  const refused = async (node: string, expected: object) => {
    const before = await count();
    expect(await start({ id: node })).toMatchObject({ code: 'FAILED_PRECONDITION', path, ...expected });
    expect(await count()).toBe(before);
  };

  it('is a node of our own engine', async () => {
    const id = await launch(app, project, 'above');
    await turns(id);
    const node = await db.nodeExecution.findFirstOrThrow({ where: { executionId: id } });
    await refused(node.id, { message: expect.stringContaining('Slipway runs'), reason: null });
  });

  it('has ended, or its execution has', async () => {
    const ended = await parentWith();
    await mutate(app, 'createWorkflowEvent', {
      execution: { id: ended.id },
      phase: 'FAILED',
      occurredAt: at,
    });
    await refused(ended.node, { current: 'FAILED', reason: 'ALREADY_IN_TERMINAL_STATE' });
    const { id, node } = await parentWith();
    await nodeOf(id, { phase: 'SUCCEEDED' });
    await refused(node, { current: 'SUCCEEDED', message: 'the node n has already ended as SUCCEEDED' });
  });

  it.each([
    ['execution', (id: string) => ({ execution: { id }, phase: 'ABORTED', occurredAt: at })],
    ['node', (id: string) => ({ execution: { id }, ...event, phase: 'FAILED' })],
  ] as const)('has ended while the call waited: the %s', async (what, input) => {
    const { id, node } = await parentWith();
    const before = await count();
    const answer = await overtaken(
      () => start({ id: node }),
      (tx) => tx.$queryRaw`select id from executions where id = ${id}::uuid for update`,
      async (tx) => {
        const { phase } = input(id);
        const data = { phase, endedAt: new Date() };
        if (what === 'node') await tx.nodeExecution.update({ where: { id: node }, data: data as object });
        else await tx.execution.update({ where: { id }, data: data as object });
      },
    );
    expect(answer).toMatchObject({ code: 'FAILED_PRECONDITION', path, reason: 'ALREADY_IN_TERMINAL_STATE' });
    expect(await count()).toBe(before);
  });

  it('was deleted while the call waited', async () => {
    const { id, node } = await parentWith();
    const before = await count();
    const answer = await overtaken(
      () => start({ id: node }),
      (tx) => tx.$queryRaw`select id from executions where id = ${id}::uuid for update`,
      (tx) => tx.execution.delete({ where: { id } }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path });
    expect(await count()).toBe(before - 1);
  });

  it(`has ${MAX_NESTING} executions above its own`, async () => {
    const { id, node } = await parentWith();
    await db.execution.update({ where: { id }, data: { nesting: MAX_NESTING - 1 } });
    expect(await start({ id: node })).toMatchObject({ nesting: MAX_NESTING });
    await db.execution.update({ where: { id }, data: { nesting: MAX_NESTING } });
    await refused(node, { message: `executions must be nested at most ${MAX_NESTING} levels deep` });
  });
});

describe('the level on the execution of the node', () => {
  const userWith = async (level: Level, scopes?: readonly string[]) => {
    const workflow = await db.namedEntity.findFirstOrThrow({
      where: { name: 'above', type: 'WORKFLOW', projectId },
    });
    const grants = [
      { type: 'PROJECT', id: projectId, level: 'EDIT' },
      { type: 'WORKFLOW', id: workflow.id, level },
    ] as const;
    return (await newUser({ grants, ...(scopes && { scopes }) })).authorization;
  };

  it('is EDIT', async () => {
    const { node } = await parentWith();
    const before = await count();
    for (const level of ['READ', 'USE'] as const)
      expect(await start({ id: node }, {}, await userWith(level))).toMatchObject({
        refused: 'PERMISSION_DENIED',
      });
    const noReports = await userWith('EDIT', ['execution:create', 'execution:read', 'launchPlan:use']);
    expect(await start({ id: node }, {}, noReports)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await count()).toBe(before);
    expect(await start({ id: node }, {}, await userWith('EDIT'))).toMatchObject({ mode: 'CHILD_WORKFLOW' });
  });

  it('decides whether it exists at all', async () => {
    const { id, node } = await parentWith();
    const { name } = await db.execution.findUniqueOrThrow({ where: { id } });
    const stranger = await userWith('NO_PERMISSIONS');
    const absent = '01a202b2-5304-72e0-b221-04449f1f6bfe';
    const byId = await askAlike((one) => start({ id: one }, {}, stranger), [node, absent]);
    expect(byId).toMatchObject({ code: 'NOT_FOUND', path });
    const keyed = (execution: string) => ({ key: { project, domain, execution, nodeId: 'n' } });
    const byKey = await askAlike((one) => start(keyed(one), {}, stranger), [name, 'ghostly']);
    expect(byKey).toMatchObject({ code: 'NOT_FOUND', path });
    expect(await start({ id: 'no id' })).toMatchObject({ code: 'NOT_FOUND', path });
  });
});

describe('a child that is repeated', () => {
  const recover = async (id: string, more: object = {}) =>
    flat(await mutate(app, 'recoverExecution', { by: { id }, ...more }, fields, engine.authorization));
  const failedChild = async () => {
    const child = await startId((await parentWith()).node);
    await endExecution(child);
    return child;
  };

  it('has no parent if somebody relaunches or recovers it', async () => {
    const child = await failedChild();
    const alone = {
      ...{
        nesting: 0,
        parentNodeExecution: null,
        engine: 'EXTERNAL',
        principal: { username: engine.username },
      },
      ...{ sourceExecution: { id: child }, referenceExecution: { id: child } },
    };
    const again = await mutate(app, 'relaunchExecution', { by: { id: child } }, fields, engine.authorization);
    expect(again['execution']).toMatchObject({ mode: 'RELAUNCH', ...alone });
    expect(await recover(child)).toMatchObject({ mode: 'RECOVERED', ...alone });
  });

  it('is a child again if the engine recovers it for another node', async () => {
    const child = await failedChild();
    const parent = await parentWith({ executionClusterLabel: { value: 'gpu' } });
    expect(await recover(child, { parentNodeExecution: { id: parent.node } })).toMatchObject({
      ...{ mode: 'RECOVERED', nesting: 1, engine: 'EXTERNAL', principal: { username: owner.username } },
      ...{ sourceExecution: { id: parent.id }, referenceExecution: { id: child } },
      ...{ parentNodeExecution: { id: parent.node }, executionClusterLabel: { value: 'gpu' } },
    });
    await endExecution(parent.id);
    expect(await recover(child, { parentNodeExecution: { id: parent.node } })).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', path },
    });
  });
});

describe('an abort of the parent', () => {
  it('leaves the child to the engine, unless it is forced', async () => {
    const { id, node } = await parentWith();
    const children = [await startId(node), await startId(node, { engine: 'SLIPWAY' })] as const;
    const terminate = (force: boolean) =>
      mutate(app, 'terminateExecution', { by: { id }, cause: 'enough', force });
    await terminate(false);
    await turns(id);
    expect(await phaseOf(id)).toBe('ABORTING');
    for (const child of children) expect(await phaseOf(child)).toBe('QUEUED');
    await terminate(true);
    await turns(id);
    expect(await phaseOf(id)).toBe('ABORTED');
    for (const child of children) {
      await turns(child);
      expect(await db.execution.findUniqueOrThrow({ where: { id: child } })).toMatchObject({
        ...{ phase: 'ABORTED', abortCause: 'enough' },
      });
    }
  });
});
