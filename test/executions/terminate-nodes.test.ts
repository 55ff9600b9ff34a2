import { afterAll, beforeAll, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { bind, doubleIn, type Flow, listOf, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  eventually,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'stopping';
const patient = { onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE' };
let app: App;
let hands: Hands;
let editor: User;
beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  await registerWorkflow(app, project, 'two', { a: [], b: [] });
  await registerWorkflow(app, project, 'patient', { c: [], d: [] }, patient);
  await registerWorkflow(app, project, 'alike', { n: [], n2: [] }, patient);
  editor = await newUser({ role: 'USER', level: 'EDIT' });
});
afterAll(() => app.stop());

const terminate = (id: string, more: object = {}) =>
  mutate(app, 'terminateExecution', { by: { id }, cause: 'now', ...more });

const phaseOf = async (id: string) => (await db.execution.findUniqueOrThrow({ where: { id } })).phase;

/** Does the work of a node. */
async function succeed(nodeId: string): Promise<void> {
  const run = await hands.leaseNode(nodeId);
  await hands.start(run);
  await hands.succeed(run, { y: 2 });
}

it('a forced execution ends while its work still runs, and what the work reports does not count', async () => {
  const id = await launch(app, project, 'one');
  const run = await hands.leaseNode('a');
  await hands.start(run);
  await mutate(app, 'terminateExecution', { by: { id }, cause: 'now', force: true });
  const ended = await untilEnded(app, id);
  expect(ended).toMatchObject({ phase: 'ABORTED', abort: { cause: 'now' }, data: { outputs: {} } });
  expect(ended.nodes['a']).toMatchObject({ phase: 'ABORTED', latestTaskPhase: 'ABORTED' });
  await hands.succeed(run, { y: 4 });
  expect(await readExecution(app, id)).toMatchObject({ phase: 'ABORTED', data: { outputs: {} } });
});

it('a forced execution ends together with the executions that it started, also if they are ABORTING already', async () => {
  const node = { id: 'call', inputs: bind({ x: promise('', 'x') }) };
  const called = { ...node, workflowNode: { launchplanRef: keyOf(project, 'one') } };
  await registerFlow(app, project, 'calls', { inputs: { x: integer }, nodes: [called] });
  const id = await launch(app, project, 'calls', { inputs: { x: 1 } });
  const run = await hands.leaseNode('a');
  await hands.start(run);
  await terminate(id);
  const child = await eventually(
    () => db.execution.findFirstOrThrow({ where: { parentNode: { executionId: id } } }),
    ({ phase }) => phase === 'ABORTING',
  );
  await terminate(id, { force: true });
  expect((await untilEnded(app, id)).phase).toBe('ABORTED');
  expect(await untilEnded(app, child.id)).toMatchObject({ phase: 'ABORTED', abort: { cause: 'now' } });
  await hands.confirm(run.id);
});

it('a forced execution of an engine from outside ends with its nodes, and with the attempts of all tasks of a node', async () => {
  await registerTask(app, project, 'treble');
  const id = await launch(app, project, 'one', { engine: 'EXTERNAL' });
  const report = (field: string, event: object) =>
    mutate(app, field, {
      execution: { id },
      occurredAt: new Date().toISOString(),
      phase: 'RUNNING',
      ...event,
    });
  await report('createWorkflowEvent', {});
  await report('createNodeEvent', { nodeId: 'a' });
  for (const name of ['double', 'treble']) {
    const event = { nodeId: 'a', task: keyOf(project, name), retryAttempt: 0 };
    expect(endOf(await report('createTaskEvent', event))).toBe('OK');
  }
  await terminate(id);
  expect(await phaseOf(id)).toBe('ABORTING');
  await terminate(id, { force: true });
  const { nodes, abort } = await untilEnded(app, id);
  expect([await phaseOf(id), abort.cause, nodes['a'].phase]).toEqual(['ABORTED', 'now', 'ABORTED']);
  const attempts = await db.taskExecution.findMany({ where: { executionId: id } });
  expect(attempts.map(({ phase }) => phase)).toEqual(['ABORTED', 'ABORTED']);
  expect(endOf(await report('createWorkflowEvent', { phase: 'SUCCEEDED' }))).toBe('FAILED_PRECONDITION');
  expect(endOf(await terminate(id, { force: true }))).toBe('FAILED_PRECONDITION');
});

it('an execution that waits for its launch plan ends by force', async () => {
  const key = keyOf(project, 'limited');
  await registerWorkflow(app, project, 'limited', { only: [] }, { version: 'v0' });
  const concurrencyPolicy = { max: 1, behavior: 'QUEUE' };
  const workflow = { key: keyOf(project, 'limited', 'v0') };
  const made = await mutate(app, 'createLaunchPlan', {
    key,
    workflow,
    defaultInputs: { x: 1 },
    concurrencyPolicy,
  });
  expect(endOf(made), JSON.stringify(made)).toBe('OK');
  const [first, second] = [await launch(app, project, 'limited'), await launch(app, project, 'limited')];
  await terminate(second, { force: true });
  expect((await untilEnded(app, second)).phase).toBe('ABORTED');
  await succeed('only');
  expect((await untilEnded(app, first)).phase).toBe('SUCCEEDED');
});

const terminateNode = (id: string, nodeId: string, user?: User) =>
  mutate(
    app,
    'terminateNodeExecution',
    {
      by: { id },
      cause: `no more of ${nodeId}`,
    },
    'nodeExecution { nodeId phase abort { cause principal { username } } }',
    user?.authorization,
  );
const nodeOf = (executionId: string, nodeId: string) =>
  db.nodeExecution.findUniqueOrThrow({ where: { executionId_nodeId: { executionId, nodeId } } });

it('a terminated node is ABORTED, and its execution fails because of it', async () => {
  const id = await launch(app, project, 'two');
  await hands.start(await hands.leaseNode('a'));
  const node = await nodeOf(id, 'a');
  const reader = await newUser({ role: 'USER', level: 'USE' });
  expect(endOf(await terminateNode(node.id, 'a', reader))).toBe('PERMISSION_DENIED');
  const { nodeExecution } = await terminateNode(node.id, 'a', editor);
  expect(nodeExecution).toMatchObject({
    nodeId: 'a',
    abort: { cause: 'no more of a', principal: { username: editor.username } },
  });
  await hands.stopCancelled();
  // The failure of the execution stops the other node.
  await hands.stopCancelled();
  expect(await untilEnded(app, id)).toMatchObject({
    phase: 'FAILED',
    errorNodeId: 'a',
    error: { code: 'NodeTerminated', message: 'node a was terminated: no more of a', kind: 'USER' },
    nodes: { a: { phase: 'ABORTED' } },
  });
  expect(endOf(await terminateNode(node.id, 'a'))).toBe('FAILED_PRECONDITION');
});

it('the other nodes go on, if the workflow wants it so', async () => {
  const id = await launch(app, project, 'patient');
  const run = await hands.leaseNode('c');
  await hands.start(run);
  await terminateNode((await nodeOf(id, 'c')).id, 'c');
  await hands.stopCancelled();
  await succeed('d');
  const { nodes } = await untilEnded(app, id);
  expect([nodes['c'].phase, nodes['d'].phase]).toEqual(['ABORTED', 'SUCCEEDED']);
});

it('only the node that is named stops, not one whose id begins alike', async () => {
  const id = await launch(app, project, 'alike');
  await hands.start(await hands.leaseNode('n'));
  const other = await hands.leaseNode('n2');
  await hands.start(other);
  await terminateNode((await nodeOf(id, 'n')).id, 'n');
  expect(await hands.stopCancelled()).toHaveLength(1);
  expect((await nodeOf(id, 'n2')).phase).toBe('RUNNING');
  await hands.succeed(other, { y: 2 });
  expect((await untilEnded(app, id)).nodes['n2'].phase).toBe('SUCCEEDED');
});

const double = doubleIn(project);
const inner: Flow = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('second', 'y') },
  nodes: [double('first', promise('', 'x')), double('second', promise('first', 'y'))],
};
const x = promise('', 'x');
const kinds: Record<string, { readonly node: object; readonly leaf: string | null }> = {
  workflow: {
    node: { inputs: bind({ x }), workflowNode: { subWorkflowRef: keyOf(project, 'inner') } },
    leaf: 'stopped:first',
  },
  array: {
    node: {
      inputs: bind({ x: promise('', 'xs') }),
      arrayNode: {
        node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } },
        parallelism: 1,
        minSuccesses: 0,
      },
    },
    leaf: 'stopped:0',
  },
  branch: {
    node: {
      inputs: bind({ x }),
      branchNode: {
        ifElse: {
          case: {
            condition: {
              comparison: { operator: 'GT', leftValue: { var: 'x' }, rightValue: { value: 0 } },
            },
            thenNode: double('taken', x),
          },
          elseNode: double('other', x),
        },
      },
    },
    leaf: 'stopped:taken',
  },
  gate: { node: { gateNode: { approve: { signalId: 'go' } } }, leaf: null },
  launchPlan: {
    node: { inputs: bind({ x }), workflowNode: { launchplanRef: keyOf(project, 'one') } },
    leaf: 'a',
  },
};

it.each(Object.entries(kinds))(
  'a node that is a %s stops with everything inside of it',
  async (kind, { node, leaf }) => {
    const flow = {
      ...{
        inputs: { x: integer, xs: listOf(integer) },
        outputs: { z: integer },
        bound: { z: promise('other', 'y') },
      },
      nodes: [{ id: 'stopped', ...node }, double('other', x)],
      ...patient,
    };
    await registerFlow(app, project, `with-${kind}`, flow, kind === 'workflow' ? { inner } : {});
    const id = await launch(app, project, `with-${kind}`, { inputs: { x: 1, xs: [1, 2, 3] } });
    if (leaf) await hands.start(await hands.leaseNode(leaf));
    else
      await eventually(
        () => db.nodeExecution.findFirst({ where: { executionId: id, nodeId: 'stopped' } }),
        (node) => node?.phase === 'RUNNING',
      );
    await terminateNode((await nodeOf(id, 'stopped')).id, 'stopped', editor);
    if (leaf) expect(await hands.stopCancelled()).toHaveLength(1);
    await succeed('other');
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'FAILED',
      errorNodeId: 'stopped',
      error: { code: expect.any(String), message: expect.stringContaining('no more of stopped') },
      nodes: { stopped: { phase: 'ABORTED' }, other: { phase: 'SUCCEEDED' } },
    });
    const open = { executionId: id, endedAt: null };
    expect(await db.nodeExecution.count({ where: open })).toBe(0);
    const parentNode = { executionId: id };
    for (const { phase, abortCause, abortPrincipalId } of await db.execution.findMany({
      where: { parentNode },
    }))
      expect([phase, abortCause, abortPrincipalId]).toEqual(['ABORTED', 'no more of stopped', editor.id]);
  },
);

it('an item that was terminated gives its cause to the array and the execution', async () => {
  const array = {
    ...kinds['array']?.node,
    arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } } },
  };
  const inputs = { xs: listOf(integer) };
  await registerFlow(app, project, 'fan', { inputs, nodes: [{ id: 'fan', ...array }] });
  const id = await launch(app, project, 'fan', { inputs: { xs: [1, 2] } });
  await hands.start(await hands.leaseNode('fan:0'));
  await succeed('fan:1');
  await terminateNode((await nodeOf(id, 'fan:0')).id, 'fan:0');
  await hands.stopCancelled();
  const error = { code: 'NodeTerminated', message: 'node fan:0 was terminated: no more of fan:0' };
  expect(await untilEnded(app, id)).toMatchObject({ phase: 'FAILED', error, nodes: { fan: { error } } });
});

it('a node of an engine from outside is left to that engine', async () => {
  const id = await launch(app, project, 'one', { engine: 'EXTERNAL' });
  const event = { execution: { id }, occurredAt: new Date().toISOString(), phase: 'RUNNING' };
  await mutate(app, 'createWorkflowEvent', event);
  await mutate(app, 'createNodeEvent', { ...event, nodeId: 'a' });
  expect(await terminateNode((await nodeOf(id, 'a')).id, 'a')).toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('engine from outside'),
  });
});
