import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { endOf } from '../support/mutate.ts';
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
  registerWorkflow,
  workflowInput,
} from '../support/seed.ts';
import { newCaller } from '../support/users.ts';

const project = 'create';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  const fixed = keyOf(project, 'fixed');
  await createLaunchPlan(app, {
    key: fixed,
    workflow: { key: keyOf(project, 'one') },
    fixedInputs: { x: 7 },
  });
  const needy = keyOf(project, 'needy');
  await createLaunchPlan(app, { key: needy, workflow: { key: keyOf(project, 'one') } });
});
afterAll(() => app.stop());

const plan = (name: string) => ({ key: keyOf(project, name) });
const ask = (more: object) => createExecution(app, { project, domain, launchPlan: plan('one'), ...more });

describe('createExecution', () => {
  it('starts QUEUED and records one event', async () => {
    const { execution } = await ask({ name: 'first', inputs: { x: 2 } });
    expect(execution).toMatchObject({ name: 'first', phase: 'QUEUED', data: { inputs: { x: 2 } } });
    const events = await db.executionEvent.findMany({ where: { executionId: execution.id } });
    expect(events).toMatchObject([{ sequence: 1n, kind: 'EXECUTION', phase: 'QUEUED' }]);
  });

  it('uses the defaults of the launch plan, and stores the inputs of the user separately', async () => {
    const { execution } = await ask({});
    expect(execution.data.inputs).toEqual({ x: 1 });
    expect(execution.name).toMatch(/^a[a-z0-9]{19}$/);
    const stored = await db.execution.findUniqueOrThrow({ where: { id: execution.id } });
    expect(stored.userInputs).toEqual({});
    expect(stored.inputs).toEqual({ x: { scalar: { primitive: { integer: '1' } } } });
  });

  it.each([
    [undefined, 25],
    [0, 0],
    [3, 3],
  ])('limits the nodes that run in parallel, to 25 by default: %s', async (maxParallelism, expected) => {
    const { execution } = await ask({ maxParallelism });
    const { data } = await app.ask(
      'query ($by: ExecutionByInput!) { execution(by: $by) { maxParallelism } }',
      {
        by: { id: execution.id },
      },
    );
    expect(data.execution.maxParallelism).toBe(expected);
  });

  it.each([
    ['2^53 + 1', '9007199254740993'],
    ['the largest', '9223372036854775807'],
    ['the smallest', '-9223372036854775808'],
  ])('keeps %s, a 64-bit integer, exactly', async (_name, x) => {
    expect((await ask({ inputs: { x } })).execution.data.inputs).toEqual({ x });
  });

  it('answers AlreadyExistsError for a taken name', async () => {
    await ask({ name: 'taken' });
    expect(await ask({ name: 'taken' })).toMatchObject({ code: 'ALREADY_EXISTS', path: ['input', 'name'] });
  });

  it('gives a name to one execution when many calls ask for it at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ name: 'raced' })));
    const kinds = answers.map((answer) => answer.__typename).sort();
    expect(kinds).toEqual([...Array(19).fill('AlreadyExistsError'), 'CreateExecutionPayload']);
    expect(await db.execution.count({ where: { name: 'raced' } })).toBe(1);
  });

  it.each([
    ['a name with capitals', { name: 'Foo' }, ['input', 'name'], 'InvalidValue'],
    ['a name that is too long', { name: 'a'.repeat(64) }, ['input', 'name'], 'InvalidValue'],
    ['an input that nobody expects', { inputs: { z: 1 } }, ['input', 'inputs', 'z'], 'VariableNameNotFound'],
    ['an input of another type', { inputs: { x: 'many' } }, ['input', 'inputs', 'x'], 'MismatchingTypes'],
    [
      'an input beyond 64 bits',
      { inputs: { x: '9223372036854775808' } },
      ['input', 'inputs', 'x'],
      'InvalidValue',
    ],
    [
      'a fixed input',
      { launchPlan: { key: keyOf(project, 'fixed') }, inputs: { x: 8 } },
      ['input', 'inputs', 'x'],
      'InvalidValue',
    ],
    [
      'a required input that is missing',
      { launchPlan: { key: keyOf(project, 'needy') } },
      ['input', 'inputs', 'x'],
      'MissingField',
    ],
    ['a domain that is none', { domain: 'nowhere' }, ['input', 'domain'], 'InvalidValue'],
    ['a negative limit', { maxParallelism: -1 }, ['input', 'maxParallelism'], 'InvalidValue'],
  ])('refuses %s and names the field', async (_name, more, path, code) => {
    const answer = await ask(more);
    expect(answer.__typename).toBe('InvalidArgumentError');
    expect(answer.problems).toMatchObject([{ path, code }]);
  });

  it('reports all problems together', async () => {
    const answer = await ask({ name: 'Foo', inputs: { x: 'many', z: 1 }, maxParallelism: -1 });
    expect(answer.problems).toHaveLength(4);
  });

  it('answers NotFoundError for a launch plan that does not exist', async () => {
    expect(await ask({ launchPlan: plan('ghost') })).toMatchObject({ __typename: 'NotFoundError' });
    expect(await ask({ launchPlan: { id: 'no id at all' } })).toMatchObject({ __typename: 'NotFoundError' });
  });

  it('is refused with a top-level NOT_FOUND for a project that does not exist', async () => {
    const answer = await ask({ project: 'ghost' });
    expect(answer).toMatchObject({ refused: 'NOT_FOUND', path: ['createExecution'] });
  });

  it('refuses an archived project', async () => {
    await registerProject(app, 'archived');
    await db.project.updateMany({ where: { identifier: 'archived' }, data: { state: 'ARCHIVED' } });
    const answer = await ask({ project: 'archived' });
    expect(answer.problems).toMatchObject([{ code: 'InactiveProject', path: ['input', 'project'] }]);
  });

  it('refuses a file that does not exist, and a file of another project', async () => {
    const blob = { blob: { format: 'csv', dimensionality: 'SINGLE' } };
    await registerTask(app, project, 'reader', { inputs: { file: blob }, outputs: { y: integer } });
    const { template, ...rest } = workflowInput(project, 'reads', { a: [] }, { task: 'reader' });
    await createWorkflow(app, {
      ...rest,
      template: {
        ...template,
        interface: { ...template.interface, inputs: [{ name: 'file', type: blob }] },
        nodes: [
          {
            id: 'a',
            inputs: [{ var: 'file', binding: { promise: { nodeId: '', var: 'file' } } }],
            taskNode: { referenceId: keyOf(project, 'reader') },
          },
        ],
      },
    });
    await createLaunchPlan(app, { key: keyOf(project, 'reads'), workflow: { key: keyOf(project, 'reads') } });
    await registerProject(app, 'other');
    const upload = await app.ask(
      `mutation { createBlobUpload(input: { owner: { project: "other" }, sizeBytes: "0",
         sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }) {
         ... on CreateBlobUploadPayload { uri uploadUrl } } }`,
    );
    const { uri, uploadUrl } = upload.data.createBlobUpload;
    expect((await fetch(uploadUrl, { method: 'PUT', body: '' })).status).toBe(201);
    for (const file of [uri, 'slipway://blobs/nothing'])
      expect(await ask({ launchPlan: plan('reads'), inputs: { file } })).toMatchObject({
        __typename: 'NotFoundError',
      });
    expect(await ask({ launchPlan: plan('reads'), inputs: { file: 's3://bucket/file.csv' } })).toMatchObject({
      __typename: 'CreateExecutionPayload',
    });
  });
});

describe('an execution of a launch plan of another project', () => {
  it('requires USE on the project that it runs in', async () => {
    const home = await registerProject(app, 'borrower');
    const lender = await db.project.findFirstOrThrow({ where: { identifier: project } });
    const create = async (level: Level) => {
      const grants = [
        { type: 'PROJECT', id: lender.id, level: 'USE' },
        { type: 'PROJECT', id: home, level },
      ] as const;
      const input = { project: 'borrower', domain, launchPlan: plan('one') };
      return await createExecution(app, input, await newCaller({ role: 'USER', grants }));
    };
    expect(endOf(await create('READ'))).toBe('PERMISSION_DENIED');
    expect(endOf(await create('USE'))).toBe('OK');
  });

  it('is refused, and not hidden, for a caller who may only read a workflow in that project', async () => {
    await registerProject(app, 'glimpsed');
    await registerTask(app, 'glimpsed', 'double');
    await registerWorkflow(app, 'glimpsed', 'shown', { a: [] });
    const shown = await db.namedEntity.findFirstOrThrow({ where: { name: 'shown', type: 'WORKFLOW' } });
    const lender = await db.project.findFirstOrThrow({ where: { identifier: project } });
    const grants = [
      { type: 'PROJECT', id: lender.id, level: 'USE' },
      { type: 'WORKFLOW', id: shown.id, level: 'READ' },
    ] as const;
    const input = { project: 'glimpsed', domain, launchPlan: plan('one') };
    const caller = await newCaller({ role: 'USER', grants });
    expect(endOf(await createExecution(app, input, caller))).toBe('PERMISSION_DENIED');
  });
});

describe('execution', () => {
  it('is found by its id and by its key', async () => {
    const id = await launch(app, project, 'one', { name: 'found' });
    const { data } = await app.ask(
      `query ($byId: ExecutionByInput!, $byKey: ExecutionByInput!) {
         byId: execution(by: $byId) { id name } byKey: execution(by: $byKey) { id name }
       }`,
      { byId: { id }, byKey: { key: { project, domain, name: 'found' } } },
    );
    expect(data.byId).toEqual({ id, name: 'found' });
    expect(data.byKey).toEqual(data.byId);
  });

  it('is found in its own project and domain, also when others have an execution of the same name', async () => {
    await registerProject(app, 'twin');
    await registerTask(app, 'twin', 'double');
    await registerWorkflow(app, 'twin', 'one', { a: [] });
    const keys = [
      { project, domain, name: 'twin' },
      { project: 'twin', domain, name: 'twin' },
      { project: 'twin', domain: 'staging', name: 'twin' },
    ];
    const ids: string[] = [];
    for (const key of keys) ids.push(await launch(app, key.project, 'one', key));
    const asked = keys.map((_, at) => `e${at}: execution(by: $by${at}) { id }`);
    const variables = keys.map((key, at) => [`by${at}`, { key }]);
    const { data } = await app.ask(
      `query (${keys.map((_, at) => `$by${at}: ExecutionByInput!`).join()}) { ${asked.join(' ')} }`,
      Object.fromEntries(variables),
    );
    expect(Object.values(data)).toEqual(ids.map((id) => ({ id })));
  });

  it.each([
    [{ id: '01a202b2-5304-72e0-b221-04449f1f6bfe' }],
    [{ id: 'no id at all' }],
    [{ key: { project, domain, name: 'ghost' } }],
  ])('is null with NOT_FOUND when it does not exist: %j', async (by) => {
    const { data, errors } = await app.ask('query ($by: ExecutionByInput!) { execution(by: $by) { id } }', {
      by,
    });
    expect(data).toEqual({ execution: null });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('an id that is none', () => {
  it.each(['nodeExecution', 'taskExecution'])('is NOT_FOUND as a %s', async (field) => {
    const { data, errors } = await app.ask(`{ ${field}(by: { id: "no id at all" }) { id } }`);
    expect(data).toEqual({ [field]: null });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('executions', () => {
  it('pages forward and backward without gap or repeat, also when executions are created in between', async () => {
    await registerProject(app, 'pages');
    await registerTask(app, 'pages', 'double');
    await registerWorkflow(app, 'pages', 'one', { a: [] });
    for (let index = 0; index < 7; index += 1) await launch(app, 'pages', 'one', { name: `e${index}` });
    const page = async (args: object) => {
      const { data } = await app.ask(
        `query ($first: Int, $after: String, $last: Int, $before: String) {
           executions(filter: { project: "pages", domain: "development" },
                      first: $first, after: $after, last: $last, before: $before) {
             totalCount edges { cursor node { name } }
             pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
           }
         }`,
        args,
      );
      const { edges, pageInfo, totalCount } = data.executions;
      return { names: edges.map((edge: { node: { name: string } }) => edge.node.name), pageInfo, totalCount };
    };
    const one = await page({ first: 3 });
    expect(one).toMatchObject({
      names: ['e6', 'e5', 'e4'],
      totalCount: 7,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    await launch(app, 'pages', 'one', { name: 'e7' });
    const two = await page({ first: 3, after: one.pageInfo.endCursor });
    expect(two.names).toEqual(['e3', 'e2', 'e1']);
    const three = await page({ first: 3, after: two.pageInfo.endCursor });
    expect(three).toMatchObject({ names: ['e0'], pageInfo: { hasNextPage: false } });
    const back = await page({ last: 2, before: two.pageInfo.startCursor });
    expect(back.names).toEqual(['e5', 'e4']);
    expect((await page({ last: 2 })).names).toEqual(['e1', 'e0']);
  });

  it.each([
    [{ first: 0 }],
    [{ first: 1001 }],
    [{ first: 1, last: 1 }],
    [{ after: 'nonsense' }],
    [{ after: Buffer.from('["2026-13-99T","x"]').toString('base64url') }],
  ])('refuses %j as an argument', async (args) => {
    const { errors } = await app.ask(
      `query ($first: Int, $after: String, $last: Int) {
         executions(filter: { project: "${project}", domain: "development" }, first: $first, after: $after, last: $last) { edges { cursor } }
       }`,
      args,
    );
    expect(errors).toMatchObject([{ path: ['executions'], extensions: { code: 'INVALID_ARGUMENT' } }]);
  });
});
