import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { type NewJobRequest, submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { Hands } from '../support/hands.ts';
import { holdAnswers } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';
import { newJob } from './stage.ts';

let app: App;
let queue: { id: string; tenantId: string };
let ownerId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const { data } = await app.ask(
    'mutation { createQueue(input: { name: "batch" }) { ... on CreateQueuePayload { queue { id } } } }',
  );
  const stored = await db.queue.findUniqueOrThrow({ where: { id: data.createQueue.queue.id } });
  queue = { id: stored.id, tenantId: stored.tenantId };
  ownerId = (await db.user.findFirstOrThrow({ where: { username: 'admin' } })).id;
});
afterAll(() => app.stop());

const job = (clientId: string | null, priority = 0) => newJob({ clientId, priority });

const submit = (jobSet: string, jobs: NewJobRequest[]) =>
  inTransaction((tx) =>
    submitJobs(
      systemCaller(queue.tenantId, ownerId),
      tx,
      queue,
      { name: jobSet, ownerId: null, projectId: null, workflowEntityId: null },
      jobs,
    ),
  );
const assign = () => assignPool({ tenantId: queue.tenantId, name: 'default' }, 30);

async function eventsOf(jobSet: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select event.sequence, event.kind from job_events as event join job_sets as set on set.id = event.job_set_id
      where set.name = $1 order by event.sequence`,
    [jobSet],
  );
  expect(rows.map((row) => Number(row.sequence))).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => row.kind);
}

/** An executor with room that the server knows. */
async function hands(name: string, slots = 10): Promise<Hands> {
  const one = new Hands(app, name);
  await one.lease({ maxJobs: slots, wait: 'PT0S' });
  return one;
}
const retire = (one: Hands) => one.lease({ maxJobs: 0, wait: 'PT0S' });

describe('submitting', () => {
  it('creates one job for one client id, also within one request', async () => {
    const [first, again] = await submit('dedup', [job('same'), job('same')]);
    expect(again).toBe(first);
    expect(await submit('dedup', [job('same')])).toEqual([first]);
    expect(await submit('elsewhere', [job('same')])).toEqual([first]);
    expect(await eventsOf('dedup')).toEqual(['SUBMITTED', 'QUEUED']);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = $1`, [first]);
  });

  it('creates one job when many calls submit it at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => submit('raced', [job('raced'), job('other')])),
    );
    expect(new Set(answers.map((ids) => ids.join())).size).toBe(1);
    expect(await db.job.count({ where: { clientId: 'raced' } })).toBe(1);
    expect(await eventsOf('raced')).toHaveLength(4);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = any($1)`, [
      answers[0],
    ]);
  });

  it('answers ids in the order of the request, and never deduplicates without a client id', async () => {
    const ids = await submit('plain', [job(null), job('b'), job(null)]);
    expect(new Set(ids).size).toBe(3);
    const stored = await db.job.findMany({ where: { id: { in: ids } } });
    expect(stored.find((row) => row.clientId === 'b')?.id).toBe(ids[1]);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = any($1)`, [ids]);
  });

  it.each([
    ['no job', []],
    ['a client id of 101 characters', [job('x'.repeat(101))]],
    ['an empty client id', [job('')]],
    ['a priority that is no number', [job('nan', Number.NaN)]],
  ])('refuses %s and stores nothing', async (_name, jobs) => {
    await expect(submit('refused', jobs as NewJobRequest[])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await eventsOf('refused')).toEqual([]);
  });
});

describe('leasing', () => {
  it('leases lower priorities first, then older jobs', async () => {
    const [late, soon, alsoSoon] = await submit('order', [job(null, 5), job(null, 1), job(null, 1)]);
    const one = await hands('order', 3);
    await assign();
    const { runs } = await one.lease({ maxJobs: 3, wait: 'PT0S' });
    const ids = runs.map((run) => run.jobId);
    const { rows } = await pool.query(
      `select job_id from job_events where kind = 'LEASED' and job_id = any($1) order by sequence`,
      [ids],
    );
    expect(rows.map((row) => row.job_id)).toEqual([soon, alsoSoon, late]);
    for (const run of runs) await one.succeed(run, {});
    await retire(one);
  });

  it('leases nothing from a cordoned queue until it is opened again', async () => {
    const cordon = (cordoned: boolean) => db.queue.update({ where: { id: queue.id }, data: { cordoned } });
    await submit('cordoned queue', [job(null)]);
    const one = await hands('patient', 1);
    await cordon(true);
    expect((await assign()).assigned).toBe(0);
    await cordon(false);
    expect((await assign()).assigned).toBe(1);
    const { runs } = await one.lease({ wait: 'PT0S' });
    for (const run of runs) await one.succeed(run, {});
    await retire(one);
  });

  it('gives nothing to a cordoned executor until it is opened again', async () => {
    const cordon = (cordoned: boolean) =>
      pool.query(
        `insert into executor_settings (id, tenant_id, name, cordoned, cordon_reason, set_by_id)
         select $1, tenant_id, 'cordoned', $2, 'it smokes', user_id from executors where name = 'cordoned'
         on conflict (tenant_id, name) do update set cordoned = excluded.cordoned`,
        [newId(), cordoned],
      );
    await submit('cordoned executor', [job(null)]);
    const one = await hands('cordoned', 1);
    await cordon(true);
    expect((await assign()).assigned).toBe(0);
    await cordon(false);
    expect((await assign()).assigned).toBe(1);
    const { runs } = await one.lease({ wait: 'PT0S' });
    for (const run of runs) await one.succeed(run, {});
    await retire(one);
  });

  it('answers a run again until the executor names it', async () => {
    await submit('again', [job(null)]);
    const one = await hands('again', 1);
    await assign();
    const [first] = (await one.lease({ maxJobs: 1, wait: 'PT0S', forget: true })).runs;
    const [second] = (await one.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    expect(second?.id).toBe(first?.id);
    expect((await one.lease({ maxJobs: 0, wait: 'PT0S' })).runs).toEqual([]);
    if (second) await one.succeed(second, {});
    await retire(one);
  });

  it('gives each job to one executor only, also when many assign and lease at the same time', async () => {
    const many = process.env.SOAK ? 1000 : 60;
    const ids = await submit(
      'shared',
      Array.from({ length: many }, () => job(null)),
    );
    const executors = await Promise.all(['s1', 's2', 's3'].map((name) => hands(name, 20)));
    const taken: string[] = [];
    for (let turn = 0; turn < many && taken.length < many; turn += 1) {
      await Promise.all([assign(), assign(), assign()]);
      const answers = await Promise.all(executors.map((one) => one.lease({ maxJobs: 20, wait: 'PT0S' })));
      taken.push(...answers.flatMap((answer) => answer.runs.map((run) => run.jobId)));
    }
    expect([...taken].sort()).toEqual([...ids].sort());
    const { rows } = await pool.query(
      'select job_id from job_runs where job_id = any($1) and ended_at is null group by job_id having count(*) > 1',
      [ids],
    );
    expect(rows).toEqual([]);
    for (const one of executors) {
      await one.report(...[...one.known].map((run) => ({ run, kind: 'SUCCEEDED', outputs: {} })));
      one.known.clear();
      await retire(one);
    }
    expect(await db.job.count({ where: { id: { in: ids }, state: 'SUCCEEDED' } })).toBe(many);
    await eventsOf('shared');
  });

  it('never gives an executor more than maxJobs', async () => {
    const ids = await submit('room', [job(null), job(null), job(null)]);
    const one = await hands('room', 2);
    await assign();
    await assign();
    expect((await one.lease({ maxJobs: 2, wait: 'PT0S' })).runs).toHaveLength(2);
    await one.report(...[...one.known].map((run) => ({ run, kind: 'SUCCEEDED', outputs: {} })));
    one.known.clear();
    await one.lease({ maxJobs: 1, wait: 'PT0S' });
    await assign();
    const [last] = (await one.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    expect(ids).toContain(last?.jobId);
    if (last) await one.succeed(last, {});
    await retire(one);
  });

  it('answers as soon as there is a run, not only after the wait', async () => {
    const one = await hands('prompt', 1);
    // No timer can end the wait, so only news can.
    stopClocks('setTimeout', 'clearTimeout');
    const looks = holdAnswers(/job\.id as "jobId", set\.name as "jobSet"/);
    const asking = one.lease({ maxJobs: 1, wait: 'PT1.6S' });
    await eventually(
      () => looks.held,
      (held) => held === 1,
    );
    await submit('prompt', [job(null)]);
    expect((await assign()).assigned).toBe(1);
    looks.release();
    const { runs } = await asking;
    expect(runs).toHaveLength(1);
    for (const run of runs) await one.succeed(run, {});
    await retire(one);
  });

  it.each([
    ['an executor with a bad name', { executor: 'Not A Label', knownRuns: [], maxJobs: 1 }, 'executor'],
    ['a run that is no id', { executor: 'x', knownRuns: ['nonsense'], maxJobs: 1 }, 'knownRuns'],
    ['more than a hundred', { executor: 'x', knownRuns: [], maxJobs: 101 }, 'maxJobs'],
  ])('refuses %s and names the field', async (_name, input, field) => {
    const { data } = await app.ask(
      'mutation ($input: LeaseJobsInput!) { leaseJobs(input: $input) { ... on Error { code path } } }',
      { input },
      app.executor,
    );
    expect(data.leaseJobs).toEqual({ code: 'INVALID_ARGUMENT', path: ['input', field] });
  });

  it('requires an executor', async () => {
    const { errors } = await app.ask(
      'mutation { leaseJobs(input: { executor: "x", knownRuns: [], maxJobs: 1 }) { __typename } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'PERMISSION_DENIED' } }]);
  });
});

describe('a lease that is not renewed', () => {
  /** As if all leases had expired. */
  const expireAll = async () => {
    await pool.query(
      `update job_runs set lease_expires_at = now() - interval '1 second' where ended_at is null`,
    );
    return await expireLeases();
  };

  /** A run that its executor started and whose lease has expired. */
  async function lose(jobSet: string) {
    const [id = ''] = await submit(jobSet, [job(null)]);
    const one = await hands(jobSet, 1);
    await assign();
    const [run] = (await one.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    if (!run) throw new Error('no run');
    await one.start(run);
    expect(await expireAll()).toBe(1);
    expect(await expireAll()).toBe(0);
    await pool.query(`update executors set last_seen_at = now() - interval '1 hour' where name = $1`, [
      jobSet,
    ]);
    expect(await jobOf(id)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    return { id, one, run };
  }
  const jobOf = (id: string) => db.job.findUniqueOrThrow({ where: { id } });
  const lost = ['SUBMITTED', 'QUEUED', 'LEASED', 'RUNNING', 'LEASE_EXPIRED'];

  it('ends: the job is queued again with one attempt counted, and the old run is refused when another executor has it', async () => {
    const { id, one, run } = await lose('expired');
    const other = await hands('expired-other', 1);
    await assign();
    const [second] = (await other.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    if (!second) throw new Error('no second run');
    expect(await one.report({ run: run.id, kind: 'SUCCEEDED', outputs: {} })).toEqual(['FENCED']);
    one.known.add(run.id);
    expect((await one.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([run.id]);
    await other.succeed(second, {});
    expect(await jobOf(id)).toMatchObject({ state: 'SUCCEEDED', attemptedRuns: 1 });
    expect(await eventsOf('expired')).toEqual([...lost, 'LEASED', 'SUCCEEDED']);
    await retire(one);
    await retire(other);
  });

  it('is given back to an executor that returns while no other has the job, and counts no attempt', async () => {
    const { id, one, run } = await lose('back');
    const { cancelRuns, runs } = await one.lease({ maxJobs: 1, wait: 'PT0S' });
    expect([cancelRuns, runs]).toEqual([[], []]);
    expect(await jobOf(id)).toMatchObject({ state: 'RUNNING', attemptedRuns: 0 });
    expect(await one.succeed(run, {})).toEqual(['APPLIED']);
    expect(await eventsOf('back')).toEqual([...lost, 'RUNNING', 'SUCCEEDED']);
    await retire(one);
  });

  it('does not make the server drop the result of an executor that returns', async () => {
    const { id, one, run } = await lose('result');
    expect(await one.succeed(run, { y: 1 })).toEqual(['APPLIED']);
    expect(await jobOf(id)).toMatchObject({ state: 'SUCCEEDED', attemptedRuns: 0 });
    await retire(one);
  });

  it('counts no attempt when the executor gives it back afterwards, also when another has the job by then', async () => {
    const { id, one, run } = await lose('given-back');
    const other = await hands('given-back-other', 1);
    await assign();
    const [second] = (await other.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    if (!second) throw new Error('no second run');
    // The lease had already ended, so this call does not end it. Returned twice, it counts once.
    expect([await one.giveBack(run, false), await one.giveBack(run, false)]).toEqual([false, false]);
    expect(await jobOf(id)).toMatchObject({ state: 'LEASED', attemptedRuns: 0 });
    await other.succeed(second, {});
    await retire(one);
    await retire(other);
  });

  it('is not given back for a run that its executor is stopping', async () => {
    const { id, one, run } = await lose('stopping');
    const { cancelRuns } = await one.lease({ maxJobs: 0, wait: 'PT0S', stopping: [run.id] });
    expect(cancelRuns).toEqual([run.id]);
    expect(await jobOf(id)).toMatchObject({ state: 'QUEUED', attemptedRuns: 1 });
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = $1`, [id]);
    await retire(one);
  });

  it('goes to one executor only when the first returns at the moment in which another is chosen', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const { id, one, run } = await lose(`meeting-${turn}`);
      const other = await hands(`meeting-other-${turn}`, 1);
      const [{ cancelRuns }] = await Promise.all([one.lease({ maxJobs: 0, wait: 'PT0S' }), assign()]);
      const live = await db.jobRun.findMany({ where: { jobId: id, endedAt: null } });
      expect(live).toHaveLength(1);
      expect(live[0]?.id === run.id).toBe(cancelRuns.length === 0);
      await pool.query(`update job_runs set state = 'CANCELLED', ended_at = now() where ended_at is null`);
      await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = $1`, [id]);
      one.known.clear();
      await retire(one);
      await retire(other);
    }
  });

  it('counts no attempt when the executor never confirmed it', async () => {
    const [id = ''] = await submit('unheard', [job(null)]);
    const one = await hands('unheard', 1);
    await assign();
    await expireAll();
    expect(await db.job.findUniqueOrThrow({ where: { id } })).toMatchObject({
      state: 'QUEUED',
      attemptedRuns: 0,
    });
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where id = $1`, [id]);
    await retire(one);
  });

  it('is not ended when it is renewed in the meantime', async () => {
    await submit('renewed', [job(null)]);
    const one = await hands('renewed', 1);
    await assign();
    const [run] = (await one.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    await one.lease({ maxJobs: 0, wait: 'PT0S' });
    expect(await expireLeases()).toBe(0);
    const { data } = await app.ask(
      'mutation ($runs: [ID!]!) { renewLeases(input: { runs: $runs }) { ... on RenewLeasesPayload { held } } }',
      { runs: [run?.id, newId()] },
      app.executor,
    );
    expect(data.renewLeases.held).toEqual([run?.id]);
    if (run) await one.succeed(run, {});
    await retire(one);
  });
});

describe('a turn of the assigner', () => {
  it('assigns 1,000 jobs, and reports that there may be more', async () => {
    for (const count of [1000, 1])
      await submit(
        'many',
        Array.from({ length: count }, () => job(null)),
      );
    await hands('roomy');
    await db.executor.updateMany({ where: { name: 'roomy' }, data: { slots: 1001 } });
    expect(await assign()).toEqual({ assigned: 1000, preempted: 0, mayHaveMore: true });
    expect((await assign()).assigned).toBe(1);
  });
});
