import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { bind, doubleIn, type Flow, listOf, promise, registerFlow } from '../support/flows.ts';
import { Hands } from '../support/hands.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  domain,
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

const project = 'kinds';
let app: LocalApp;
let hands: Hands;

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'report', { inputs: { err: { simple: 'ERROR' } }, outputs: {} });
});
afterAll(() => app.stop());

const double = doubleIn(project);
const register = (name: string, flow: Flow, subWorkflows?: Record<string, Flow>) =>
  registerFlow(app, project, name, flow, subWorkflows);

/** Doubles everything until the execution has ended. */
async function run(name: string, inputs: object = {}): Promise<Answer> {
  const id = await launch(app, project, name, { inputs });
  await hands.work(async () => (await readExecution(app, id)).endedAt !== null);
  return await readExecution(app, id);
}

/** The nodes inside of a node, by node id. */
async function inside(executionId: string, nodeId: string): Promise<Record<string, Answer>> {
  const { name } = (
    await app.ask('query ($id: ID!) { execution(by: { id: $id }) { name } }', { id: executionId })
  ).data.execution;
  const { data } = await app.ask(
    `query ($by: NodeExecutionByInput!) { nodeExecution(by: $by) {
       kind itemCount itemCounts { phase count } childExecution { id name mode phase parentNodeExecution { nodeId } }
       childNodeExecutions(first: 100) { totalCount nodes {
         nodeId specNodeId itemIndex kind phase parent { nodeId } data { inputs outputs } error { code message } } } } }`,
    { by: { key: { project, domain, execution: name, nodeId } } },
  );
  const { childNodeExecutions, ...node } = data.nodeExecution;
  expect(childNodeExecutions.totalCount).toBe(childNodeExecutions.nodes.length);
  return {
    ...node,
    nodes: Object.fromEntries(childNodeExecutions.nodes.map((one: Answer) => [one.nodeId, one])),
  };
}

const inner: Flow = {
  inputs: { x: integer },
  outputs: { z: integer },
  bound: { z: promise('second', 'y') },
  nodes: [double('first', promise('', 'x')), double('second', promise('first', 'y'))],
};
const callInner = (id: string, x: object) => ({
  id,
  inputs: bind({ x }),
  workflowNode: { subWorkflowRef: keyOf(project, 'inner') },
});

describe('a node that runs a workflow', () => {
  it('runs the nodes of the workflow inside of the execution, and has its outputs', async () => {
    await register(
      'outer',
      {
        inputs: { x: integer },
        outputs: { z: integer },
        bound: { z: promise('after', 'y') },
        nodes: [callInner('sub', promise('', 'x')), double('after', promise('sub', 'z'))],
      },
      { inner },
    );
    const execution = await run('outer', { x: 3 });
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 24 } } });
    expect(Object.keys(execution.nodes).sort()).toEqual(['after', 'sub']);
    const sub = await inside(execution.id, 'sub');
    expect(sub).toMatchObject({
      kind: 'WORKFLOW',
      nodes: {
        'sub:first': {
          specNodeId: 'first',
          phase: 'SUCCEEDED',
          data: { inputs: { x: 3 }, outputs: { y: 6 } },
        },
        'sub:second': { phase: 'SUCCEEDED', data: { outputs: { y: 12 } }, parent: { nodeId: 'sub' } },
      },
    });
  });

  it('fails with the error of the node inside of it', async () => {
    const id = await launch(app, project, 'outer', { inputs: { x: 1 } });
    const first = await hands.leaseNode('sub:first');
    await hands.start(first);
    await hands.fail(first);
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({
      phase: 'FAILED',
      error: { code: 'NonZeroExit', kind: 'USER' },
      errorNodeId: 'sub',
      nodes: { sub: { phase: 'FAILED', error: { code: 'NonZeroExit' } } },
    });
  });

  it('is aborted with the nodes inside of it', async () => {
    const id = await launch(app, project, 'outer', { inputs: { x: 1 } });
    const first = await hands.leaseNode('sub:first');
    await hands.start(first);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    await hands.stopCancelled();
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'ABORTED', nodes: { sub: { phase: 'ABORTED' } } });
    expect((await inside(id, 'sub')).nodes).toMatchObject({ 'sub:first': { phase: 'ABORTED' } });
  });
});

describe('a branch', () => {
  const condition = (operator: string, value: number) => ({
    comparison: { operator, leftValue: { var: 'n' }, rightValue: { value } },
  });
  const choose: Flow = {
    inputs: { x: integer },
    outputs: { z: integer },
    bound: { z: promise('choice', 'y') },
    nodes: [
      double('before', promise('', 'x')),
      {
        id: 'choice',
        inputs: bind({ n: promise('before', 'y') }),
        branchNode: {
          ifElse: {
            case: { condition: condition('GT', 10), thenNode: double('large', { value: 100 }) },
            other: [{ condition: condition('EQ', 4), thenNode: double('four', promise('before', 'y')) }],
            error: { message: 'neither large nor four' },
          },
        },
      },
    ],
  };

  it.each([
    [6, 200, 'choice:large', 'choice:four'],
    [2, 8, 'choice:four', 'choice:large'],
  ])('runs the first case that holds for %i', async (x, z, taken, skipped) => {
    if (x === 6) await register('choose', choose);
    const execution = await run('choose', { x });
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z } } });
    const { nodes } = await inside(execution.id, 'choice');
    expect(nodes).toMatchObject({ [taken]: { phase: 'SUCCEEDED' }, [skipped]: { phase: 'SKIPPED' } });
  });

  it('fails with its own error if no case holds', async () => {
    expect(await run('choose', { x: 1 })).toMatchObject({
      phase: 'FAILED',
      error: { code: 'UserProvidedError', message: 'neither large nor four' },
    });
  });
});

describe('an array', () => {
  const each: Flow = {
    inputs: { xs: listOf(integer) },
    outputs: { ys: listOf(integer) },
    bound: { ys: promise('fan', 'y') },
    nodes: [
      {
        id: 'fan',
        inputs: bind({ x: promise('', 'xs') }),
        arrayNode: {
          node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } },
          parallelism: 2,
        },
      },
    ],
  };

  it('runs its node for each item, no more than `parallelism` at the same time, and collects the outputs', async () => {
    await register('each', each);
    const id = await launch(app, project, 'each', { inputs: { xs: [1, 2, 3, 4, 5] } });
    const { runs } = await hands.lease({ wait: 'PT5S' });
    expect(runs.map((run) => run.environment['SLIPWAY_NODE_ID']).sort()).toEqual(['fan:0', 'fan:1']);
    for (const one of runs) {
      await hands.start(one);
      await hands.succeed(one, { y: Number(one.inputs['x']) * 2 });
    }
    await hands.work(async () => (await readExecution(app, id)).endedAt !== null);
    const execution = await readExecution(app, id);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { ys: [2, 4, 6, 8, 10] } } });
    expect(await inside(id, 'fan')).toMatchObject({
      kind: 'ARRAY',
      itemCount: 5,
      itemCounts: [{ phase: 'SUCCEEDED', count: 5 }],
      nodes: { 'fan:4': { itemIndex: 4, specNodeId: 'item', data: { inputs: { x: 5 } } } },
    });
  });

  it('has an empty list of outputs for an empty list', async () => {
    expect(await run('each', { xs: [] })).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { ys: [] } },
    });
  });

  it('succeeds without all items if its author allows that, with NONE for the failed ones', async () => {
    const node = { ...each.nodes[0], arrayNode: { ...(each.nodes[0] as Answer).arrayNode, minSuccesses: 2 } };
    const optional = { unionType: { variants: [integer, { simple: 'NONE' }] } };
    await register('some', { ...each, outputs: { ys: listOf(optional) }, nodes: [node] });
    const id = await launch(app, project, 'some', { inputs: { xs: [1, 2, 3] } });
    const failed = await hands.leaseNode('fan:0');
    await hands.start(failed);
    await hands.fail(failed);
    const second = await hands.leaseNode('fan:1');
    await hands.start(second);
    await hands.succeed(second, { y: 4 });
    const third = await hands.leaseNode('fan:2');
    await hands.start(third);
    await hands.succeed(third, { y: 6 });
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { ys: [null, 4, 6] } },
    });
  });

  it('runs workflows as items', async () => {
    await register(
      'graphs',
      {
        ...each,
        bound: { ys: promise('fan', 'z') },
        nodes: [
          {
            ...each.nodes[0],
            arrayNode: { node: { id: 'item', workflowNode: { subWorkflowRef: keyOf(project, 'inner') } } },
          },
        ],
      },
      { inner },
    );
    const execution = await run('graphs', { xs: [1, 10] });
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { ys: [4, 40] } } });
    expect((await inside(execution.id, 'fan:1')).nodes).toMatchObject({
      'fan:1:second': { data: { outputs: { y: 40 } } },
    });
  });
});

describe('a gate', () => {
  const waits: Flow = {
    inputs: { x: integer },
    outputs: { z: integer },
    bound: { z: promise('after', 'y') },
    nodes: [
      { id: 'ok', inputs: bind({ x: promise('', 'x') }), gateNode: { approve: { signalId: 'go' } } },
      {
        id: 'number',
        upstreamNodeIds: ['ok'],
        gateNode: { signal: { signalId: 'how-many', type: integer, outputVariableName: 'n' } },
      },
      { id: 'nap', gateNode: { sleep: { duration: 'PT0.2S' } } },
      double('after', promise('number', 'n'), { upstreamNodeIds: ['nap'] }),
    ],
  };
  const set = (id: string, signalId: string, value: unknown) =>
    mutate(app, 'setSignal', { execution: { id }, signalId, value }, 'signal { value setBy { username } }');
  const isWaiting = (id: string, nodeId: string) =>
    eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes[nodeId]?.phase === 'RUNNING',
    );

  it('waits for an approval, for a value and for some time', async () => {
    await register('waits', waits);
    const id = await launch(app, project, 'waits', { inputs: { x: 7 } });
    await isWaiting(id, 'ok');
    expect(await set(id, 'go', true)).toMatchObject({
      signal: { value: true, setBy: { username: 'admin' } },
    });
    await isWaiting(id, 'number');
    expect(await set(id, 'how-many', 'seven')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'value'] }],
    });
    await set(id, 'how-many', 21);
    await hands.work(async () => (await readExecution(app, id)).endedAt !== null);
    const execution = await readExecution(app, id);
    expect(execution).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { z: 42 } },
      nodes: { ok: { data: { outputs: { x: 7 } } }, nap: { phase: 'SUCCEEDED' } },
    });
    expect(await set(id, 'go', false)).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('fails if the approval is refused', async () => {
    const id = await launch(app, project, 'waits', { inputs: { x: 7 } });
    await isWaiting(id, 'ok');
    await set(id, 'go', false);
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'FAILED', error: { code: 'ApprovalRejected' } });
  });

  it('does not keep an execution that is aborted', async () => {
    const id = await launch(app, project, 'waits', { inputs: { x: 7 } });
    await isWaiting(id, 'ok');
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'ABORTED',
      nodes: { ok: { phase: 'ABORTED' } },
    });
  });

  it.each([
    ['', 'MissingField'],
    ['s'.repeat(256), 'InvalidValue'],
  ])('has a signal with an id of 1 to 255 characters, so not %j', async (signalId, code) => {
    const id = await launch(app, project, 'waits', { inputs: { x: 7 } });
    const signal = { execution: { id }, signalId, type: integer };
    expect(await mutate(app, 'createSignal', signal)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'signalId'], code }],
    });
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'done' });
  });

  it('takes a value that was set before it started', async () => {
    const id = await launch(app, project, 'waits', { inputs: { x: 7 } });
    const signal = { execution: { id }, signalId: 'how-many', type: integer };
    await make(app, 'createSignal', signal, 'signal');
    await set(id, 'how-many', 3);
    await isWaiting(id, 'ok');
    await set(id, 'go', true);
    await hands.work(async () => (await readExecution(app, id)).endedAt !== null);
    expect(await readExecution(app, id)).toMatchObject({ data: { outputs: { z: 6 } } });
  });
});

describe('a node of a launch plan', () => {
  it('starts an execution of its own, and has its outputs', async () => {
    await registerWorkflow(app, project, 'child', { a: [] });
    await register('parent', {
      inputs: { x: integer },
      outputs: { z: integer },
      bound: { z: promise('call', 'z') },
      nodes: [
        {
          id: 'call',
          inputs: bind({ x: promise('', 'x') }),
          workflowNode: { launchplanRef: keyOf(project, 'child') },
        },
      ],
    });
    const execution = await run('parent', { x: 5 });
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 10 } } });
    expect(await inside(execution.id, 'call')).toMatchObject({
      kind: 'LAUNCH_PLAN',
      childExecution: { mode: 'CHILD_WORKFLOW', phase: 'SUCCEEDED', parentNodeExecution: { nodeId: 'call' } },
    });
  });

  it('is aborted with its execution', async () => {
    const id = await launch(app, project, 'parent', { inputs: { x: 5 } });
    const child = await hands.leaseNode('a');
    await hands.start(child);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    await hands.stopCancelled();
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'ABORTED',
      nodes: { call: { phase: 'ABORTED' } },
    });
    expect(await inside(id, 'call')).toMatchObject({ childExecution: { phase: 'ABORTED' } });
  });

  it('fails with the error of its execution', async () => {
    const id = await launch(app, project, 'parent', { inputs: { x: 5 } });
    const child = await hands.leaseNode('a');
    await hands.start(child);
    await hands.fail(child);
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'FAILED', error: { code: 'NonZeroExit' } });
  });
});

describe('a failure node', () => {
  it('runs after the workflow has failed, and gets the error', async () => {
    await register('guarded', {
      inputs: { x: integer },
      nodes: [double('work', promise('', 'x'))],
      failureNode: { id: 'clean', taskNode: { referenceId: keyOf(project, 'report') } },
    });
    const id = await launch(app, project, 'guarded', { inputs: { x: 1 } });
    const work = await hands.leaseNode('work');
    await hands.start(work);
    await hands.fail(work);
    const clean = await hands.leaseNode('clean');
    expect(await readExecution(app, id)).toMatchObject({ phase: 'FAILING' });
    expect(clean.inputs).toMatchObject({ err: { failedNodeId: 'work', message: 'it broke' } });
    await hands.start(clean);
    await hands.succeed(clean, {});
    expect(await untilEnded(app, id)).toMatchObject({
      phase: 'FAILED',
      errorNodeId: 'work',
      nodes: { clean: { phase: 'SUCCEEDED' } },
    });
  });
});
