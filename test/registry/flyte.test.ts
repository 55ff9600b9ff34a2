import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';

let app: LocalApp;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await app.ask('mutation { registerProject(input: { identifier: "demo", name: "demo" }) { __typename } }');
});
afterAll(() => app.stop());

const key = (name: string) => ({ project: 'demo', domain: 'development', name, version: 'v1' });
const task = { type: 'a', metadata: { discoverable: true }, interface: {} };

async function create(
  field: 'createTask' | 'createWorkflow' | 'createLaunchPlan',
  input: object,
): Promise<Answer> {
  const type = `C${field.slice(1)}Input`;
  const { data, errors } = await app.ask(
    `mutation ($input: ${type}!) {
      result: ${field}(input: $input) {
        __typename
        ... on InvalidArgumentError { problems { path message } }
        ... on NotFoundError { path }
        ... on DifferentStructureError { differences { path } }
      }
    }`,
    { input },
  );
  return data?.result ?? errors;
}

const pathsOf = (result: Answer) => result.problems.map(({ path }: Answer) => path.join('.'));

describe("a registration in Flyte's form", () => {
  it('is equal to the same registration in our own form', async () => {
    const input = { key: key('same'), template: { type: 'a', metadata: { retries: 2 }, interface: {} } };
    await create('createTask', input);
    const flyte = { template: { type: 'a', metadata: { retries: { retries: 2 } }, interface: {} } };
    expect(await create('createTask', { key: key('same'), flyte })).toEqual({
      __typename: 'AlreadyExistsError',
    });
  });

  it('is different if only what has no effect is different', async () => {
    const flyte = (value: string) => ({
      template: { ...task, container: { image: 'a', config: [{ key: 'a', value }] } },
    });
    await create('createTask', { key: key('kept'), flyte: flyte('1') });
    expect(await create('createTask', { key: key('kept'), flyte: flyte('2') })).toEqual({
      __typename: 'DifferentStructureError',
      differences: [{ path: ['leftovers', '0', 'value', '0', 'value'] }],
    });
  });

  it('may bring the short description, unless the input has another one', async () => {
    const flyte = { template: task, description: { shortDescription: 'theirs' } };
    await create('createTask', { key: key('theirs'), flyte });
    await create('createTask', { key: key('ours'), flyte, shortDescription: 'ours' });
    for (const name of ['theirs', 'ours']) {
      const { data } = await app.ask(
        'query ($key: EntityKeyInput!) { task(by: { key: $key }) { shortDescription } }',
        {
          key: key(name),
        },
      );
      expect(data.task).toEqual({ shortDescription: name });
    }
  });

  it.each([
    [
      'createTask',
      { flyte: { template: { type: '', metadata: {}, interface: {} } } },
      'input.flyte.template.type',
    ],
    ['createTask', { flyte: [] }, 'input.flyte'],
    ['createTask', {}, 'input.template'],
    ['createTask', { flyte: {}, template: { type: 'a', metadata: {}, interface: {} } }, 'input.flyte'],
    ['createWorkflow', { flyte: { template: { interface: {}, nodes: [] } } }, 'input.flyte.template.nodes'],
    [
      'createWorkflow',
      { flyte: { template: { interface: {} }, subWorkflows: [{ id: { name: 'a' } }] } },
      'input.flyte.subWorkflows.0.id.project',
    ],
    ['createWorkflow', { subWorkflows: [] }, 'input.template'],
    ['createLaunchPlan', { flyte: { workflowId: { name: 'a' } } }, 'input.flyte.workflowId.project'],
    ['createLaunchPlan', { flyte: {}, requiredInputs: ['a'] }, 'input.flyte'],
    ['createLaunchPlan', { defaultInputs: { a: 1 } }, 'input.workflow'],
  ] as const)('names the field of Flyte that is wrong: %s %j', async (field, input, path) => {
    expect(pathsOf(await create(field, { key: key('wrong'), ...input }))).toContain(path);
  });

  it('does not find the workflow of a launch plan', async () => {
    const flyte = { workflowId: key('absent') };
    expect(await create('createLaunchPlan', { key: key('plan'), flyte })).toEqual({
      __typename: 'NotFoundError',
      path: ['input', 'flyte', 'workflowId'],
    });
  });
});
