/** What becomes of jobs that must make room for others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { jobOf, leaseAs, newJob, retire, runOf, Stage, silence } from './stage.ts';

let app: App;
let greedy: Stage;
let modest: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  greedy = await Stage.open(app);
  modest = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => greedy.clear());

const small = { priorityClass: 'slipway-preemptible' } as const;
const eventsOf = async (jobId: string) =>
  (await pool.query('select kind, detail from job_events where job_id = $1 order by sequence', [jobId])).rows;
const kindsOf = async (jobId: string) => (await eventsOf(jobId)).map(({ kind }) => kind);

/** Two runs of one queue on an executor with two slots, of which the newer one must make room. */
async function crowded(name: string, more: Parameters<typeof newJob>[0] = {}, { confirmed = true } = {}) {
  const hands = new Hands(app, name);
  await hands.lease({ maxJobs: 2, wait: 'PT0S' });
  await greedy.submit(newJob({ ...small, ...more }));
  await greedy.assign();
  const [older] = (await hands.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
  await hands.lease({ maxJobs: 1, wait: 'PT0S' });
  await greedy.submit(newJob({ ...small, ...more }));
  await greedy.assign();
  const [newer] = (await hands.lease({ maxJobs: 0, wait: 'PT0S', forget: !confirmed })).runs;
  if (!older || !newer) throw new Error('no runs');
  await retire(hands);
  const { ids } = await modest.submit(newJob({}));
  expect(await greedy.assign()).toEqual({ assigned: 0, preempted: 1, mayHaveMore: false });
  return { hands, older, newer, waiting: ids[0] ?? '' };
}

describe('a job that must make room', () => {
  it('is PREEMPTING until its executor has stopped it, and then PREEMPTED; the room goes to the other queue', async () => {
    const { hands, older, newer, waiting } = await crowded('crowded');
    expect(await jobOf(newer)).toMatchObject({ state: 'PREEMPTING', endedAt: null });
    expect(await jobOf(older)).toMatchObject({ state: 'LEASED' });
    expect(await greedy.assign()).toEqual({ assigned: 0, preempted: 0, mayHaveMore: false });
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([newer.id]);
    expect(await hands.report({ run: newer.id, kind: 'CANCELLED' })).toEqual(['APPLIED']);
    expect(await hands.report({ run: newer.id, kind: 'CANCELLED' })).toEqual(['REPEATED']);
    expect(await jobOf(newer)).toMatchObject({ state: 'PREEMPTED', attemptedRuns: 0 });
    expect(await runOf(newer)).toMatchObject({ state: 'PREEMPTED' });
    const [preempting, preempted] = (await eventsOf(newer.jobId)).slice(-2);
    expect(preempting).toMatchObject({ kind: 'PREEMPTING', detail: { preemptingJob: waiting } });
    expect(preempted).toMatchObject({ kind: 'PREEMPTED', detail: { requeued: false } });
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    expect((await greedy.assign()).assigned).toBe(1);
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).runs).toMatchObject([{ jobId: waiting }]);
  });

  it('waits again without an attempt counted, if it says so', async () => {
    const { hands, newer } = await crowded('requeued', { onPreemption: 'REQUEUE' });
    await hands.report({ run: newer.id, kind: 'CANCELLED' });
    expect(await jobOf(newer)).toMatchObject({ state: 'QUEUED', endedAt: null, attemptedRuns: 0 });
    expect((await eventsOf(newer.jobId)).at(-1)).toMatchObject({
      kind: 'PREEMPTED',
      detail: { requeued: true },
    });
  });

  it('ends at once if its executor has not heard of it', async () => {
    const { newer, waiting } = await crowded('unheard', {}, { confirmed: false });
    expect(await jobOf(newer)).toMatchObject({ state: 'PREEMPTED' });
    const [preempting, preempted] = (await eventsOf(newer.jobId)).slice(-2);
    expect(preempting).toMatchObject({ kind: 'PREEMPTING', detail: { preemptingJob: waiting } });
    expect(preempted).toMatchObject({ kind: 'PREEMPTED', detail: { requeued: false } });
    expect(preempted.detail).not.toHaveProperty('preemptingJob');
  });

  it('keeps its result if it ends before it is stopped', async () => {
    const { hands, newer } = await crowded('quick');
    expect(await hands.succeed(newer, {})).toEqual(['APPLIED']);
    expect(await jobOf(newer)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('is PREEMPTED when its lease ends, without an attempt counted', async () => {
    const { newer } = await crowded('lost');
    await silence(newer);
    expect(await expireLeases()).toBe(1);
    expect(await jobOf(newer)).toMatchObject({ state: 'PREEMPTED', attemptedRuns: 0 });
    expect((await kindsOf(newer.jobId)).slice(-3)).toEqual(['PREEMPTING', 'LEASE_EXPIRED', 'PREEMPTED']);
  });

  it.each([
    ['gives its lease back', (hands: Hands, run: Run) => hands.giveBack(run, false)],
    ['calls again', (hands: Hands) => hands.lease({ maxJobs: 0, wait: 'PT0S' })],
    ['reports a success', (hands: Hands, run: Run) => hands.succeed(run, {})],
  ])('waits again for good when its lease ends, also if its executor %s afterwards', async (name, act) => {
    const { hands, newer } = await crowded(`gone-${name.replaceAll(' ', '-')}`, { onPreemption: 'REQUEUE' });
    await silence(newer);
    expect(await expireLeases()).toBe(1);
    await act(hands, newer);
    expect(await jobOf(newer)).toMatchObject({ state: 'QUEUED', attemptedRuns: 0 });
    expect(await runOf(newer)).toMatchObject({ state: 'PREEMPTED' });
  });

  it('stays PREEMPTING when it is reported as RUNNING, and the report counts', async () => {
    const { hands, newer } = await crowded('late');
    expect(await hands.start(newer)).toEqual(['APPLIED']);
    expect(await jobOf(newer)).toMatchObject({ state: 'PREEMPTING' });
  });
});

describe('a gang', () => {
  const gang = (name: string, cardinality: number) => ({ name, cardinality, uniformityLabel: null });

  it('starts when all its jobs have been submitted, and only if there is room for all', async () => {
    const of = (clientId: string) => newJob({ clientId, gang: gang('trio', 3) });
    const hands = new Hands(app, 'stage-for-three');
    await hands.lease({ maxJobs: 3, wait: 'PT0S' });
    await greedy.submit(of('a'), of('b'));
    expect((await greedy.assign()).assigned).toBe(0);
    await greedy.submit(of('c'));
    await leaseAs(app, { executor: 'stage-for-three', maxJobs: 2 });
    expect((await greedy.assign()).assigned).toBe(0);
    await leaseAs(app, { executor: 'stage-for-three', maxJobs: 3 });
    expect((await greedy.assign()).assigned).toBe(3);
  });

  it('takes no more jobs than it said, and none that describe it differently', async () => {
    await greedy.submit(newJob({ gang: gang('pair', 2) }), newJob({ gang: gang('pair', 2) }));
    const at = (field: string) => ({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'jobs', '0', 'gang', field] }],
    });
    await expect(greedy.submit(newJob({ gang: gang('pair', 2) }))).rejects.toMatchObject(at('id'));
    await expect(greedy.submit(newJob({ gang: gang('pair', 3) }))).rejects.toMatchObject(at('id'));
    expect(await pool.query(`select size from gangs where name = 'pair'`)).toMatchObject({
      rows: [{ size: 2 }],
    });
  });
});

describe('nodes', () => {
  const machine = (name: string, cpu: string, more = {}) => ({
    name,
    allocatable: { cpu, memory: '8Gi' },
    ...more,
  });
  const needs = (value: string) => {
    const job = newJob();
    const resources = { requests: [{ name: 'cpu', value }], limits: [] };
    return { ...job, spec: { ...job.spec, container: { ...job.spec.container, resources } } };
  };

  it('get only what fits on them, and the executor is told which node it is', async () => {
    const nodes = [
      machine('small', '1'),
      machine('large', '4'),
      machine('closed', '64', { unschedulable: true }),
    ];
    const call = (maxJobs: number) => leaseAs(app, { executor: 'fleet', nodes, maxJobs });
    await call(9);
    await greedy.submit(needs('3'), needs('3'), needs('1'));
    expect((await greedy.assign()).assigned).toBe(2);
    const { runs } = await call(9);
    const placed = await Promise.all(runs.map(async (run: { id: string }) => (await runOf(run)).node));
    expect(placed.sort()).toEqual(['large', 'large']);
  });

  it.each([
    ['two nodes of one name', [machine('a', '1'), machine('a', '1')], ['input', 'nodes', '1', 'name']],
    ['a name with a slash', [machine('a/b', '1')], ['input', 'nodes', '0', 'name']],
    ['an amount that is none', [machine('a', 'many')], ['input', 'nodes', '0', 'allocatable']],
    ['amounts that are a list', [{ name: 'a', allocatable: ['1'] }], ['input', 'nodes', '0', 'allocatable']],
    [
      'a taint without a key',
      [machine('a', '1', { taints: [{ key: '', effect: 'NoExecute' }] })],
      ['input', 'nodes', '0', 'taints'],
    ],
  ])('are refused with %s', async (_what, nodes, path) => {
    const answer = await leaseAs(app, { executor: 'odd', nodes });
    expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', problems: [{ path }] });
  });
});
