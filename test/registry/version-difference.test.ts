/** What differs between two versions of one name. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { comparable } from '../../src/registry/domain/comparable.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';

const project = 'versions';
let app: LocalApp;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerProject(app, 'away');
  await registerTask(app, project, 'double');
});
afterAll(() => app.stop());

const selection = 'difference(to: $to) { isComplete differences { path oldValue newValue } }';

async function difference(
  noun: 'task' | 'workflow' | 'launchPlan',
  name: string,
  [to, version]: readonly [string, string],
  caller?: string,
): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($key: EntityKeyInput!, $to: String!) { ${noun}(by: { key: $key }) { ${selection} } }`,
    { key: keyOf(project, name, version), to },
    caller,
  );
  expect(errors).toBeUndefined();
  return data[noun].difference;
}

const pathsOf = ({ differences }: Answer) => differences.map(({ path }: Answer) => path.join(' '));
const readerOf = async (workflow: string) => {
  const { id } = await db.namedEntity.findFirstOrThrow({ where: { name: workflow, type: 'WORKFLOW' } });
  return newCaller({ role: 'GUEST', grants: [{ type: 'WORKFLOW', id, level: 'READ' }] });
};

describe('Task.difference', () => {
  it('has the old and the new value of each place, and is empty for a version and itself', async () => {
    await registerTask(app, project, 'fit', { version: 'v1', retries: 1 });
    await registerTask(app, project, 'fit', { version: 'v2', retries: 2, args: ['a'] });
    expect(await difference('task', 'fit', ['v1', 'v2'])).toEqual({
      isComplete: true,
      differences: [
        { path: ['container', 'args', '0'], oldValue: null, newValue: '"a"' },
        { path: ['metadata', 'retries'], oldValue: '1', newValue: '2' },
      ],
    });
    expect((await difference('task', 'fit', ['v2', 'v1'])).differences[1]).toEqual({
      path: ['metadata', 'retries'],
      oldValue: '2',
      newValue: '1',
    });
    expect(await difference('task', 'fit', ['v1', 'v1'])).toEqual({ isComplete: true, differences: [] });
  });

  it('is shown to callers who may only read the task', async () => {
    const reader = await newCaller({
      role: 'GUEST',
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
    });
    expect(pathsOf(await difference('task', 'fit', ['v1', 'v2'], reader))).toHaveLength(2);
  });

  it('is null if there is no such version', async () => {
    expect(await difference('task', 'fit', ['v3', 'v1'])).toBeNull();
  });

  it('is cut, and says so, if it is too long', async () => {
    const version = (text: string, at: string) => {
      const { key, template } = taskInput(project, 'long', { version: at });
      return createTask(app, { key, template: { ...template, custom: { text } } });
    };
    await version('a'.repeat(70_000), 'v1');
    await version('b'.repeat(70_000), 'v2');
    const { isComplete, differences } = await difference('task', 'long', ['v1', 'v2']);
    expect(isComplete).toBe(false);
    const [{ path, oldValue, newValue }] = differences;
    expect(`${path.join('')}${oldValue}${newValue}`).toHaveLength(64 * 1024);
  });

  it('of a list takes the same statements for one version and for several', async () => {
    for (const version of ['v1', 'v2', 'v3'])
      await registerTask(app, project, 'many', { version, retries: Number(version.slice(1)) });
    const ask = (first: number) =>
      app.ask(
        `query ($first: Int, $to: String!) { tasks(filter: { project: "${project}", domain: "development", name: "many" },
          first: $first) { nodes { ${selection} } } }`,
        { first, to: 'v1' },
      );
    await ask(1);
    const one = await statementsOf(() => ask(1));
    const three = await statementsOf(() => ask(3));
    expect(
      three.result.data.tasks.nodes.map(({ difference: found }: Answer) => found.differences.length),
    ).toEqual([1, 1, 0]);
    expect(three.statements).toHaveLength(one.statements.length);
  });
});

describe('Workflow.difference', () => {
  it('names nodes, tasks and inputs, so that a node in front of others is one difference', async () => {
    await registerTask(app, project, 'double', { version: 'v2', retries: 3 });
    await createWorkflow(app, workflowInput(project, 'flow', { b: [], c: ['b'] }));
    const input = workflowInput(project, 'flow', { a: [], b: [], c: ['b'] }, { version: 'v2' });
    const [first, ...others] = input.template.nodes;
    const nodes = [
      ...[first].map((node) => ({ ...node, taskNode: { referenceId: keyOf(project, 'double', 'v2') } })),
      ...others,
    ];
    const made = await createWorkflow(app, { ...input, template: { ...input.template, nodes } });
    expect(made).toMatchObject({ __typename: 'CreateWorkflowPayload' });
    const found = await difference('workflow', 'flow', ['v1', 'v2']);
    expect(pathsOf(found)).toContain('primary template nodes a');
    expect(pathsOf(found).filter((path: string) => path.startsWith('primary template'))).toEqual([
      'primary template nodes a',
    ]);
  });

  it('names a task without its version, so that its change is inside of it', async () => {
    const uses = (task: string, version: string) => {
      const input = workflowInput(project, 'uses', { a: [] }, { version });
      const nodes = input.template.nodes.map((node) => ({
        ...node,
        taskNode: { referenceId: keyOf(project, 'double', task) },
      }));
      return createWorkflow(app, { ...input, template: { ...input.template, nodes } });
    };
    await uses('v1', 'v1');
    await uses('v2', 'v2');
    expect(pathsOf(await difference('workflow', 'uses', ['v1', 'v2']))).toEqual([
      'primary template nodes a taskNode referenceId version',
      `tasks ${project}/development/double id version`,
      `tasks ${project}/development/double template metadata retries`,
    ]);
  });

  it('finds versions whose nodes have another order', async () => {
    await createWorkflow(app, workflowInput(project, 'order', { a: [], b: [] }, { output: 'a' }));
    await createWorkflow(
      app,
      workflowInput(project, 'order', { b: [], a: [] }, { output: 'a', version: 'v2' }),
    );
    expect(pathsOf(await difference('workflow', 'order', ['v1', 'v2']))).toEqual([
      'primary template nodes 0 id',
      'primary template nodes 1 id',
    ]);
  });

  it('has nothing of tasks that the caller may not read', async () => {
    for (const version of ['v1', 'v2']) {
      await registerTask(app, 'away', 'secret', { version, command: [`secret-${version}`] });
      const input = workflowInput(project, 'lends', { a: [] }, { version });
      const nodes = input.template.nodes.map((node) => ({
        ...node,
        taskNode: { referenceId: keyOf('away', 'secret', version) },
      }));
      await createWorkflow(app, { ...input, template: { ...input.template, nodes } });
    }
    const full = await difference('workflow', 'lends', ['v1', 'v2']);
    expect(JSON.stringify(full)).toContain('secret-v1');
    const partial = await difference('workflow', 'lends', ['v1', 'v2'], await readerOf('lends'));
    expect(JSON.stringify(partial)).not.toContain('secret-v');
    expect(pathsOf(partial)).toEqual([
      'primary template nodes a taskNode referenceId version',
      'tasks away/development/secret id version',
    ]);
  });
});

describe('LaunchPlan.difference', () => {
  const plan = (workflow: string, version: string, fixed: number) =>
    createLaunchPlan(app, {
      key: keyOf(project, 'plan', version),
      workflow: { key: keyOf(project, workflow) },
      fixedInputs: { x: fixed },
    });

  it('compares inputs and workflows', async () => {
    await registerWorkflow(app, project, 'one', { a: [] });
    await registerWorkflow(app, project, 'other', { a: [], b: [] });
    await plan('one', 'v1', 1);
    await plan('one', 'v2', 2);
    await plan('other', 'v3', 2);
    expect(pathsOf(await difference('launchPlan', 'plan', ['v1', 'v2']))).toEqual([
      'fixedInputs x scalar primitive integer',
    ]);
    expect(pathsOf(await difference('launchPlan', 'plan', ['v2', 'v3']))).toEqual([
      'workflowDigest',
      'workflowId name',
    ]);
  });

  it('is null for a hidden version as for one that does not exist', async () => {
    const reader = await newCaller({
      role: 'GUEST',
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
    });
    const { id } = await db.namedEntity.findFirstOrThrow({ where: { name: 'other', type: 'WORKFLOW' } });
    await grant(reader, 'WORKFLOW', id, 'NO_PERMISSIONS');
    expect(
      await askAlike((version) => difference('launchPlan', 'plan', [version, 'v1'], reader), ['v3', 'v9']),
    ).toBeNull();
    expect(pathsOf(await difference('launchPlan', 'plan', ['v2', 'v1'], reader))).toHaveLength(1);
  });

  it('leaves the workflow out if the scopes of the caller hide all workflows', async () => {
    const scoped = await newCaller({
      role: 'USER',
      scopes: ['launchPlan:read'],
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
    });
    expect(pathsOf(await difference('launchPlan', 'plan', ['v1', 'v3'], scoped))).toEqual([
      'fixedInputs x scalar primitive integer',
    ]);
  });
});

describe('NamedEntity', () => {
  it('tells the version that was registered last from the one that is active', async () => {
    await app.ask(
      `mutation ($key: EntityKeyInput!) {
        updateLaunchPlan(input: { by: { key: $key }, state: ACTIVE }) { __typename } }`,
      { key: keyOf(project, 'plan', 'v2') },
    );
    const { data } = await app.ask(`{
      plan: ${entity('LAUNCH_PLAN', 'plan')} { latestLaunchPlan { version } activeLaunchPlan { version }
        latestTask { version } latestWorkflow { version } }
      task: ${entity('TASK', 'fit')} { latestTask { version } latestLaunchPlan { version } }
      workflow: ${entity('WORKFLOW', 'flow')} { latestWorkflow { version } latestTask { version } }
    }`);
    expect(data).toEqual({
      plan: {
        latestLaunchPlan: { version: 'v3' },
        activeLaunchPlan: { version: 'v2' },
        latestTask: null,
        latestWorkflow: null,
      },
      task: { latestTask: { version: 'v2' }, latestLaunchPlan: null },
      workflow: { latestWorkflow: { version: 'v2' }, latestTask: null },
    });
  });

  const entity = (type: string, name: string) =>
    `namedEntity(by: { key: { type: ${type}, project: "${project}", domain: "development", name: "${name}" } })`;
});

describe('comparable', () => {
  const key = (name: string, version: string) => ({ id: { project: 'p', domain: 'd', name, version } });

  it.each<[string, unknown, unknown]>([
    ['ids of nodes', [{ id: 'b', x: 1 }, { id: 'a' }], { b: { id: 'b', x: 1 }, a: { id: 'a' } }],
    ['keys without the version', [key('a', '1')], { 'p/d/a': key('a', '1') }],
    [
      'keys with the version if two have one name',
      [key('a', '1'), key('a', '2')],
      { 'p/d/a@1': key('a', '1'), 'p/d/a@2': key('a', '2') },
    ],
    [
      'variables of bindings',
      [{ var: 'x', binding: [{ var: 'y' }] }],
      { x: { var: 'x', binding: { y: { var: 'y' } } } },
    ],
    ['nothing if two have one id', [{ id: 'a' }, { id: 'a' }], [{ id: 'a' }, { id: 'a' }]],
    ['nothing if one has none', [{ id: 'a' }, {}], [{ id: 'a' }, {}]],
    ['nothing in plain lists', ['a', 1, null], ['a', 1, null]],
    ['nothing in an empty list', [], []],
  ])('names the items of lists by %s', (_name, given, expected) => {
    expect(comparable(given)).toEqual(expected);
  });

  it('keeps everything that is not a list', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())), (document) => {
        expect(comparable(document)).toEqual(document);
      }),
    );
  });
});
