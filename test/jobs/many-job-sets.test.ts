/**
 * Statements about many jobs, each in a job set of its own, as the jobs of many executions are. They must not compare each
 * job with each job set.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { plansOf, rowsOf, rowsOfQueries } from '../support/plans.ts';
import { PlainQueue, type PlainRun, statesOf } from './plain-jobs.ts';

const MANY = 100;
/** How often a statement reads each job from the queries of its `with`. */
const READS = 20;

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const numbersEvents = (text: string) => text.includes('insert into job_events');

async function submitted() {
  const queue = await PlainQueue.open(app);
  const ids: string[] = [];
  for (let number = 1; number <= MANY; number += 1)
    ids.push(...(await queue.submit([{ priorityClass: 'slipway-preemptible' }], `set-${number}`)));
  return { queue, ids };
}

const report = (kind: string) => (runs: readonly PlainRun[]) => {
  const occurredAt = new Date().toISOString();
  const events = runs.map(({ id: run }) => ({ run, kind, occurredAt }));
  return mutate(app, 'reportJobEvents', { events }, 'outcomes', app.executor);
};

async function expire(runs: readonly PlainRun[]) {
  const sql = 'update job_runs set lease_expires_at = now() where id = any($1::uuid[])';
  await pool.query(sql, [runs.map(({ id }) => id)]);
  await expireLeases();
}

const change = (field: string, input: object, answer: string) => (runs: readonly PlainRun[]) =>
  mutate(app, field, { ids: runs.map(({ jobId }) => jobId), ...input }, answer);

it(`an assignment of ${MANY} jobs reads each job at most ${READS} times`, async () => {
  const { queue, ids } = await submitted();
  const plans = await plansOf(() => queue.begin(), numbersEvents);
  expect(new Set(await statesOf(ids))).toEqual(new Set(['LEASED']));
  expect(plans).not.toEqual([]);
  for (const plan of plans) expect(rowsOfQueries(plan)).toBeLessThan(READS * MANY);
});

it(`a report of ${MANY} jobs looks up each run a few times, however many executors its account has`, async () => {
  const { queue } = await submitted();
  const runs = await queue.begin();
  await pool.query(
    `insert into executors (id, tenant_id, user_id, name, pool)
     select gen_random_uuid(), tenant_id, user_id, name || '-' || number, 'elsewhere'
       from executors cross join generate_series(1, 30) as number where name = $1`,
    [queue.name],
  );
  await pool.query('analyze executors');
  const plans = await plansOf(() => report('SUCCEEDED')(runs), numbersEvents);
  expect(plans).not.toEqual([]);
  for (const plan of plans) expect(rowsOf(plan, 'job_runs')).toBeLessThan(5 * MANY);
});

const results = 'results { __typename }';
it.each<[string, string, (runs: readonly PlainRun[]) => Promise<unknown>]>([
  ['a report', 'SUCCEEDED', report('SUCCEEDED')],
  ['the end of leases', 'QUEUED', expire],
  ['a cancellation', 'CANCELLING', change('cancelJobs', {}, results)],
  ['a new priority', 'LEASED', change('reprioritizeJobs', { newPriority: 7 }, results)],
  ['a preemption', 'PREEMPTING', change('preemptJobs', {}, results)],
])(`%s of ${MANY} jobs reads each job at most ${READS} times`, async (_name, state, act) => {
  const { queue, ids } = await submitted();
  const runs = await queue.begin();
  const plans = await plansOf(() => act(runs), numbersEvents);
  expect(new Set(await statesOf(ids))).toEqual(new Set([state]));
  expect(plans).not.toEqual([]);
  for (const plan of plans) expect(rowsOfQueries(plan)).toBeLessThan(READS * MANY);
});
