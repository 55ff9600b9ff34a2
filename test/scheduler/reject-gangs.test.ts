import { afterAll, beforeAll, it, onTestFinished } from 'vitest';
import { startScheduler } from '../../src/scheduler/start.ts';
import { PlainQueue, statesOf } from '../jobs/plain-jobs.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { eventually } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

it('the scheduler rejects what waits for a broken gang, also in a cordoned queue of a pool without executors', async () => {
  const queue = await PlainQueue.open(app);
  const gang = { gang: { id: 'g', cardinality: 3 } };
  const [cancelled = '', waiting = ''] = await queue.submit([gang, gang]);
  await mutate(app, 'cordonQueue', { by: { id: queue.id } }, 'queue { id }');
  await mutate(app, 'cancelJobs', { ids: [cancelled] }, '__typename');
  const { stop } = startScheduler();
  onTestFinished(stop);
  await eventually(
    () => statesOf([waiting]),
    ([state]) => state === 'REJECTED',
  );
});
