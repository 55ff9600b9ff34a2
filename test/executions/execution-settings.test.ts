import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { update } from '../attributes/attributes-seed.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  domain,
  integer,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';

const project = 'resolved';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await mutate(app, 'registerProject', {
    identifier: project,
    name: project,
    labels: [{ key: 'cost', value: '7' }],
  });
  await registerProject(app, 'bare');
  for (const one of [project, 'bare']) {
    await registerTask(app, one, 'double');
    await registerWorkflow(app, one, 'one', { a: [] });
  }
});
afterAll(() => app.stop());

const pairs = '{ key value }';
const fields = `execution {
  id name labels ${pairs} annotations ${pairs} envs ${pairs} tags
  securityContext { runAs { iamRole executionIdentity } secrets { group key } tokens { name } }
  qualityOfService { tier queueingBudget } queueingBudget rawOutputDataConfig { outputLocationPrefix }
  executionEnvAssignments { nodeIds taskType executionEnv { name } }
  maxParallelism interruptible overwriteCache clusterAssignment { clusterPoolName }
  executionClusterLabel { value } namespace nesting launchEntity scheduledAt cluster stateChange { occurredAt }
  principal { id } referenceExecution { id } sourceExecution { id } parentNodeExecution { id }
}`;

const ask = async (more: object, plan = 'one', at = project): Promise<Answer> => {
  const input = { project: at, domain, launchPlan: { key: keyOf(at, plan) }, ...more };
  const answer = await mutate(app, 'createExecution', input, fields);
  return answer.execution ?? answer;
};
const read = async (by: object): Promise<Answer> => {
  const document = `query ($by: ExecutionByInput!) { execution(by: $by) ${fields.slice('execution'.length)} }`;
  const { data, errors } = await app.ask(document, { by });
  expect(errors).toBeUndefined();
  return data.execution;
};

const map = (...entries: readonly string[]) => entries.map((key) => ({ key, value: 'v' }));
const cost = { key: 'cost', value: '7' };
const everything = {
  labels: map('team'),
  annotations: map('note'),
  envs: map('B', 'A'),
  tags: ['b', 'a'],
  rawOutputDataConfig: { outputLocationPrefix: 's3://bucket' },
  maxParallelism: 0,
  interruptible: false,
  overwriteCache: true,
  clusterAssignment: { clusterPoolName: 'gpu' },
  executionClusterLabel: { value: 'east' },
  executionEnvAssignments: [
    { nodeIds: ['a'], taskType: 'container', executionEnv: { name: 'warm', type: 'actor', spec: {} } },
  ],
};

describe('the settings of an execution', () => {
  it('are shown as they were asked for, with the labels of the project', async () => {
    const execution = await ask({
      ...everything,
      securityContext: {
        runAs: { iamRole: 'r' },
        secrets: [{ group: 'g', key: 'k' }],
        tokens: [{ name: 't' }],
      },
      qualityOfService: { queueingBudget: 'PT1M' },
    });
    const expected = {
      ...everything,
      labels: [...map('team'), cost],
      executionEnvAssignments: [{ nodeIds: ['a'], taskType: 'container', executionEnv: { name: 'warm' } }],
      securityContext: {
        runAs: { iamRole: 'r', executionIdentity: execution.principal.id },
        secrets: [{ group: 'g', key: 'k' }],
        tokens: [{ name: 't' }],
      },
      qualityOfService: { tier: null, queueingBudget: 'PT1M' },
      queueingBudget: 'PT1M',
    };
    expect(execution).toMatchObject(expected);
    expect(await read({ id: execution.id })).toEqual(execution);
  });

  it('are those of the service if nothing sets them', async () => {
    const execution = await ask({}, 'one', 'bare');
    expect(execution).toMatchObject({
      ...{ labels: [], annotations: [], envs: [], tags: [], executionEnvAssignments: [] },
      ...{ maxParallelism: 25, interruptible: null, overwriteCache: false },
      ...{ qualityOfService: null, queueingBudget: null, rawOutputDataConfig: null },
      ...{ clusterAssignment: null, executionClusterLabel: null, cluster: null },
      ...{ namespace: `bare-${domain}`, nesting: 0, launchEntity: 'LAUNCH_PLAN', scheduledAt: null },
      ...{ stateChange: null, referenceExecution: null, sourceExecution: null, parentNodeExecution: null },
      securityContext: {
        runAs: { iamRole: null, executionIdentity: execution.principal.id },
        secrets: [],
        tokens: [],
      },
    });
    const { spec } = await db.execution.findUniqueOrThrow({ where: { id: execution.id } });
    expect(spec).toEqual({});
  });

  it('come from the launch plan, the narrowest record and the record of the project, in this order', async () => {
    const at = 'layers';
    await registerProject(app, at);
    await registerTask(app, at, 'double');
    await registerWorkflow(app, at, 'one', { a: [] });
    await registerWorkflow(app, at, 'other', { a: [] });
    const wec = (config: object) => ({ workflowExecutionConfig: config });
    await update(app, { project: at }, wec({ maxParallelism: 2, overwriteCache: true, envs: map('P') }));
    await update(app, { project: at, domain }, wec({ interruptible: true, annotations: map('d') }));
    await update(
      app,
      { project: at, domain, workflow: 'one' },
      wec({ maxParallelism: 3, interruptible: true }),
    );
    await createLaunchPlan(app, {
      key: keyOf(at, 'plan'),
      workflow: { key: keyOf(at, 'one') },
      defaultInputs: { x: 1 },
      labels: map('l'),
      interruptible: false,
    });
    expect(await ask({}, 'plan', at)).toMatchObject({
      ...{ labels: map('l'), annotations: [], envs: map('P') },
      ...{ maxParallelism: 3, interruptible: false, overwriteCache: true },
    });
    expect(await ask({}, 'other', at)).toMatchObject({
      ...{ labels: [], annotations: map('d'), envs: map('P') },
      ...{ maxParallelism: 2, interruptible: true, overwriteCache: true },
    });
    const asked = { maxParallelism: 0, interruptible: false, overwriteCache: false, envs: map('R') };
    expect(await ask(asked, 'other', at)).toMatchObject({ ...asked, overwriteCache: true });
  });

  it('cannot choose another cluster pool than that of the domain', async () => {
    await update(app, { project: 'bare', domain }, { clusterAssignment: { clusterPoolName: 'small' } });
    const clusterAssignment = { clusterPoolName: 'large' };
    expect(await ask({ clusterAssignment }, 'one', 'bare')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'clusterAssignment'],
    });
    const small = { clusterAssignment: { clusterPoolName: 'small' } };
    expect(await ask(small, 'one', 'bare')).toMatchObject(small);
    expect(await ask({}, 'one', 'bare')).toMatchObject(small);
  });

  it('take the quality of service of the workflow', async () => {
    const key = keyOf('bare', 'patient');
    const node = {
      id: 'a',
      inputs: [{ var: 'x', binding: { promise: { nodeId: '', var: 'x' } } }],
      taskNode: { referenceId: keyOf('bare', 'double') },
    };
    const template = {
      metadata: { qualityOfService: { spec: { queueingBudget: '90s' } } },
      interface: { inputs: { variables: { x: { type: integer } } } },
      nodes: [node],
    };
    expect(await createWorkflow(app, { key, flyte: { template } })).not.toHaveProperty('code');
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
    expect((await ask({}, 'patient', 'bare')).queueingBudget).toBe('PT1M30S');
  });

  it('are not read for lists that do not show them, and in one statement for all rows of those that do', async () => {
    const list = (selected: string) =>
      statementsOf(() => app.ask(`{ executions { edges { node { ${selected} } } } }`));
    await list('id');
    const plain = await list('id interruptible overwriteCache maxParallelism scheduledAt nesting');
    const full = await list(`id labels ${pairs} envs ${pairs} tags securityContext { runAs { iamRole } }`);
    expect(full.statements.length).toBe(plain.statements.length + 1);
    const both = await list('id');
    expect(both.statements.join()).not.toContain('spec');
  });

  it('stores labels, also those of the project, and tags for filters', async () => {
    const { id } = await ask({ labels: map('team'), tags: ['b', 'a'] });
    const labels = await db.executionLabel.findMany({ where: { executionId: id }, orderBy: { key: 'asc' } });
    expect(labels).toMatchObject([cost, { key: 'team', value: 'v' }]);
    const tags = await db.executionTag.findMany({ where: { executionId: id }, orderBy: { tag: 'asc' } });
    expect(tags.map(({ tag }) => tag)).toEqual(['a', 'b']);
  });

  const many = (length: number) => Array.from({ length }, (_, at) => `n${at}`);
  it.each([
    ['too many labels', { labels: map(...many(17)) }, 'labels'],
    ['a label twice', { labels: map('a', 'a') }, 'labels.a'],
    ['a wrong variable', { envs: map('1') }, 'envs.1'],
    ['too many tags', { tags: many(101) }, 'tags'],
    ['an empty tag', { tags: [''] }, 'tags.0'],
    ['a long tag', { tags: ['x'.repeat(256)] }, 'tags.0'],
    ['a tag twice', { tags: ['a', 'a'] }, 'tags.1'],
    ['an empty security context', { securityContext: {} }, 'securityContext'],
    [
      'a negative budget',
      { qualityOfService: { queueingBudget: '-PT1S' } },
      'qualityOfService.queueingBudget',
    ],
    ['an empty pool', { clusterAssignment: { clusterPoolName: '' } }, 'clusterAssignment.clusterPoolName'],
    ['an empty cluster label', { executionClusterLabel: { value: '' } }, 'executionClusterLabel.value'],
  ])('cannot have %s', async (_name, settings, path) => {
    const answer = await ask({ name: 'refused', ...settings });
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', ...path.split('.')] });
    expect(await db.execution.count({ where: { name: 'refused' } })).toBe(0);
  });
});

describe('the execution of a launch plan of a node', () => {
  const at = 'family';
  beforeAll(async () => {
    await registerProject(app, at);
    await registerTask(app, at, 'double');
    await registerWorkflow(app, at, 'one', { a: [] });
    await createLaunchPlan(app, {
      key: keyOf(at, 'child'),
      workflow: { key: keyOf(at, 'one') },
      ...{ labels: map('child'), annotations: map('child'), interruptible: true, maxParallelism: 9 },
      clusterAssignment: { clusterPoolName: 'gpu' },
      defaultInputs: { x: 1 },
    });
    const key = keyOf(at, 'parent');
    const binding = { var: 'x', binding: { promise: { nodeId: '', var: 'x' } } };
    const node = { id: 'launch', inputs: [binding], workflowNode: { launchplanRef: keyOf(at, 'child') } };
    const inputs = [{ name: 'x', type: integer }];
    const template = {
      onFailure: 'FAIL_IMMEDIATELY',
      interface: { inputs, outputs: [] },
      nodes: [node],
      outputs: [],
    };
    expect(await createWorkflow(app, { key, template })).not.toHaveProperty('code');
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
  });

  const childOf = async (settings: object): Promise<{ parent: Answer; child: Answer }> => {
    const parent = await ask(settings, 'parent', at);
    expect(parent).toHaveProperty('id');
    await advanceExecution(parent.id);
    const row = await db.execution.findFirst({ where: { sourceId: parent.id } });
    return { parent, child: row && (await read({ id: row.id })) };
  };

  it('has the settings of its parent, those of its launch plan where the parent has none, and the smaller limit', async () => {
    const { parent, child } = await childOf({
      ...everything,
      securityContext: { runAs: { iamRole: 'r' } },
      qualityOfService: { queueingBudget: 'PT1M' },
    });
    expect(child).toMatchObject({
      ...everything,
      maxParallelism: 9,
      tags: [],
      executionEnvAssignments: [],
      securityContext: { runAs: { iamRole: 'r', executionIdentity: parent.principal.id } },
      ...{ qualityOfService: null, queueingBudget: null },
      ...{ nesting: 1, principal: parent.principal, sourceExecution: { id: parent.id } },
    });
    expect(child.parentNodeExecution).not.toBeNull();
    const other = await childOf({});
    expect(other.child).toMatchObject({
      ...{ labels: map('child'), annotations: map('child'), interruptible: true, maxParallelism: 9 },
    });
    const narrow = await childOf({ maxParallelism: 4 });
    expect(narrow.child).toMatchObject({ maxParallelism: 4 });
  });

  it('does not start if its settings are refused, and its node fails', async () => {
    const clusterAssignment = { clusterPoolName: 'b' };
    const parent = await ask({}, 'parent', at);
    await update(app, { project: at, domain }, { clusterAssignment });
    await advanceExecution(parent.id);
    const node = await db.nodeExecution.findFirstOrThrow({ where: { executionId: parent.id } });
    expect(node).toMatchObject({ phase: 'FAILED', errorCode: 'SettingsRefused', errorKind: 'USER' });
    expect(await db.execution.count({ where: { sourceId: parent.id } })).toBe(0);
  });
});
