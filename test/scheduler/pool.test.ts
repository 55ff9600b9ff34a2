import { afterAll, beforeAll, describe, it } from 'vitest';
import type { App } from '../support/app.ts';

// It is read once, when the first module of the server is imported.
process.env['DATABASE_POOL_SIZE'] = '2';
const { startApp } = await import('../support/app.ts');
const { launch, registerProject, registerTask, registerWorkflow } = await import('../support/seed.ts');
const { advanceExecution } = await import('../../src/scheduler/advance-executions.ts');

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

describe('advanceExecution', () => {
  it('needs no second connection: more turns than the pool has connections can run at the same time', async () => {
    await registerProject(app, 'pool');
    await registerTask(app, 'pool', 'double');
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      await registerWorkflow(app, 'pool', name, { a: [] });
      ids.push(await launch(app, 'pool', name));
    }
    // A turn that needed a second connection would fail after its wait.
    await Promise.all(ids.map((id) => advanceExecution(id)));
  });
});
