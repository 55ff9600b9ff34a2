/** The values that events of engines from outside bring, and what nodes are by them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { bind, doubleIn, promise, registerFlow } from '../support/flows.ts';
import { mutate } from '../support/mutate.ts';
import { integer, keyOf, launch, registerProject, registerTask } from '../support/seed.ts';

const project = 'events';
const at = '2026-01-01T00:00:00.000Z';
const double = doubleIn(project);
let app: App;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  const inner = { inputs: { x: integer }, nodes: [double('deep', promise('', 'x'))] };
  const call = {
    inputs: bind({ x: promise('', 'x') }),
    workflowNode: { subWorkflowRef: keyOf(project, 'inner') },
  };
  const nodes = [double('a', promise('', 'x')), { id: 'sub', ...call }];
  const outputs = { outputs: { z: integer }, bound: { z: promise('a', 'y') } };
  await registerFlow(app, project, 'flow', { inputs: { x: integer }, ...outputs, nodes }, { inner });
});
afterAll(() => app.stop());

const external = () => launch(app, project, 'flow', { inputs: { x: 1 }, engine: 'EXTERNAL' });
const event = async (field: string, id: string, input: object, selected: string): Promise<Answer> => {
  const answer = await mutate(app, field, { execution: { id }, occurredAt: at, ...input }, selected);
  return answer.execution ?? answer.nodeExecution ?? answer.taskExecution ?? answer;
};
const workflowEvent = (id: string, phase: string, more: object = {}) =>
  event(
    'createWorkflowEvent',
    id,
    { phase, ...more },
    'execution { phase cluster abort { cause } data { outputs } }',
  );
const nodeEvent = (id: string, nodeId: string, phase: string, more: object = {}) =>
  event(
    'createNodeEvent',
    id,
    { nodeId, phase, ...more },
    'nodeExecution { kind specNodeId isDynamic data { inputs outputs } }',
  );
const taskEvent = (id: string, phase: string, more: object = {}) =>
  event(
    'createTaskEvent',
    id,
    { nodeId: 'a', task: keyOf(project, 'double'), phase, ...more },
    'taskExecution { phase reason data { outputs } }',
  );

describe('the values of an event', () => {
  it('may take as many bytes as literals as the outputs of a task', async () => {
    const id = await external();
    const literals = (stringValue: string) => ({ y: { scalar: { primitive: { stringValue } } } });
    const limit = controlPlaneConfig.outputLimitBytes;
    const rest = limit - JSON.stringify(literals('')).length;
    const send = (nodeId: string, bytes: number) =>
      nodeEvent(id, nodeId, 'SUCCEEDED', { outputLiterals: literals('x'.repeat(bytes)) });
    expect(await send('large', rest)).toMatchObject({ kind: 'TASK' });
    expect(await send('larger', rest + 1)).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: `the outputs of an event must take at most ${limit} bytes as literals`,
    });
  });

  it('are checked with the interface of the node', async () => {
    const id = await external();
    const wrong = (field: string) => ({
      problems: [{ code: 'MismatchingTypes', path: ['input', field, field === 'inputs' ? 'x' : 'y'] }],
    });
    expect(await nodeEvent(id, 'a', 'RUNNING', { inputs: { x: 'one' } })).toMatchObject(wrong('inputs'));
    expect(await nodeEvent(id, 'a', 'RUNNING', { outputs: { y: 'two' } })).toMatchObject(wrong('outputs'));
    const running = await nodeEvent(id, 'a', 'RUNNING', { inputs: { x: 1 }, outputs: { y: 3 } });
    expect(running.data).toEqual({ inputs: { x: 1 }, outputs: {} });
    expect(await nodeEvent(id, 'a', 'SUCCEEDED', { outputs: { y: 2 } })).toMatchObject({
      data: { inputs: { x: 1 }, outputs: { y: 2 } },
    });
  });

  it('are checked with the interface of the task', async () => {
    const id = await external();
    await nodeEvent(id, 'a', 'RUNNING');
    for (const field of ['inputs', 'outputs'])
      expect(await taskEvent(id, 'RUNNING', { [field]: { x: 'one', y: 'two' } })).toHaveProperty('problems');
    expect(await taskEvent(id, 'SUCCEEDED', { inputs: { x: 1 }, outputs: { y: 2 } })).toMatchObject({
      data: { outputs: { y: 2 } },
    });
    expect(await nodeEvent(id, 'a', 'QUEUED')).toMatchObject({ data: { inputs: { x: 1 } } });
  });

  it('are kept of an attempt only at its end', async () => {
    const id = await external();
    await nodeEvent(id, 'a', 'RUNNING');
    const attempt = await taskEvent(id, 'RUNNING', { outputs: { y: 2 } });
    expect(attempt.data.outputs).toEqual({});
  });

  it('are those of an execution when it has succeeded, also if there are none', async () => {
    const outputs = { z: 4 };
    expect(await workflowEvent(await external(), 'SUCCEEDED', { outputs })).toMatchObject({
      data: { outputs },
    });
  });
});

describe('a node of an engine from outside', () => {
  it('is of the kind that it has in the workflow', async () => {
    const id = await external();
    expect(await nodeEvent(id, 'a', 'RUNNING')).toMatchObject({ kind: 'TASK', specNodeId: 'a' });
    expect(await nodeEvent(id, 'sub', 'RUNNING')).toMatchObject({ kind: 'WORKFLOW', specNodeId: 'sub' });
    expect(await nodeEvent(id, 'sub-0', 'RUNNING', { specNodeId: 'sub' })).toMatchObject({
      kind: 'WORKFLOW',
      specNodeId: 'sub',
    });
    expect(await nodeEvent(id, 'made', 'RUNNING', { isArray: true })).toMatchObject({ kind: 'ARRAY' });
    expect(await nodeEvent(id, 'unknown', 'RUNNING')).toMatchObject({ kind: 'TASK', specNodeId: 'unknown' });
  });
});

describe('the end of an execution of an engine from outside', () => {
  it.each<[string, object, object | null]>([
    ['keeps the request to abort it without a result', {}, { cause: 'enough' }],
    ['forgets it with an error of its own', { error: { code: 'c', message: 'm', kind: 'USER' } }, null],
    ['forgets it with outputs of its own', { outputs: { z: 1 } }, null],
  ])('%s', async (_what, more, abort) => {
    const id = await external();
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    expect(await workflowEvent(id, 'ABORTED', more)).toMatchObject({ phase: 'ABORTED', abort });
  });

  it('as ABORTED with an error needs no other cause', async () => {
    const error = { code: 'c', message: 'm', kind: 'USER' };
    expect(await workflowEvent(await external(), 'ABORTED', { error })).toMatchObject({ abort: null });
  });
});

describe('the engine of an execution', () => {
  it('is the one whose event QUEUED names it, and no other event changes it', async () => {
    const id = await external();
    expect(await workflowEvent(id, 'QUEUED')).toMatchObject({ cluster: null });
    expect(await workflowEvent(id, 'QUEUED', { producerId: 'propeller' })).toMatchObject({ cluster: null });
    expect(await workflowEvent(id, 'QUEUED', { producerId: 'east' })).toMatchObject({ cluster: 'east' });
    expect(await workflowEvent(id, 'RUNNING', { producerId: 'propeller' })).toMatchObject({
      cluster: 'east',
    });
  });
});
