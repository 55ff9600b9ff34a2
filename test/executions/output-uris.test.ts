/** Where an engine from outside keeps the outputs of an execution, a node or an attempt. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'addresses';
const occurredAt = '2026-01-01T00:00:00.000Z';
const uri = 's3://bucket/outputs.pb';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

const external = () => launch(app, project, 'flow', { engine: 'EXTERNAL' });
const workflowEvent = (id: string, phase: string, more: object = {}) =>
  mutate(
    app,
    'createWorkflowEvent',
    { execution: { id }, phase, occurredAt, ...more },
    'execution { id abort { cause } data { outputs outputUri } }',
  );

const read = async (id: string): Promise<Answer> =>
  (await app.ask('query ($id: ID!) { execution(by: { id: $id }) { data { outputs outputUri } } }', { id }))
    .data.execution.data;

describe('the address of the outputs of an execution', () => {
  it('is that of the event that ends it with success', async () => {
    const id = await external();
    expect(await read(id)).toEqual({ outputs: {}, outputUri: null });
    await workflowEvent(id, 'RUNNING', { outputUri: 's3://too-early' });
    expect(await read(id)).toEqual({ outputs: {}, outputUri: null });
    await workflowEvent(id, 'SUCCEEDED', { outputUri: uri });
    expect(await read(id)).toEqual({ outputs: {}, outputUri: uri });
  });

  it('is null if the event has none, and if the execution failed', async () => {
    const [plain, failed] = [await external(), await external()];
    await workflowEvent(plain, 'RUNNING', { outputUri: 's3://too-early' });
    await workflowEvent(plain, 'SUCCEEDED', { outputUri: '' });
    await workflowEvent(failed, 'FAILED', { outputUri: uri });
    expect([await read(plain), await read(failed)]).toMatchObject([{ outputUri: null }, { outputUri: null }]);
  });

  it('is a result, which takes an earlier request to abort away', async () => {
    const [withAddress, without] = [await external(), await external()];
    for (const id of [withAddress, without])
      await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    const { execution } = await workflowEvent(withAddress, 'SUCCEEDED', { outputUri: uri });
    expect(execution).toMatchObject({ abort: null, data: { outputUri: uri } });
    expect((await workflowEvent(without, 'SUCCEEDED')).execution).toMatchObject({
      abort: { cause: 'enough' },
    });
  });
});

const events: Record<string, object> = {
  createWorkflowEvent: {},
  createNodeEvent: { nodeId: 'a' },
  createTaskEvent: { nodeId: 'a', task: keyOf(project, 'double') },
};

describe.each(Object.entries(events))('%s', (field, about) => {
  const send = async (more: object) => {
    const id = await external();
    const event = { execution: { id }, occurredAt };
    await mutate(app, 'createNodeEvent', { ...event, phase: 'RUNNING', nodeId: 'a' });
    return await mutate(app, field, { ...event, ...about, phase: 'SUCCEEDED', ...more });
  };

  it.each([{ outputs: {} }, { outputLiterals: {} }])(
    'takes either the outputs or their address, but not both: %j',
    async (given) => {
      expect(await send({ outputUri: uri, ...given })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        path: ['input', 'outputUri'],
      });
      expect(endOf(await send(given))).toBe('OK');
      expect(endOf(await send({ ...given, outputUri: '' }))).toBe('OK');
    },
  );

  it('takes an address of at most 2,000 characters', async () => {
    expect(endOf(await send({ outputUri: 'x'.repeat(2000) }))).toBe('OK');
    expect(await send({ outputUri: 'x'.repeat(2001) })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'outputUri'],
    });
  });
});
