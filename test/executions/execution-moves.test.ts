/** What a move of an execution changes beside its phase, and whom it tells. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExecutionMove, moveExecution } from '../../src/executions/store/moves.ts';
import { takeNotice } from '../../src/executions/store/notices.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { type App, startApp } from '../support/app.ts';
import { heard } from '../support/heard.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { overtaken } from '../support/waiting.ts';

const project = 'moves';
const at = new Date('2026-01-01T00:00:00Z');
const later = new Date('2100-01-01T00:00:00Z');
let app: App;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

const read = (id: string) => db.execution.findUniqueOrThrow({ where: { id } });

describe('a move of an execution', () => {
  const run: Omit<ExecutionMove, 'id'> = { to: 'RUNNING', from: ['QUEUED'], at };
  const end: Omit<ExecutionMove, 'id'> = { to: 'FAILED', from: ['QUEUED', 'RUNNING'], at };

  it('tells those who watch the execution', async () => {
    const id = await launch(app, project, 'one');
    expect(await heard(() => moveExecution({ id, ...run }))).toEqual([`execution:${id}`]);
    expect(await heard(() => moveExecution({ id, ...end }))).toEqual([`execution:${id}`]);
    expect(await heard(() => moveExecution({ id, ...run }))).toEqual([]);
  });

  it('tells also the scheduler when it ends what others wait for: notifications, a node, a place', async () => {
    const id = await launch(app, project, 'one');
    const parent = await launch(app, project, 'one');
    const { tenantId, launchPlanId } = await read(parent);
    const { id: parentNodeId } = await db.nodeExecution.create({
      data: { tenantId, executionId: parent, nodeId: 'a', specNodeId: 'a' },
    });
    await db.execution.update({
      where: { id },
      data: { parentNodeId, maxConcurrent: 1, notifications: [{ phases: ['FAILED'] }] },
    });
    expect(await heard(() => moveExecution({ id, ...run }))).toEqual([`execution:${id}`]);
    expect((await read(id)).notifyAt).toBeNull();
    expect(await heard(() => moveExecution({ id, ...end }))).toEqual([
      ...[`execution:${id}`, `notice:${id}`, `advance:${parent}`, `slot:${launchPlanId}`],
    ]);
    expect(await inTransaction((tx) => takeNotice(tx, id))).toMatchObject({ id, phase: 'FAILED' });
    expect(await inTransaction((tx) => takeNotice(tx, id))).toBeNull();
  });

  it('makes a turn due at once if it is a request to abort, and does not touch the next turn otherwise', async () => {
    const id = await launch(app, project, 'one');
    const { principalId } = await db.execution.update({ where: { id }, data: { advanceAt: later } });
    await moveExecution({ id, ...run });
    expect((await read(id)).advanceAt).toEqual(later);
    const abort = { cause: 'enough', principalId };
    const news = await heard(() => moveExecution({ id, to: 'ABORTING', from: ['RUNNING'], at, abort }));
    expect(news).toEqual([`execution:${id}`, `advance:${id}`]);
    expect((await read(id)).advanceAt?.getTime()).toBeLessThan(later.getTime());
  });

  it('that waits for another one says which phase that one left', async () => {
    const id = await launch(app, project, 'one');
    const moved = await overtaken(
      () => moveExecution({ id, ...run }),
      (tx) => moveExecution({ id, ...run }, tx),
    );
    expect(moved).toMatchObject({ before: 'RUNNING', after: null });
  });
});
