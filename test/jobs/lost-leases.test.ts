/** Leases that ended without a result: who gets the job back, and what counts as an attempt. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import type { Hands, Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { jobOf, leaseAs, newJob, newService, retire, runOf, Stage, silence } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

/** Runs whose leases have expired. */
async function lose(name: string, count = 1, said: readonly string[] = []) {
  const { hands, runs } = await stage.lease(name, count);
  for (const { id } of runs) for (const kind of said) await hands.report({ run: id, kind });
  await silence(...runs);
  await expireLeases();
  return { hands, runs };
}

const name = (hands: Hands, ...runs: readonly Run[]) => {
  for (const { id } of runs) hands.known.add(id);
};

describe('a run whose lease has expired', () => {
  it.each([
    ['LEASED', []],
    ['PENDING', ['PENDING']],
    ['RUNNING', ['PENDING', 'RUNNING']],
  ])('is %s again when its executor comes back', async (state, said) => {
    const { hands, runs } = await lose(`back-${state.toLowerCase()}`, 1, said);
    const [run] = runs as [Run];
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    expect((await retire(hands)).cancelRuns).toEqual([]);
    expect(await jobOf(run)).toMatchObject({ state, attemptedRuns: 0 });
    expect(await runOf(run)).toMatchObject({ state, endedAt: null });
  });

  it('counts as an attempt when it expires again, although the executor had not named it before', async () => {
    await stage.submit(newJob());
    await leaseAs(app, { executor: 'named-late', maxJobs: 1, wait: 'PT0S' });
    await stage.assign();
    const [run] = (await leaseAs(app, { executor: 'named-late', maxJobs: 1, wait: 'PT0S' })).runs as [Run];
    await silence(run);
    await expireLeases();
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 0 });
    await leaseAs(app, { executor: 'named-late', knownRuns: [run.id], wait: 'PT0S' });
    expect(await jobOf(run)).toMatchObject({ state: 'LEASED', attemptedRuns: 0 });
    await silence(run);
    await expireLeases();
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
  });

  it('comes back alone: not those that another executor has, nor those that were returned', async () => {
    const { hands, runs } = await stage.lease('some', 3);
    const [free, taken, returned] = runs as [Run, Run, Run];
    await hands.giveBack(returned, false);
    await silence(free, taken);
    await expireLeases();
    await db.job.update({ where: { id: taken.jobId }, data: { state: 'LEASED' } });
    name(hands, ...runs);
    const { cancelRuns } = await retire(hands);
    expect([...cancelRuns].sort()).toEqual([taken.id, returned.id].sort());
    expect((await jobOf(returned)).state).toBe('QUEUED');
  });

  it('does not come back by the report that it was stopped', async () => {
    const { hands, runs } = await lose('stopped', 1, ['RUNNING']);
    const [run] = runs as [Run];
    expect(await hands.confirm(run.id)).toEqual(['FENCED']);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    expect(await runOf(run)).toMatchObject({ state: 'LEASE_EXPIRED' });
  });

  it('is reported together with one that never expired', async () => {
    const { hands, runs } = await stage.lease('both', 2);
    const [lost, live] = runs as [Run, Run];
    await silence(lost);
    await expireLeases();
    const events = [live, lost].map(({ id }) => ({ run: id, kind: 'SUCCEEDED', outputs: {} }));
    expect(await hands.report(...events)).toEqual(['APPLIED', 'APPLIED']);
  });

  it('can be reported and given back only by its own service account', async () => {
    const { runs } = await lose('robbed');
    const [run] = runs as [Run];
    const thief = await newService();
    await leaseAs(app, { executor: 'thief', knownRuns: [run.id] }, thief);
    await mutate(app, 'returnLease', { run: run.id, reason: 'x', attempted: false }, 'returned', thief);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
  });

  it('still counts as an attempt of a job that has failed for it', async () => {
    const { hands, runs } = await stage.lease('failed');
    const [run] = runs as [Run];
    await db.job.update({ where: { id: run.jobId }, data: { maxAttempts: 1 } });
    await silence(run);
    await expireLeases();
    expect(await hands.giveBack(run, false)).toBe(false);
    const job = await jobOf(run);
    expect(job).toMatchObject({ state: 'FAILED', attemptedRuns: 1 });
    expect(job.endedAt).toBeTruthy();
  });
});

describe('renewLeases', () => {
  it('gives a run back to its executor whose lease has expired, and not one that another executor has', async () => {
    const { runs } = await lose('renewer', 2, ['RUNNING']);
    const [free, taken] = runs as [Run, Run];
    await db.job.update({ where: { id: taken.jobId }, data: { state: 'LEASED' } });
    const answer = await mutate(app, 'renewLeases', { runs: [free.id, taken.id] }, 'held', app.executor);
    expect(answer.held).toEqual([free.id]);
    expect(await jobOf(free)).toMatchObject({ state: 'RUNNING', attemptedRuns: 0 });
    expect(await runOf(free)).toMatchObject({ state: 'RUNNING', endedAt: null });
    expect(await expireLeases()).toBe(0);
  });

  it('takes 2500 runs, not 2501', async () => {
    const renew = (count: number) =>
      mutate(app, 'renewLeases', { runs: Array.from({ length: count }, newId) }, 'held', app.executor);
    expect(await renew(2500)).toMatchObject({ held: [] });
    expect(await renew(2501)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'runs'], code: 'TooLarge' }],
    });
  });
});

describe('a job', () => {
  /** Another run of the same job, as a server would store that has made a mistake. */
  const addRun = ({ id }: Run) =>
    pool.query(
      `insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, state, lease_expires_at)
       select $2, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, 'LEASED', now() from job_runs where id = $1`,
      [id, newId()],
    );

  it('has at most one run that has not ended', async () => {
    const { hands, runs } = await stage.lease('only');
    const [run] = runs as [Run];
    await expect(addRun(run)).rejects.toMatchObject({ code: '23505', constraint: 'job_runs_one_active' });
    await hands.succeed(run, {});
    expect((await addRun(run)).rowCount).toBe(1);
    await expect(addRun(run)).rejects.toMatchObject({ code: '23505' });
  });
});

describe('a lease', () => {
  it('is renewed by no other executor, of the same service account or of another one', async () => {
    const { runs } = await stage.lease('owner');
    const [run] = runs as [Run];
    await silence(run);
    await leaseAs(app, { executor: 'colleague', knownRuns: [run.id] });
    await leaseAs(app, { executor: 'owner', knownRuns: [run.id] }, await newService());
    expect(await expireLeases()).toBe(1);
  });

  it('that has expired is given back to no other executor of the same service account', async () => {
    const { runs } = await lose('holder');
    const [run] = runs as [Run];
    await leaseAs(app, { executor: 'neighbour', knownRuns: [run.id] });
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    await leaseAs(app, { executor: 'holder', knownRuns: [run.id] });
    expect(await jobOf(run)).toMatchObject({ state: 'LEASED', attemptedRuns: 0 });
  });

  it('of a run that has ended is not renewed', async () => {
    const { hands, runs } = await stage.lease('two', 2);
    const [ended, live] = runs as [Run, Run];
    await hands.succeed(ended, {});
    const { leaseExpiresAt } = await runOf(ended);
    const answer = await mutate(app, 'renewLeases', { runs: [ended.id, live.id] }, 'held', app.executor);
    expect(answer.held).toEqual([live.id]);
    expect(await runOf(ended)).toMatchObject({ leaseExpiresAt });
  });

  it('that ends is one of at most 500 at a time', async () => {
    const { ids } = await stage.submit(...Array.from({ length: 501 }, () => newJob()));
    await leaseAs(app, { executor: 'many' });
    await db.executor.updateMany({ where: { name: 'many' }, data: { slots: 501 } });
    await stage.assign();
    await stage.assign();
    await pool.query(
      `update job_runs set lease_expires_at = now() - interval '1 second' where job_id = any($1::uuid[])`,
      [ids],
    );
    expect([await expireLeases(), await expireLeases(), await expireLeases()]).toEqual([500, 1, 0]);
  });
});

describe('a job that is returned again and again without an attempt', () => {
  it('counts an attempt from the 21st return on', async () => {
    const { hands, runs } = await stage.lease('refuser');
    const [run] = runs as [Run];
    const { jobId, jobSetId, queueId, shape, executorId } = await runOf(run);
    const earlier = Array.from({ length: 19 }, () => ({
      ...{ id: newId(), tenantId: stage.tenantId, jobId, jobSetId, queueId, shape, executorId },
      ...{ state: 'LEASE_RETURNED' as const, leaseExpiresAt: new Date(), endedAt: new Date() },
    }));
    await db.jobRun.createMany({ data: earlier });
    await hands.giveBack(run, false);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 0 });
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    await stage.assign();
    const [again] = (await hands.lease({ maxJobs: 0, wait: 'PT0S' })).runs as [Run];
    await hands.giveBack(again, false);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
  });
});
