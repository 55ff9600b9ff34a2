import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { lockVersion } from '../../src/registry/store/references.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { promise, registerFlow } from '../support/flows.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  createExecution,
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

const project = 'deleting';
let app: App;
let manager: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  manager = await newUser({ role: 'USER', level: 'MANAGE' });
});
afterAll(() => app.stop());

const fields = { task: 'deleteTask', workflow: 'deleteWorkflow', 'launch plan': 'deleteLaunchPlan' } as const;
type Kind = keyof typeof fields;
const remove = (kind: Kind, name: string, more: object = {}, user: User = manager): Promise<Answer> =>
  mutate(app, fields[kind], { by: { key: keyOf(project, name) }, ...more }, 'id', user.authorization);
const refusedWith = (message: unknown) => ({ code: 'FAILED_PRECONDITION', path: ['input', 'by'], message });
const byWorkflows = expect.stringContaining('workflows refer to the version: delete them first');
const count = async (kind: Kind, name: string) => {
  const where = { name, project: { identifier: project } };
  if (kind === 'task') return await db.task.count({ where });
  return kind === 'workflow' ? await db.workflow.count({ where }) : await db.launchPlan.count({ where });
};

describe('a version that nothing refers to', () => {
  it('is deleted with its description, and can be registered again with another content', async () => {
    const description = { shortDescription: 'About it.' };
    await createTask(app, { ...taskInput(project, 'lonely'), description });
    const { id } = await db.task.findFirstOrThrow({ where: { name: 'lonely' } });
    expect(await remove('task', 'lonely', { dryRun: true })).toMatchObject({ id });
    const described = () => db.descriptionEntity.count({ where: { name: 'lonely' } });
    expect([await count('task', 'lonely'), await described()]).toEqual([1, 1]);
    expect(await remove('task', 'lonely')).toMatchObject({ id });
    expect([await count('task', 'lonely'), await described()]).toEqual([0, 0]);
    expect(await db.namedEntity.count({ where: { name: 'lonely' } })).toBe(1);
    expect(endOf(await remove('task', 'lonely'))).toBe('NOT_FOUND');
    expect(endOf(await createTask(app, taskInput(project, 'lonely', { retries: 3 })))).toBe('OK');
  });

  it('is the only one that goes: other versions of the name stay', async () => {
    for (const version of ['v1', 'v2']) await registerTask(app, project, 'twice', { version });
    await remove('task', 'twice');
    expect((await db.task.findMany({ where: { name: 'twice' } })).map(({ version }) => version)).toEqual([
      'v2',
    ]);
  });

  it('goes from the outside to the inside: launch plan, workflow, task', async () => {
    await registerTask(app, project, 'inner-task');
    await registerWorkflow(app, project, 'chain', { a: [] }, { task: 'inner-task' });
    expect(await remove('task', 'inner-task')).toMatchObject(refusedWith(byWorkflows));
    expect(await remove('workflow', 'chain')).toMatchObject(
      refusedWith('launch plans refer to the version: delete them first'),
    );
    for (const [kind, name] of [
      ['launch plan', 'chain'],
      ['workflow', 'chain'],
      ['task', 'inner-task'],
    ] as const) {
      expect(endOf(await remove(kind, name))).toBe('OK');
      expect(await count(kind, name)).toBe(0);
    }
  });
});

describe('a version that something refers to', () => {
  it('stays while it is the active version of a launch plan', async () => {
    await registerWorkflow(app, project, 'active', { a: [] });
    const by = { key: keyOf(project, 'active') };
    await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
    const refused = refusedWith('the version is ACTIVE: deactivate it first');
    expect(await remove('launch plan', 'active')).toMatchObject(refused);
    expect(await remove('launch plan', 'active', { dryRun: true })).toMatchObject(refused);
    await mutate(app, 'updateLaunchPlan', { by, state: 'INACTIVE' });
    expect(endOf(await remove('launch plan', 'active'))).toBe('OK');
  });

  it('stays while there are executions of it', async () => {
    await registerWorkflow(app, project, 'launched', { a: [] });
    const id = await launch(app, project, 'launched');
    const refused = refusedWith('there are executions of the version');
    expect(await remove('launch plan', 'launched')).toMatchObject(refused);
    expect(await remove('launch plan', 'launched', { dryRun: true })).toMatchObject(refused);
    await db.execution.delete({ where: { id } });
    expect(endOf(await remove('launch plan', 'launched'))).toBe('OK');
  });

  it('stays while a workflow starts it', async () => {
    await registerWorkflow(app, project, 'started', { a: [] });
    await registerFlow(app, project, 'starting', {
      inputs: { x: integer },
      nodes: [
        {
          id: 'start',
          inputs: [{ var: 'x', binding: promise('', 'x') }],
          workflowNode: { launchplanRef: keyOf(project, 'started') },
        },
      ],
    });
    expect(await remove('launch plan', 'started')).toMatchObject(refusedWith(byWorkflows));
  });
});

describe('a deletion', () => {
  it('requires MANAGE, and does not find what is hidden', async () => {
    await registerTask(app, project, 'kept');
    await registerWorkflow(app, project, 'kept', { a: [] });
    const editor = await newUser({ role: 'USER', level: 'EDIT' });
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    for (const kind of ['task', 'workflow', 'launch plan'] as const) {
      expect(endOf(await remove(kind, 'kept', {}, editor))).toBe('PERMISSION_DENIED');
      expect(endOf(await remove(kind, 'kept', {}, stranger))).toBe('NOT_FOUND');
      expect(await count(kind, 'kept')).toBe(1);
    }
  });

  /** Answers `ask` after the version, which it has read already, was deleted. */
  const afterDeletion = async (
    type: 'TASK' | 'WORKFLOW' | 'LAUNCH_PLAN',
    name: string,
    ask: () => Promise<Answer>,
  ) => {
    const where = { name, project: { identifier: project } };
    const found = await (type === 'TASK' ? db.task.findFirst({ where }) : db.workflow.findFirst({ where }));
    const plan = await db.launchPlan.findFirst({ where });
    const id = (type === 'LAUNCH_PLAN' ? plan?.id : found?.id) ?? '';
    return await overtaken(
      ask,
      (tx) => lockVersion(tx, type, id),
      async (tx) => {
        if (type === 'TASK') await tx.task.delete({ where: { id } });
        else if (type === 'WORKFLOW') await tx.workflow.delete({ where: { id } });
        else await tx.launchPlan.delete({ where: { id } });
      },
    );
  };

  it('overtakes the registration of a workflow, which then finds no task', async () => {
    await registerTask(app, project, 'passing');
    const answer = await afterDeletion('TASK', 'passing', () =>
      createWorkflow(app, workflowInput(project, 'late', { a: [] }, { task: 'passing' })),
    );
    expect(answer).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ code: 'WorkflowReferenceNotFound', path: ['input', 'template'] }],
    });
    expect(await count('workflow', 'late')).toBe(0);
  });

  it('overtakes the registration of a launch plan, which then finds no workflow', async () => {
    await createWorkflow(app, workflowInput(project, 'passing', { a: [] }));
    const key = keyOf(project, 'passing');
    const answer = await afterDeletion('WORKFLOW', 'passing', () =>
      createLaunchPlan(app, { key, workflow: { key } }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'workflow'] });
  });

  it('overtakes an activation, which then finds no launch plan', async () => {
    await registerWorkflow(app, project, 'fleeting', { a: [] });
    const by = { key: keyOf(project, 'fleeting') };
    const answer = await afterDeletion('LAUNCH_PLAN', 'fleeting', () =>
      mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'by'] });
  });

  it('of the launch plan that only runs a task leaves the task launchable', async () => {
    await registerTask(app, project, 'single');
    const run = (x: unknown) =>
      createExecution(app, { project, domain, task: { key: keyOf(project, 'single') }, inputs: { x } });
    // The launch plan is made before the inputs are judged.
    expect(endOf(await run('one'))).toBe('INVALID_ARGUMENT');
    expect(endOf(await remove('launch plan', '.flytegen.single'))).toBe('OK');
    expect(endOf(await run(1))).toBe('OK');
  });

  it('overtakes an execution, which then finds no launch plan', async () => {
    await registerWorkflow(app, project, 'gone', { a: [] });
    const answer = await afterDeletion('LAUNCH_PLAN', 'gone', () =>
      createExecution(app, { project, domain, launchPlan: { key: keyOf(project, 'gone') } }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'launchPlan'] });
  });

  it('overtakes the first launch of a single task, which then finds no task', async () => {
    await registerTask(app, project, 'alone');
    const answer = await afterDeletion('TASK', 'alone', () =>
      createExecution(app, { project, domain, task: { key: keyOf(project, 'alone') }, inputs: { x: 1 } }),
    );
    expect(answer).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'task'] });
  });

  it('waits for a registration that refers to the version, and is then refused', async () => {
    await registerTask(app, project, 'wanted');
    const { id } = await db.task.findFirstOrThrow({ where: { name: 'wanted' } });
    const workflow = workflowInput(project, 'wants', { a: [] }, { task: 'wanted' });
    await createWorkflow(app, workflow);
    const { id: copied, ...row } = await db.workflow.findFirstOrThrow({ where: { name: 'wants' } });
    await db.workflow.delete({ where: { id: copied } });
    const answer = await overtaken(
      () => remove('task', 'wanted'),
      (tx) => tx.$queryRaw`select id from tasks where id = ${id}::uuid for key share`,
      (tx) => tx.workflow.create({ data: row as never }),
    );
    expect(answer).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await count('task', 'wanted')).toBe(1);
  });

  it('sent eight times at the same time deletes once', async () => {
    await registerTask(app, project, 'raced');
    const ends = await Promise.all(
      Array.from({ length: 8 }, async () => endOf(await remove('task', 'raced'))),
    );
    expect(ends.filter((end) => end === 'OK')).toHaveLength(1);
    expect(ends.filter((end) => end === 'NOT_FOUND')).toHaveLength(7);
    expect(await inTransaction(async (tx) => await tx.task.count({ where: { name: 'raced' } }))).toBe(0);
  });
});
