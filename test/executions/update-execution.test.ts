import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'archive';
let app: App;
let editor: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  editor = await newUser({ role: 'USER', level: 'EDIT' });
});
afterAll(() => app.stop());

const endOfPhase = (phase: string) => (['SUCCEEDED', 'FAILED'].includes(phase) ? new Date() : null);
const fields = 'execution { id state phase updatedAt stateChange { occurredAt principal { username } } }';
const update = async (id: string, state: string, user?: User): Promise<Answer> => {
  const answer = await mutate(app, 'updateExecution', { by: { id }, state }, fields, user?.authorization);
  return answer.execution ?? answer;
};
const listed = async (id: string): Promise<boolean> => {
  const { data } = await app.ask('{ executions { edges { node { id } } } }', {});
  return data.executions.edges.some(({ node }: Answer) => node.id === id);
};

describe('updateExecution', () => {
  it('archives an execution and takes it out of the archive, and shows who did it', async () => {
    const id = await launch(app, project, 'one');
    const archived = await update(id, 'ARCHIVED', editor);
    expect(archived).toMatchObject({
      ...{ id, state: 'ARCHIVED', phase: 'QUEUED' },
      stateChange: { occurredAt: archived.updatedAt, principal: { username: editor.username } },
    });
    expect(await listed(id)).toBe(false);
    const active = await update(id, 'ACTIVE');
    expect(active.state).toBe('ACTIVE');
    expect(active.stateChange.principal.username).not.toBe(editor.username);
    expect(await listed(id)).toBe(true);
  });

  it.each(['RUNNING', 'SUCCEEDED', 'FAILED', 'ABORTING'] as const)(
    'changes an execution that is %s, and not its phase',
    async (phase) => {
      const id = await launch(app, project, 'one');
      await db.execution.update({ where: { id }, data: { phase, endedAt: endOfPhase(phase) } });
      expect(await update(id, 'ARCHIVED')).toMatchObject({ state: 'ARCHIVED', phase });
    },
  );

  it('changes nothing if it is repeated, also by others', async () => {
    const id = await launch(app, project, 'one');
    expect(await update(id, 'ACTIVE')).toMatchObject({ state: 'ACTIVE', stateChange: null });
    const first = await update(id, 'ARCHIVED', editor);
    expect(await update(id, 'ARCHIVED')).toEqual(first);
  });

  it('keeps the first of many callers at the same time', async () => {
    const id = await launch(app, project, 'one');
    const users = await Promise.all(
      Array.from({ length: 8 }, () => newUser({ role: 'USER', level: 'EDIT' })),
    );
    const answers = await Promise.all(users.map((user) => update(id, 'ARCHIVED', user)));
    expect(new Set(answers.map(({ stateChange }) => JSON.stringify(stateChange))).size).toBe(1);
    expect(await db.executionEvent.count({ where: { executionId: id } })).toBe(1);
  });

  it('requires EDIT, and does not find what is hidden', async () => {
    const id = await launch(app, project, 'one');
    const reader = await newUser({ role: 'USER', level: 'USE' });
    expect(endOf(await update(id, 'ARCHIVED', reader))).toBe('PERMISSION_DENIED');
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect(endOf(await update(id, 'ARCHIVED', stranger))).toBe('NOT_FOUND');
    expect(endOf(await update('00000000-0000-7000-8000-000000000000', 'ARCHIVED', editor))).toBe('NOT_FOUND');
    expect(await db.execution.findUnique({ where: { id } })).toMatchObject({ state: 'ACTIVE' });
  });
});
