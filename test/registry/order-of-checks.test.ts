/** Registrations with two faults: the check that comes first in Flyte's order is the one that answers. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createTask,
  createWorkflow,
  integer,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';

vi.hoisted(() => {
  process.env['TASK_TYPE_WHITELIST'] = 'spark=elsewhere,spark=order/staging,open=';
  process.env['WORKFLOW_NODE_LIMIT'] = '3';
  process.env['WORKFLOW_LIMIT_BYTES'] = '4096';
});

const project = 'order';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const identifier of [project, 'elsewhere', 'closed']) await registerProject(app, identifier);
  await db.project.updateMany({ where: { identifier: 'closed' }, data: { state: 'ARCHIVED' } });
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

/** `CODE path` of the first problem; for other errors, their code and path. */
function firstFault({ problems, code, path }: Answer): string {
  const [problem = { code, path }] = problems ?? [];
  return `${problem.code} ${problem.path.join('.')}`;
}

const container = { image: 'a', command: ['b'] };
const fine = { type: 'a', metadata: {}, interface: {}, container };
const key = (parts: object) => ({ ...keyOf(project, 'double'), ...parts });
const amounts = (...values: string[]) => ({ requests: values.map((value) => ({ name: 'CPU', value })) });
const twoTargets = { sql: { statement: 'select 1' } };

describe('createTask', () => {
  it.each<[string, object, object, string]>([
    ['a name and a project', key({ project: 'closed', name: '' }), fine, 'MissingField input.key.name'],
    ['a version and a domain', key({ domain: 'moon', version: '' }), fine, 'MissingField input.key.version'],
    [
      'a project and a domain',
      key({ project: 'closed', domain: 'moon' }),
      fine,
      'InactiveProject input.key.project',
    ],
    ['a domain and a type', key({ domain: 'moon' }), { ...fine, type: '' }, 'InvalidValue input.key.domain'],
    [
      'a type and metadata',
      key({}),
      { ...fine, type: '', metadata: null },
      'MissingField input.flyte.template.type',
    ],
    [
      'metadata and the version of the runtime',
      key({}),
      { ...fine, metadata: { runtime: {}, retries: 'many' }, interface: null },
      'MissingField input.flyte.template.metadata.runtime.version',
    ],
    [
      'the version of the runtime and the interface',
      key({}),
      { ...fine, metadata: { runtime: {} }, interface: null },
      'MissingField input.flyte.template.metadata.runtime.version',
    ],
    [
      'the interface and the image',
      key({}),
      { ...fine, interface: null, container: { image: '' } },
      'MissingField input.flyte.template.interface',
    ],
    [
      'the image and resources',
      key({}),
      { ...fine, container: { image: '', resources: amounts('much') } },
      'MissingField input.flyte.template.container.image',
    ],
    [
      'resources and the type that is not allowed',
      key({}),
      { ...fine, type: 'spark', container: { ...container, resources: amounts('much') } },
      'InvalidValue input.flyte.template.container.resources.requests.CPU',
    ],
    [
      'the type that is not allowed and two targets',
      key({}),
      { ...fine, ...twoTargets, type: 'spark' },
      'InvalidValue input.flyte.template.type',
    ],
    [
      'two targets and a version with another content',
      key({}),
      { ...fine, ...twoTargets },
      'InvalidValue input.flyte.template',
    ],
    ['only a version with another content', key({}), fine, 'INVALID_ARGUMENT input.key.version'],
  ])('of two faults reports the first: %s', async (_name, id, template, expected) => {
    const answer = await createTask(app, { key: id, flyte: { template } });
    expect(firstFault(answer)).toBe(expected);
  });

  it.each([
    ['spark', 'elsewhere', 'development', true],
    ['spark', project, 'staging', true],
    ['spark', project, 'development', false],
    ['open', project, 'development', true],
    ['other', project, 'development', true],
  ])('takes tasks of type %s in %s/%s: %s', async (type, home, domain, isAllowed) => {
    const input = taskInput(home, `typed-${type}-${domain}`);
    const answer = await createTask(app, {
      key: { ...input.key, domain },
      template: { ...input.template, type },
    });
    expect(answer.__typename).toBe(isAllowed ? 'CreateTaskPayload' : 'InvalidArgumentError');
  });

  it('takes resources up to the limits in the attributes of the domain', async () => {
    const attributes = { taskResource: { limits: { cpu: '2', memory: '1Gi' } } };
    await mutate(app, 'updateProjectDomainAttributes', { project, domain: 'staging', attributes });
    const register = (domain: string, name: string, value: string) => {
      const { template } = taskInput(project, 'limited');
      const resources = { requests: [{ name, value }] };
      const limited = { ...template, container: { ...template.container, resources } };
      const id = { ...keyOf(project, `limited ${name} ${value}`), domain };
      return createTask(app, { key: id, template: limited });
    };
    expect(firstFault(await register('staging', 'CPU', '2001m'))).toBe(
      'InvalidValue input.template.container.resources.requests.CPU',
    );
    expect(firstFault(await register('staging', 'MEMORY', '1025Mi'))).toBe(
      'InvalidValue input.template.container.resources.requests.MEMORY',
    );
    for (const [domain, name, value] of [
      ['staging', 'CPU', '2'],
      ['staging', 'MEMORY', '1Gi'],
      ['staging', 'GPU', '64'],
      ['development', 'CPU', '2001m'],
    ] as const)
      expect(await register(domain, name, value)).toMatchObject({ __typename: 'CreateTaskPayload' });
  });
});

describe('createWorkflow', () => {
  const flow = (shape: Record<string, string[]>, more: object = {}) => {
    const { template } = workflowInput(project, 'flow', shape);
    return { ...template, ...more };
  };
  const wide = { a: [], b: [], c: [], d: [] };
  const unknown = { nodes: [{ id: 'a', taskNode: { referenceId: keyOf(project, 'ghost') } }] };
  const large = { tags: [{ key: 'a', value: 'x'.repeat(4096) }] };
  const id = (parts: object) => ({ ...keyOf(project, 'flow'), ...parts });

  it.each<[string, object, object, string]>([
    ['a name and a domain', id({ name: '', domain: 'moon' }), flow({ a: [] }), 'MissingField input.key.name'],
    ['a domain and too many nodes', id({ domain: 'moon' }), flow(wide), 'InvalidValue input.key.domain'],
    // Flyte compiles first. We refuse too many nodes before anything is read for them.
    [
      'too many nodes and an unknown task',
      id({}),
      flow(wide, { outputs: [] }),
      'InvalidValue input.template.nodes',
    ],
    [
      'an unknown task and its size',
      id({}),
      flow({ a: [] }, { ...unknown, ...large, outputs: [], interface: {} }),
      'TaskReferenceNotFound input.template.nodes.a.taskNode.referenceId',
    ],
    [
      'its size and a version with another content',
      id({}),
      flow({ a: [] }, large),
      'TooLarge input.template',
    ],
    [
      'only a version with another content',
      id({}),
      flow({ a: [], b: [] }),
      'INVALID_ARGUMENT input.key.version',
    ],
  ])('of two faults reports the first: %s', async (_name, workflowKey, template, expected) => {
    expect(firstFault(await createWorkflow(app, { key: workflowKey, template }))).toBe(expected);
  });

  it('takes a workflow whose compiled form has as many bytes as the limit says', async () => {
    const padded = (length: number) => {
      const template = flow({ a: [] }, { tags: [{ key: 'a', value: 'x'.repeat(length) }] });
      return createWorkflow(app, { key: keyOf(project, 'exact'), template });
    };
    const { problems } = await padded(4096);
    const bytes = Number(/at most 4096 bytes, got (\d+)$/.exec(problems[0].message)?.[1]);
    const most = 4096 - (bytes - 4096);
    expect(firstFault(await padded(most + 1))).toBe('TooLarge input.template');
    expect(await padded(most)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  });

  it("names the field of Flyte's form that is too large", async () => {
    const nodes = [{ id: 'a', taskNode: { referenceId: keyOf(project, 'double') } }];
    const inputs = [{ var: 'x', binding: { scalar: { primitive: { integer: '1' } } } }];
    const template = {
      interface: {},
      nodes: [{ ...nodes[0], inputs }],
      metadata: { tags: { a: 'x'.repeat(4096) } },
    };
    expect(firstFault(await createWorkflow(app, { key: keyOf(project, 'large'), flyte: { template } }))).toBe(
      'TooLarge input.flyte.template',
    );
  });

  it('takes as many nodes as the limit says, in each workflow', async () => {
    const three = workflowInput(project, 'three', { a: [], b: [], c: [] });
    const sub = (shape: Record<string, string[]>) => ({
      key: keyOf(project, 'inner'),
      template: workflowInput(project, 'inner', shape).template,
    });
    expect(firstFault(await createWorkflow(app, { ...three, subWorkflows: [sub(wide)] }))).toBe(
      'InvalidValue input.subWorkflows.0.template.nodes',
    );
    expect(
      await createWorkflow(app, { ...three, subWorkflows: [sub({ a: [], b: [], c: [] })] }),
    ).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  });
});

describe('createLaunchPlan', () => {
  const create = (input: object) => mutate(app, 'createLaunchPlan', input);
  const workflow = { key: keyOf(project, 'flow') };
  const id = (parts: object) => ({ ...keyOf(project, 'flow'), ...parts });

  it.each<[string, object, string]>([
    [
      'an incomplete workflow and a name',
      { key: id({ name: '' }), workflow: { key: { ...workflow.key, version: '' } } },
      'MissingField input.workflow.key.version',
    ],
    [
      'a workflow that does not exist and a name',
      { key: id({ name: '' }), workflow: { key: keyOf(project, 'ghost') } },
      'NOT_FOUND input.workflow',
    ],
    [
      'a name and a domain',
      { key: id({ name: '', domain: 'moon' }), workflow },
      'MissingField input.key.name',
    ],
    [
      'a domain and an unknown input',
      { key: id({ domain: 'moon' }), workflow, fixedInputs: { ghost: 1 } },
      'InvalidValue input.key.domain',
    ],
    [
      'an input both fixed and defaulted, and a version with another content',
      { key: id({}), workflow, defaultInputs: { x: 1 }, fixedInputs: { x: 2 } },
      'ParameterBoundMoreThanOnce input.fixedInputs.x',
    ],
    [
      'only a version with another content',
      { key: id({}), workflow, fixedInputs: { x: 2 } },
      'INVALID_ARGUMENT input.key.version',
    ],
  ])('of two faults reports the first: %s', async (_name, input, expected) => {
    expect(firstFault(await create(input))).toBe(expected);
  });

  it('reports the problems of inputs in the order in which the workflow declares them', async () => {
    const names = ['c', 'a', 'b'];
    const input = workflowInput(project, 'many', { n: [] });
    const variables = ['x', ...names].map((name) => ({ name, type: integer }));
    const template = { ...input.template, interface: { ...input.template.interface, inputs: variables } };
    expect(await createWorkflow(app, { ...input, template })).toMatchObject({
      __typename: 'CreateWorkflowPayload',
    });
    const answer = await create({
      key: keyOf(project, 'many'),
      workflow: { key: keyOf(project, 'many') },
      defaultInputs: { b: 'no', a: 'no', c: 'no' },
    });
    expect(answer.problems.map((problem: Answer) => problem.path.at(-1))).toEqual(names);
  });
});
