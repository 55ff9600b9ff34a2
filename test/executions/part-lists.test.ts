/** Lists of nodes and attempts: what they show, in which order, and how each of them is addressed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { make } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newCaller } from '../support/users.ts';

const project = 'parts';
const name = 'listed';
let app: LocalApp;
let execution: string;
let other: string;
/** The ids of nodes and attempts by their names. */
const ids: Record<string, string> = {};

const second = (at: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, at)).toISOString();
const node = async (nodeId: string, phase: string, at: number, more: object = {}) => {
  const event = { execution: { id: execution }, nodeId, phase, occurredAt: second(at), ...more };
  ids[nodeId] = await make(app, 'createNodeEvent', event, 'nodeExecution');
};
const attempt = async (
  nodeId: string,
  retryAttempt: number,
  phase: string,
  at: number,
  more: object = {},
) => {
  const task = keyOf(project, 'double');
  const event = {
    ...{ execution: { id: execution }, nodeId, task, retryAttempt, phase, occurredAt: second(at) },
    ...more,
  };
  ids[`${nodeId}/${retryAttempt}`] = await make(app, 'createTaskEvent', event, 'taskExecution');
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: ['a'] });
  execution = await launch(app, project, 'flow', { engine: 'EXTERNAL', name });
  other = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
  // a: 0 to 30, b: 10 to 15, c: never starts, d: runs since 20.
  await node('a', 'RUNNING', 0);
  await node('b', 'RUNNING', 10, { catalogKey: { name: 'k' }, cacheStatus: 'MISS' });
  await node('b', 'FAILED', 15, { error: { code: 'Oom', message: 'x', kind: 'SYSTEM' } });
  await node('c', 'QUEUED', 16);
  await node('d', 'RUNNING', 20, { isParent: true });
  await node('a', 'FAILED', 30, { error: { code: 'Bad', message: 'x', kind: 'USER' } });
  await node('d-1', 'QUEUED', 21, { parentNodeId: 'd' });
  await node('d-2', 'RUNNING', 22, { parentNodeId: 'd' });
  await attempt('d', 0, 'RUNNING', 20);
  await attempt('d', 0, 'RETRYABLE_FAILED', 25, { error: { code: 'Oom', message: 'x', kind: 'SYSTEM' } });
  await attempt('d', 1, 'RUNNING', 26, { phaseVersion: 3 });
  await attempt('d', 2, 'QUEUED', 27);
  await node('d-task', 'QUEUED', 28, { parentTaskExecution: ids['d/1'] });
});
afterAll(() => app.stop());

const by = () => ({ id: execution });
async function nodes(args: string, more: object = {}): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($by: ExecutionByInput!) { nodeExecutions(by: $by ${args}) { totalCount nodes { nodeId } } }`,
    { by: by(), ...more },
  );
  if (errors) return errors[0];
  const list = data.nodeExecutions;
  expect(list.totalCount).toBe(list.nodes.length);
  return list.nodes.map((one: Answer) => one.nodeId);
}
async function attempts(args: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($by: NodeExecutionByInput!) { taskExecutions(by: $by ${args}) { totalCount nodes { retryAttempt } } }`,
    { by: { key: { project, domain, execution: name, nodeId: 'd' } } },
  );
  if (errors) return errors[0];
  const list = data.taskExecutions;
  expect(list.totalCount).toBe(list.nodes.length);
  return list.nodes.map((one: Answer) => one.retryAttempt);
}

describe('nodeExecutions', () => {
  it('has the nodes that are in no other node and in no attempt, newest first', async () => {
    expect(await nodes('')).toEqual(['d', 'c', 'b', 'a']);
  });

  it('has the nodes directly inside of `parent`, whatever the filters say', async () => {
    expect(await nodes(', parent: "d"')).toEqual(['d-2', 'd-1']);
    expect(await nodes(', parent: "d", filters: "value_in(node_id,a;d-1)"')).toEqual(['d-1']);
    expect(await nodes(', filters: "value_in(node_id,a;d-1)"')).toEqual(['a']);
    expect(await nodes(', parent: "c"')).toEqual([]);
  });

  it.each(['unknown', ''])('does not find the parent %j', async (parent) => {
    expect(await nodes(`, parent: "${parent}"`)).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });

  it('does not find a parent of another execution', async () => {
    const { errors } = await app.ask(
      'query ($by: ExecutionByInput!) { nodeExecutions(by: $by, parent: "d") { nodes { id } } }',
      { by: { id: other } },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it.each([
    ['phases: [FAILED, QUEUED]', ['c', 'b', 'a']],
    ['phases: []', []],
    ['kinds: [TASK]', ['d', 'c', 'b', 'a']],
    ['kinds: [GATE]', []],
    ['cacheStatuses: [MISS]', ['b']],
    ['errorKinds: [USER]', ['a']],
    ['errorCodes: ["Oom"]', ['b']],
    ['startedAfter: "2026-01-01T00:00:10Z"', ['d', 'b']],
    ['startedBefore: "2026-01-01T00:00:10Z"', ['a']],
    ['createdAfter: "2026-01-01T00:00:16Z"', ['d', 'c']],
    ['createdBefore: "2026-01-01T00:00:16Z"', ['b', 'a']],
    ['phases: [FAILED], errorKinds: [SYSTEM]', ['b']],
  ])('shows the nodes with %s', async (filter, expected) => {
    expect(await nodes(`, filter: { ${filter} }`)).toEqual(expected);
  });

  const orders: Record<string, string[]> = {
    NEWEST: ['d', 'c', 'b', 'a'],
    OLDEST: ['a', 'b', 'c', 'd'],
    NODE_ID: ['a', 'b', 'c', 'd'],
    NODE_ID_DESCENDING: ['d', 'c', 'b', 'a'],
    STARTED: ['a', 'b', 'd', 'c'],
    STARTED_DESCENDING: ['c', 'd', 'b', 'a'],
    UPDATED: ['b', 'c', 'd', 'a'],
    UPDATED_DESCENDING: ['a', 'd', 'c', 'b'],
    DURATION: ['b', 'a', 'c', 'd'],
    DURATION_DESCENDING: ['d', 'c', 'a', 'b'],
  };
  it.each(Object.entries(orders))(
    'is sorted by %s, on one page and on pages of one',
    async (order, expected) => {
      expect(await nodes(`, orderBy: ${order}`)).toEqual(expected);
      const walked: string[] = [];
      for (let after: string | null = null; walked.length <= expected.length; ) {
        const { data }: Answer = await app.ask(
          `query ($by: ExecutionByInput!, $after: String) {
           nodeExecutions(by: $by, orderBy: ${order}, first: 1, after: $after) {
             nodes { nodeId } pageInfo { hasNextPage endCursor } } }`,
          { by: by(), after },
        );
        walked.push(data.nodeExecutions.nodes[0].nodeId);
        if (!data.nodeExecutions.pageInfo.hasNextPage) break;
        after = data.nodeExecutions.pageInfo.endCursor;
      }
      expect(walked).toEqual(expected);
    },
  );

  it.each([
    ['eq(id,$a)', ['a']],
    ['eq(execution_project,parts)', ['d', 'c', 'b', 'a']],
    ['eq(execution_domain,staging)', []],
    ['ne(execution_name,listed)', []],
    ['contains(node_id,b)', ['b']],
    ['eq(phase,FAILED)', ['b', 'a']],
    ['eq(phase,5)', ['b', 'a']],
    ['gte(started_at,2026-01-01T00:00:10Z)', ['d', 'b']],
    ['lt(node_execution_created_at,2026-01-01T00:00:16Z)', ['b', 'a']],
    ['eq(node_execution_updated_at,2026-01-01T00:00:15Z)', ['b']],
    ['gt(duration,5)', ['a']],
    ['gte(duration,5s)', ['b', 'a']],
    ['eq(duration,0m30.0s)', ['a']],
    ['lt(duration,1m)', ['b', 'a']],
    ['gt(duration,5000ms)', ['a']],
    ['eq(parent_id,$d)', []],
    ['eq(parent_task_execution_id,$d/1)', []],
    ['eq(error_kind,USER)', ['a']],
    ['eq(error_code,Oom)', ['b']],
    ['eq(cache_status,1)', ['b']],
    ['eq(node_execution.node_id,a)', ['a']],
    ['eq(execution.name,listed)+eq(node_id,c)', ['c']],
    ['eq(execution.user,admin)+eq(node_id,c)', ['c']],
    ['eq(execution.phase,QUEUED)+eq(execution.launch_entity,launch_plan)+eq(node_id,c)', ['c']],
    ['eq(execution.state,1)', []],
    ['eq(execution.mode,0)+eq(execution.execution_name,listed)+eq(node_id,c)', ['c']],
  ])('shows the nodes for Flyte’s filter %s', async (filters, expected) => {
    const text = filters.replaceAll(/\$([\w/]+)/g, (_, key) => ids[key] ?? '');
    expect(await nodes(`, filters: "${text}"`)).toEqual(expected);
  });

  it.each(['eq(name,a)', 'eq(task.name,a)', 'eq(duration,soon)', 'eq(phase,DONE)', 'contains(duration,1)'])(
    'refuses the filter %s',
    async (filters) => {
      expect(await nodes(`, filters: "${filters}"`)).toMatchObject({
        extensions: { code: 'INVALID_ARGUMENT' },
      });
    },
  );
});

describe('the lists of nodes inside of objects', () => {
  it('take the same conditions and orders', async () => {
    const { data, errors } = await app.ask(
      `query ($by: ExecutionByInput!, $task: ID!, $node: ID!) {
         execution(by: $by) { nodeExecutions(orderBy: NODE_ID, filter: { phases: [FAILED] }) { totalCount nodes { nodeId } } }
         nodeExecution(by: { id: $node }) {
           childNodeExecutions(orderBy: OLDEST) { totalCount nodes { nodeId } }
           running: childNodeExecutions(filter: { phases: [RUNNING] }) { totalCount nodes { nodeId } }
           taskExecutions(orderBy: ATTEMPT, filter: { phases: [RUNNING, QUEUED] }) { totalCount nodes { retryAttempt } }
         }
         taskExecution(by: { id: $task }) { childNodeExecutions { totalCount nodes { nodeId } } } }`,
      { by: by(), task: ids['d/1'], node: ids['d'] },
    );
    expect(errors).toBeUndefined();
    const named = (...list: string[]) => ({
      totalCount: list.length,
      nodes: list.map((nodeId) => ({ nodeId })),
    });
    expect(data).toEqual({
      execution: { nodeExecutions: named('a', 'b') },
      nodeExecution: {
        childNodeExecutions: named('d-1', 'd-2'),
        running: named('d-2'),
        taskExecutions: { totalCount: 2, nodes: [{ retryAttempt: 1 }, { retryAttempt: 2 }] },
      },
      taskExecution: { childNodeExecutions: named('d-task') },
    });
  });
});

describe('taskExecutions', () => {
  it.each([
    ['', [2, 1, 0]],
    [', orderBy: ATTEMPT', [0, 1, 2]],
    [', orderBy: STARTED', [0, 1, 2]],
    [', orderBy: STARTED_DESCENDING', [2, 1, 0]],
    [', orderBy: DURATION', [0, 1, 2]],
    [', orderBy: UPDATED_DESCENDING', [2, 1, 0]],
    [', filter: { phases: [RUNNING] }', [1]],
    [', filter: { errorCodes: ["Oom"], errorKinds: [SYSTEM] }', [0]],
    [', filter: { startedAfter: "2026-01-01T00:00:26Z" }', [1]],
    [', filters: "eq(phase,RETRYABLE_FAILED)"', [0]],
    [', filters: "eq(phase,8)"', [0]],
    [', filters: "gt(retry_attempt,0)"', [2, 1]],
    [', filters: "eq(phase_version,3)"', [1]],
    [', filters: "eq(duration,5)"', [0]],
    [', filters: "eq(name,double)+eq(project,parts)+eq(version,v1)+eq(domain,development)"', [2, 1, 0]],
    [', filters: "eq(task.name,other)"', []],
    [', filters: "eq(node_id,d)+eq(execution_name,listed)"', [2, 1, 0]],
    [', filters: "eq(node_execution.phase,RUNNING)+eq(execution.phase,QUEUED)"', [2, 1, 0]],
    [', filters: "eq(node_execution.phase,FAILED)"', []],
    [', filters: "gte(started_at,2026-01-01T00:00:26Z)"', [1]],
    [', filters: "lt(task_execution_created_at,2026-01-01T00:00:26Z)"', [0]],
    [', filters: "gt(task_execution_updated_at,2026-01-01T00:00:26Z)"', [2]],
  ])('shows the attempts of %s', async (args, expected) => {
    expect(await attempts(args)).toEqual(expected);
  });

  it.each(['eq(retry_attempt,first)', 'eq(cache_status,0)'])('refuses the filter %s', async (filters) => {
    expect(await attempts(`, filters: "${filters}"`)).toMatchObject({
      extensions: { code: 'INVALID_ARGUMENT' },
    });
  });

  it('is not found for a node that does not exist', async () => {
    const { errors } = await app.ask(
      'query ($by: NodeExecutionByInput!) { taskExecutions(by: $by) { nodes { id } } }',
      { by: { key: { project, domain, execution: name, nodeId: 'nothing' } } },
    );
    expect(errors).toMatchObject([
      {
        message: `node execution ${project}/${domain}/${name}/nothing not found`,
        extensions: { code: 'NOT_FOUND' },
      },
    ]);
  });

  it('does not lose an attempt of a second task that has the same number', async () => {
    await node('twice', 'RUNNING', 40);
    await attempt('twice', 0, 'RUNNING', 40);
    const first = ids['twice/0'];
    await attempt('twice', 0, 'RUNNING', 41, { task: keyOf(project, 'unknown') });
    const page = (after: string) =>
      app.ask(
        `query ($by: NodeExecutionByInput!) { taskExecutions(by: $by, first: 1 ${after}) {
           nodes { id } pageInfo { endCursor hasNextPage } } }`,
        { by: { id: ids['twice'] } },
      );
    const { data } = await page('');
    expect(data.taskExecutions).toMatchObject({
      nodes: [{ id: ids['twice/0'] }],
      pageInfo: { hasNextPage: true },
    });
    const next = await page(`, after: "${data.taskExecutions.pageInfo.endCursor}"`);
    expect(next.data.taskExecutions).toMatchObject({
      nodes: [{ id: first }],
      pageInfo: { hasNextPage: false },
    });
  });
});

describe('a lookup by an id that cannot be one', () => {
  it.each(['nodeExecution', 'taskExecution'])('finds no %s', async (field) => {
    const { data, errors } = await app.ask(`{ ${field}(by: { id: "nothing" }) { id } }`);
    expect(data).toEqual({ [field]: null });
    expect(errors).toMatchObject([{ message: expect.stringContaining('nothing not found') }]);
  });
});

describe('taskExecution', () => {
  const ask = (key: object, authorization?: string) =>
    app.ask(
      'query ($by: TaskExecutionByInput!) { taskExecution(by: $by) { id } }',
      { by: { key } },
      authorization,
    );
  const key = (more: object = {}) => ({
    ...{ project, domain, execution: name, nodeId: 'd', task: keyOf(project, 'double'), retryAttempt: 1 },
    ...more,
  });

  it('finds an attempt by its node, its task and its number', async () => {
    expect((await ask(key())).data).toEqual({ taskExecution: { id: ids['d/1'] } });
    const { retryAttempt: _first, ...first } = key();
    expect((await ask(first)).data).toEqual({ taskExecution: { id: ids['d/0'] } });
  });

  it.each([
    { retryAttempt: 9 },
    { nodeId: 'a' },
    { execution: 'nothing' },
    { task: keyOf(project, 'double', 'v2') },
  ])('does not find it with %j', async (more) => {
    const { data, errors } = await ask(key(more));
    expect(data).toEqual({ taskExecution: null });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it('hides it from a stranger as if it did not exist', async () => {
    const stranger = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
    const hidden = await ask(key(), stranger);
    const absent = await ask(key({ execution: 'nothing' }), stranger);
    const messageOf = ({ errors }: typeof hidden) => errors?.[0]?.message.replace('nothing', name);
    expect(hidden.data).toEqual({ taskExecution: null });
    expect(messageOf(hidden)).toBe(`task execution ${project}/${domain}/${name}/d attempt 1 not found`);
    expect(messageOf(absent)).toBe(messageOf(hidden));
  });
});
