/** How many executions of a project are in each phase, and the pages that a console shows first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'tallied';
const PROJECTS = 100;
const EXECUTIONS = 50;
let app: LocalApp;
let projectId: string;
let open: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  for (const flow of ['open', 'closed']) await registerWorkflow(app, project, flow, { a: [] });
  for (const [flow, phase, count] of [
    ['open', 'SUCCEEDED', 3],
    ['open', 'FAILED', 1],
    ['closed', 'FAILED', 2],
  ] as const)
    for (let at = 0; at < count; at += 1) {
      const id = await launch(app, project, flow);
      const endedAt = new Date();
      const data =
        at === 0 && flow === 'open' ? { phase, endedAt, domain: 'production' } : { phase, endedAt };
      await db.execution.update({ where: { id }, data });
    }
  const archived = await launch(app, project, 'open');
  await db.execution.update({ where: { id: archived }, data: { state: 'ARCHIVED' } });
  const single = await launch(app, project, 'open');
  await db.execution.update({ where: { id: single }, data: { launchEntity: 'TASK', phase: 'RUNNING' } });
  const names = await db.namedEntity.findMany({ where: { type: 'WORKFLOW', name: 'open' } });
  open = names[0]?.id ?? '';
});
afterAll(() => app.stop());

async function countsOf(filter = '', authorization = app.admin): Promise<Answer> {
  const { data, errors } = await app.ask(
    `{ project(by: { identifier: "${project}" }) { executionCounts${filter} { phase count } } }`,
    {},
    authorization,
  );
  expect(errors).toBeUndefined();
  const list = data.project.executionCounts;
  return list && Object.fromEntries(list.map(({ phase, count }: Answer) => [phase, count]));
}

describe('Project.executionCounts', () => {
  it('counts the executions that are not archived, by phase', async () => {
    expect(await countsOf()).toEqual({ RUNNING: 1, SUCCEEDED: 3, FAILED: 3 });
  });

  it.each([
    ['withArchived: true', { QUEUED: 1, RUNNING: 1, SUCCEEDED: 3, FAILED: 3 }],
    ['domain: "production"', { SUCCEEDED: 1, FAILED: 1 }],
    ['phases: [FAILED]', { FAILED: 3 }],
    ['launchEntity: TASK', { RUNNING: 1 }],
    ['launchEntity: LAUNCH_PLAN, phases: [RUNNING, SUCCEEDED]', { SUCCEEDED: 3 }],
    ['workflow: { key: $open }', { RUNNING: 1, SUCCEEDED: 3, FAILED: 1 }],
  ])('counts those with %s', async (filter, expected) => {
    const { project: home, domain, name, version } = keyOf(project, 'open');
    const key = `{ project: "${home}", domain: "${domain}", name: "${name}", version: "${version}" }`;
    expect(await countsOf(`(filter: { ${filter.replace('$open', key)} })`)).toEqual(expected);
  });

  it('counts only what the caller may read', async () => {
    const reader = await newCaller({
      role: 'USER',
      grants: [
        { type: 'PROJECT', id: projectId, level: 'READ' },
        { type: 'WORKFLOW', id: open, level: 'NO_PERMISSIONS' },
      ],
    });
    expect(await countsOf('', reader)).toEqual({ FAILED: 2 });
  });

  it('is null if the scopes of the caller do not let it read executions, with the list beside it', async () => {
    const reader = await newCaller({
      role: 'USER',
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
      scopes: ['project:read', 'execution:list'],
    });
    expect(await countsOf('', reader)).toBeNull();
    const { data } = await app.ask(
      `{ project(by: { identifier: "${project}" }) { executions { totalCount } } }`,
      {},
      reader,
    );
    expect(data.project.executions).toBeNull();
  });
});

describe('executions', () => {
  it('finds those that were asked to run a single task', async () => {
    const { data } = await app.ask(
      `{ executions(filter: { project: "${project}", launchEntity: TASK }) { totalCount nodes { phase } } }`,
    );
    expect(data.executions).toEqual({ totalCount: 1, nodes: [{ phase: 'RUNNING' }] });
  });
});

describe('the first page of a console', () => {
  let reader: string;
  beforeAll(async () => {
    const { tenantId } = await db.project.findUniqueOrThrow({ where: { id: projectId } });
    await db.project.createMany({
      data: Array.from({ length: PROJECTS - 1 }, (_, at) => ({
        tenantId,
        identifier: `p-${at}`,
        name: `p-${at}`,
      })),
    });
    const projects = await db.project.findMany({ select: { id: true } });
    const [{ id: _id, ...pattern }] = (await db.execution.findMany({
      where: { projectId, phase: 'SUCCEEDED' },
      take: 1,
    })) as [Answer];
    const { userInputs, inputs, outputs: _outputs, spec, ...columns } = pattern;
    const executions = Array.from({ length: EXECUTIONS }, (_, at) => ({
      ...{ ...columns, id: newId(), name: `made-${at}`, userInputs, inputs, spec },
      // Newer than all others, so that the first page has only these.
      createdAt: new Date('2100-01-01T00:00:00Z'),
      projectId: projects[at % projects.length]?.id ?? '',
    }));
    await db.execution.createMany({ data: executions });
    const nodes = executions.flatMap(({ id: executionId }) =>
      Array.from({ length: 12 }, (_, at) => ({
        ...{
          id: newId(),
          tenantId,
          executionId,
          nodeId: `n${at}`,
          specNodeId: `n${at}`,
          phase: 'RUNNING' as const,
        },
      })),
    );
    await db.nodeExecution.createMany({ data: nodes });
    const key = keyOf(project, 'double');
    await db.taskExecution.createMany({
      data: nodes.flatMap(({ id: nodeExecutionId, executionId }) =>
        [0, 1].map((retryAttempt) => ({
          ...{ id: newId(), tenantId, executionId, nodeExecutionId, retryAttempt },
          ...{
            taskProject: key.project,
            taskDomain: key.domain,
            taskName: key.name,
            taskVersion: key.version,
          },
        })),
      ),
    });
    reader = await newCaller({
      role: 'USER',
      grants: projects.map(({ id }) => ({ type: 'PROJECT' as const, id, level: 'READ' as const })),
    });
  });

  it.each(['administrator', 'reader'])(
    'has 50 executions, their first nodes and the latest attempt of each in 4 statements, for the %s',
    async (who) => {
      const document = `{ executions(first: ${EXECUTIONS}) { nodes { name phase
        nodeExecutions(first: 10) { nodes { nodeId phase taskExecutions(first: 1) { nodes { retryAttempt phase } } } } } } }`;
      const authorization = who === 'reader' ? reader : app.admin;
      await app.ask(document, {}, authorization);
      const { result, statements } = await countStatements(() => app.ask(document, {}, authorization));
      expect(result.errors).toBeUndefined();
      const { nodes } = result.data.executions;
      expect(nodes).toHaveLength(EXECUTIONS);
      for (const { nodeExecutions } of nodes) {
        expect(nodeExecutions.nodes).toHaveLength(10);
        for (const { taskExecutions } of nodeExecutions.nodes)
          expect(taskExecutions.nodes).toMatchObject([{ retryAttempt: 1 }]);
      }
      expect(statements.length).toBeLessThanOrEqual(4);
    },
  );

  it.each(['administrator', 'reader'])(
    'has 100 projects with counts by phase in 3 statements, for the %s',
    async (who) => {
      const document = `{ projects(first: ${PROJECTS}) { nodes { identifier executionCounts { phase count } } } }`;
      const authorization = who === 'reader' ? reader : app.admin;
      await app.ask(document, {}, authorization);
      const { result, statements } = await countStatements(() => app.ask(document, {}, authorization));
      expect(result.errors).toBeUndefined();
      const { nodes } = result.data.projects;
      expect(nodes).toHaveLength(PROJECTS);
      const counted = nodes.filter(({ executionCounts }: Answer) => executionCounts.length > 0);
      expect(counted.length).toBeGreaterThanOrEqual(EXECUTIONS);
      expect(statements.length).toBeLessThanOrEqual(3);
    },
  );
});
