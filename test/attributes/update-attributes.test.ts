import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { domain, registerProject } from '../support/seed.ts';
import { grantTo, newUser } from '../support/users.ts';
import {
  type Address,
  archive,
  override,
  overrides,
  read,
  recordFields,
  remove,
  tags,
  update,
} from './attributes-seed.ts';

const project = 'shaped';
let app: App;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
});
afterAll(() => app.stop());

const scopes: readonly (readonly [string, Address])[] = [
  ['a project', { project }],
  ['a domain', { project, domain }],
  ['a workflow', { project, domain, workflow: 'train' }],
];
let made = 0;
/** A workflow without attributes. */
const newWorkflow = (): Address => ({ project, domain, workflow: `workflow-${++made}` });

const pair = { key: 'team', value: 'blue' };
const environment = { name: 'warm', type: 'actor', version: '1', spec: { replicas: 2 } };
/** Every kind with all its fields, and what the answer adds to it. */
const payloads: Readonly<
  Record<string, readonly [attributes: Answer, resourceType: string, answer?: Answer]>
> = {
  taskResource: [
    {
      defaults: { cpu: '500m', gpu: '1', memory: '1Gi', storage: '1e3', ephemeralStorage: '0' },
      limits: { cpu: '2', gpu: '1', memory: '1.5Gi', storage: '2k', ephemeralStorage: '1' },
    },
    'TASK_RESOURCE',
  ],
  clusterResource: [{ attributes: [pair] }, 'CLUSTER_RESOURCE'],
  executionQueue: [{ tags: ['fast', 'large'] }, 'EXECUTION_QUEUE'],
  executionClusterLabel: [{ value: 'europe' }, 'EXECUTION_CLUSTER_LABEL'],
  qualityOfService: [
    { queueingBudget: 'PT1H' },
    'QUALITY_OF_SERVICE_SPECIFICATION',
    { tier: null, queueingBudget: 'PT1H' },
  ],
  pluginOverride: [
    { overrides: [{ ...override('spark', 'one', 'two'), missingPluginBehavior: 'USE_DEFAULT' }] },
    'PLUGIN_OVERRIDE',
  ],
  workflowExecutionConfig: [
    {
      maxParallelism: 7,
      interruptible: false,
      overwriteCache: true,
      securityContext: {
        runAs: { iamRole: 'role', k8sServiceAccount: 'account', executionIdentity: 'ada' },
        secrets: [{ group: 'database', groupVersion: '2', key: 'url', mountRequirement: 'FILE' }],
      },
      rawOutputDataConfig: { outputLocationPrefix: 's3://bucket/raw' },
      labels: [pair],
      annotations: [pair],
      envs: [{ key: 'REGION', value: 'north' }],
      executionEnvAssignments: [
        { nodeIds: ['a', 'b'], taskType: 'container', executionEnv: { ...environment, extant: null } },
      ],
    },
    'WORKFLOW_EXECUTION_CONFIG',
  ],
  clusterAssignment: [{ clusterPoolName: 'pool' }, 'CLUSTER_ASSIGNMENT'],
};
const nothing = Object.fromEntries(Object.keys(payloads).map((field) => [field, null]));

describe('setting attributes', () => {
  it.each(Object.entries(payloads))(
    'keeps everything of %s',
    async (field, [given, type, answer = given]) => {
      const address = newWorkflow();
      const expected = {
        ...{ projectIdentifier: project, domain, workflowName: address.workflow, launchPlanName: null },
        ...{ resourceType: type, attributes: { ...nothing, [field]: answer } },
      };
      expect(await update(app, address, { [field]: given })).toEqual(expected);
      expect(await read(app, address, type)).toMatchObject(expected);
    },
  );

  it('stores a tier of the quality of service', async () => {
    const { attributes } = await update(app, newWorkflow(), { qualityOfService: { tier: 'LOW' } });
    expect(attributes.qualityOfService).toEqual({ tier: 'LOW', queueingBudget: null });
  });

  it('fails a task whose plugin is missing, and mounts a secret in any way, unless told otherwise', async () => {
    const plugins = await update(app, newWorkflow(), overrides(override('spark', 'one')));
    expect(plugins.attributes.pluginOverride.overrides[0].missingPluginBehavior).toBe('FAIL');
    const config = { securityContext: { secrets: [{ group: 'database' }] } };
    const { attributes } = await update(app, newWorkflow(), { workflowExecutionConfig: config });
    expect(attributes.workflowExecutionConfig.securityContext.secrets).toEqual([
      { group: 'database', groupVersion: null, key: null, mountRequirement: 'ANY' },
    ]);
  });

  it.each(scopes)('of %s answers the keys of this scope', async (_name, address) => {
    const record = await update(app, address, tags('slow'));
    expect(record).toMatchObject({
      projectIdentifier: project,
      domain: address.domain ?? null,
      workflowName: address.workflow ?? null,
    });
  });

  it.each(scopes)('of %s again replaces the whole payload', async (_name, address) => {
    await update(app, address, { taskResource: { defaults: { cpu: '1' }, limits: { cpu: '2' } } });
    const second = { limits: { memory: '1Gi' } };
    const record = await update(app, address, { taskResource: second });
    expect(record.attributes.taskResource.defaults).toBeNull();
    expect(record.attributes.taskResource.limits).toMatchObject({ cpu: null, memory: '1Gi' });
    const rows = await db.matchableAttributes.count({
      where: {
        domain: address.domain ?? null,
        workflow: address.workflow ?? null,
        resourceType: 'TASK_RESOURCE',
      },
    });
    expect(rows).toBe(1);
  });

  it('says when the record was created and when it last changed', async () => {
    const address = newWorkflow();
    await update(app, address, tags('one'));
    const first = await read(app, address, 'EXECUTION_QUEUE');
    const input = { ...address, attributes: tags('two') };
    const times = 'matchableAttributes { createdAt updatedAt }';
    const answer = await mutate(app, 'updateWorkflowAttributes', input, times);
    const second = await read(app, address, 'EXECUTION_QUEUE');
    expect(answer.matchableAttributes).toEqual({
      createdAt: second.createdAt,
      updatedAt: second.updatedAt,
    });
    expect(second.createdAt).toBe(first.createdAt);
    expect(second.updatedAt > first.updatedAt).toBe(true);
  });

  it('keeps the records of other scopes and kinds', async () => {
    const [one, other] = [newWorkflow(), newWorkflow()];
    await update(app, one, tags('one'));
    await update(app, other, tags('other'));
    await update(app, one, { clusterAssignment: { clusterPoolName: 'pool' } });
    expect((await read(app, one, 'EXECUTION_QUEUE')).attributes.executionQueue.tags).toEqual(['one']);
    expect((await read(app, other, 'EXECUTION_QUEUE')).attributes.executionQueue.tags).toEqual(['other']);
  });
});

describe('plugin overrides', () => {
  const typesOf = (record: Answer): string[] =>
    record.attributes.pluginOverride.overrides.map(
      ({ taskType, pluginIds }: Answer) => `${taskType}: ${pluginIds}`,
    );

  it.each(scopes)(
    'of %s replace those of the same type of task and keep the others',
    async (_name, address) => {
      await update(app, address, overrides(override('spark', 'a'), override('ray', 'b')));
      const record = await update(app, address, overrides(override('spark', 'c'), override('dask', 'd')));
      expect(typesOf(record)).toEqual(['spark: c', 'ray: b', 'dask: d']);
      await remove(app, address, 'PLUGIN_OVERRIDE');
      expect(typesOf(await update(app, address, overrides(override('ray', 'e'))))).toEqual(['ray: e']);
    },
  );

  it.each(scopes)(
    'of %s keep all types of tasks that 20 calls set at the same time',
    async (_name, address) => {
      await remove(app, address, 'PLUGIN_OVERRIDE');
      const types = Array.from({ length: 20 }, (_, at) => `type-${at}`);
      await Promise.all(types.map((type) => update(app, address, overrides(override(type, 'plugin')))));
      const record = await read(app, address, 'PLUGIN_OVERRIDE');
      expect(typesOf(record).toSorted()).toEqual(types.map((type) => `${type}: plugin`).toSorted());
    },
  );

  it('are at most 100, together with the stored ones', async () => {
    const address = newWorkflow();
    const many = (from: number, count: number) =>
      overrides(...Array.from({ length: count }, (_, at) => override(`type-${from + at}`, 'plugin')));
    await update(app, address, many(0, 99));
    expect(await update(app, address, many(99, 2))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'attributes', 'pluginOverride', 'overrides'], code: 'TooLarge' }],
    });
    expect(typesOf(await update(app, address, many(99, 1)))).toHaveLength(100);
    expect(typesOf(await update(app, address, many(0, 100)))).toHaveLength(100);
  });
});

describe('a change of attributes', () => {
  const kinds = [
    ['setting', (address: Address) => update(app, address, tags('x'))],
    ['deleting', (address: Address) => remove(app, address, 'EXECUTION_QUEUE')],
  ] as const;

  it.each(kinds)('is refused in an archived project: %s', async (_name, change) => {
    const archived = `archived-${++made}`;
    await registerProject(app, archived);
    await archive(archived);
    for (const [, address] of scopes)
      expect(await change({ ...address, project: archived })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        problems: [{ path: ['input', 'project'], code: 'InactiveProject' }],
      });
  });

  it.each(kinds)('is refused in an unknown domain: %s', async (_name, change) => {
    for (const [, address] of scopes.slice(1))
      expect(await change({ ...address, domain: 'nowhere' })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        problems: [{ path: ['input', 'domain'], message: 'domain nowhere does not exist' }],
      });
  });

  it.each(kinds)(
    'is refused for a workflow without a name, or with a long one: %s',
    async (_name, change) => {
      const named = (workflow: string) => change({ project, domain, workflow });
      expect(await named('')).toMatchObject({
        code: 'INVALID_ARGUMENT',
        problems: [{ path: ['input', 'workflow'], code: 'MissingField', message: 'missing workflow' }],
      });
      expect(await named('x'.repeat(256))).toMatchObject({ problems: [{ path: ['input', 'workflow'] }] });
      expect(await named('x'.repeat(255))).not.toHaveProperty('code');
    },
  );

  it.each(kinds)('needs MANAGE on the project: %s', async (_name, change) => {
    const answers = [];
    for (const level of ['NO_PERMISSIONS', 'READ', 'EDIT', 'MANAGE'] as const) {
      const user = await newUser();
      await grantTo({ userId: user.id }, 'PROJECT', projectId, level);
      const asked =
        change === kinds[0][1]
          ? update(app, { project, domain }, tags('x'), user.authorization)
          : remove(app, { project, domain }, 'EXECUTION_QUEUE', user.authorization);
      answers.push((await asked)?.code ?? 'OK');
    }
    expect(answers).toEqual(['NOT_FOUND', 'PERMISSION_DENIED', 'PERMISSION_DENIED', 'OK']);
  });

  it('is in the audit log, with the record before and after it', async () => {
    const address = newWorkflow();
    const { id, authorization } = await newUser({ role: 'ADMIN' });
    await update(app, address, tags('one'), authorization);
    await update(app, address, tags('two'), authorization);
    await remove(app, address, 'EXECUTION_QUEUE', authorization);
    await remove(app, address, 'EXECUTION_QUEUE', authorization);
    const rows = await db.auditEvent.findMany({ where: { actorId: id }, orderBy: { id: 'asc' } });
    const of = (tag: string) => ({
      ...{ domain, workflow: address.workflow, resourceType: 'EXECUTION_QUEUE' },
      attributes: { tags: [tag] },
    });
    const common = {
      ...{ action: 'attributes:update', outcome: 'DONE', targetType: 'project' },
      ...{ targetId: projectId, targetName: project },
    };
    expect(rows).toMatchObject([
      { ...common, before: null, after: of('one') },
      { ...common, before: of('one'), after: of('two') },
      { ...common, before: of('two'), after: null },
    ]);
  });

  it('does not write the values of environment variables to the audit log', async () => {
    const { id, authorization } = await newUser({ role: 'ADMIN' });
    const config = { maxParallelism: 3, envs: [{ key: 'PASSWORD', value: 'hunter2' }] };
    await update(app, newWorkflow(), { workflowExecutionConfig: config }, authorization);
    const [row] = await db.auditEvent.findMany({ where: { actorId: id } });
    expect(row?.after).toMatchObject({ attributes: { maxParallelism: 3, envs: ['PASSWORD'] } });
    expect(JSON.stringify(row)).not.toContain('hunter2');
  });

  it('is seen by a later field of the same mutation', async () => {
    const { data } = await app.ask(
      `mutation ($one: UpdateProjectAttributesInput!, $two: UpdateProjectAttributesInput!) {
         one: updateProjectAttributes(input: $one) { ... on UpdateProjectAttributesPayload { matchableAttributes { ${recordFields} } } }
         two: updateProjectAttributes(input: $two) { ... on UpdateProjectAttributesPayload { matchableAttributes { ${recordFields} project { identifier } } } }
       }`,
      { one: { project, attributes: tags('one') }, two: { project, attributes: tags('two') } },
    );
    expect(data.two.matchableAttributes).toMatchObject({
      project: { identifier: project },
      attributes: { executionQueue: { tags: ['two'] } },
    });
  });
});
