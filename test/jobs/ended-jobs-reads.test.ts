/** What lists of jobs read of a queue in which very many jobs have succeeded. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { pool as database } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { genericPlanOf, rowsOf, sentBy } from '../support/plans.ts';
import { PlainQueue } from './plain-jobs.ts';

const SUCCEEDED = 100_000;
/** In each of these states, among the oldest jobs of the queue. */
const UNSUCCESSFUL = ['FAILED', 'CANCELLED', 'PREEMPTED', 'REJECTED'] as const;
const OF_EACH = 30;

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
  const [model] = await queue.submit([{}]);
  const add = (state: string, count: number) =>
    database.query(
      `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, state, ended_at)
       select uuidv7(), tenant_id, queue_id, job_set_id, spec, owner_id, pool, $2::job_state, now()
         from jobs, generate_series(1, $3::int) where id = $1`,
      [model, state, count],
    );
  for (const state of UNSUCCESSFUL) await add(state, OF_EACH);
  await add('SUCCEEDED', SUCCEEDED);
  await database.query('vacuum analyze jobs');
}, 120_000);
afterAll(() => app.stop());

describe(`with ${SUCCEEDED} jobs that succeeded, a list of the jobs of a queue`, () => {
  it.each<[string, readonly string[], string, number]>([
    ['that failed', ['FAILED'], 'NEWEST', OF_EACH],
    ['that failed, from the beginning', ['FAILED'], 'OLDEST', OF_EACH],
    ['that failed, by priority', ['FAILED'], 'PRIORITY', OF_EACH],
    ['that were cancelled or rejected', ['CANCELLED', 'REJECTED'], 'NEWEST', 2 * OF_EACH],
    ['that did not succeed', UNSUCCESSFUL, 'NEWEST', 4 * OF_EACH],
  ])('%s reads and counts only those that did not succeed', async (_which, states, orderBy, total) => {
    const list = `query ($filter: JobFilterInput) {
      jobs(filter: $filter, orderBy: ${orderBy}, first: 25) { nodes { state } totalCount } }`;
    const filter = { queue: queue.name, states };
    const { data } = await app.ask(list, { filter });
    expect([data.jobs.nodes.length, data.jobs.totalCount]).toEqual([25, total]);
    const sent = await sentBy(
      () => app.ask(list, { filter }),
      (text) => /\bfrom jobs\b/.test(text),
    );
    expect(sent.length).toBeGreaterThan(1);
    const planner = await database.connect();
    onTestFinished(() => planner.release());
    for (const statement of sent)
      expect(rowsOf(await genericPlanOf(planner, statement), 'jobs')).toBeLessThanOrEqual(4 * OF_EACH);
  });
});
