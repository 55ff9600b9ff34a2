import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { type App, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { eventually } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

it('the scheduler removes deleted queues that were left behind, and no others', async () => {
  const [gone, kept] = [
    await make(app, 'createQueue', { name: 'gone' }, 'queue'),
    await make(app, 'createQueue', { name: 'kept' }, 'queue'),
  ];
  await mutate(app, 'deleteQueue', { by: { id: gone } });
  const { stop } = startScheduler();
  onTestFinished(stop);
  await eventually(
    () => db.queue.findUnique({ where: { id: gone } }),
    (row) => row === null,
  );
  expect(await db.queue.findUnique({ where: { id: kept } })).toMatchObject({ deletedAt: null });
});
