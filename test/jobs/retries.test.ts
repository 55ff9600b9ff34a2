/** What a retry policy does when an executor reports a failure. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { jobOf, newJob, runOf, Stage, silence } from './stage.ts';

vi.hoisted(() => {
  process.env['MAX_RETRIES'] = '2';
});

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const always = { retryLimit: 10, defaultAction: 'RETRY', rules: [] as object[] };

/** A new policy, which the queue of the stage names first. */
async function usePolicy(policy: object, ...others: string[]): Promise<string> {
  const name = `policy-${newId()}`;
  const made = await mutate(app, 'createRetryPolicy', { name, ...policy }, 'retryPolicy { name }');
  expect(made).toMatchObject({ retryPolicy: { name } });
  await db.queue.update({ where: { id: stage.queueId }, data: { retryPolicies: [name, ...others] } });
  return name;
}

/** A job in a job set without an owner. */
async function submitPlain(more: Parameters<typeof newJob>[0] = {}): Promise<string> {
  const set = { name: `set-${newId()}`, ownerId: null, projectId: null, workflowEntityId: null };
  const caller = systemCaller(stage.tenantId, stage.userId);
  const queue = { id: stage.queueId, tenantId: stage.tenantId };
  const [id = ''] = await inTransaction((tx) => submitJobs(caller, tx, queue, set, [newJob(more)]));
  return id;
}

/** The next run of the only job that waits. */
async function nextRun(hands: Hands): Promise<Run> {
  await hands.lease({ maxJobs: 1, wait: 'PT0S' });
  await stage.assign();
  const { runs } = await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  const [run] = runs;
  if (runs.length !== 1 || !run) throw new Error(`${runs.length} runs`);
  return run;
}

const eventsOf = async (jobId: string) =>
  (await pool.query('select kind, detail from job_events where job_id = $1 order by sequence', [jobId])).rows;

describe('a failure of a plain job', () => {
  it('makes the job wait again, says so in the event FAILED, and writes no other event', async () => {
    await usePolicy(always);
    const jobId = await submitPlain();
    const hands = new Hands(app, 'again');
    const run = await nextRun(hands);
    await hands.start(run);
    expect(await hands.fail(run)).toEqual(['APPLIED']);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', endedAt: null, failures: 1, attemptedRuns: 0 });
    expect(await runOf(run)).toMatchObject({ state: 'FAILED', exitCode: 1, errorCode: 'NonZeroExit' });
    const events = await eventsOf(jobId);
    expect(events.map(({ kind }) => kind)).toEqual(['SUBMITTED', 'QUEUED', 'LEASED', 'RUNNING', 'FAILED']);
    expect(events.at(-1)?.detail).toMatchObject({ retryable: true, error: { code: 'NonZeroExit' } });
    expect(await hands.fail(run)).toEqual(['REPEATED']);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', failures: 1 });
    const second = await nextRun(hands);
    expect(second).toMatchObject({ jobId });
    await hands.succeed(second, {});
    expect(await jobOf(run)).toMatchObject({ state: 'SUCCEEDED', failures: 1 });
  });

  it('ends the job when the cap of the server is used up, and the last event does not say retryable', async () => {
    await usePolicy(always);
    await submitPlain();
    const hands = new Hands(app, 'capped');
    const states: string[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const run = await nextRun(hands);
      await hands.fail(run);
      states.push((await jobOf(run)).state);
      if (tries === 2) {
        expect(await jobOf(run)).toMatchObject({ failures: 2, endedAt: expect.any(Date) });
        expect((await eventsOf(run.jobId)).at(-1)?.detail).not.toHaveProperty('retryable');
      }
    }
    expect(states).toEqual(['QUEUED', 'QUEUED', 'FAILED']);
  });

  it('follows only the first policy of the queue, as it is now', async () => {
    const other = await usePolicy(always);
    const name = await usePolicy({ ...always, defaultAction: 'FAIL' }, other);
    const hands = new Hands(app, 'first');
    await submitPlain();
    const failed = await nextRun(hands);
    await hands.fail(failed);
    expect((await jobOf(failed)).state).toBe('FAILED');
    await submitPlain();
    const run = await nextRun(hands);
    await mutate(app, 'updateRetryPolicy', { name, ...always });
    await hands.fail(run);
    expect((await jobOf(run)).state).toBe('QUEUED');
  });

  it('matches rules by kind and code, and ends the job without a policy', async () => {
    const rules = [{ action: 'RETRY', onCategory: 'SYSTEM', onSubcategory: 'DiskFull' }];
    await usePolicy({ retryLimit: 1, defaultAction: 'FAIL', rules });
    const hands = new Hands(app, 'matched');
    const endOf = async (kind: 'USER' | 'SYSTEM', code: string) => {
      await stage.clear();
      await submitPlain();
      const run = await nextRun(hands);
      await hands.fail(run, kind, code);
      return (await jobOf(run)).state;
    };
    expect(await endOf('SYSTEM', 'DiskFull')).toBe('QUEUED');
    expect(await endOf('USER', 'DiskFull')).toBe('FAILED');
    expect(await endOf('SYSTEM', 'DiskBroken')).toBe('FAILED');
    await db.queue.update({ where: { id: stage.queueId }, data: { retryPolicies: [] } });
    expect(await endOf('SYSTEM', 'DiskFull')).toBe('FAILED');
  });

  it.each<[string, Parameters<typeof newJob>[0]]>([
    ['fails fast', { failFast: true }],
    ['is in a gang', { gang: { name: 'pair', cardinality: 2, uniformityLabel: null } }],
  ])('ends a job that %s', async (what, more) => {
    await usePolicy(always);
    const first = await submitPlain(more);
    if (more?.gang) await submitPlain(more);
    const hands = new Hands(app, `excluded-${what.length}`);
    await hands.lease({ maxJobs: 2, wait: 'PT0S' });
    await stage.assign();
    const { runs } = await hands.lease({ maxJobs: 0, wait: 'PT0S' });
    const run = runs.find(({ jobId }) => jobId === first) as Run;
    await hands.fail(run);
    expect((await jobOf(run)).state).toBe('FAILED');
  });

  it('ends a job of an execution, whose task has retries of its own', async () => {
    await usePolicy(always);
    const { hands, runs } = await stage.lease('owned');
    await hands.fail(runs[0] as Run);
    expect((await jobOf(runs[0] as Run)).state).toBe('FAILED');
  });

  it('ends a job that was cancelled in the meantime', async () => {
    await usePolicy(always);
    await submitPlain();
    const hands = new Hands(app, 'cancelled');
    const run = await nextRun(hands);
    await db.job.update({ where: { id: run.jobId }, data: { state: 'CANCELLING' } });
    await hands.fail(run);
    expect((await jobOf(run)).state).toBe('FAILED');
  });

  it('counts once, if it is reported many times at the same moment', async () => {
    await usePolicy(always);
    const jobId = await submitPlain();
    const hands = new Hands(app, 'raced');
    const run = await nextRun(hands);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => hands.fail(run)));
    expect(outcomes.flat().sort()).toEqual(['APPLIED', ...Array(5).fill('REPEATED')]);
    expect(await jobOf(run)).toMatchObject({ state: 'QUEUED', failures: 1 });
    expect((await eventsOf(jobId)).filter(({ kind }) => kind === 'FAILED')).toHaveLength(1);
  });
});

describe('the retries that a job has used', () => {
  const once = { retryLimit: 1, defaultAction: 'RETRY', rules: [] };

  it('grow when a lease expires after the work had begun', async () => {
    await usePolicy(once);
    await submitPlain();
    const hands = new Hands(app, 'expired');
    const lost = await nextRun(hands);
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
    await silence(lost);
    expect(await expireLeases()).toBe(1);
    // It does not name the lost run, so it does not get the lease back.
    const forgetful = new Hands(app, 'expired');
    const run = await nextRun(forgetful);
    await forgetful.fail(run);
    expect((await jobOf(run)).state).toBe('FAILED');
  });

  it('do not grow when a lease is returned', async () => {
    await usePolicy(once);
    await submitPlain();
    const hands = new Hands(app, 'returned');
    await hands.giveBack(await nextRun(hands), true);
    const run = await nextRun(hands);
    await hands.fail(run);
    expect((await jobOf(run)).state).toBe('QUEUED');
  });

  it('do not grow when the job makes room for others', async () => {
    await usePolicy(once);
    await submitPlain({ onPreemption: 'REQUEUE' });
    const hands = new Hands(app, 'preempted');
    const first = await nextRun(hands);
    await db.job.update({ where: { id: first.jobId }, data: { state: 'PREEMPTING' } });
    await hands.confirm(first.id);
    const run = await nextRun(hands);
    await hands.fail(run);
    expect((await jobOf(run)).state).toBe('QUEUED');
  });
});

describe('the change of a rule', () => {
  const requests = [
    { name: 'CPU', value: '1' },
    { name: 'MEMORY', value: '1Ki' },
  ];
  const spec = () => {
    const { spec: plain } = newJob();
    const resources = { requests, limits: requests };
    return { ...plain, container: { ...plain.container, resources } };
  };

  it('gives the next run more memory, in its request, its limit and for the scheduler, in the same order', async () => {
    const mutateRule = { resources: { memory: { factor: 2 } } };
    const rules = [{ action: 'RETRY', onCategory: 'USER', mutate: mutateRule }];
    await usePolicy({ ...always, defaultAction: 'FAIL', rules });
    await submitPlain({ spec: spec() });
    const hands = new Hands(app, 'grown');
    const run = await nextRun(hands);
    const before = await jobOf(run);
    await hands.fail(run);
    const after = await jobOf(run);
    expect(after.resources).toEqual({ cpu: 1000, memory: 2048 });
    expect(after.shape).not.toBe(before.shape);
    const expected = requests.map(({ name, value }) => ({ name, value: name === 'MEMORY' ? '2048' : value }));
    const changed = { requests: expected, limits: expected };
    expect(JSON.stringify(after.spec)).toBe(
      JSON.stringify({ ...spec(), container: { ...spec().container, resources: changed } }),
    );
    const again = await nextRun(hands);
    await hands.fail(again);
    expect((await jobOf(run)).resources).toEqual({ cpu: 1000, memory: 4096 });
    expect(await jobOf(run)).toMatchObject({ avoidedNodes: [] });
  });

  it('sends the next run to another node', async () => {
    const avoid = { affinity: { avoidSameNode: true } };
    const rules = [{ action: 'RETRY', onCategory: 'USER', mutate: avoid }];
    await usePolicy({ ...always, rules });
    await submitPlain();
    const allocatable = { cpu: '4' };
    const nodes = ['a', 'b'].map((name) => ({ name, allocatable }));
    const lease = (maxJobs: number, knownRuns: string[] = []) =>
      mutate(
        app,
        'leaseJobs',
        { executor: 'two-nodes', knownRuns, maxJobs, nodes, wait: 'PT0S' },
        'runs { id node }',
        app.executor,
      );
    await lease(1);
    await stage.assign();
    const [first] = (await lease(0)).runs;
    const error = { code: 'x', message: 'y', kind: 'USER' };
    await new Hands(app, 'two-nodes').report({ run: first.id, kind: 'FAILED', error });
    const { jobId } = await runOf(first);
    expect((await db.job.findUniqueOrThrow({ where: { id: jobId } })).avoidedNodes).toEqual([
      `two-nodes/${first.node}`,
    ]);
    await lease(1);
    await stage.assign();
    const [second] = (await lease(0)).runs;
    expect([first.node, second.node].sort()).toEqual(['a', 'b']);
  });
});
