/**
 * Every statement locks the job set, then jobs, then runs, and last the job set for the numbers of events, so that no two
 * of them wait for each other in a circle.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancelJobSet } from '../../src/jobs/commands/cancel-job-set.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { eventually, overtaken } from '../support/waiting.ts';
import { newJob, retire, Stage, silence } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const lockSet = (ownerId: string) => (tx: Tx) =>
  tx.$queryRaw`select id from job_sets where owner_id = ${ownerId}::uuid for update`;

/** Fails if somebody else has locked one of these. */
const lockJob = (jobId: string) => async (tx: Tx) => {
  await tx.$queryRaw`select id from job_runs where job_id = ${jobId}::uuid for update nowait`;
  await tx.$queryRaw`select id from jobs where id = ${jobId}::uuid for update nowait`;
};

describe('the job set is locked first', () => {
  it.each<[string, (hands: Hands, run: Run, ownerId: string) => Promise<unknown>]>([
    ['a report', (hands, run) => hands.start(run)],
    ['a lease that is returned', (hands, run) => hands.giveBack(run, true)],
    [
      'a lease that expires',
      async (_hands, run) => {
        await silence(run);
        return await expireLeases();
      },
    ],
    [
      'cancelling',
      (_hands, _run, ownerId) =>
        inTransaction((tx) => cancelJobSet(systemCaller(stage.tenantId, stage.userId), tx, ownerId, 'stop')),
    ],
  ])('by %s', async (_what, act) => {
    const { hands, runs, ownerId } = await stage.lease('locker');
    const [run] = runs as [Run];
    await overtaken(() => act(hands, run, ownerId), lockSet(ownerId), lockJob(run.jobId));
  });

  it('by an executor that comes back', async () => {
    const { hands, runs, ownerId } = await stage.lease('locker');
    const [run] = runs as [Run];
    await silence(run);
    await expireLeases();
    const answer = await overtaken(() => retire(hands), lockSet(ownerId), lockJob(run.jobId));
    expect(answer.cancelRuns).toEqual([]);
  });

  it('by the assigner', async () => {
    const { ids, ownerId } = await stage.submit(newJob());
    await new Hands(app, 'locker').lease({ maxJobs: 1, wait: 'PT0S' });
    const answer = await overtaken(() => stage.assign(), lockSet(ownerId), lockJob(ids[0] ?? ''));
    expect(answer.assigned).toBe(1);
  });
});

describe('reports and assignments take a weak lock of the job set', () => {
  const lockWeakly = (ownerId: string) => (tx: Tx) =>
    tx.$queryRaw`select id from job_sets where owner_id = ${ownerId}::uuid for key share`;

  it('so a report and an assignment do not wait for another one that has not numbered its events', async () => {
    const { ownerId } = await stage.submit(newJob(), newJob());
    const [one, other] = [new Hands(app, 'one'), new Hands(app, 'other')];
    await one.lease({ maxJobs: 1, wait: 'PT0S' });
    await stage.assign();
    const [run] = (await one.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    await retire(one);
    await inTransaction(async (tx) => {
      await lockWeakly(ownerId)(tx);
      await one.start(run as Run);
      await other.lease({ maxJobs: 1, wait: 'PT0S' });
      expect((await stage.assign()).assigned).toBe(1);
    });
  });

  it.each<[string, (hands: Hands, run: Run, ownerId: string) => Promise<unknown>]>([
    ['a lease that is returned', (hands, run) => hands.giveBack(run, true)],
    [
      'cancelling',
      (_hands, _run, ownerId) =>
        inTransaction((tx) => cancelJobSet(systemCaller(stage.tenantId, stage.userId), tx, ownerId, 'stop')),
    ],
  ])('for which %s waits', async (_what, act) => {
    const { hands, runs, ownerId } = await stage.lease('locker');
    const [run] = runs as [Run];
    await overtaken(() => act(hands, run, ownerId), lockWeakly(ownerId), lockJob(run.jobId));
  });

  it('by a report, which numbers its events when it has locked its job', async () => {
    const { hands, runs, ownerId } = await stage.lease('numbers');
    const [run] = runs as [Run];
    await overtaken(
      () => hands.start(run),
      (tx) => tx.$queryRaw`select id from job_sets where owner_id = ${ownerId}::uuid for no key update`,
      async () => {
        await expect(inTransaction(lockJob(run.jobId))).rejects.toThrow('could not obtain lock');
      },
    );
  });
});

it.each<[string, (hands: Hands, run: Run) => Promise<unknown>]>([
  ['a report', (hands, run) => hands.start(run)],
  ['a lease that is returned', (hands, run) => hands.giveBack(run, true)],
])('%s locks the job before its run', async (_what, act) => {
  const { hands, runs } = await stage.lease('pairs');
  const [run] = runs as [Run];
  await overtaken(
    () => act(hands, run),
    (tx) => tx.$queryRaw`select id from jobs where id = ${run.jobId}::uuid for update`,
    (tx) => tx.$queryRaw`select id from job_runs where job_id = ${run.jobId}::uuid for update nowait`,
  );
});

describe('a call of an executor', () => {
  const waiting = `select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;

  it.each([
    ['that another executor has', 'LEASE_EXPIRED', 'LEASED'],
    ['that it has returned', 'LEASE_RETURNED', 'QUEUED'],
  ] as const)('does not wait for the job set of a run %s', async (_what, state, jobState) => {
    const { hands, runs, ownerId } = await stage.lease('patient');
    const [run] = runs as [Run];
    await db.jobRun.update({ where: { id: run.id }, data: { state, endedAt: new Date() } });
    await db.job.update({ where: { id: run.jobId }, data: { state: jobState } });
    let isAnswered = false;
    const { asking } = await inTransaction(async (tx) => {
      await lockSet(ownerId)(tx);
      const asking = retire(hands).then((answer) => {
        isAnswered = true;
        return answer;
      });
      await eventually(
        async () => isAnswered || (await pool.query(waiting)).rows[0]?.count > 0,
        (is) => is,
      );
      expect(isAnswered).toBe(true);
      return { asking };
    });
    expect((await asking).cancelRuns).toEqual([run.id]);
  });
});
