/** What grants open and close, as the users with the grants see it, through every field that leads to the object. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  domain,
  eventually,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { type NewGrant, newCaller } from '../support/users.ts';

const project = 'walled';
let app: LocalApp;
let ids: { project: string; open: string; secret: string; queue: string };
let executions: { open: string; secret: string };
let jobs: { open: string; secret: string };

/** The id that a statement finds, now or soon. */
async function idOf(text: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await eventually(
    () => pool.query(text, [...values]),
    (answer) => answer.rows.length > 0,
  );
  return rows[0].id;
}

beforeAll(async () => {
  app = await startApp();
  const projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'open', { a: [] });
  await registerWorkflow(app, project, 'secret', { a: [] });
  executions = {
    open: await launch(app, project, 'open', { name: 'open-run' }),
    secret: await launch(app, project, 'secret', { name: 'secret-run' }),
  };
  const hands = new Hands(app, 'enforcer');
  await hands.leaseNode('a');
  const entity = (name: string) => idOf('select id from named_entities where name = $1', [name]);
  const job = (execution: string) =>
    idOf(
      'select job.id from jobs as job join job_sets as set on set.id = job.job_set_id where set.owner_id = $1',
      [execution],
    );
  ids = {
    project: projectId,
    open: await entity('open'),
    secret: await entity('secret'),
    queue: await idOf('select id from queues where name = $1', [`${project}/${domain}`]),
  };
  jobs = { open: await job(executions.open), secret: await job(executions.secret) };
  await app.stopScheduler();
}, 30_000);
afterAll(() => app.stop());

const grantee = (...grants: NewGrant[]) => newCaller({ role: 'USER', grants });

/** Each root field in a separate request, because a list that is refused makes the whole answer empty. */
const questions: Readonly<Record<string, readonly [string, string, () => object]>> = {
  projects: ['', '{ projects { edges { node { identifier } } } }', () => ({})],
  project: [
    '$by: ProjectByInput!',
    '{ project(by: $by) { identifier } }',
    () => ({ by: { identifier: project } }),
  ],
  executions: [
    '$filter: ExecutionFilterInput!',
    `{ executions(filter: $filter) {
         totalCount edges { node { name projectIdentifier project { id } workflow { name } } } } }`,
    () => ({ filter: { project, domain } }),
  ],
  workflows: [
    '$filter: WorkflowFilterInput!',
    '{ workflows(filter: $filter) { edges { node { name } } } }',
    () => ({ filter: { project, domain } }),
  ],
  launchPlans: [
    '$filter: LaunchPlanFilterInput!',
    '{ launchPlans(filter: $filter) { edges { node { name workflow { name } } } } }',
    () => ({ filter: { project, domain } }),
  ],
  tasks: [
    '$filter: TaskFilterInput!',
    '{ tasks(filter: $filter) { edges { node { name } } } }',
    () => ({ filter: { project, domain } }),
  ],
  task: [
    '$by: TaskByInput!',
    '{ task(by: $by) { name } }',
    () => ({ by: { key: keyOf(project, 'double') } }),
  ],
  open: [
    '$by: ExecutionByInput!',
    '{ execution(by: $by) { name } }',
    () => ({ by: { id: executions.open } }),
  ],
  secret: [
    '$by: ExecutionByInput!',
    '{ execution(by: $by) { name } }',
    () => ({ by: { key: { project, domain, name: 'secret-run' } } }),
  ],
  openNodes: [
    '$by: ExecutionByInput!',
    '{ nodeExecutions(by: $by) { edges { node { nodeId } } } }',
    () => ({ by: { id: executions.open } }),
  ],
  secretNodes: [
    '$by: ExecutionByInput!',
    '{ nodeExecutions(by: $by) { edges { node { nodeId } } } }',
    () => ({ by: { id: executions.secret } }),
  ],
  openPlan: [
    '$by: LaunchPlanByInput!',
    '{ launchPlan(by: $by) { name } }',
    () => ({ by: { key: keyOf(project, 'open') } }),
  ],
  secretPlan: [
    '$by: LaunchPlanByInput!',
    '{ launchPlan(by: $by) { name } }',
    () => ({ by: { key: keyOf(project, 'secret') } }),
  ],
  openJob: ['$id: ID!', '{ job(by: { id: $id }) { id } }', () => ({ id: jobs.open })],
  secretJob: ['$id: ID!', '{ job(by: { id: $id }) { id } }', () => ({ id: jobs.secret })],
};

/** The answer to each question; null if it is NOT_FOUND. */
async function look(authorization: string) {
  const data: Record<string, Answer> = {};
  for (const [name, [declared, body, variables]] of Object.entries(questions)) {
    const question = `query ${declared ? `(${declared})` : ''} ${body}`;
    const answer = await app.ask(question, variables(), authorization);
    expect((answer.errors ?? []).filter((error) => error.extensions.code !== 'NOT_FOUND')).toEqual([]);
    data[name] = answer.data && Object.values(answer.data as object)[0];
  }
  const names = (connection: Answer | null) =>
    connection?.edges.map(({ node }: Answer) => node.name ?? node.identifier).sort() ?? null;
  return {
    projects: names(data['projects']),
    project: data['project']?.identifier ?? null,
    executions: names(data['executions']),
    count: data['executions']?.totalCount ?? null,
    inside:
      data['executions']?.edges.map(({ node }: Answer) => [node.projectIdentifier, node.project]) ?? null,
    workflows: names(data['workflows']),
    launchPlans: names(data['launchPlans']),
    tasks: names(data['tasks']),
    task: data['task']?.name ?? null,
    single: [data['open'], data['secret'], data['openPlan'], data['secretPlan']].map(
      (one) => one?.name ?? null,
    ),
    nodes: [data['openNodes'], data['secretNodes']].map((one) => one?.edges.length ?? null),
    jobs: [data['openJob'], data['secretJob']].map((one) => one?.id ?? null),
  };
}

describe('READ on a project', () => {
  it('shows the project and everything in it', async () => {
    expect(await look(await grantee({ type: 'PROJECT', id: ids.project, level: 'READ' }))).toEqual({
      projects: [project],
      project,
      executions: ['open-run', 'secret-run'],
      count: 2,
      inside: [1, 2].map(() => [project, { id: ids.project }]),
      workflows: ['open', 'secret'],
      launchPlans: ['open', 'secret'],
      tasks: ['double'],
      task: 'double',
      single: ['open-run', 'secret-run', 'open', 'secret'],
      nodes: [1, 1],
      jobs: [jobs.open, jobs.secret],
    });
  });

  it('does not show a workflow that is closed to the user, nor its launch plans and executions', async () => {
    const authorization = await grantee(
      { type: 'PROJECT', id: ids.project, level: 'MANAGE' },
      { type: 'WORKFLOW', id: ids.secret, level: 'NO_PERMISSIONS' },
    );
    expect(await look(authorization)).toMatchObject({
      projects: [project],
      executions: ['open-run'],
      count: 1,
      workflows: ['open'],
      launchPlans: ['open'],
      tasks: ['double'],
      single: ['open-run', null, 'open', null],
      nodes: [1, null],
      jobs: [jobs.open, null],
    });
  });
});

describe('READ on a workflow in a closed project', () => {
  it('shows the workflow with its launch plans and executions, and only the name of the project', async () => {
    expect(await look(await grantee({ type: 'WORKFLOW', id: ids.open, level: 'READ' }))).toEqual({
      projects: [],
      project: null,
      executions: ['open-run'],
      count: 1,
      inside: [[project, null]],
      workflows: ['open'],
      launchPlans: ['open'],
      tasks: null,
      task: null,
      single: ['open-run', null, 'open', null],
      nodes: [1, null],
      jobs: [jobs.open, null],
    });
  });
});

describe('READ on all workflows', () => {
  it('shows their launch plans and executions, and no project', async () => {
    const seen = await look(await grantee({ type: 'WORKFLOW', level: 'READ' }));
    expect(seen).toMatchObject({
      projects: [],
      project: null,
      count: 2,
      workflows: ['open', 'secret'],
      task: null,
    });
  });
});

describe('a level on the tenant', () => {
  it('is asked last', async () => {
    const all = await look(await grantee({ type: 'TENANT', level: 'READ' }));
    expect(all).toMatchObject({
      projects: [project],
      count: 2,
      tasks: ['double'],
      jobs: [jobs.open, jobs.secret],
    });
    const but = await look(
      await grantee({ type: 'TENANT', level: 'MANAGE' }, { type: 'PROJECT', level: 'NO_PERMISSIONS' }),
    );
    expect(but).toMatchObject({
      projects: [],
      project: null,
      executions: null,
      task: null,
      jobs: [null, null],
    });
  });
});

describe('READ on a queue', () => {
  it('shows its jobs, and nothing of the project', async () => {
    const seen = await look(await grantee({ type: 'QUEUE', id: ids.queue, level: 'READ' }));
    expect(seen).toMatchObject({ projects: [], executions: null, jobs: [jobs.open, jobs.secret] });
    expect(seen.single).toEqual([null, null, null, null]);
  });

  it('does not show jobs of a workflow that is closed to the user', async () => {
    const authorization = await grantee(
      { type: 'QUEUE', id: ids.queue, level: 'READ' },
      { type: 'WORKFLOW', id: ids.secret, level: 'NO_PERMISSIONS' },
    );
    expect((await look(authorization)).jobs).toEqual([jobs.open, null]);
  });
});

describe('createExecution', () => {
  const start = async (authorization: string, workflow: string) => {
    const { data, errors } = await app.ask(
      `mutation ($input: CreateExecutionInput!) { createExecution(input: $input) {
         ... on CreateExecutionPayload { execution { projectIdentifier } } ... on Error { code } } }`,
      { input: { project, domain, launchPlan: { key: keyOf(project, workflow) }, inputs: { x: '1' } } },
      authorization,
    );
    return (
      errors?.[0]?.extensions.code ??
      data.createExecution.code ??
      data.createExecution.execution.projectIdentifier
    );
  };

  it('requires USE on the workflow, also in a closed project', async () => {
    const authorization = await grantee({ type: 'WORKFLOW', id: ids.open, level: 'USE' });
    expect(await start(authorization, 'open')).toBe(project);
    expect(await start(authorization, 'secret')).toBe('NOT_FOUND');
  });

  it('is refused with READ on the workflow, although the user has USE on the project', async () => {
    const authorization = await grantee(
      { type: 'PROJECT', id: ids.project, level: 'MANAGE' },
      { type: 'WORKFLOW', id: ids.open, level: 'READ' },
    );
    expect(await start(authorization, 'open')).toBe('PERMISSION_DENIED');
    expect(await start(authorization, 'secret')).toBe(project);
  });
});

describe('the creator of an object', () => {
  it('has MANAGE on it from the first moment', async () => {
    const superuser = await newCaller({ role: 'SUPERUSER' });
    const { data } = await app.ask(
      `mutation { registerProject(input: { identifier: "own", name: "own" }) {
         ... on RegisterProjectPayload { project { identifier } } } }`,
      {},
      superuser,
    );
    expect(data.registerProject.project).toEqual({ identifier: 'own' });
    const list = await app.ask('{ projects { edges { node { identifier } } } }', {}, superuser);
    expect(list.data.projects.edges).toEqual([{ node: { identifier: 'own' } }]);
  });
});
