/** Hidden objects stay hidden: from lookups by name, from conflicts of names, and from activations. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { askAlike } from '../support/alike.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createTask,
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { grant, newCaller } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';

const project = 'shared';
let app: LocalApp;
let ids: { project: string; secret: string };
/** Has EDIT on the project, but may not read the workflow `secret` in it. */
let editor: string;

const entity = async (name: string) =>
  (
    await db.namedEntity.findFirstOrThrow({
      where: { name, type: 'WORKFLOW', project: { identifier: project } },
    })
  ).id;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'secret', { a: [] });
  await registerWorkflow(app, project, 'open', { a: [] });
  ids = { project: projectId, secret: await entity('secret') };
  await plan('payroll', 'secret', { fixedInputs: { x: 4711 } });
  await activate('payroll', 'v1');
  editor = await newEditor();
});
afterAll(() => app.stop());

async function newEditor(): Promise<string> {
  const caller = await newCaller({
    role: 'USER',
    grants: [{ type: 'PROJECT', id: ids.project, level: 'EDIT' }],
  });
  await grant(caller, 'WORKFLOW', ids.secret, 'NO_PERMISSIONS');
  return caller;
}

async function plan(name: string, workflow: string, more: object = {}, version = 'v1') {
  const made = await createLaunchPlan(app, {
    key: keyOf(project, name, version),
    workflow: { key: keyOf(project, workflow) },
    ...more,
  });
  expect(made).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
}

const activate = (name: string, version: string, caller?: string, state = 'ACTIVE') =>
  mutate(
    app,
    'updateLaunchPlan',
    { by: { key: keyOf(project, name, version) }, state },
    'launchPlan { version state }',
    caller,
  );

const activeVersion = async (name: string) =>
  (await db.launchPlan.findFirst({ where: { name, state: 'ACTIVE' } }))?.version ?? null;

describe('activeLaunchPlan', () => {
  const ask = (name: string, caller?: string) =>
    app.ask(
      'query ($key: EntityNameInput!) { activeLaunchPlan(key: $key) { version fixedInputs } }',
      { key: { project, domain, name } },
      caller,
    );
  const lookup = (caller: string) => async (name: string) => {
    const { data, errors } = await ask(name, caller);
    return { data, errors };
  };

  it('is found by callers who can read its workflow', async () => {
    const reader = await newCaller({
      role: 'GUEST',
      grants: [{ type: 'WORKFLOW', id: ids.secret, level: 'READ' }],
    });
    for (const caller of [app.admin, reader])
      expect((await ask('payroll', caller)).data.activeLaunchPlan).toEqual({
        version: 'v1',
        fixedInputs: { x: 4711 },
      });
  });

  it('is NOT_FOUND for a reader of the project whose workflow is closed to it', async () => {
    const guest = await newCaller({
      role: 'GUEST',
      grants: [
        { type: 'PROJECT', id: ids.project, level: 'READ' },
        { type: 'WORKFLOW', id: ids.secret, level: 'NO_PERMISSIONS' },
      ],
    });
    const { data, errors } = await askAlike(lookup(guest), ['payroll', 'nothing']);
    expect(data).toEqual({ activeLaunchPlan: null });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it('is NOT_FOUND for callers who can only read another workflow of a hidden project', async () => {
    const level = 'READ';
    const reader = await newCaller({
      role: 'USER',
      grants: [{ type: 'WORKFLOW', id: await entity('open'), level }],
    });
    const { errors } = await askAlike(lookup(reader), ['payroll', 'nothing']);
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('a version that exists already', () => {
  const register = (caller: string) => (name: string) =>
    mutate(
      app,
      'createLaunchPlan',
      { key: keyOf(project, name), workflow: { key: keyOf(project, 'open') } },
      'launchPlan { id }',
      caller,
    );

  it('is reported with the difference to callers who can read it', async () => {
    await plan('known', 'open', { fixedInputs: { x: 1 } });
    const answer = await register(editor)('known');
    expect(answer).toMatchObject({ __typename: 'DifferentStructureError', code: 'INVALID_ARGUMENT' });
    expect(answer.differences).toContainEqual({
      path: ['fixedInputs', 'x'],
      oldValue: expect.any(String),
      newValue: null,
    });
  });

  it('gets the answer of a reserved name, without content, when it is hidden', async () => {
    const answer = await askAlike(register(editor), ['payroll', '.flytegen.payroll']);
    expect(answer).toMatchObject({
      message: 'this name cannot be used here',
      problems: [{ code: 'NameUnavailable', path: ['input', 'key', 'name'] }],
    });
    expect(JSON.stringify(answer)).not.toMatch(/4711|secret|payroll/);
  });

  it('is reported with the difference to callers who can only read its workflow', async () => {
    await plan('learned', 'open', { fixedInputs: { x: 1 } });
    const reader = await newCaller({
      role: 'USER',
      grants: [
        { type: 'PROJECT', id: ids.project, level: 'EDIT' },
        { type: 'WORKFLOW', id: await entity('open'), level: 'READ' },
      ],
    });
    expect((await register(reader)('learned')).differences).toContainEqual({
      path: ['fixedInputs', 'x'],
      oldValue: expect.any(String),
      newValue: null,
    });
  });

  it.each([
    ['task', ['task:create'], taskInput(project, 'double', { retries: 2 })],
    [
      'workflow',
      ['workflow:create', 'task:read'],
      workflowInput(project, 'open', { a: [] }, { onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE' }),
    ],
    [
      'launchPlan',
      ['launchPlan:create', 'workflow:read'],
      { key: keyOf(project, 'open'), workflow: { key: keyOf(project, 'open') } },
    ],
  ])(
    'is reported with the difference only if the scopes include reading: %s',
    async (noun, scopes, input) => {
      const register = async (...more: string[]) => {
        const scoped = await newCaller({
          role: 'USER',
          scopes: [...scopes, ...more],
          grants: [{ type: 'PROJECT', id: ids.project, level: 'EDIT' }],
        });
        return await mutate(app, `create${noun.charAt(0).toUpperCase()}${noun.slice(1)}`, input, '', scoped);
      };
      const [blind, seeing] = [await register(), await register(`${noun}:read`)];
      for (const answer of [blind, seeing])
        expect(answer).toMatchObject({ __typename: 'DifferentStructureError', code: 'INVALID_ARGUMENT' });
      expect(blind.differences).toEqual([]);
      expect(seeing.differences).not.toEqual([]);
    },
  );

  it('is reported as identical to callers whose scopes do not include reading', async () => {
    const scoped = await newCaller({
      role: 'USER',
      scopes: ['task:create'],
      grants: [{ type: 'PROJECT', id: ids.project, level: 'EDIT' }],
    });
    const input = taskInput(project, 'double');
    expect(await mutate(app, 'createTask', input, '', scoped)).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('is reported with at most 64 KiB of the difference', async () => {
    const { key, template } = taskInput(project, 'wordy');
    const register = (note: string) => createTask(app, { key, template: { ...template, custom: { note } } });
    await register('');
    const { differences } = await register('x'.repeat(70_000));
    expect(differences).toEqual([
      { path: ['custom', 'note'], oldValue: '""', newValue: expect.stringMatching(/^"x+$/) },
    ]);
    const [{ path, oldValue, newValue }] = differences;
    expect(`${path.join('')}${oldValue}${newValue}`).toHaveLength(64 * 1024);
  });

  it('is not what other failures of the database are reported as', async () => {
    await db.$executeRaw`alter table tasks add constraint cursed check (name <> 'cursed')`;
    expect(await createTask(app, taskInput(project, 'cursed'))).toMatchObject({ refused: 'INTERNAL' });
  });
});

describe('createWorkflow', () => {
  const register = (caller: string) => (name: string) =>
    mutate(app, 'createWorkflow', workflowInput(project, name, { a: [] }, { version: 'v2' }), '', caller);

  it('answers for the name of a hidden workflow as for a reserved name', async () => {
    expect(await askAlike(register(editor), ['secret', '.flytegen.one'])).toMatchObject({
      problems: [{ code: 'NameUnavailable', path: ['input', 'key', 'name'] }],
    });
    expect(await db.workflow.count({ where: { name: 'secret' } })).toBe(1);
  });

  it('refuses readers of the project in the same way for a hidden workflow as for a new name', async () => {
    const reader = await newCaller({
      role: 'USER',
      grants: [
        { type: 'PROJECT', id: ids.project, level: 'READ' },
        { type: 'WORKFLOW', id: ids.secret, level: 'NO_PERMISSIONS' },
      ],
    });
    expect(await askAlike(register(reader), ['secret', 'fresh'])).toMatchObject({
      refused: 'PERMISSION_DENIED',
      message: 'requires EDIT on project shared',
    });
  });

  it('requires EDIT on the workflow when it exists, also in a closed project', async () => {
    const open = await entity('open');
    const maker = await newCaller({ role: 'USER', grants: [{ type: 'WORKFLOW', id: open, level: 'EDIT' }] });
    const reads = await newCaller({ role: 'USER', grants: [{ type: 'WORKFLOW', id: open, level: 'READ' }] });
    expect(await register(reads)('open')).toMatchObject({
      refused: 'PERMISSION_DENIED',
      message: 'requires EDIT on workflow shared/development/open version v2',
    });
    // Its task is in the closed project, so the compiler does not find it. The right to register was checked before.
    expect(await register(maker)('open')).toMatchObject({ problems: [{ code: 'TaskReferenceNotFound' }] });
    expect(await register(maker)('fresh')).toMatchObject({
      refused: 'PERMISSION_DENIED',
      message: 'requires EDIT on project shared',
    });
  });
});

describe('updateLaunchPlan', () => {
  beforeAll(() => plan('payroll', 'open', {}, 'mine'));

  it('does not deactivate a version that the caller cannot read', async () => {
    expect(await activate('payroll', 'mine', editor)).toMatchObject({
      problems: [{ code: 'NameUnavailable', path: ['input', 'by'] }],
    });
    expect(await activeVersion('payroll')).toBe('v1');
  });

  it('does not deactivate a version that the caller can read but not edit', async () => {
    const reader = await newCaller({
      role: 'USER',
      grants: [
        { type: 'PROJECT', id: ids.project, level: 'EDIT' },
        { type: 'WORKFLOW', id: ids.secret, level: 'READ' },
      ],
    });
    expect(await activate('payroll', 'mine', reader)).toMatchObject({
      refused: 'PERMISSION_DENIED',
      message: 'requires EDIT on launch plan development/payroll version v1',
    });
    expect(await activeVersion('payroll')).toBe('v1');
  });

  it('deactivates the version of another workflow for callers with EDIT on both', async () => {
    await plan('both', 'secret');
    await plan('both', 'open', {}, 'mine');
    await activate('both', 'v1');
    const owner = await newCaller({
      role: 'USER',
      grants: [{ type: 'PROJECT', id: ids.project, level: 'EDIT' }],
    });
    expect(endOf(await activate('both', 'mine', owner))).toBe('OK');
    expect(await activeVersion('both')).toBe('mine');
  });

  it('requires no level on other versions to deactivate a version', async () => {
    expect(endOf(await activate('payroll', 'mine', editor, 'INACTIVE'))).toBe('OK');
    expect(await activeVersion('payroll')).toBe('v1');
  });

  it('checks a version that becomes active while it waits', async () => {
    await plan('late', 'secret');
    await plan('late', 'open', {}, 'mine');
    const answer = await overtaken(
      () => activate('late', 'mine', editor),
      (tx) => tx.launchPlan.updateMany({ where: { name: 'late', version: 'v1' }, data: { state: 'ACTIVE' } }),
    );
    expect(answer).toMatchObject({ problems: [{ code: 'NameUnavailable' }] });
    expect(await activeVersion('late')).toBe('v1');
  });

  it('keeps a hidden version active in a race', async () => {
    await plan('raced', 'secret');
    await plan('raced', 'open', {}, 'mine');
    for (let round = 0; round < 10; round += 1) {
      await db.launchPlan.updateMany({ where: { name: 'raced' }, data: { state: 'INACTIVE' } });
      await Promise.all([
        ...[1, 2, 3].map(() => activate('raced', 'mine', editor)),
        activate('raced', 'v1'),
        ...[1, 2, 3].map(() => activate('raced', 'mine', editor)),
      ]);
      expect(await activeVersion('raced')).toBe('v1');
    }
  });
});
