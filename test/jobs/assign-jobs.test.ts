import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storeRuns } from '../../src/jobs/store/leases.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { listWaitingPools } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { newTenant } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { leaseAs, newJob, newService, retire, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const executor = (name: string) => db.executor.findFirstOrThrow({ where: { name } });

const { spec } = newJob();
const requests = [{ name: 'CPU', value: '2' }];
/** A job for which a machine with one CPU is too small. */
const large = { spec: { ...spec, container: { ...spec.container, resources: { requests, limits: [] } } } };

describe('a pool', () => {
  it('has its own jobs and its own executors', async () => {
    const { ids } = await stage.submit(newJob(), newJob());
    const [here = '', there = ''] = ids;
    await db.job.update({ where: { id: there }, data: { pool: 'gpu' } });
    await leaseAs(app, { executor: 'cpu-one', maxJobs: 5 });
    await leaseAs(app, { executor: 'gpu-one', maxJobs: 5, pool: 'gpu' });
    expect((await stage.assign('gpu')).assigned).toBe(1);
    expect((await stage.assign()).assigned).toBe(1);
    const runsOf = async (input: object) =>
      (await leaseAs(app, input)).runs.map(({ jobId }: { jobId: string }) => jobId);
    expect(await runsOf({ executor: 'gpu-one', pool: 'gpu' })).toEqual([there]);
    expect(await runsOf({ executor: 'cpu-one' })).toEqual([here]);
  });

  it('does not see the jobs of another tenant, and does not wait behind them', async () => {
    await stage.submit(newJob());
    const other = await Stage.open(app, await newTenant('neighbours'));
    const theirs = await other.submit(newJob());
    const service = await newService(other.tenantId);
    await leaseAs(app, { executor: 'theirs', maxJobs: 1 }, service);
    expect((await other.assign()).assigned).toBe(1);
    const { runs } = await leaseAs(app, { executor: 'theirs' }, service);
    expect(runs).toMatchObject([{ jobId: theirs.ids[0] }]);
  });

  it('has room although an executor has more runs than it wants', async () => {
    const { hands } = await stage.lease('overfull', 2);
    hands.known.clear();
    await retire(hands);
    const { ids } = await stage.submit(newJob());
    const free = new Hands(app, 'free');
    await free.lease({ maxJobs: 1, wait: 'PT0S' });
    expect(await stage.assign()).toEqual({ assigned: 1, preempted: 0, mayHaveMore: false });
    expect((await free.lease({ maxJobs: 0, wait: 'PT0S' })).runs).toMatchObject([{ jobId: ids[0] }]);
  });

  it('has no more to do when it has no jobs or no room', async () => {
    const nothing = { assigned: 0, preempted: 0, mayHaveMore: false };
    expect(await stage.assign()).toEqual(nothing);
    expect(await stage.assign('nowhere')).toEqual(nothing);
  });

  it('leases jobs of a higher class first, whatever their priorities are', async () => {
    const { ids } = await stage.submit(newJob({ priority: 1 }), newJob({ priority: 2 }));
    const higher = { classPriority: 2000, priorityClass: 'urgent', shape: 'urgent' };
    await db.job.update({ where: { id: ids[1] }, data: higher });
    const hands = new Hands(app, 'classy');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    await stage.assign();
    expect((await hands.lease({ maxJobs: 0, wait: 'PT0S' })).runs).toMatchObject([{ jobId: ids[1] }]);
  });

  it('knows the machines of all its executors in each round, also if they are more than are remembered', async () => {
    await pool.query(
      `insert into executors (id, tenant_id, user_id, name, pool, nodes, nodes_digest, slots)
       select gen_random_uuid(), $1, $2, 'crowd-' || n, 'crowd', jsonb_build_array(jsonb_build_object(
                'name', 'n' || n, 'allocatable', jsonb_build_object('cpu', '1'))), 'crowd-' || n, 10
         from generate_series(1, 1001) as n`,
      [stage.tenantId, stage.userId],
    );
    await stage.submit(newJob({ ...large, pool: 'crowd' }));
    for (let round = 0; round < 3; round += 1) expect((await stage.assign('crowd')).assigned).toBe(0);
    await pool.query(`delete from executors where pool = 'crowd'`);
  });

  it.each([
    ['jobs', {}],
    ['jobs of a gang', { gang: { name: 'half', cardinality: 2, uniformityLabel: null } }],
  ])('waits for the assigner while it has executors and queued %s', async (_what, more) => {
    await new Hands(app, 'waiting-too').lease({ maxJobs: 1, wait: 'PT0S' });
    expect(await listWaitingPools()).toEqual([]);
    await stage.submit(newJob(more));
    expect(await listWaitingPools()).toEqual([`${stage.tenantId}/default`]);
  });

  it('waits for the assigner only while it has executors and queued jobs', async () => {
    const nameOf = (name: string) => `${stage.tenantId}/${name}`;
    await stage.submit(newJob());
    const hands = new Hands(app, 'waiting');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    const waiting = await listWaitingPools();
    expect(waiting).toContain(nameOf('default'));
    expect(waiting).not.toContain(nameOf('gpu'));
    await stage.assign();
    expect(await listWaitingPools()).toEqual([]);
    await retire(hands);
  });
});

describe('a job', () => {
  const store = (jobId: string, executorId: string) =>
    inTransaction((tx) => storeRuns(tx, [{ jobId, executorId, node: null, runId: newId() }], 30));

  it('is leased once, also when two assigners chose it', async () => {
    const { ids } = await stage.submit(newJob());
    await retire(new Hands(app, 'twice'));
    const { id } = await executor('twice');
    expect([await store(ids[0] ?? '', id), await store(ids[0] ?? '', id)]).toEqual([1, 0]);
  });

  it('is not leased to an executor of another tenant', async () => {
    const { ids } = await stage.submit(newJob());
    await leaseAs(app, { executor: 'spy' }, await newService(await newTenant('spies')));
    expect(await store(ids[0] ?? '', (await executor('spy')).id)).toBe(0);
  });
});

describe('the assigner', () => {
  it('is told when an executor has more room or another pool, and not when nothing has changed', async () => {
    const told: string[] = [];
    // News of other pools may still be on its way.
    const stop = notifications.on('pool', null, (id) => {
      const pool = id.slice(stage.tenantId.length + 1);
      if (pool === 'first' || pool === 'second') told.push(pool);
    });
    for (const [pool, maxJobs] of [
      ['first', 2],
      ['first', 2],
      ['first', 1],
      ['second', 1],
      ['second', 2],
    ] as const)
      await leaseAs(app, { executor: 'mover', pool, maxJobs });
    await eventually(
      () => told,
      ({ length }) => length >= 3,
    );
    stop();
    expect(told).toEqual(['first', 'second', 'second']);
  });
});
