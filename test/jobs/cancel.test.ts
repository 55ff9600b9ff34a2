import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { cancelJobSet } from '../../src/jobs/commands/cancel-job-set.ts';
import { expireLeases } from '../../src/jobs/commands/expire-leases.ts';
import { submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { eventually } from '../support/seed.ts';
import { newJob } from './stage.ts';

let app: App;
let queue: { id: string; tenantId: string };
let userId: string;
let hands: Hands;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const { id: tenantId } = await db.tenant.findFirstOrThrow();
  queue = await db.queue.create({ data: { id: newId(), tenantId, name: 'cancelled' } });
  userId = (await db.user.findFirstOrThrow({ where: { username: 'admin' } })).id;
});
afterAll(() => app.stop());
let number = 0;
beforeEach(async () => {
  hands = new Hands(app, `hands-${++number}`);
  await hands.lease({ maxJobs: 1, wait: 'PT0S' });
});

/** Leaves no room for the jobs of the next test. */
afterEach(async () => {
  hands.known.clear();
  await hands.lease({ maxJobs: 0, wait: 'PT0S' });
});

const job = newJob();
const caller = () => systemCaller(queue.tenantId, userId);

/** A job in its own job set. */
async function submit() {
  const ownerId = newId();
  const set = { name: ownerId, ownerId, projectId: null, workflowEntityId: null };
  const [id = ''] = await inTransaction((tx) => submitJobs(caller(), tx, queue, set, [job]));
  return {
    id,
    cancel: () => inTransaction((tx) => cancelJobSet(caller(), tx, ownerId, 'enough')),
    read: () => db.job.findUniqueOrThrow({ where: { id } }),
    kinds: async () => {
      const sql = 'select kind, detail from job_events where job_id = $1 order by sequence';
      return (await pool.query(sql, [id])).rows.map((row) => row.kind);
    },
    details: async (kind: string) => {
      const sql = 'select detail from job_events where job_id = $1 and kind = $2::job_event_kind';
      return (await pool.query(sql, [id, kind])).rows.map((row) => row.detail);
    },
  };
}
type Submitted = Awaited<ReturnType<typeof submit>>;

/** A job whose run an executor has confirmed and, by default, started. */
async function begin({ isStarted = true } = {}): Promise<Submitted & { run: Run }> {
  const submitted = await submit();
  await assignPool({ tenantId: queue.tenantId, name: 'default' }, 30);
  const [run] = (await hands.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
  if (!run) throw new Error('no run');
  await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  if (isStarted) await hands.start(run);
  return { ...submitted, run };
}

const before = ['SUBMITTED', 'QUEUED', 'LEASED', 'RUNNING'];

describe('a job that is cancelled', () => {
  it('is CANCELLED at once while it waits', async () => {
    const { id, cancel, read, kinds } = await submit();
    expect(await cancel()).toEqual([id]);
    expect(await read()).toMatchObject({ state: 'CANCELLED', cancelReason: 'enough', cancelledById: userId });
    expect((await read()).endedAt).toBeTruthy();
    expect(await kinds()).toEqual(['SUBMITTED', 'QUEUED', 'CANCELLING', 'CANCELLED']);
    expect(await cancel()).toEqual([]);
  });

  it('is CANCELLED at once before its executor has confirmed it, and never starts', async () => {
    const { cancel, read } = await submit();
    await assignPool({ tenantId: queue.tenantId, name: 'default' }, 30);
    const [run] = (await hands.lease({ maxJobs: 1, wait: 'PT0S' })).runs;
    await cancel();
    expect((await read()).state).toBe('CANCELLED');
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([run?.id]);
    expect(await hands.confirm(run?.id ?? '')).toEqual(['REPEATED']);
    expect(await hands.report({ run: run?.id, kind: 'RUNNING' })).toEqual(['FENCED']);
  });

  it('is CANCELLING until its executor confirms that it has ended', async () => {
    const { id, cancel, read, kinds, details, run } = await begin();
    expect(await cancel()).toEqual([id]);
    expect(await read()).toMatchObject({ state: 'CANCELLING', endedAt: null, cancelReason: 'enough' });
    expect(await cancel()).toEqual([]);
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([run.id]);
    expect(await hands.confirm(run.id)).toEqual(['APPLIED']);
    expect(await hands.confirm(run.id)).toEqual(['REPEATED']);
    expect(await read()).toMatchObject({ state: 'CANCELLED' });
    expect((await read()).endedAt).toBeTruthy();
    expect(await kinds()).toEqual([...before, 'CANCELLING', 'CANCELLED']);
    expect(await details('CANCELLED')).toMatchObject([{ reason: 'enough', requestor: userId }]);
  });

  it('stays CANCELLING when its executor reports RUNNING at the same time', async () => {
    const { cancel, read, run } = await begin({ isStarted: false });
    await cancel();
    expect(await hands.start(run)).toEqual(['APPLIED']);
    expect((await read()).state).toBe('CANCELLING');
    expect(await hands.confirm(run.id)).toEqual(['APPLIED']);
    expect((await read()).state).toBe('CANCELLED');
  });

  it('keeps the lease of a run that its executor is still stopping, and does not end the long poll for it', async () => {
    const { cancel, read, run } = await begin();
    await cancel();
    hands.known.add(run.id);
    await pool.query(`update job_runs set lease_expires_at = now() + interval '1 second' where id = $1`, [
      run.id,
    ]);
    let isAnswered = false;
    const waiting = hands.lease({ maxJobs: 1, wait: 'PT5S', stopping: [run.id] }).then((answer) => {
      isAnswered = true;
      return answer;
    });
    const renewed = async () => {
      const { leaseExpiresAt } = await db.jobRun.findUniqueOrThrow({ where: { id: run.id } });
      return leaseExpiresAt.getTime() > Date.now() + 2000;
    };
    await eventually(renewed, (is) => is);
    // Other calls are answered in the meantime, so this one would have been answered too.
    for (let calls = 0; calls < 5; calls += 1) await app.ask('{ version { version } }');
    expect(isAnswered).toBe(false);
    const next = await submit();
    await assignPool({ tenantId: queue.tenantId, name: 'default' }, 30);
    expect((await next.read()).state).toBe('LEASED');
    expect((await waiting).runs).toHaveLength(1);
    expect((await read()).state).toBe('CANCELLING');
    await hands.confirm(run.id);
    await next.cancel();
  });

  it('keeps the result of work that ended before', async () => {
    const { cancel, read, run, kinds } = await begin();
    await cancel();
    expect(await hands.succeed(run, { y: 1 })).toEqual(['APPLIED']);
    expect((await read()).state).toBe('SUCCEEDED');
    expect(await kinds()).toEqual([...before, 'CANCELLING', 'SUCCEEDED']);
  });

  it('is CANCELLED when the lease of a silent executor ends, and is not queued again', async () => {
    const { cancel, read, kinds, run } = await begin();
    await cancel();
    await pool.query(`update job_runs set lease_expires_at = now() - interval '1 second' where id = $1`, [
      run.id,
    ]);
    expect(await expireLeases()).toBe(1);
    expect(await read()).toMatchObject({ state: 'CANCELLED' });
    expect((await read()).endedAt).toBeTruthy();
    expect(await kinds()).toEqual([...before, 'CANCELLING', 'LEASE_EXPIRED', 'CANCELLED']);
    // The executor comes back and must stop.
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).cancelRuns).toEqual([run.id]);
    expect(await hands.confirm(run.id)).toEqual(['FENCED']);
  });

  it('is CANCELLED when its executor returns the lease', async () => {
    const { cancel, read, run, kinds } = await begin();
    await cancel();
    expect(await hands.giveBack(run, true)).toBe(true);
    expect((await read()).state).toBe('CANCELLED');
    expect(await kinds()).toEqual([...before, 'CANCELLING', 'LEASE_RETURNED', 'CANCELLED']);
  });

  it('is not among the runs to continue, but its lease is renewed', async () => {
    const { cancel, run } = await begin();
    await cancel();
    await pool.query(`update job_runs set lease_expires_at = now() - interval '1 second' where id = $1`, [
      run.id,
    ]);
    const { data } = await app.ask(
      'mutation ($runs: [ID!]!) { renewLeases(input: { runs: $runs }) { ... on RenewLeasesPayload { held } } }',
      { runs: [run.id] },
      app.executor,
    );
    expect(data.renewLeases.held).toEqual([]);
    expect(await expireLeases()).toBe(0);
    await hands.confirm(run.id);
  });
});

describe('a run that nobody cancelled', () => {
  it('cannot be reported CANCELLED by its executor', async () => {
    const { cancel, read, run } = await begin();
    expect(await hands.report({ run: run.id, kind: 'CANCELLED' })).toEqual(['FENCED']);
    expect((await read()).state).toBe('RUNNING');
    await cancel();
    await hands.confirm(run.id);
  });
});
