/** Workflows as graphs: nodes of all kinds, edges, bindings, and what of them a reader may not see. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createWorkflow,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'graphs';
let app: LocalApp;
let away: string;

const promise = (nodeId: string, output: string, ...attrPath: (string | number)[]) => ({
  promise: { nodeId, var: output, attrPath },
});
const x = (binding: object) => [{ var: 'x', binding }];
const run = (name: string, where = project) => ({ taskNode: { referenceId: keyOf(where, name) } });

/** A node of every kind. The task of `far` and the launch plan of `start` are in another project. */
const mixed = {
  key: keyOf(project, 'mixed'),
  subWorkflows: [
    {
      key: keyOf(project, 'inner'),
      template: workflowInput(project, 'inner', { in: [] }).template,
    },
  ],
  template: {
    onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE',
    interruptible: true,
    interface: {
      inputs: [
        { name: 'x', type: integer },
        { name: 'many', type: { collectionType: integer } },
      ],
      outputs: [
        { name: 'all', type: { collectionType: integer } },
        { name: 'one', type: integer },
      ],
    },
    nodes: [
      {
        id: 'first',
        metadata: { name: 'The first', timeout: 'PT1M', retries: 2, interruptible: false, cacheable: true },
        inputs: x(promise('', 'x')),
        outputAliases: [{ var: 'y', alias: 'result' }],
        taskNode: {
          referenceId: keyOf(project, 'double'),
          overrides: {
            containerImage: 'node:22',
            resources: { requests: [{ name: 'CPU', value: '1' }] },
            extendedResources: { gpuAccelerator: { device: 'a100' } },
          },
        },
      },
      { id: 'far', inputs: x({ value: 7 }), upstreamNodeIds: ['first'], ...run('double', 'away') },
      {
        id: 'choose',
        inputs: x(promise('first', 'result')),
        branchNode: {
          ifElse: {
            case: {
              condition: {
                conjunction: {
                  operator: 'AND',
                  leftExpression: {
                    comparison: { operator: 'GT', leftValue: { var: 'x' }, rightValue: { value: 10 } },
                  },
                  rightExpression: {
                    comparison: { operator: 'NEQ', leftValue: { var: 'x' }, rightValue: { value: 13 } },
                  },
                },
              },
              thenNode: { id: 'large', inputs: x(promise('far', 'y')), ...run('double') },
            },
            elseNode: { id: 'small', inputs: x({ value: 1 }), ...run('double') },
          },
        },
      },
      { id: 'sleep', upstreamNodeIds: ['choose'], gateNode: { sleep: { duration: 'PT5S' } } },
      {
        id: 'ask',
        gateNode: { signal: { signalId: 'how-many', type: integer, outputVariableName: 'given' } },
      },
      { id: 'allow', inputs: x(promise('ask', 'given')), gateNode: { approve: { signalId: 'ok' } } },
      {
        id: 'fan',
        inputs: x({ collection: [promise('first', 'y'), { value: 2 }] }),
        arrayNode: { node: { id: 'item', ...run('double') }, parallelism: 4, minSuccessRatio: 1 },
      },
      {
        id: 'nested',
        inputs: x(promise('', 'many', 0)),
        workflowNode: { subWorkflowRef: keyOf(project, 'inner') },
      },
      { id: 'start', inputs: x({ value: 3 }), workflowNode: { launchplanRef: keyOf('away', 'lent') } },
    ],
    outputs: [
      { var: 'all', binding: promise('fan', 'y') },
      { var: 'one', binding: promise('nested', 'z') },
    ],
    failureNode: { id: 'clean', inputs: x(promise('', 'x')), ...run('double') },
  },
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  away = await registerProject(app, 'away');
  for (const home of [project, 'away']) await registerTask(app, home, 'double');
  await registerWorkflow(app, 'away', 'lent', { a: [] });
  expect(await createWorkflow(app, mixed)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
});
afterAll(() => app.stop());

async function workflow(selection: string, caller?: string, name = 'mixed'): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($key: EntityKeyInput!) { workflow(by: { key: $key }) { ${selection} } }`,
    { key: keyOf(project, name) },
    caller,
  );
  expect(errors).toBeUndefined();
  return data.workflow;
}

const entityIdOf = async (name: string) =>
  (await db.namedEntity.findFirstOrThrow({ where: { name, type: 'WORKFLOW' } })).id;

/** May read the workflow `mixed` and nothing else. */
const readerOf = async (name: string) =>
  newCaller({ role: 'GUEST', grants: [{ type: 'WORKFLOW', id: await entityIdOf(name), level: 'READ' }] });

describe('Workflow.graph', () => {
  it('has all nodes in one list, those inside of a node after it and the failure node last', async () => {
    const { graph } = await workflow(
      'graph { nodes { id parentId kind isFailureNode } failureNodeId onFailure interruptible }',
    );
    expect(
      graph.nodes.map(({ id, parentId, kind }: Answer) => [id, parentId, kind].filter(Boolean).join(' ')),
    ).toEqual([
      'first TASK',
      'far TASK',
      'choose BRANCH',
      'choose:large choose TASK',
      'choose:small choose TASK',
      'sleep GATE',
      'ask GATE',
      'allow GATE',
      'fan ARRAY',
      'fan:item fan TASK',
      'nested WORKFLOW',
      'start LAUNCH_PLAN',
      'clean TASK',
    ]);
    expect(graph.nodes.filter((node: Answer) => node.isFailureNode)).toHaveLength(1);
    expect(graph).toMatchObject({
      failureNodeId: 'clean',
      onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE',
      interruptible: true,
    });
  });

  it('has an edge for each node that waits, and says whether it uses an output', async () => {
    const { graph } = await workflow(
      'graph { edges { from to kind } nodes { id upstreamNodeIds downstreamNodeIds } }',
    );
    expect(graph.edges.map(({ from, to, kind }: Answer) => `${from} > ${to} ${kind}`)).toEqual([
      'first > far ORDER',
      // Only the node inside of the branch uses the output of `far`.
      'far > choose DATA',
      'first > choose DATA',
      'choose > sleep ORDER',
      'ask > allow DATA',
      'first > fan DATA',
    ]);
    const byId = Object.fromEntries(graph.nodes.map((node: Answer) => [node.id, node]));
    expect(byId.choose).toMatchObject({ upstreamNodeIds: ['far', 'first'], downstreamNodeIds: ['sleep'] });
    expect(byId['choose:large']).toMatchObject({ upstreamNodeIds: [], downstreamNodeIds: [] });
  });

  it('shows where each input and output comes from', async () => {
    const one = 'promise { nodeId var attrPath } value literal';
    const { graph } = await workflow(
      `graph { outputs { var binding { ${one} } }
        nodes { id inputs { var binding { ${one} map { key } targetType { text } collection { ${one} } } } } }`,
    );
    const inputOf = (id: string) => graph.nodes.find((node: Answer) => node.id === id).inputs;
    const none = { value: null, literal: null, promise: null };
    const rest = { map: null, targetType: null, collection: null };
    expect(inputOf('nested')).toEqual([
      {
        var: 'x',
        binding: { ...none, ...rest, promise: { nodeId: 'start-node', var: 'many', attrPath: [0] } },
      },
    ]);
    const two = { ...none, value: 2, literal: { scalar: { primitive: { integer: '2' } } } };
    const fromFirst = { ...none, promise: { nodeId: 'first', var: 'y', attrPath: [] } };
    expect(inputOf('fan')).toEqual([
      { var: 'x', binding: { ...none, ...rest, collection: [fromFirst, two] } },
    ]);
    expect(graph.outputs).toEqual([
      { var: 'all', binding: { ...none, promise: { nodeId: 'fan', var: 'y', attrPath: [] } } },
      { var: 'one', binding: { ...none, promise: { nodeId: 'nested', var: 'z', attrPath: [] } } },
    ]);
  });

  it('shows a map of bindings and the variant of a union', async () => {
    const map = { mapValueType: { unionType: { variants: [integer, { simple: 'NONE' }] } } };
    await registerTask(app, project, 'maps', { inputs: { x: map } });
    const input = workflowInput(project, 'maps', { a: [] });
    const nodes = [
      { id: 'first', inputs: x({ value: 1 }), ...run('double') },
      { id: 'a', inputs: x({ map: [{ key: 'k', binding: promise('first', 'y') }] }), ...run('maps') },
    ];
    expect(await createWorkflow(app, { ...input, template: { ...input.template, nodes } })).toMatchObject({
      __typename: 'CreateWorkflowPayload',
    });
    const { graph } = await workflow(
      'graph { nodes { inputs { binding { map { key binding { promise { nodeId } targetType { simple } } } } } } }',
      undefined,
      'maps',
    );
    expect(graph.nodes[1].inputs[0].binding.map).toEqual([
      { key: 'k', binding: { promise: { nodeId: 'first' }, targetType: { simple: 'INTEGER' } } },
    ]);
  });

  it('shows the target of each kind of node', async () => {
    const key = '{ project domain name version }';
    const { graph, subWorkflows } = await workflow(`graph { nodes {
      id metadata { name timeout retries interruptible cacheable cacheVersion config { key } } outputAliases { var alias }
      taskNode { referenceId ${key} task { name } overrides {
        containerImage podTemplate resources { requests { name value } limits { name } }
        extendedResources { gpuAccelerator { device } } } }
      workflowNode { subWorkflowRef ${key} launchplanRef ${key} launchPlan { name } }
      branchNode { cases { thenNodeId condition { text conjunction { operator
        leftExpression { comparison { operator leftValue { var value literal } rightValue { var value literal } } } } } }
        elseNodeId error { message } }
      gateNode { approve { signalId } signal { signalId type literalType { simple } outputVariableName } sleep { duration } }
      arrayNode { nodeId parallelism minSuccesses minSuccessRatio executionMode dataMode boundInputs
        isOriginalSubNodeInterface runAllSubNodes }
    } } subWorkflows { key ${key} graph { nodes { id } interface { outputs { name } } } }`);
    const byId = Object.fromEntries(graph.nodes.map((node: Answer) => [node.id, node]));
    expect(byId.first).toMatchObject({
      metadata: {
        ...{ name: 'The first', timeout: 'PT1M', retries: 2, interruptible: false },
        ...{ cacheable: true, cacheVersion: null, config: [] },
      },
      outputAliases: [{ var: 'y', alias: 'result' }],
      taskNode: {
        referenceId: keyOf(project, 'double'),
        task: { name: 'double' },
        overrides: {
          containerImage: 'node:22',
          podTemplate: null,
          resources: { requests: [{ name: 'CPU', value: '1' }], limits: [] },
          extendedResources: { gpuAccelerator: { device: 'a100' } },
        },
      },
      ...{ workflowNode: null, branchNode: null, gateNode: null, arrayNode: null },
    });
    expect(byId.choose.branchNode).toEqual({
      cases: [
        {
          thenNodeId: 'choose:large',
          condition: {
            text: 'x > 10 and x != 13',
            conjunction: {
              operator: 'AND',
              leftExpression: {
                comparison: {
                  operator: 'GT',
                  leftValue: { var: 'x', value: null, literal: null },
                  rightValue: {
                    var: null,
                    value: 10,
                    literal: { scalar: { primitive: { integer: '10' } } },
                  },
                },
              },
            },
          },
        },
      ],
      elseNodeId: 'choose:small',
      error: null,
    });
    const none = { approve: null, signal: null, sleep: null };
    expect(byId.sleep.gateNode).toEqual({ ...none, sleep: { duration: 'PT5S' } });
    expect(byId.ask.gateNode).toEqual({
      ...none,
      signal: { signalId: 'how-many', type: integer, literalType: integer, outputVariableName: 'given' },
    });
    expect(byId.allow.gateNode).toEqual({ ...none, approve: { signalId: 'ok' } });
    expect(byId.fan.arrayNode).toEqual({
      ...{ nodeId: 'fan:item', parallelism: 4, minSuccesses: null, minSuccessRatio: 1 },
      ...{ executionMode: 'MINIMAL_STATE', dataMode: 'SINGLE_INPUT_FILE', boundInputs: [] },
      ...{ isOriginalSubNodeInterface: true, runAllSubNodes: false },
    });
    expect(byId.nested.workflowNode).toEqual({
      subWorkflowRef: keyOf(project, 'inner'),
      launchplanRef: null,
      launchPlan: null,
    });
    expect(byId.start.workflowNode).toEqual({
      subWorkflowRef: null,
      launchplanRef: keyOf('away', 'lent'),
      launchPlan: { name: 'lent' },
    });
    expect(subWorkflows).toEqual([
      {
        key: keyOf(project, 'inner'),
        graph: { nodes: [{ id: 'in' }], interface: { outputs: [{ name: 'z' }] } },
      },
    ]);
  });

  it('of 1,000 nodes is read with its execution in one request, within the limits', async () => {
    const shape = Object.fromEntries(
      Array.from({ length: 1000 }, (_, at) => [`n${at}`, at < 10 ? [] : [`n${at - 10}`, `n${at - 9}`]]),
    );
    await registerWorkflow(app, project, 'wide', shape);
    const id = await launch(app, project, 'wide');
    const ask = () =>
      app.ask(
        `query ($id: ID!) { execution(by: { id: $id }) { phase workflow { graph {
          nodes { id parentId kind isFailureNode metadata { name } upstreamNodeIds
            taskNode { referenceId { project domain name version } task { id type } }
            inputs { var binding { value promise { nodeId var attrPath } } } }
          edges { from to kind }
        } } } }`,
        { id },
      );
    await ask();
    const { result, statements } = await statementsOf(ask);
    expect(result.errors).toBeUndefined();
    const { nodes, edges } = result.data.execution.workflow.graph;
    expect(nodes).toHaveLength(1000);
    expect(edges).toHaveLength(1980);
    expect(nodes.every((node: Answer) => node.taskNode.task.type === 'container')).toBe(true);
    // The execution, its workflow, the closure, the task of all nodes.
    expect(statements.filter((text) => /\b(executions|workflows|tasks)\b/.test(text))).toHaveLength(4);
  });
});

describe('what a reader of a workflow may not read', () => {
  const closureOf = async (caller?: string) => (await workflow('closure', caller)).closure;

  it('is shown in the closure by its key alone', async () => {
    const all = await closureOf();
    const shown = await closureOf(await readerOf('mixed'));
    expect(shown).toEqual({
      ...all,
      tasks: all.tasks.map(({ id }: Answer) => ({ id, template: null })),
      launchPlans: [{ id: keyOf('away', 'lent'), expectedInputs: null, expectedOutputs: null }],
    });
    expect(all.tasks.map(({ template }: Answer) => template.type)).toEqual(['container', 'container']);
    expect(all.launchPlans[0].expectedInputs).toHaveProperty('x');
  });

  it('is shown if it is in a project that the reader may read', async () => {
    const caller = await newCaller({
      role: 'GUEST',
      grants: [
        { type: 'WORKFLOW', id: await entityIdOf('mixed'), level: 'READ' },
        { type: 'PROJECT', id: away, level: 'READ' },
      ],
    });
    const { tasks, launchPlans } = await closureOf(caller);
    expect(tasks.map(({ id, template }: Answer) => [id.project, template?.type ?? null]).sort()).toEqual([
      ['away', 'container'],
      [project, null],
    ]);
    expect(launchPlans[0].expectedInputs).toHaveProperty('x');
  });

  it('is null in the graph, next to its key', async () => {
    const { graph } = await workflow(
      'graph { nodes { id taskNode { referenceId { name } task { id } } workflowNode { launchplanRef { name } launchPlan { id } } } }',
      await readerOf('mixed'),
    );
    const byId = Object.fromEntries(graph.nodes.map((node: Answer) => [node.id, node]));
    expect(byId.far.taskNode).toEqual({ referenceId: { name: 'double' }, task: null });
    expect(byId.start.workflowNode).toEqual({ launchplanRef: { name: 'lent' }, launchPlan: null });
  });

  it('looks like a version that does not exist any more', async () => {
    const reader = await readerOf('mixed');
    const { tasks } = await closureOf(reader);
    const hidden = await statementsOf(() => closureOf(reader));
    const { id } = await db.task.findFirstOrThrow({
      where: { name: 'double', project: { identifier: 'away' } },
    });
    await db.task.update({ where: { id }, data: { name: 'gone' } });
    const absent = await statementsOf(() => closureOf(reader));
    await db.task.update({ where: { id }, data: { name: 'double' } });
    expect(absent.result.tasks).toEqual(tasks);
    // Which grants are read together depends on which of two answers of the database comes first.
    expect(new Set(absent.statements)).toEqual(new Set(hidden.statements));
  });

  it('is left out of the differences with a version that is registered already', async () => {
    await registerTask(app, 'away', 'secret', { command: ['secret-command'] });
    const input = (task: string, where: string) =>
      workflowInput(project, 'both', { a: [] }, { task, taskProject: where });
    await createWorkflow(app, input('secret', 'away'));
    const editor = await newCaller({
      role: 'USER',
      grants: [
        { type: 'WORKFLOW', id: await entityIdOf('both'), level: 'EDIT' },
        {
          type: 'PROJECT',
          id: (await db.project.findFirstOrThrow({ where: { identifier: project } })).id,
          level: 'EDIT',
        },
      ],
    });
    const answers = [];
    for (const caller of [app.admin, editor])
      answers.push(await mutate(app, 'createWorkflow', input('double', project), '', caller));
    const [asAdmin, asEditor] = answers;
    for (const answer of answers) expect(answer.__typename).toBe('DifferentStructureError');
    expect(JSON.stringify(asAdmin)).toContain('secret-command');
    expect(JSON.stringify(asEditor)).not.toContain('secret-command');
    expect(asEditor.differences).toContainEqual(
      expect.objectContaining({ path: ['tasks', '0', 'template'], oldValue: 'null' }),
    );
  });
});
