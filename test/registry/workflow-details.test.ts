/** What authors say about a workflow and its parts, at any depth, and what of it is shown to whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  createWorkflow,
  integer,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  workflowInput,
} from '../support/seed.ts';
import { newCaller } from '../support/users.ts';

const project = 'details';
let app: LocalApp;
let projectId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerProject(app, 'away');
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'plain', { a: [] });
});
afterAll(() => app.stop());

const x = [{ var: 'x', binding: { promise: { nodeId: '', var: 'x' } } }];
const run = { taskNode: { referenceId: keyOf(project, 'double') } };
const metadata = (id: string) => ({ timeout: 'PT1M30S', config: [{ key: 'node', value: id }] });
/** A node with settings of its own. */
const step = (id: string, more: object = { inputs: x }) => ({
  ...{ id, metadata: metadata(id) },
  ...run,
  ...more,
});
const above = (limit: number) => ({
  comparison: { operator: 'GT', leftValue: { var: 'x' }, rightValue: { value: limit } },
});

async function graphOf(name: string, selection: string): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($key: EntityKeyInput!) { workflow(by: { key: $key }) { graph { ${selection} } } }`,
    { key: keyOf(project, name) },
  );
  expect(errors).toBeUndefined();
  return data.workflow.graph;
}

describe('a workflow', () => {
  it('keeps the settings of nodes inside of branches and arrays, and of the failure node', async () => {
    const { key, template } = workflowInput(project, 'deep', { first: [] });
    const nodes = [
      step('first'),
      {
        ...{ id: 'fails', inputs: x },
        branchNode: {
          ifElse: {
            case: { condition: above(9), thenNode: step('one') },
            other: [{ condition: above(5), thenNode: step('two') }],
            error: { failedNodeId: 'fails', message: 'x is too small' },
          },
        },
      },
      {
        ...{ id: 'goes-on', inputs: x },
        branchNode: {
          ifElse: { case: { condition: above(9), thenNode: step('three') }, elseNode: step('four') },
        },
      },
      {
        ...{ id: 'fan', inputs: [{ var: 'x', binding: { value: [1, 2] } }] },
        arrayNode: { node: step('item', {}), minSuccesses: 1, runAllSubNodes: true },
      },
    ];
    const made = await createWorkflow(app, {
      key,
      template: { ...template, nodes, failureNode: step('clean') },
    });
    expect(made, JSON.stringify(made)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
    const graph = await graphOf(
      'deep',
      `nodes { id metadata { timeout config { key value } }
        branchNode { cases { thenNodeId } elseNodeId error { failedNodeId message } }
        arrayNode { minSuccesses minSuccessRatio runAllSubNodes } }`,
    );
    const withSettings = graph.nodes.filter((node: Answer) => node.metadata);
    expect(withSettings.map(({ id, metadata: own }: Answer) => [id, own])).toEqual(
      ['first', 'fails:one', 'fails:two', 'goes-on:three', 'goes-on:four', 'fan:item', 'clean'].map((id) => [
        id,
        metadata(id.replace(/.*:/, '')),
      ]),
    );
    const byId = Object.fromEntries(graph.nodes.map((node: Answer) => [node.id, node]));
    expect(byId.fails.branchNode).toEqual({
      cases: [{ thenNodeId: 'fails:one' }, { thenNodeId: 'fails:two' }],
      ...{ elseNodeId: null, error: { failedNodeId: 'fails', message: 'x is too small' } },
    });
    expect(byId['goes-on'].branchNode).toMatchObject({ elseNodeId: 'goes-on:four', error: null });
    expect(byId.fan.arrayNode).toEqual({ minSuccesses: 1, minSuccessRatio: null, runAllSubNodes: true });
  });

  it('shows its tags, and the quality of service that a tool of Flyte gave it', async () => {
    const { key, template } = workflowInput(project, 'tagged', { a: [] });
    const tags = [{ key: 'team', value: 'ml' }];
    await createWorkflow(app, { key, template: { ...template, tags } });
    expect(await graphOf('tagged', 'qualityOfService tags { key value }')).toEqual({
      ...{ qualityOfService: null, tags },
    });
    const qualityOfService = { tier: 'HIGH' };
    const flyte = { template: { ...flyteTemplate, metadata: { qualityOfService } } };
    await make(app, 'createWorkflow', { key: keyOf(project, 'urgent'), flyte }, 'workflow');
    expect(await graphOf('urgent', 'qualityOfService tags { key value }')).toEqual({
      ...{ qualityOfService, tags: [] },
    });
  });

  const flyteTemplate = {
    interface: { inputs: { variables: { x: { type: integer } } } },
    nodes: [{ id: 'a', inputs: x, ...run }],
  };

  it("has the short description of Flyte's form, unless the input has another one", async () => {
    const flyte = { template: flyteTemplate, description: { shortDescription: 'theirs' } };
    for (const [name, more] of [
      ['theirs', {}],
      ['ours', { shortDescription: 'ours' }],
    ] as const) {
      const input = { key: keyOf(project, name), flyte, ...more };
      const { workflow } = await mutate(app, 'createWorkflow', input, 'workflow { shortDescription }');
      expect(workflow).toEqual({ shortDescription: name });
    }
  });

  it("comes back in Flyte's form with the workflows inside of it", async () => {
    const inner = keyOf(project, 'inner');
    const flyte = {
      template: {
        ...flyteTemplate,
        nodes: [{ id: 'nested', inputs: x, workflowNode: { subWorkflowRef: inner } }],
      },
      subWorkflows: [{ id: inner, ...flyteTemplate }],
    };
    const input = { key: keyOf(project, 'outer'), flyte };
    const { workflow } = await mutate(app, 'createWorkflow', input, 'workflow { flyte }');
    expect(workflow.flyte.subWorkflows).toMatchObject([{ id: inner, nodes: [{ id: 'a' }] }]);
  });

  it('has no list of launch plans in its closure if it starts none', async () => {
    const { data } = await app.ask(
      'query ($key: EntityKeyInput!) { workflow(by: { key: $key }) { closure } }',
      { key: keyOf(project, 'plain') },
    );
    expect(Object.keys(data.workflow.closure).sort()).toEqual(['primary', 'tasks']);
  });

  it('that starts another launch plan differs in the inputs of the launch plan', async () => {
    const start = async (value: number) => {
      const plan = keyOf(project, `start-${value}`);
      await make(
        app,
        'createLaunchPlan',
        { key: plan, workflow: { key: keyOf(project, 'plain') }, defaultInputs: { x: value } },
        'launchPlan',
      );
      const template = { interface: {}, nodes: [{ id: 'start', workflowNode: { launchplanRef: plan } }] };
      return await createWorkflow(app, { key: keyOf(project, 'starts'), template });
    };
    await start(1);
    expect((await start(2)).differences).toContainEqual({
      path: ['launchPlans', '0', 'expectedInputs', 'x', 'default', 'scalar', 'primitive', 'integer'],
      ...{ oldValue: '"1"', newValue: '"2"' },
    });
  });
});

describe('a launch plan', () => {
  it('shows what the workflow says about an input', async () => {
    const { key, template } = workflowInput(project, 'described', { a: [] });
    const [input] = template.interface.inputs;
    const inputs = [{ ...input, description: 'how many' }];
    await createWorkflow(app, {
      key,
      template: { ...template, interface: { ...template.interface, inputs } },
    });
    const plans = [
      ['described', 'how many'],
      ['plain', null],
    ] as const;
    for (const [name, description] of plans) {
      const plan = { key: keyOf(project, `${name}-plan`), workflow: { key: keyOf(project, name) } };
      const made = await mutate(
        app,
        'createLaunchPlan',
        plan,
        'launchPlan { expectedInputs { description } }',
      );
      expect(made.launchPlan.expectedInputs).toEqual([{ description }]);
    }
  });

  it("is null in Flyte's form for a caller from whom its workflow is hidden", async () => {
    const hidden = workflowInput('away', 'hidden', { a: [] }, { taskProject: project });
    await createWorkflow(app, hidden);
    const key = keyOf(project, 'shown');
    await make(app, 'createLaunchPlan', { key, workflow: { key: hidden.key } }, 'launchPlan');
    const reader = await newCaller({ grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }] });
    const flyteFor = async (caller?: string) => {
      const { data } = await app.ask(
        'query ($key: EntityKeyInput!) { launchPlan(by: { key: $key }) { version flyte } }',
        { key },
        caller,
      );
      return data.launchPlan;
    };
    expect((await flyteFor()).flyte).toMatchObject({ workflowId: hidden.key });
    expect(await flyteFor(reader)).toEqual({ version: 'v1', flyte: null });
  });
});
