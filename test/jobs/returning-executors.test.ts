/** An executor that comes back at the moment when its leases expire, or does two things at once when it comes back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { pool } from '../../src/platform/database/client.ts';
import type { Tx } from '../../src/platform/database/transaction.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import type { Hands, Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { inLine } from '../support/waiting.ts';
import { jobOf, leaseAs, retire, runOf, Stage, silence } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

/** A run that works, and whose lease is over. */
async function overdue(name: string) {
  const { hands, runs, ownerId } = await stage.lease(name);
  const [run] = runs as [Run];
  await hands.start(run);
  await silence(run);
  return { hands, run, ownerId };
}

const lockRun = (run: Run) => (tx: Tx) =>
  tx.$queryRaw`select id from job_runs where id = ${run.id}::uuid for update`;
const lockJob = (run: Run) => (tx: Tx) =>
  tx.$queryRaw`select id from jobs where id = ${run.jobId}::uuid for update`;
/** Others can still lock it weakly, as reports do first. */
const lockSet = (ownerId: string) => (tx: Tx) =>
  tx.$queryRaw`select id from job_sets where owner_id = ${ownerId}::uuid for key share`;

const goesOn = async (run: Run) => {
  expect(await jobOf(run)).toMatchObject({ state: 'RUNNING', attemptedRuns: 0 });
  expect(await runOf(run)).toMatchObject({ state: 'RUNNING', endedAt: null });
};

describe('a lease that expires', () => {
  it('during the call of its executor is given back, and the executor is not told to stop', async () => {
    const { hands, run } = await overdue('caller');
    const [expired, { cancelRuns }] = await inLine(lockRun(run), expireLeases, () => retire(hands));
    expect([expired, cancelRuns]).toEqual([1, []]);
    await goesOn(run);
  });

  it('during its renewal is given back, and the executor is not told to stop', async () => {
    const { run } = await overdue('renewer');
    const renew = () => mutate(app, 'renewLeases', { runs: [run.id] }, 'held', app.executor);
    const [expired, { held }] = await inLine(lockRun(run), expireLeases, renew);
    expect([expired, held]).toEqual([1, [run.id]]);
    await goesOn(run);
  });
});

describe('an executor whose lease expired', () => {
  it('is not assigned the job itself, although it called a moment after it had renewed the lease', async () => {
    const { hands, run } = await overdue('forgetful');
    await hands.lease({ maxJobs: 5, wait: 'PT0S' });
    await silence(run);
    const { leaseSeconds } = controlPlaneConfig;
    await pool.query(
      'update executors set last_seen_at = now() - make_interval(secs => $2) where name = $1',
      [hands.name, leaseSeconds * 0.7],
    );
    await expireLeases();
    expect((await stage.assign()).assigned).toBe(0);
    await retire(hands);
    await goesOn(run);
  });
});

describe('an executor that comes back', () => {
  /** What it says about a run while a call of its own, which waits for this lock, gives it the lease back. */
  async function whileItCalls<T>(
    name: string,
    say: (hands: Hands, run: Run) => Promise<T>,
    lock = ({ ownerId }: { readonly run: Run; readonly ownerId: string }) => lockSet(ownerId),
  ) {
    const { hands, run, ownerId } = await overdue(name);
    await expireLeases();
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    const call = () => leaseAs(app, { executor: hands.name, knownRuns: [run.id] });
    const [, said] = await inLine<[Answer, T]>(lock({ run, ownerId }), call, () => say(hands, run));
    return { run, said };
  }

  it.each<[string, string, object]>([
    ['a result', 'SUCCEEDED', { outputs: {} }],
    ['a failure', 'FAILED', { error: { code: 'NonZeroExit', message: 'it broke', kind: 'USER' } }],
    ['work that goes on', 'RUNNING', {}],
  ])('can report %s while its call is under way', async (_what, kind, more) => {
    const { run, said } = await whileItCalls(`reports-${kind.toLowerCase()}`, (hands, { id }) =>
      hands.report({ run: id, kind, ...more }),
    );
    expect(said).toEqual([kind === 'RUNNING' ? 'REPEATED' : 'APPLIED']);
    expect(await jobOf(run)).toMatchObject({ state: kind, attemptedRuns: 0 });
  });

  it('can say that it is done with a run while its call is under way', async () => {
    const { run, said } = await whileItCalls('done', (_, { id }) =>
      mutate(app, 'reportJobsDone', { runs: [id] }, 'outcomes', app.executor),
    );
    expect(said.outcomes).toEqual(['ENDED']);
    expect(await jobOf(run)).toMatchObject({ state: 'FAILED', attemptedRuns: 0 });
    expect(await runOf(run)).toMatchObject({ state: 'FAILED', errorCode: 'ResultMissing' });
  });

  it('can renew a lease while its call is under way', async () => {
    const { run, said } = await whileItCalls('renews', (_, { id }) =>
      mutate(app, 'renewLeases', { runs: [id] }, 'held', app.executor),
    );
    expect(said.held).toEqual([run.id]);
    await goesOn(run);
  });

  it('can return a lease without an attempt while its call is under way', async () => {
    const giveBack = (hands: Hands, run: Run) => hands.giveBack(run, false);
    const { run, said } = await whileItCalls('returner', giveBack, (of) => lockJob(of.run));
    expect(said).toBe(true);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 0 });
    expect(await runOf(run)).toMatchObject({ state: 'LEASE_RETURNED' });
  });
});
