/** What an executor is done with: a run ends once, whatever else is reported about it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cancelJobSet } from '../../src/jobs/commands/cancel-job-set.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import type { Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { jobOf, newService, runOf, Stage, silence } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const done = async (runs: readonly { readonly id: string }[], authorization = app.executor) => {
  const input = { runs: runs.map(({ id }) => id) };
  const answer = await mutate(app, 'reportJobsDone', input, 'outcomes', authorization);
  return answer.outcomes ?? answer;
};

const only = ([run]: readonly Run[]): Run => {
  if (!run) throw new Error('no run');
  return run;
};

/** The kinds of the events of a job, without those of its submission and lease. */
async function eventsOf({ jobId }: Run): Promise<string[]> {
  const { rows } = await pool.query('select kind from job_events where job_id = $1 order by sequence', [
    jobId,
  ]);
  return rows.map(({ kind }) => kind).filter((kind) => !['SUBMITTED', 'QUEUED', 'LEASED'].includes(kind));
}

async function cancel(run: Run): Promise<void> {
  const { jobSetId } = await jobOf(run);
  const { ownerId } = await db.jobSet.findUniqueOrThrow({ where: { id: jobSetId } });
  const caller = systemCaller(stage.tenantId, stage.userId);
  await inTransaction((tx) => cancelJobSet(caller, tx, ownerId ?? '', 'enough'));
}
const preempt = (run: Run) =>
  db.job.update({ where: { id: run.jobId }, data: { state: 'PREEMPTING', preemptReason: 'room' } });

describe('reportJobsDone', () => {
  it('changes nothing about a run whose result was reported', async () => {
    const { hands, runs } = await stage.lease('told', 2);
    const [good, bad] = runs as [Run, Run];
    await hands.succeed(good, {});
    await hands.fail(bad);
    const before = [await jobOf(good), await runOf(good), await jobOf(bad), await runOf(bad)];
    expect(await done(runs)).toEqual(['ALREADY_ENDED', 'ALREADY_ENDED']);
    expect([await jobOf(good), await runOf(good), await jobOf(bad), await runOf(bad)]).toEqual(before);
    expect(await eventsOf(good)).toEqual(['SUCCEEDED']);
  });

  it('fails a job whose result was never reported, and the result that comes later is fenced', async () => {
    const { hands, runs } = await stage.lease('silent');
    const run = only(runs);
    await hands.start(run);
    expect(await done([run])).toEqual(['ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'FAILED', endedAt: expect.any(Date) });
    expect(await runOf(run)).toMatchObject({
      state: 'FAILED',
      errorCode: 'ResultMissing',
      errorKind: 'SYSTEM',
    });
    expect(await eventsOf(run)).toEqual(['RUNNING', 'FAILED']);
    expect(await hands.succeed(run, {})).toEqual(['FENCED']);
    expect(await jobOf(run)).toMatchObject({ state: 'FAILED' });
  });

  it('cancels a job that was to be stopped', async () => {
    const { runs } = await stage.lease('cancelled');
    const run = only(runs);
    await cancel(run);
    expect(await jobOf(run)).toMatchObject({ state: 'CANCELLING' });
    expect(await done([run])).toEqual(['ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'CANCELLED' });
    expect(await runOf(run)).toMatchObject({ state: 'CANCELLED', errorCode: null });
    expect(await eventsOf(run)).toEqual(['CANCELLING', 'CANCELLED']);
  });

  it('ends the preemption of a job', async () => {
    const { runs } = await stage.lease('preempted');
    const run = only(runs);
    await preempt(run);
    expect(await done([run])).toEqual(['ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'PREEMPTED' });
    expect(await runOf(run)).toMatchObject({ state: 'PREEMPTED' });
  });

  it('takes a job from the queue that waits because the lease of the run has expired', async () => {
    const { runs } = await stage.lease('expired');
    const run = only(runs);
    await silence(run);
    await expireLeases();
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED' });
    expect(await done([run])).toEqual(['ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'FAILED', attemptedRuns: 0 });
    expect((await stage.assign()).assigned).toBe(0);
  });

  it('leaves a job alone that another executor has', async () => {
    const { runs } = await stage.lease('before');
    const run = only(runs);
    await silence(run);
    await expireLeases();
    await db.job.update({ where: { id: run.jobId }, data: { state: 'RUNNING' } });
    expect(await done([run])).toEqual(['ALREADY_ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'RUNNING' });
    expect(await runOf(run)).toMatchObject({ state: 'LEASE_EXPIRED' });
  });

  it('leaves a job alone that was cancelled while its lease had expired', async () => {
    const { runs } = await stage.lease('gone');
    const run = only(runs);
    await cancel(run);
    await silence(run);
    await expireLeases();
    expect(await done([run])).toEqual(['ALREADY_ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'CANCELLED' });
  });

  it('answers for each run in its order, also for those that are named twice or do not exist', async () => {
    const { hands, runs } = await stage.lease('many', 2);
    const [open, ended] = runs as [Run, Run];
    await hands.succeed(ended, {});
    const answer = await done([{ id: newId() }, ended, open, open, { id: 'no-id' }]);
    expect(answer).toEqual(['NOT_FOUND', 'ALREADY_ENDED', 'ENDED', 'ALREADY_ENDED', 'NOT_FOUND']);
    expect(await done([open])).toEqual(['ALREADY_ENDED']);
    expect(await eventsOf(open)).toEqual(['FAILED']);
  });

  it('does not find the runs of another service account', async () => {
    const { runs } = await stage.lease('owned');
    const run = only(runs);
    expect(await done([run], await newService())).toEqual(['NOT_FOUND']);
    expect(await jobOf(run)).toMatchObject({ state: 'LEASED' });
  });

  it('refuses more than 500 runs, and accepts 500', async () => {
    const ids = (count: number) => Array.from({ length: count }, () => ({ id: newId() }));
    expect(await done(ids(501))).toMatchObject({ problems: [{ path: ['input', 'runs'] }] });
    expect(await done(ids(500))).toHaveLength(500);
  });

  it('ends a run once when calls and results arrive at the same time', async () => {
    const { hands, runs } = await stage.lease('raced', 4);
    const calls = runs.flatMap((run) => [done([run]), done(runs), hands.succeed(run, {}), done([run])]);
    const answers = (await Promise.all(calls)).flat();
    const ends = answers.filter((answer) => answer === 'ENDED' || answer === 'APPLIED');
    expect(ends).toHaveLength(runs.length);
    for (const run of runs) {
      const events = await eventsOf(run);
      expect(events).toHaveLength(1);
      expect((await jobOf(run)).state).toBe(events[0]);
    }
  });
});
