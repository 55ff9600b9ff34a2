/** The rates at which jobs start, over real rounds. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import type { BrakeSettings } from '../../src/jobs/domain/scheduling/brakes.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { FleetExecutor, node } from './fleet.ts';
import { PlainQueue } from './plain-jobs.ts';
import { NO_BRAKES } from './scheduling/pools.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

let queue: PlainQueue;
beforeEach(async () => {
  queue = await PlainQueue.open(app);
  const name = `fleet-${queue.name.slice(-12)}`;
  await new FleetExecutor(app, name, { nodes: [node('a', '32')], pool: queue.pool }).call({ maxJobs: 100 });
});

const assign = async (settings: Partial<BrakeSettings>) =>
  await assignPool(
    { tenantId: queue.stage.tenantId, name: queue.pool },
    30,
    true,
    controlPlaneConfig.executorLimits,
    {
      ...NO_BRAKES,
      ...settings,
    },
  );
const small = {
  resources: {
    requests: [
      { name: 'cpu', value: '100m' },
      { name: 'memory', value: '1Mi' },
    ],
  },
};
const submit = (count: number, to = queue) =>
  to.submit(Array.from({ length: count }, () => ({ pool: queue.pool, container: { image: 'x', ...small } })));
/** As if the buckets had last changed so many seconds earlier. */
const pass = (seconds: number) =>
  pool.query('update scheduling_buckets set at = at - make_interval(secs => $2) where pool = $1', [
    queue.pool,
    seconds,
  ]);
const buckets = () =>
  db.schedulingBucket.findMany({ where: { pool: queue.pool }, orderBy: { queueId: 'asc' } });

// So slow that nothing comes back while a test runs.
const slow = (burst: number) => ({ perSecond: 0.001, burst });

describe('the rate of a pool', () => {
  it('is remembered from round to round, and jobs start again when time has passed', async () => {
    await submit(10);
    expect(await assign({ pool: slow(4) })).toEqual({ assigned: 4, preempted: 0, mayHaveMore: false });
    expect((await assign({ pool: slow(4) })).assigned).toBe(0);
    await pass(3001);
    expect((await assign({ pool: slow(4) })).assigned).toBe(3);
    await pass(1_000_000);
    expect((await assign({ pool: slow(4) })).assigned).toBe(3);
  });

  it('counts once when several schedulers assign at the same time', async () => {
    await submit(20);
    const turns = await Promise.all(Array.from({ length: 6 }, () => assign({ pool: slow(5) })));
    expect(turns.reduce((all, { assigned }) => all + assigned, 0)).toBe(5);
  });

  it('does not make runs give way for jobs that only wait for it', async () => {
    await submit(3);
    await assign({ pool: slow(2) });
    await submit(1);
    expect(await assign({ pool: slow(2) })).toEqual({ assigned: 0, preempted: 0, mayHaveMore: false });
  });
});

describe('the rate of a queue', () => {
  it('holds this queue, and others go on', async () => {
    const other = await PlainQueue.open(app);
    await submit(10);
    await submit(10, other);
    expect((await assign({ queue: slow(3) })).assigned).toBe(6);
    expect((await assign({ queue: slow(3) })).assigned).toBe(0);
    expect(await buckets()).toHaveLength(2);
    expect(await db.job.count({ where: { queueId: other.id, state: 'LEASED' } })).toBe(3);
  });

  it('leaves no row of a queue whose bucket is full again', async () => {
    await submit(2);
    await assign({ queue: slow(3) });
    expect(await buckets()).toMatchObject([{ queueId: queue.id, tokens: expect.closeTo(1, 2) }]);
    await pass(1_000_000);
    const other = await PlainQueue.open(app);
    await submit(1, other);
    await assign({ queue: slow(3) });
    expect(await buckets()).toMatchObject([{ queueId: other.id }]);
  });
});

describe('the share of a round', () => {
  it('ends a round, and the next one goes on', async () => {
    await queue.submit(
      Array.from({ length: 30 }, () => ({
        container: {
          image: 'x',
          resources: {
            requests: [
              { name: 'cpu', value: '1' },
              { name: 'memory', value: '1Mi' },
            ],
          },
        },
      })),
    );
    expect((await assign({ roundShare: { cpu: 0.5 } })).assigned).toBe(17);
    expect((await assign({ roundShare: { cpu: 0.5 } })).assigned).toBe(13);
    expect(await buckets()).toEqual([]);
  });
});
