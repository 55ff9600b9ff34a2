import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ExecutionListFilter, listExecutions } from '../../src/executions/store/lists.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import {
  createExecution,
  domain,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { newCaller, newUser, type User } from '../support/users.ts';

const project = 'listed';
let app: App;
/** The ids of the executions by name. */
let ids: Record<string, string>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  ids = {};
  for (const name of ['queued', 'running', 'failed', 'archived'])
    ids[name] = await launch(app, project, 'one', { name });
  const change = (name: string, data: object) => db.execution.update({ where: { id: ids[name] }, data });
  await change('running', { phase: 'RUNNING' });
  const { id: executionId, tenantId } = await change('failed', { phase: 'FAILED', ...failure });
  await change('archived', { state: 'ARCHIVED' });
  await db.nodeExecution.create({
    data: { tenantId, executionId, nodeId: 'a', specNodeId: 'a', phase: 'FAILED', ...failure },
  });
});
afterAll(() => app.stop());

/** 99 bytes, and then a character of two bytes. */
const message = `${'m'.repeat(99)}é and the rest of it`;
const failure = {
  errorCode: 'NonZeroExit',
  errorKind: 'USER',
  errorMessage: message,
  endedAt: new Date(),
} as const;

async function list(filter: object = {}): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($filter: ExecutionFilterInput!) {
       executions(filter: $filter) { totalCount edges { node { name phase error { message } } } }
     }`,
    { filter: { project, domain, ...filter } },
  );
  expect(errors).toBeUndefined();
  return data.executions;
}
const namesIn = ({ edges }: Answer) => edges.map((edge: Answer) => edge.node.name);

describe('executions', () => {
  it('are listed newest first, without the archived ones', async () => {
    const answer = await list();
    expect(namesIn(answer)).toEqual(['failed', 'running', 'queued']);
    expect(answer.totalCount).toBe(3);
  });

  it('include the archived ones when the filter asks for them', async () => {
    const answer = await list({ withArchived: true });
    expect(namesIn(answer)).toEqual(['archived', 'failed', 'running', 'queued']);
    expect(answer.totalCount).toBe(4);
  });

  it.each([
    [['RUNNING'], ['running']],
    [
      ['FAILED', 'QUEUED'],
      ['failed', 'queued'],
    ],
    [['ABORTED'], []],
    [[], []],
  ])('are filtered by the phases %j', async (phases, names) => {
    const answer = await list({ phases });
    expect(namesIn(answer)).toEqual(names);
    expect(answer.totalCount).toBe(names.length);
  });

  it('have error messages cut to 100 bytes, between characters', async () => {
    const { edges } = await list({ phases: ['FAILED'] });
    expect(edges[0].node.error.message).toBe('m'.repeat(99));
    const { data } = await app.ask(
      `query ($by: ExecutionByInput!) {
         execution(by: $by) {
           error { message }
           nodeExecutions { edges { node { id error { message } } } }
         }
         nodeExecutions(by: $by) { edges { node { error { message } } } }
       }`,
      { by: { id: ids['failed'] } },
    );
    expect(data.execution.error.message).toBe(message);
    for (const { edges: nodes } of [data.execution.nodeExecutions, data.nodeExecutions])
      expect(nodes[0].node.error.message).toBe('m'.repeat(99));
    const one = await app.ask(
      'query ($by: NodeExecutionByInput!) { nodeExecution(by: $by) { error { message } } }',
      {
        by: { id: data.execution.nodeExecutions.edges[0].node.id },
      },
    );
    expect(one.data.nodeExecution.error.message).toBe(message);
  });
});

/** How the list is read, by the very statement that it sends: with a sort only where no index has the order. */
async function planOf(given: Partial<ExecutionListFilter>): Promise<string> {
  const none = { projectId: null, domain: null, workflowId: null, launchPlanId: null, principalId: null };
  const filter = { ...none, phases: null, createdAfter: null, createdBefore: null, withArchived: true };
  const reader = {
    ...{ tenantId: newId(), userId: newId(), role: 'USER' as const, defaultLevel: 'READ' as const },
    ...{ groupIds: [], confinedTo: null },
  };
  const page = { limit: 10, backward: false, from: [new Date().toISOString(), newId()] };
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  await listExecutions(reader, { ...filter, orderBy: 'NEWEST', ...given }, page);
  // The server asks by itself at the same time.
  const queries = sent.mock.calls.map(([query]) => query as unknown as { text: string; values: unknown[] });
  const list = queries.find(({ text }) => text.includes('executions as execution'));
  if (!list) throw new Error('the list was not read');
  sent.mockRestore();
  const client = await pool.connect();
  try {
    await client.query('set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off');
    const { rows } = await client.query(`explain ${list.text}`, list.values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    client.release(true);
  }
}

describe('executions of all projects', () => {
  const namesOf = async (given: object, authorization?: string): Promise<Answer> => {
    const { data, errors } = await app.ask(
      `query ($filter: ExecutionFilterInput, $orderBy: ExecutionOrder, $first: Int, $after: String) {
         executions(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
           totalCount nodes { name } pageInfo { endCursor } } }`,
      given,
      authorization,
    );
    expect(errors).toBeUndefined();
    expect(data.executions.nodes.length).toBeLessThanOrEqual(data.executions.totalCount);
    return data.executions.nodes.map(({ name }: Answer) => name);
  };
  let other: string;
  let author: User;

  beforeAll(async () => {
    other = await registerProject(app, 'other');
    await registerTask(app, 'other', 'double');
    await registerWorkflow(app, 'other', 'two', { a: [] });
    author = await newUser({ role: 'USER', grants: [{ type: 'PROJECT', id: other, level: 'MANAGE' }] });
    await launchAs(author.authorization, 'mine');
    await launch(app, 'other', 'two', { name: 'theirs' });
    await launch(app, 'other', 'two', { name: 'staged', domain: 'staging' });
  });
  const launchAs = (authorization: string, name: string) =>
    createExecution(
      app,
      { project: 'other', domain, name, launchPlan: { key: keyOf('other', 'two') } },
      authorization,
    );

  it('are listed without a project or a domain, newest first or oldest first', async () => {
    const all = ['staged', 'theirs', 'mine', 'failed', 'running', 'queued'];
    expect(await namesOf({})).toEqual(all);
    expect(await namesOf({ filter: {} })).toEqual(all);
    expect(await namesOf({ orderBy: 'OLDEST' })).toEqual(all.toReversed());
    expect(await namesOf({ filter: { domain: 'staging' } })).toEqual(['staged']);
    expect(await namesOf({ filter: { project: 'other' } })).toEqual(['staged', 'theirs', 'mine']);
  });

  it('have pages in either order', async () => {
    for (const orderBy of ['NEWEST', 'OLDEST']) {
      const whole = await namesOf({ orderBy });
      const { data } = await app.ask(
        'query ($orderBy: ExecutionOrder) { executions(orderBy: $orderBy, first: 2) { pageInfo { endCursor } } }',
        { orderBy },
      );
      const { endCursor: after } = data.executions.pageInfo;
      expect(await namesOf({ orderBy, first: 2, after })).toEqual(whole.slice(2, 4));
    }
  });

  it('are only those that the caller may read', async () => {
    expect(await namesOf({}, author.authorization)).toEqual(['staged', 'theirs', 'mine']);
    expect(await namesOf({}, await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }))).toEqual([]);
    const narrow = await newCaller({ role: 'ADMIN', scopes: ['project:read'] });
    const { errors } = await app.ask('{ executions { totalCount } }', {}, narrow);
    expect(errors).toMatchObject([{ extensions: { code: 'PERMISSION_DENIED' } }]);
  });

  it('are those of a version of a workflow or a launch plan; none where it is hidden or absent', async () => {
    const workflow = { key: keyOf('other', 'two') };
    const launchPlan = workflow;
    const ofTwo = ['staged', 'theirs', 'mine'];
    expect(await namesOf({ filter: { workflow } })).toEqual(ofTwo);
    expect(await namesOf({ filter: { launchPlan } })).toEqual(ofTwo);
    const { data } = await app.ask('query ($by: WorkflowByInput!) { workflow(by: $by) { id } }', {
      by: workflow,
    });
    expect(await namesOf({ filter: { workflow: { id: data.workflow.id } } })).toEqual(ofTwo);
    expect(await namesOf({ filter: { workflow: { key: keyOf('other', 'none') } } })).toEqual([]);
    expect(await namesOf({ filter: { launchPlan: { id: newId() } } })).toEqual([]);
    const reader = await newCaller({ role: 'USER', level: 'READ' });
    for (const filter of [{ workflow }, { launchPlan }])
      expect(await namesOf({ filter }, reader)).toEqual(ofTwo);
    const withoutPlans = await newCaller({ role: 'ADMIN', scopes: ['execution:read'] });
    expect(await namesOf({ filter: { launchPlan } }, withoutPlans)).toEqual([]);
    expect(await namesOf({ filter: { workflow } }, withoutPlans)).toEqual([]);
  });

  it('are those of the user who created them, however the user is named', async () => {
    const { id, username } = author;
    for (const principal of [{ id }, { username }])
      expect(await namesOf({ filter: { principal } })).toEqual(['mine']);
    expect(await namesOf({ filter: { principal: { username: 'nobody' } } })).toEqual([]);
  });

  it('tell an e-mail address only to those who may list users, and to its owner', async () => {
    await db.user.update({
      where: { id: author.id },
      data: { email: 'ada@example.com', emailKey: 'ada@example.com' },
    });
    const filter = { principal: { email: 'ada@example.com' } };
    expect(await namesOf({ filter })).toEqual(['mine']);
    expect(await namesOf({ filter }, author.authorization)).toEqual(['mine']);
    const reader = await newCaller({ role: 'USER', level: 'READ' });
    expect(await namesOf({ filter }, reader)).toEqual([]);
    const principal = { username: author.username };
    expect(await namesOf({ filter: { principal } }, reader)).toEqual(['mine']);
  });

  it('are those created from one time until before another', async () => {
    const { createdAt } = await db.execution.update({
      where: { id: ids['queued'] },
      data: { createdAt: new Date('2020-01-01T00:00:00.000Z') },
    });
    const later = new Date('2020-01-01T00:00:00.001Z');
    expect(await namesOf({ filter: { createdBefore: later } })).toEqual(['queued']);
    expect(await namesOf({ filter: { createdBefore: createdAt } })).toEqual([]);
    expect(await namesOf({ filter: { createdAfter: createdAt, createdBefore: later } })).toEqual(['queued']);
    expect(await namesOf({ filter: { createdAfter: later } })).not.toContain('queued');
  });

  it.each([
    ['the tenant', {}],
    ['a user', { principalId: newId() }],
    ['a workflow', { workflowId: newId() }],
    ['a launch plan', { launchPlanId: newId() }],
    ['a project', { projectId: newId() }],
  ])('of %s are read in the order of an index, without sorting', async (_of, given) => {
    const plan = await planOf(given);
    expect(plan).toContain('Index');
    expect(plan).not.toContain('Sort');
  });
});
