import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { archive, update } from '../attributes/attributes-seed.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { bind, promise, registerFlow } from '../support/flows.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  domain,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { grantTo, newUser, type User } from '../support/users.ts';

const project = 'again';
let app: App;
let user: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  await registerWorkflow(app, project, 'secret', { a: [] });
  user = await newUser({ role: 'USER', level: 'USE' });
});
afterAll(() => app.stop());

const pairs = '{ key value }';
const fields = `execution {
  id name phase mode engine labels ${pairs} annotations ${pairs} envs ${pairs} tags interruptible maxParallelism
  overwriteCache qualityOfService { tier queueingBudget } rawOutputDataConfig { outputLocationPrefix }
  securityContext { runAs { iamRole executionIdentity } } executionClusterLabel { value }
  clusterAssignment { clusterPoolName } executionEnvAssignments { nodeIds }
  principal { id } nesting scheduledAt parentNodeExecution { id } referenceExecution { id } sourceExecution { id }
  launchPlan { name version } data { inputs }
}`;
const relaunch = async (id: string, more: object = {}, as?: User): Promise<Answer> => {
  const answer = await mutate(app, 'relaunchExecution', { by: { id }, ...more }, fields, as?.authorization);
  return answer.execution ?? answer;
};

const map = (...keys: readonly string[]) => keys.map((key) => ({ key, value: 'v' }));
const settings = {
  ...{ labels: map('team'), annotations: map('note'), envs: map('A'), tags: ['t'] },
  ...{ interruptible: false, maxParallelism: 0 },
  qualityOfService: { queueingBudget: 'PT1M' },
  rawOutputDataConfig: { outputLocationPrefix: 's3://b' },
  executionClusterLabel: { value: 'east' },
};

describe('relaunchExecution', () => {
  it('repeats an execution with its settings, for the caller', async () => {
    const asked = { ...settings, inputs: { x: 5 }, securityContext: { runAs: { iamRole: 'r' } } };
    const source = await launch(app, project, 'one', asked);
    expect(await relaunch(source, { name: 'second' }, user)).toMatchObject({
      ...settings,
      qualityOfService: { tier: null, queueingBudget: 'PT1M' },
      securityContext: { runAs: { iamRole: 'r', executionIdentity: user.id } },
      ...{ name: 'second', phase: 'QUEUED', mode: 'RELAUNCH', engine: 'SLIPWAY', principal: { id: user.id } },
      ...{ referenceExecution: { id: source }, sourceExecution: { id: source } },
      ...{ launchPlan: { name: 'one', version: 'v1' }, data: { inputs: { x: 5 } } },
    });
    expect(await relaunch(source, { name: 'second' }, user)).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('gives a name to one of many relaunches at the same time', async () => {
    const source = await launch(app, project, 'one');
    const answers = await Promise.all(Array.from({ length: 10 }, () => relaunch(source, { name: 'raced' })));
    expect(answers.filter(({ name }) => name === 'raced')).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'ALREADY_EXISTS')).toHaveLength(9);
  });

  it.each(['QUEUED', 'RUNNING', 'SUCCEEDED', 'ABORTING'] as const)(
    'repeats an execution that is %s',
    async (phase) => {
      const source = await launch(app, project, 'one');
      await db.execution.update({
        where: { id: source },
        data: { phase, state: 'ARCHIVED', endedAt: phase === 'SUCCEEDED' ? new Date() : null },
      });
      expect(await relaunch(source)).toMatchObject({ phase: 'QUEUED', referenceExecution: { id: source } });
    },
  );

  it('keeps the inputs that the user gave, and not those that were computed', async () => {
    const source = await launch(app, project, 'one');
    const stored = await db.execution.findUniqueOrThrow({ where: { id: (await relaunch(source)).id } });
    expect(stored.userInputs).toEqual({});
    expect(stored.inputs).toEqual({ x: { scalar: { primitive: { integer: '1' } } } });
  });

  it('takes changed inputs in either form', async () => {
    const source = await launch(app, project, 'one', { inputs: { x: 5 } });
    const literal = { scalar: { primitive: { integer: '8' } } };
    expect((await relaunch(source, { inputs: { x: 7 } })).data.inputs).toEqual({ x: 7 });
    expect((await relaunch(source, { inputLiterals: { x: literal } })).data.inputs).toEqual({ x: 8 });
    expect((await relaunch(source)).data.inputs).toEqual({ x: 5 });
    for (const [more, path] of [
      [{ inputs: { z: 1 } }, 'inputs.z'],
      [{ inputs: { x: 'many' } }, 'inputs.x'],
      [{ inputLiterals: [] }, 'inputLiterals'],
      [{ inputs: { x: 1 }, inputLiterals: { x: literal } }, 'inputLiterals.x'],
    ] as const)
      expect((await relaunch(source, more)).problems[0].path.join('.')).toContain(path.split('.').at(-1));
  });

  it('keeps the inputs that are not changed', async () => {
    const types = { x: integer, y: integer };
    const nodes = [
      { id: 'a', inputs: bind({ x: promise('', 'x') }), taskNode: { referenceId: keyOf(project, 'double') } },
    ];
    await registerFlow(app, project, 'pair', { inputs: types, nodes });
    const source = await launch(app, project, 'pair', { inputs: { x: 1, y: 2 } });
    const inputsOf = async (more: object) => (await relaunch(source, more)).data.inputs;
    const literal = { scalar: { primitive: { integer: '8' } } };
    expect(await inputsOf({ inputs: { y: 7 } })).toEqual({ x: 1, y: 7 });
    expect(await inputsOf({ inputLiterals: { y: literal } })).toEqual({ x: 1, y: 8 });
    expect(await inputsOf({ inputs: null, inputLiterals: null })).toEqual({ x: 1, y: 2 });
  });

  it('overwrites the cache only if it is asked to, or if attributes always do', async () => {
    const at = 'cached';
    await registerProject(app, at);
    await registerTask(app, at, 'double');
    await registerWorkflow(app, at, 'one', { a: [] });
    const source = await launch(app, at, 'one', { overwriteCache: true });
    expect((await relaunch(source)).overwriteCache).toBe(false);
    expect((await relaunch(source, { overwriteCache: null })).overwriteCache).toBe(false);
    expect((await relaunch(source, { overwriteCache: true })).overwriteCache).toBe(true);
    await update(app, { project: at }, { workflowExecutionConfig: { overwriteCache: true } });
    expect((await relaunch(source)).overwriteCache).toBe(true);
  });

  it('keeps settings whose defaults have changed, and gets new ones only where it had none', async () => {
    const at = 'moved';
    await registerProject(app, at);
    await registerTask(app, at, 'double');
    await registerWorkflow(app, at, 'one', { a: [] });
    const wec = (config: object) => update(app, { project: at }, { workflowExecutionConfig: config });
    await wec({ maxParallelism: 3, interruptible: true, envs: map('OLD') });
    const source = await launch(app, at, 'one');
    await wec({ maxParallelism: 4, interruptible: false, envs: map('NEW'), labels: map('new') });
    await update(app, { project: at, domain }, { clusterAssignment: { clusterPoolName: 'new' } });
    expect(await relaunch(source)).toMatchObject({
      ...{ maxParallelism: 3, interruptible: true, envs: map('OLD'), labels: map('new') },
      clusterAssignment: { clusterPoolName: 'new' },
    });
    await update(app, { project: at, domain }, { clusterAssignment: { clusterPoolName: 'newer' } });
    expect((await relaunch((await relaunch(source)).id)).clusterAssignment).toEqual({
      clusterPoolName: 'newer',
    });
  });

  it('keeps as many labels as an execution and its project can have together', async () => {
    const labels = map(...Array.from({ length: 16 }, (_, at) => `p${at}`));
    await mutate(app, 'registerProject', { identifier: 'labelled', name: 'labelled', labels });
    await registerTask(app, 'labelled', 'double');
    await registerWorkflow(app, 'labelled', 'one', { a: [] });
    const own = map(...Array.from({ length: 16 }, (_, at) => `e${at}`));
    const source = await launch(app, 'labelled', 'one', { labels: own });
    expect((await relaunch(source)).labels).toHaveLength(32);
  });

  it('is nobody’s child and no run of a schedule', async () => {
    const parent = await launch(app, project, 'one');
    const source = await launch(app, project, 'one');
    const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: parent } });
    const node = await db.nodeExecution.create({
      data: { tenantId, executionId: parent, nodeId: 'n', specNodeId: 'n', kind: 'LAUNCH_PLAN' },
    });
    const child = { parentNodeId: node.id, nesting: 3, mode: 'CHILD_WORKFLOW', sourceId: parent } as const;
    await db.execution.update({ where: { id: source }, data: { ...child, scheduledAt: new Date() } });
    expect(await relaunch(source)).toMatchObject({
      ...{ mode: 'RELAUNCH', nesting: 0, scheduledAt: null, parentNodeExecution: null },
      ...{ sourceExecution: { id: source }, referenceExecution: { id: source } },
    });
  });

  it('keeps an engine from outside', async () => {
    const source = await launch(app, project, 'one', { engine: 'EXTERNAL' });
    expect((await relaunch(source)).engine).toBe('EXTERNAL');
  });

  it('repeats an execution that was created before settings were stored', async () => {
    const source = await launch(app, project, 'one', { maxParallelism: 7 });
    await db.execution.update({ where: { id: source }, data: { spec: {} } });
    expect(await relaunch(source)).toMatchObject({ maxParallelism: 7, labels: [] });
  });

  it('is refused in an archived project', async () => {
    await registerProject(app, 'closed');
    await registerTask(app, 'closed', 'double');
    await registerWorkflow(app, 'closed', 'one', { a: [] });
    const source = await launch(app, 'closed', 'one');
    await archive('closed');
    expect(await relaunch(source)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'by', 'project'],
    });
  });

  it('requires USE, and does not find what is hidden', async () => {
    const source = await launch(app, project, 'one');
    const reader = await newUser({ role: 'USER', level: 'READ' });
    expect(endOf(await relaunch(source, {}, reader))).toBe('PERMISSION_DENIED');
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect(endOf(await relaunch(source, {}, stranger))).toBe('NOT_FOUND');
    expect(endOf(await relaunch('00000000-0000-7000-8000-000000000000', {}, user))).toBe('NOT_FOUND');
    const hidden = await launch(app, project, 'secret');
    const { id } = await db.namedEntity.findFirstOrThrow({ where: { name: 'secret', type: 'WORKFLOW' } });
    await grantTo({ userId: user.id }, 'WORKFLOW', id, 'NO_PERMISSIONS');
    expect(endOf(await relaunch(hidden, {}, user))).toBe('NOT_FOUND');
    expect(await db.execution.count({ where: { referenceId: { in: [source, hidden] } } })).toBe(0);
  });

  it('requires USE on the project too if the launch plan is in another one', async () => {
    await registerProject(app, 'guest');
    const guest = await db.project.findFirstOrThrow({ where: { identifier: 'guest' } });
    const home = await db.project.findFirstOrThrow({ where: { identifier: project } });
    const { execution } = await mutate(
      app,
      'createExecution',
      { project: 'guest', domain, launchPlan: { key: keyOf(project, 'one') } },
      fields,
    );
    const withLevel = async (level: 'READ' | 'USE') => {
      const caller = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
      await grantTo({ userId: caller.id }, 'PROJECT', home.id, 'USE');
      await grantTo({ userId: caller.id }, 'PROJECT', guest.id, level);
      // The grants on the workflow decide about its executions in all projects.
      const { id } = await db.namedEntity.findFirstOrThrow({
        where: { name: 'one', type: 'WORKFLOW', projectId: home.id },
      });
      await grantTo({ userId: caller.id }, 'WORKFLOW', id, 'USE');
      return caller;
    };
    expect(endOf(await relaunch(execution.id, {}, await withLevel('READ')))).toBe('PERMISSION_DENIED');
    expect(await relaunch(execution.id, {}, await withLevel('USE'))).toMatchObject({ mode: 'RELAUNCH' });
  });

  it('launches the version that the execution had', async () => {
    const source = await launch(app, project, 'one');
    await createLaunchPlan(app, {
      key: keyOf(project, 'one', 'v2'),
      workflow: { key: keyOf(project, 'one') },
      defaultInputs: { x: 99 },
    });
    await mutate(app, 'updateLaunchPlan', { by: { key: keyOf(project, 'one', 'v2') }, state: 'ACTIVE' });
    expect(await relaunch(source)).toMatchObject({
      launchPlan: { version: 'v1' },
      data: { inputs: { x: 1 } },
    });
  });
});
