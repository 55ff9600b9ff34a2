/** A subscriber learns that a gate waits, and for which signal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';
import { overSse } from '../support/watch.ts';

const project = 'gates';
let app: LocalApp;

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'plain', { a: [] });
  const key = keyOf(project, 'waits');
  const nodes = [
    { id: 'ok', gateNode: { approve: { signalId: 'go' } } },
    { id: 'nap', gateNode: { sleep: { duration: 'PT1H' } } },
  ];
  const workflow = await createWorkflow(app, { key, template: { interface: {}, nodes } });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
});
afterAll(() => app.stop());

const events = `subscription ($id: ID!) { nodeExecutionEvents(by: { id: $id }) {
  nodeId ... on NodePhaseEvent { phase } nodeExecution { kind signal { signalId type value } } } }`;

async function nodesOf(id: string): Promise<Record<string, Answer>> {
  const { data, errors } = await app.ask(
    'query ($id: ID!) { execution(by: { id: $id }) { nodeExecutions { nodes { nodeId signal { signalId value } } } } }',
    { id },
  );
  expect(errors).toBeUndefined();
  const { nodes } = data.execution.nodeExecutions;
  return Object.fromEntries(nodes.map(({ nodeId, signal }: Answer) => [nodeId, signal]));
}

describe('a gate', () => {
  it('is announced to those who watch the nodes, with the signal that ends it', async () => {
    const id = await launch(app, project, 'waits', { maxParallelism: 0 });
    for await (const { data } of overSse(app, events, { id })) {
      const event = data.nodeExecutionEvents;
      if (event.nodeId !== 'ok' || event.phase !== 'RUNNING') continue;
      expect(event.nodeExecution).toEqual({
        kind: 'GATE',
        signal: { signalId: 'go', type: { simple: 'BOOLEAN' }, value: null },
      });
      const { signalId } = event.nodeExecution.signal;
      await mutate(app, 'setSignal', { execution: { id }, signalId, value: true });
      break;
    }
    await eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.ok.phase === 'SUCCEEDED',
    );
    expect(await nodesOf(id)).toEqual({ ok: { signalId: 'go', value: true }, nap: null });
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'done' });
  });

  it('has no signal if it is no gate', async () => {
    const id = await launch(app, project, 'plain');
    await eventually(
      () => readExecution(app, id),
      (execution) => execution.nodes.a !== undefined,
    );
    expect(await nodesOf(id)).toEqual({ a: null });
  });
});
