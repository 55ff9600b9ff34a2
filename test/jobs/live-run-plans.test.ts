/**
 * How many runs the statements of executors look at. PostgreSQL keeps their plans, so they are made here while nothing
 * runs, as after a quiet night, and used when very many runs of other executors are live.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelJobSet } from '../../src/jobs/commands/cancel-job-set.ts';
import { renewRuns } from '../../src/jobs/store/leases.ts';
import { listExpiredLeases } from '../../src/jobs/store/runs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { type App, startApp } from '../support/app.ts';
import type { Hands, Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { argumentsOf, rowsOf, type Sent, sentBy } from '../support/plans.ts';
import { userOf } from '../support/users.ts';
import { Stage } from './stage.ts';

const MANY = 5000;
/** More than any of the statements needs, for the three runs of the executor. */
const FEW = 60;

let app: App;
let hands: Hands;
let runs: Run[];
let ownerId: string;
let tenantId: string;
let userId: string;
let planner: pg.Client;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const stage = await Stage.open(app);
  tenantId = stage.tenantId;
  ({ hands, runs, ownerId } = await stage.lease('planned', 3));
  userId = (await userOf(app.executor)).id;
  planner = new pg.Client({ connectionString: pool.options.connectionString, options: pool.options.options });
  await planner.connect();
  await planner.query('set plan_cache_mode = force_generic_plan');
});
afterAll(async () => {
  await planner.end();
  await app.stop();
});

/** Runs of executors that do not call: they have ended, or go on for an hour. */
const crowd = (state: 'SUCCEEDED' | 'RUNNING') =>
  pool.query(
    `insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, state,
                           lease_expires_at, ended_at)
     select gen_random_uuid(), $1::uuid, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '',
            gen_random_uuid(), $2::job_run_state,
            now() + interval '1 hour', case when $2 = 'SUCCEEDED' then now() end
       from generate_series(1, ${MANY})`,
    [tenantId, state],
  );
/** The statements about runs that this work sends. */
const runStatementsOf = (work: () => Promise<unknown>) => sentBy(work, (text) => text.includes('job_runs'));

const ids = () => runs.map(({ id }) => id);
const back = () => ({ run: runs[2]?.id, attempted: true, reason: 'the executor stops' });
const calls: [string, () => Promise<unknown>][] = [
  ['a call for jobs', () => hands.lease({ maxJobs: 0, wait: 'PT0S' })],
  ['a report', () => hands.report(...ids().map((run) => ({ run, kind: 'RUNNING' })))],
  ['a renewal', () => renewRuns(userId, ids(), 30)],
  ['the return of a lease', () => mutate(app, 'returnLease', back(), 'returned', app.executor)],
  [
    'a cancellation',
    () =>
      inTransaction((tx) => cancelJobSet(systemCaller(tenantId, userId), tx, ownerId, 'no longer wanted')),
  ],
  [
    'a search for leases that have ended',
    () => listExpiredLeases(500, { leaseSeconds: 30, lostSeconds: 30 }),
  ],
];

describe(`with ${MANY} live runs of other executors`, () => {
  it('no call of an executor looks at them, although the plans are from a time without', async () => {
    await crowd('SUCCEEDED');
    const sent: [string, Sent[]][] = [];
    for (const [name, work] of calls) sent.push([name, await runStatementsOf(work)]);
    await pool.query('vacuum analyze job_runs');
    const prepared = sent.flatMap(([name, statements]) => statements.map((one) => ({ name, ...one })));
    for (const [at, { text, values }] of prepared.entries()) {
      await planner.query(`prepare s${at} as ${text}`);
      await planner.query(`explain execute s${at}${argumentsOf(values)}`);
    }
    await crowd('RUNNING');
    const looked: Record<string, number> = {};
    for (const [at, { name, values }] of prepared.entries()) {
      await planner.query('begin');
      const { rows } = await planner.query(
        `explain (analyze, format json) execute s${at}${argumentsOf(values)}`,
      );
      await planner.query('rollback');
      looked[name] = (looked[name] ?? 0) + rowsOf(rows[0]['QUERY PLAN'][0].Plan, 'job_runs');
    }
    expect(Object.keys(looked)).toEqual(calls.map(([name]) => name));
    for (const [name, count] of Object.entries(looked))
      expect([name, count <= FEW, count]).toEqual([name, true, count]);
  });
});
