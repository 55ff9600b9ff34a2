import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createExecution,
  createLaunchPlan,
  createWorkflow,
  domain,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  untilEnded,
} from '../support/seed.ts';

const project = 'ordered';
/** In an order that neither their length nor the alphabet gives. */
const names = ['zebra', 'b', 'aa', 'a'];
const types = Object.fromEntries(names.map((name) => [name, integer]));
const variables = names.map((name) => ({ name, type: integer }));

let app: App;
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'same', { inputs: types, outputs: types });
  const promise = (nodeId: string, name: string) => ({
    var: name,
    binding: { promise: { nodeId, var: name } },
  });
  const template = {
    interface: { inputs: variables, outputs: variables },
    nodes: [
      {
        id: 'n',
        inputs: names.map((name) => promise('', name)),
        taskNode: { referenceId: keyOf(project, 'same') },
      },
    ],
    outputs: names.map((name) => promise('n', name)),
  };
  expect(await createWorkflow(app, { key: keyOf(project, 'same'), template })).toMatchObject({
    __typename: 'CreateWorkflowPayload',
  });
  const key = keyOf(project, 'same');
  const plan = { key, workflow: { key } };
  const stored = await createLaunchPlan(app, { ...plan, defaultInputs: { a: 1 }, fixedInputs: { b: 2 } });
  expect(stored.launchPlan.expectedInputs.map((one: Answer) => one.name)).toEqual(['zebra', 'aa', 'a']);
});
afterAll(() => app.stop());

describe('values', () => {
  it('keep the order in which they are declared from launch to outputs', async () => {
    const id = await launch(app, project, 'same', { inputs: { aa: 3, zebra: 4 } });
    const hands = new Hands(app);
    const run = await hands.leaseNode('n');
    expect(Object.keys(run.inputs)).toEqual(names);
    await hands.succeed(run, { a: 1, aa: 2, b: 3, zebra: 4 });
    const { data, nodes } = await untilEnded(app, id);
    for (const { inputs, outputs } of [data, nodes.n.data])
      expect([Object.keys(inputs), Object.keys(outputs)]).toEqual([names, names]);
    expect(data.inputs).toEqual({ zebra: 4, b: 2, aa: 3, a: 1 });
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });

  it('are reported as problems in the same order, with unknown names last', async () => {
    const { problems } = await createExecution(app, {
      ...{ project, domain, launchPlan: { key: keyOf(project, 'same') } },
      inputs: { unknown: 1, a: 'x', b: 1, aa: 'x' },
    });
    expect(problems.map((one: Answer) => one.path.at(-1))).toEqual(['zebra', 'b', 'aa', 'a', 'unknown']);
  });
});
