import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsInRounds } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

/**
 * Lists inside an object. That each shows exactly what a caller may look up stands in test/architecture/edges.test.ts,
 * and how many statements each costs in list-statements.test.ts.
 */

const MANY = 50;
let app: App;
let home: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  home = await registerProject(app, 'a-home');
  await registerTask(app, 'a-home', 'double');
  for (const name of ['one', 'two']) await registerWorkflow(app, 'a-home', name, { a: [] });
  for (const name of ['first', 'second', 'third']) await launch(app, 'a-home', 'one', { name });
  await launch(app, 'a-home', 'two', { name: 'other' });
  for (const name of ['here', 'hereafter']) {
    await mutate(app, 'createExperiment', { project: 'a-home', name });
    await mutate(app, 'createRegisteredModel', { project: 'a-home', name });
  }
  const { tenantId } = await db.project.findUniqueOrThrow({ where: { id: home } });
  for (const stage of ['a', 'b'])
    await db.queue.create({ data: { tenantId, projectId: home, name: `a-home/${stage}` } });
  for (let at = 0; at < MANY; at += 1) {
    const identifier = `b-${at}`;
    const projectId = await registerProject(app, identifier);
    await registerTask(app, identifier, 'double');
    await mutate(app, 'createExperiment', { project: identifier, name: 'e' });
    await mutate(app, 'createRegisteredModel', { project: identifier, name: 'm' });
    await db.queue.create({ data: { tenantId, projectId, name: `${identifier}/a` } });
  }
});
afterAll(() => app.stop());

const inHome = async (selected: string, authorization?: string): Promise<Answer> => {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { project(by: { id: $id }) { ${selected} } }`,
    { id: home },
    authorization,
  );
  expect(errors).toBeUndefined();
  return data.project;
};
const names = ({ nodes }: Answer) => nodes.map(({ name }: Answer) => name);

describe('a list inside an object', () => {
  it('has pages in both directions, and counts all of its objects', async () => {
    const page = 'totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { name }';
    const { executions } = await inHome(`executions(first: 3) { ${page} }`);
    expect(names(executions)).toEqual(['other', 'third', 'second']);
    expect(executions).toMatchObject({
      totalCount: 4,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const after = `after: "${executions.pageInfo.endCursor}"`;
    expect(names((await inHome(`executions(${after}) { ${page} }`)).executions)).toEqual(['first']);
    const { executions: last } = await inHome(`executions(last: 1) { ${page} }`);
    expect(names(last)).toEqual(['first']);
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it('takes the filters and the order of the list of the tenant', async () => {
    const project = await inHome(`
      oldest: executions(orderBy: OLDEST, first: 1) { nodes { name } }
      failed: executions(filter: { phases: [FAILED] }) { totalCount nodes { name } }
      elsewhere: executions(filter: { project: "b-1" }) { totalCount }
      ofTwo: executions(filter: { launchPlan: { key: { project: "a-home", domain: "${domain}", name: "two", version: "v1" } } }) { nodes { name } }
      experiments(filter: { namePrefix: "herea" }) { totalCount nodes { name } }
      registeredModels(filter: { stage: DELETED }) { totalCount }
      workflows(filter: { name: "two" }) { nodes { name projectIdentifier } }
      staging: launchPlans(filter: { domain: "staging" }) { totalCount }
      launchPlans { totalCount }
      queues(first: 1) { totalCount nodes { name projectIdentifier project { id } } }`);
    expect(project).toEqual({
      oldest: { nodes: [{ name: 'first' }] },
      failed: { totalCount: 0, nodes: [] },
      elsewhere: { totalCount: 0 },
      ofTwo: { nodes: [{ name: 'other' }] },
      experiments: { totalCount: 1, nodes: [{ name: 'hereafter' }] },
      registeredModels: { totalCount: 0 },
      workflows: { nodes: [{ name: 'two', projectIdentifier: 'a-home' }] },
      staging: { totalCount: 0 },
      launchPlans: { totalCount: 2 },
      queues: {
        totalCount: 2,
        nodes: [{ name: 'a-home/a', projectIdentifier: 'a-home', project: { id: home } }],
      },
    });
  });

  it('leads from a workflow to its launch plans and their executions', async () => {
    const { data } = await app.ask(
      `query ($by: WorkflowByInput!) { workflow(by: $by) {
         executions { totalCount }
         launchPlans { totalCount nodes { name executions(first: 1) { totalCount nodes { name } } } } } }`,
      { by: { key: keyOf('a-home', 'one') } },
    );
    expect(data.workflow).toEqual({
      executions: { totalCount: 3 },
      launchPlans: {
        totalCount: 1,
        nodes: [{ name: 'one', executions: { totalCount: 3, nodes: [{ name: 'third' }] } }],
      },
    });
  });

  it('leaves out, and does not count, what a caller may not read', async () => {
    const [one] = await db.namedEntity.findMany({ where: { name: 'one' } });
    const reader = await newCaller({
      role: 'USER',
      level: 'READ',
      grants: [{ type: 'WORKFLOW', id: one?.id ?? '', level: 'NO_PERMISSIONS' }],
    });
    const list = '{ totalCount nodes { name } }';
    expect(await inHome(`executions ${list} workflows ${list} launchPlans ${list}`, reader)).toEqual({
      executions: { totalCount: 1, nodes: [{ name: 'other' }] },
      workflows: { totalCount: 1, nodes: [{ name: 'two' }] },
      launchPlans: { totalCount: 1, nodes: [{ name: 'two' }] },
    });
  });

  it('is null where the scopes of the sign-in leave its objects out', async () => {
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['project:read', 'task:read'] });
    const one = '(first: 1) { totalCount }';
    const selected = ['executions', 'workflows', 'launchPlans', 'queues', 'experiments', 'registeredModels'];
    const project = await inHome(`tasks ${one} ${selected.map((field) => field + one).join(' ')}`, narrow);
    expect(project).toEqual({
      tasks: { totalCount: 1 },
      ...Object.fromEntries(selected.map((field) => [field, null])),
    });
  });

  it('shows what the same operation has made before', async () => {
    const create = (
      name: string,
    ) => `${name}: createExperiment(input: { project: "a-home", name: "${name}" }) {
      ... on CreateExperimentPayload {
        experiment { project { experiments(first: 1) { totalCount nodes { name } } } } } }`;
    const { data } = await app.ask(`mutation { ${create('next')} ${create('last')} }`);
    const shown = ({ experiment }: Answer) => experiment.project.experiments;
    expect(shown(data.last)).toEqual({
      totalCount: shown(data.next).totalCount + 1,
      nodes: [{ name: 'last' }],
    });
  });

  it.each([
    ['an administrator', () => app.admin],
    ['a reader', () => newCaller({ role: 'USER', level: 'READ' })],
  ])(`costs the statements of 1 parent for ${MANY}, with its length, for %s`, async (_who, whoOf) => {
    const authorization = await whoOf();
    const fields = ['executions', 'tasks', 'workflows', 'launchPlans', 'queues', 'experiments'];
    const selected = [...fields, 'registeredModels'].map(
      (field) => `${field}(first: 2) { totalCount nodes { id } }`,
    );
    const document = `query ($first: Int!) { projects(first: $first) { nodes { ${selected.join(' ')} } } }`;
    const ask = async (first: number) => {
      await app.ask(document, { first }, authorization);
      return await statementsInRounds(() => app.ask(document, { first }, authorization));
    };
    const [one, many] = [await ask(1), await ask(MANY)];
    expect(many.result.errors).toBeUndefined();
    expect(many.result.data.projects.nodes).toHaveLength(MANY);
    for (const { tasks } of many.result.data.projects.nodes)
      expect(tasks).toMatchObject({ totalCount: 1, nodes: [{ id: expect.any(String) }] });
    expect(many.statements.toSorted()).toEqual(one.statements.toSorted());
  });
});

describe('what an object is part of', () => {
  it('is not found for a job whose client id only looks like that of an attempt', async () => {
    const execution = await db.execution.findFirstOrThrow({ where: { name: 'first' } });
    const { tenantId, principalId: ownerId } = execution;
    const node = await db.nodeExecution.create({
      data: { tenantId, executionId: execution.id, nodeId: 'a', specNodeId: 'a', phase: 'QUEUED' },
    });
    const { id: taskId } = await db.task.findFirstOrThrow({ where: { projectId: home } });
    await db.taskExecution.create({
      data: {
        ...{ tenantId, executionId: execution.id, nodeExecutionId: node.id, taskId },
        ...{ taskProject: 'home', taskDomain: 'development', taskName: 'tick', taskVersion: 'v1' },
        ...{ retryAttempt: 0, phase: 'QUEUED' },
      },
    });
    const jobIn = async (name: string, setOwner: string | null) => {
      const queue = await db.queue.create({ data: { tenantId, name } });
      const set = await db.jobSet.create({
        data: { tenantId, queueId: queue.id, name, ownerId: setOwner, projectId: home },
      });
      const job = await db.job.create({
        data: {
          ...{ tenantId, queueId: queue.id, jobSetId: set.id, ownerId, spec: {}, id: newId() },
          clientId: `${node.id}/0`,
        },
      });
      const { data } = await app.ask(
        'query ($id: ID!) { job(by: { id: $id }) { taskExecution { retryAttempt nodeExecution { nodeId execution { name } } } } }',
        { id: job.id },
      );
      return data.job.taskExecution;
    };
    expect(await jobIn('forged', null)).toBeNull();
    expect(await jobIn('true', execution.id)).toEqual({
      retryAttempt: 0,
      nodeExecution: { nodeId: 'a', execution: { name: 'first' } },
    });
    const other = await db.execution.findFirstOrThrow({ where: { name: 'second' } });
    expect(await jobIn('of another', other.id)).toBeNull();
  });
});
