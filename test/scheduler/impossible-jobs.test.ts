/** What becomes of an execution with a job that no node can run. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { PlainQueue, statesOf } from '../jobs/plain-jobs.ts';
import { leaseAs } from '../jobs/stage.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow, untilEnded } from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';

const project = 'impossible';
let app: App;
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double', { requests: { CPU: '64' }, retries: 3 });
  await registerWorkflow(app, project, 'flow', { a: [] });
  await leaseAs(app, { executor: 'small', nodes: [{ name: 'n', allocatable: { cpu: '2', memory: '8Gi' } }] });
  await pool.query(`update executors set created_at = now() - interval '1 hour'`);
});
afterAll(() => app.stop());

it('it FAILS with the reason, and the task is not tried again', async () => {
  const execution = await untilEnded(app, await launch(app, project, 'flow', { inputs: { x: 1 } }));
  const error = {
    code: 'CannotRun',
    kind: 'SYSTEM',
    message: expect.stringContaining('1 node: not enough cpu (asks 64, most free 2)'),
  };
  expect(execution).toMatchObject({ phase: 'FAILED', error });
  const { phase, latestAttempt, error: ofNode, taskExecutions } = execution.nodes.a;
  expect({ phase, latestAttempt, error: ofNode }).toEqual({ phase: 'FAILED', latestAttempt: 0, error });
  expect(taskExecutions.edges).toMatchObject([
    { node: { phase: 'FAILED', error, job: { state: 'REJECTED', runs: [] } } },
  ]);
});

it('the scheduler rejects a job that waits for its gang when another one was cancelled', async () => {
  const queue = await PlainQueue.open(app);
  await leaseAs(app, { executor: queue.pool, pool: queue.pool, maxJobs: 10, wait: 'PT0S' });
  const gang = { gang: { id: 'g', cardinality: 3 } };
  const [cancelled = '', waiting = ''] = await queue.submit([gang, gang]);
  await mutate(app, 'cancelJobs', { ids: [cancelled] }, '__typename');
  await eventually(
    () => statesOf([waiting]),
    ([state]) => state === 'REJECTED',
  );
});
