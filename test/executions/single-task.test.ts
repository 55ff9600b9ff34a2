import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { singleNodeId } from '../../src/registry/domain/single-task-workflow.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createTask,
  domain,
  keyOf,
  registerProject,
  registerTask,
  taskInput,
  untilEnded,
} from '../support/seed.ts';
import { newUser } from '../support/users.ts';

const project = 'single';
let app: LocalApp;
let hands: Hands;

beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  await registerProject(app, project);
  await registerProject(app, 'elsewhere');
  await registerTask(app, project, 'app.module.double');
});
afterAll(() => app.stop());

const fields = `execution {
  id mode launchEntity task { name version } workflow { name version } launchPlan { name state expectedInputs { name required } }
  data { inputs }
}`;
const create = (task: object, more: object = {}, authorization?: string): Promise<Answer> =>
  mutate(app, 'createExecution', { project, domain, task, ...more }, fields, authorization);
const key = keyOf(project, 'app.module.double');
const withLevel = (projectId: string, level: Level) =>
  newUser({ grants: [{ type: 'PROJECT', id: projectId, level }] });
const projectIdOf = async (identifier: string) =>
  (await db.project.findFirstOrThrow({ where: { identifier } })).id;

describe('createExecution of a single task', () => {
  it('runs a workflow with one node around the task, and has its outputs', async () => {
    const answer = await create({ key }, { inputs: { x: 4 } });
    expect(answer).toMatchObject({
      execution: {
        mode: 'MANUAL',
        launchEntity: 'TASK',
        task: { name: 'app.module.double', version: 'v1' },
        workflow: { name: '.flytegen.app.module.double', version: 'v1' },
        launchPlan: {
          name: '.flytegen.app.module.double',
          state: 'INACTIVE',
          expectedInputs: [{ name: 'x', required: true }],
        },
        data: { inputs: { x: 4 } },
      },
    });
    const { id } = answer['execution'];
    const run = await hands.leaseNode('appmoduledouble');
    await hands.start(run);
    await hands.succeed(run, { y: 8 });
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { y: 8 } } });
  });

  it('uses the same workflow and launch plan again', async () => {
    const before = [await db.workflow.count(), await db.launchPlan.count()];
    await create({ key }, { inputs: { x: 1 } });
    expect([await db.workflow.count(), await db.launchPlan.count()]).toEqual(before);
  });

  it('makes them once, also when many ask for them at the same time', async () => {
    await registerTask(app, project, 'crowded');
    const asked = { key: keyOf(project, 'crowded') };
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(asked, { inputs: { x: 1 } })));
    expect(new Set(answers.map((answer) => answer['execution'].workflow.name)).size).toBe(1);
    expect(await db.workflow.count({ where: { name: '.flytegen.crowded' } })).toBe(1);
    expect(await db.launchPlan.count({ where: { name: '.flytegen.crowded' } })).toBe(1);
  });

  it('hides their names from lists, as names that the system made', async () => {
    const names = await db.namedEntity.findMany({ where: { name: '.flytegen.crowded' } });
    expect(names.map(({ type, state }) => `${type} ${state}`).sort()).toEqual([
      'LAUNCH_PLAN SYSTEM_GENERATED',
      'WORKFLOW SYSTEM_GENERATED',
    ]);
    const { data } = await app.ask(
      'query ($filter: NamedEntityFilterInput!) { namedEntities(filter: $filter) { nodes { name } } }',
      { filter: { project, domain, type: 'WORKFLOW' } },
    );
    expect(data.namedEntities.nodes).toEqual([]);
  });

  it('retries the task as often as the task says, and otherwise three times', async () => {
    const retriesOf = async (name: string) => {
      await create({ key: keyOf(project, name) }, { inputs: { x: 1 } });
      const { closure } = await db.workflow.findFirstOrThrow({ where: { name: `.flytegen.${name}` } });
      return (closure as Answer)['primary'].template.nodes[0].metadata.retries;
    };
    await registerTask(app, project, 'eager', { retries: 7 });
    const silent = taskInput(project, 'silent');
    await createTask(app, { ...silent, template: { ...silent.template, metadata: {} } });
    expect(await retriesOf('eager')).toBe(7);
    expect(await retriesOf('silent')).toBe(3);
  });

  it.each([
    ['nothing', {}],
    ['both', { task: { key }, launchPlan: { key } }],
  ])('takes a launch plan or a task, so not %s', async (_name, named) => {
    const answer = await mutate(app, 'createExecution', { project, domain, ...named });
    expect(answer).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'give either launchPlan or task',
      problems: [{ path: ['input', 'launchPlan'] }],
    });
  });

  it('refuses inputs that the task does not have', async () => {
    expect(await create({ key }, { inputs: { x: 1, z: 2 } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'inputs', 'z'], code: 'VariableNameNotFound' }],
    });
  });

  it('requires USE on the project of the task, and does not tell a stranger that the task exists', async () => {
    const [home, elsewhere] = [await projectIdOf(project), await projectIdOf('elsewhere')];
    const asked = { project: 'elsewhere', inputs: { x: 1 } };
    const [stranger, reader] = [await withLevel(elsewhere, 'USE'), await withLevel(elsewhere, 'USE')];
    await db.grant.create({
      data: {
        ...{ id: crypto.randomUUID(), tenantId: reader.tenantId, userId: reader.id },
        ...{ resourceType: 'PROJECT', resourceId: home, level: 'READ' },
      },
    });
    const hidden = await create({ key }, asked, stranger.authorization);
    const absent = await create({ key: keyOf(project, 'absent') }, asked, stranger.authorization);
    expect(hidden).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'task'] });
    expect(absent).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'task'] });
    expect(await create({ key }, asked, reader.authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
    const user = await withLevel(home, 'USE');
    expect(await create({ key }, { inputs: { x: 1 } }, user.authorization)).toMatchObject({
      execution: { launchEntity: 'TASK' },
    });
  });

  it('looks attributes up by the name of the task', async () => {
    const set = await mutate(app, 'updateWorkflowAttributes', {
      ...{ project, domain, workflow: 'app.module.double' },
      attributes: { workflowExecutionConfig: { maxParallelism: 3 } },
    });
    expect(set).toMatchObject({ __typename: 'UpdateWorkflowAttributesPayload' });
    const answer = await mutate(
      app,
      'createExecution',
      { project, domain, task: { key }, inputs: { x: 1 } },
      'execution { maxParallelism }',
    );
    expect(answer).toMatchObject({ execution: { maxParallelism: 3 } });
  });

  it('is relaunched as an execution of the task', async () => {
    const source = await create({ key }, { inputs: { x: 6 } });
    expect(
      await mutate(app, 'relaunchExecution', { by: { id: source['execution'].id } }, fields),
    ).toMatchObject({
      execution: {
        mode: 'RELAUNCH',
        launchEntity: 'TASK',
        task: { name: 'app.module.double' },
        data: { inputs: { x: 6 } },
      },
    });
  });
});

describe('singleNodeId', () => {
  it.each([
    ['app.module.double', 'appmoduledouble'],
    ['a_b-c', 'ab-c'],
    ['x'.repeat(100), 'x'.repeat(63)],
    [`first${'y'.repeat(63)}`, 'y'.repeat(63)],
    ['日本', 'task'],
  ])('of the task %j is %j', (name, id) => {
    expect(singleNodeId(name)).toBe(id);
  });
});
