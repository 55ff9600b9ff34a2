/** Executors that the server has not heard of for long, or that do not take what they are given. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { jobOf, newJob, retire, runOf, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

/** Leases of a day: only the silence of their executor ends them before. */
const long = { leaseSeconds: 86_400, lostSeconds: 3600 };

/** As if an executor had called last, and renewed these runs, so many seconds ago. */
async function silence(hands: Hands, seconds: number, ...runs: readonly Run[]): Promise<void> {
  await pool.query(`update executors set last_seen_at = now() - make_interval(secs => $2) where name = $1`, [
    hands.name,
    seconds,
  ]);
  await pool.query(
    'update job_runs set lease_expires_at = now() + make_interval(secs => $2) where id = any($1)',
    [runs.map(({ id }) => id), long.leaseSeconds - seconds],
  );
}

const eventsOf = async ({ jobId }: Run) => {
  const { rows } = await pool.query(
    'select kind, detail from job_events where job_id = $1 order by sequence',
    [jobId],
  );
  return rows as { kind: string; detail: Record<string, unknown> }[];
};

describe('an executor that was silent for longer than it may be', () => {
  const { silentSeconds } = controlPlaneConfig.executorLimits;

  it('gets no new work until it calls again', async () => {
    const hands = new Hands(app, 'silent');
    await hands.lease({ maxJobs: 5, wait: 'PT0S' });
    await stage.submit(newJob());
    await silence(hands, silentSeconds + 5);
    expect((await stage.assign()).assigned).toBe(0);
    await silence(hands, silentSeconds - 5);
    expect((await stage.assign()).assigned).toBe(1);
  });

  it('is silent after the time that is set, however long leases are', async () => {
    const hands = new Hands(app, 'set');
    await hands.lease({ maxJobs: 5, wait: 'PT0S' });
    await stage.submit(newJob());
    await silence(hands, 601);
    const assign = (seconds: number) =>
      assignPool({ tenantId: stage.tenantId, name: 'default' }, long.leaseSeconds, true, {
        ...controlPlaneConfig.executorLimits,
        silentSeconds: seconds,
      });
    expect((await assign(600)).assigned).toBe(0);
    expect((await assign(660)).assigned).toBe(1);
  });
});

describe('an executor that does not name its runs', () => {
  const assign = (unacknowledgedRuns: number) =>
    assignPool({ tenantId: stage.tenantId, name: 'default' }, 30, true, {
      ...controlPlaneConfig.executorLimits,
      unacknowledgedRuns,
    });

  it('gets no more than it may have without naming them, and the rest when it has named these', async () => {
    const hands = new Hands(app, 'greedy');
    await hands.lease({ maxJobs: 10, wait: 'PT0S' });
    await stage.submit(...Array.from({ length: 5 }, () => newJob()));
    expect((await assign(3)).assigned).toBe(3);
    expect((await hands.lease({ maxJobs: 10, wait: 'PT0S', forget: true })).runs).toHaveLength(3);
    expect((await assign(3)).assigned).toBe(0);
    await hands.lease({ maxJobs: 10, wait: 'PT0S' });
    await hands.lease({ maxJobs: 10, wait: 'PT0S' });
    expect((await assign(3)).assigned).toBe(2);
  });

  it('does not keep the work from others', async () => {
    const hands = new Hands(app, 'deaf');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    await stage.submit(newJob());
    await assign(1);
    await hands.lease({ maxJobs: 10, wait: 'PT0S', forget: true });
    const other = new Hands(app, 'listening');
    await other.lease({ maxJobs: 1, wait: 'PT0S' });
    const { ids } = await stage.submit(newJob());
    expect((await assign(1)).assigned).toBe(1);
    expect((await other.lease({ maxJobs: 1, wait: 'PT0S' })).runs).toMatchObject([{ jobId: ids[0] }]);
  });
});

describe('a lost executor', () => {
  it('loses its runs, and another executor gets the jobs; reports of the old run are fenced', async () => {
    const { hands, runs } = await stage.lease('lost', 1);
    const [run] = runs as [Run];
    await hands.start(run);
    await silence(hands, 3601, run);
    expect(await expireLeases(long)).toBe(1);
    expect(await runOf(run)).toMatchObject({ state: 'LEASE_EXPIRED' });
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    expect((await eventsOf(run)).at(-1)).toMatchObject({
      ...{ kind: 'LEASE_EXPIRED' },
      detail: { reason: 'the executor has not called for 3600 s', attempted: true, requeued: true },
    });
    const other = new Hands(app, 'elsewhere');
    await other.lease({ maxJobs: 1, wait: 'PT0S' });
    expect((await stage.assign()).assigned).toBe(1);
    const [again] = (await other.lease({ maxJobs: 1, wait: 'PT0S' })).runs as [Run];
    expect(again.jobId).toBe(run.jobId);
    expect(await hands.succeed(run, {})).toEqual(['FENCED']);
    hands.known.add(run.id);
    expect((await retire(hands)).cancelRuns).toEqual([run.id]);
    expect(await other.succeed(again, {})).toEqual(['APPLIED']);
    expect(await jobOf(run)).toMatchObject({ state: 'SUCCEEDED', attemptedRuns: 1 });
  });

  it('fails the job if this was its last attempt', async () => {
    const { hands, runs } = await stage.lease('last');
    const [run] = runs as [Run];
    await db.job.update({ where: { id: run.jobId }, data: { maxAttempts: 1 } });
    await silence(hands, 3601, run);
    await expireLeases(long);
    expect(await jobOf(run)).toMatchObject({ state: 'FAILED', errorCode: 'LeaseLost' });
    expect((await eventsOf(run)).map(({ kind }) => kind).slice(-2)).toEqual(['LEASE_EXPIRED', 'FAILED']);
  });

  it('does not count a run as an attempt that the executor has never named', async () => {
    const hands = new Hands(app, 'unaware');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    await stage.submit(newJob());
    await stage.assign();
    const run = await db.jobRun.findFirstOrThrow({ where: { endedAt: null } });
    await silence(hands, 3601, { id: run.id } as Run);
    expect(await expireLeases(long)).toBe(1);
    expect(await db.job.findUniqueOrThrow({ where: { id: run.jobId } })).toMatchObject({
      ...{ state: 'QUEUED', attemptedRuns: 0 },
    });
  });

  it('keeps its runs until this time has passed', async () => {
    const { hands, runs } = await stage.lease('away');
    await silence(hands, 3590, ...runs);
    expect(await expireLeases(long)).toBe(0);
  });

  it('is one that neither calls nor renews: runs that are renewed apart from calls go on', async () => {
    const { hands, runs } = await stage.lease('renewing', 2);
    const [renewed, other] = runs as [Run, Run];
    await silence(hands, 3601, other);
    await silence(hands, 3601);
    await pool.query(`update job_runs set lease_expires_at = now() + interval '1 day' where id = $1`, [
      renewed.id,
    ]);
    expect(await expireLeases(long)).toBe(1);
    expect([(await runOf(renewed)).endedAt, (await runOf(other)).state]).toEqual([null, 'LEASE_EXPIRED']);
  });

  it('is not one that calls without naming a run: then only the lease counts', async () => {
    const { hands, runs } = await stage.lease('forgetful');
    hands.known.clear();
    await silence(hands, 3601, ...runs);
    await retire(hands);
    expect(await expireLeases(long)).toBe(0);
  });

  it('gets its runs back if it returns before another executor has the jobs', async () => {
    const { hands, runs } = await stage.lease('returning');
    const [run] = runs as [Run];
    await hands.start(run);
    await silence(hands, 7200, run);
    await expireLeases(long);
    expect((await retire(hands)).cancelRuns).toEqual([]);
    expect(await jobOf(run)).toMatchObject({ state: 'RUNNING', attemptedRuns: 0 });
  });

  it('ends a job that was to be stopped', async () => {
    const { hands, runs } = await stage.lease('stopping', 2);
    const [cancelled, preempted] = runs as [Run, Run];
    await db.job.update({ where: { id: cancelled.jobId }, data: { state: 'CANCELLING' } });
    await db.job.update({ where: { id: preempted.jobId }, data: { state: 'PREEMPTING' } });
    await silence(hands, 3601, ...runs);
    expect(await expireLeases(long)).toBe(2);
    expect([(await jobOf(cancelled)).state, (await jobOf(preempted)).state]).toEqual([
      'CANCELLED',
      'PREEMPTED',
    ]);
  });

  it('that comes back at the moment when its runs expire has either all of a run or nothing of it', async () => {
    for (let round = 0; round < 5; round += 1) {
      await stage.clear();
      const { hands, runs } = await stage.lease(`raced-${round}`, 4);
      await silence(hands, 3601, ...runs);
      // Once only: the app renews for 30 s, which a second call would take as the rest of a day.
      const [, { cancelRuns }] = await Promise.all([expireLeases(long), retire(hands)]);
      await retire(hands);
      for (const run of runs) {
        const isTold = cancelRuns.includes(run.id);
        expect(await jobOf(run)).toMatchObject({
          state: isTold ? 'QUEUED' : 'LEASED',
          attemptedRuns: isTold ? 1 : 0,
        });
        expect((await runOf(run)).state).toBe(isTold ? 'LEASE_EXPIRED' : 'LEASED');
        const kinds = (await eventsOf(run)).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === 'LEASE_EXPIRED').length).toBeLessThanOrEqual(1);
      }
    }
  });

  it('and two schedulers that find it at the same time expire each run once', async () => {
    const { hands, runs } = await stage.lease('found-twice', 6);
    await silence(hands, 3601, ...runs);
    const ended = await Promise.all([expireLeases(long), expireLeases(long), expireLeases(long)]);
    expect(ended.reduce((all, one) => all + one, 0)).toBe(6);
    for (const run of runs) expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
  });
});

describe('renewLeases', () => {
  it('keeps a run of an executor that does not call from expiring', async () => {
    const { hands, runs } = await stage.lease('apart');
    const [run] = runs as [Run];
    await silence(hands, 3601, run);
    await mutate(app, 'renewLeases', { runs: [run.id] }, 'held', app.executor);
    // The app has short leases: as if the renewal were for a long one.
    await pool.query(
      `update job_runs set lease_expires_at = now() + make_interval(secs => $2)
        where id = $1 and lease_expires_at <= now() + make_interval(secs => $3)`,
      [run.id, long.leaseSeconds, controlPlaneConfig.leaseSeconds],
    );
    expect(await expireLeases(long)).toBe(0);
  });
});
