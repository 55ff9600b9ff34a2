/** What rounds read of very long queues, and what is read of very long job sets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { explainJob } from '../../src/jobs/commands/explain-job.ts';
import { rejectImpossibleJobs } from '../../src/jobs/commands/reject-impossible-jobs.ts';
import { listOpenOfOwner } from '../../src/jobs/store/changes.ts';
import { readLockedSet } from '../../src/jobs/store/expired-events.ts';
import { readJobSetEnd } from '../../src/jobs/store/job-set-events.ts';
import { hasOpenJobs } from '../../src/jobs/store/job-sets.ts';
import { wakePoolsOf } from '../../src/jobs/store/queue-writes.ts';
import { sweepRows } from '../../src/jobs/store/sweep.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { listWaitingPools } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { type PlanNode, rowsOf, type Sent, sentBy } from '../support/plans.ts';
import { homeTenant } from '../support/users.ts';
import { PlainQueue, statesOf } from './plain-jobs.ts';
import { leaseAs } from './stage.ts';

const MANY = 20_000;
const SHAPES = 10;

let app: App;
let tenantId: string;
let queue: PlainQueue;
let idle: PlainQueue;
let short: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await homeTenant();
  queue = await PlainQueue.open(app);
  idle = await PlainQueue.open(app);
  short = await PlainQueue.open(app);
  const [model] = await queue.submit([{}]);
  await database.query(
    `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, resources, shape, priority, submitted_at)
     select gen_random_uuid(), tenant_id, queue_id, job_set_id, spec, owner_id, pool, '{"cpu": 1000}',
            'shape-' || n % ${SHAPES}, n % 7, now() + n * interval '1 ms'
       from jobs, generate_series(1, $2::int) as n where id = $1`,
    [model, MANY],
  );
  await short.submit([{}]);
  await database.query('vacuum analyze jobs');
  await report(8);
  await leaseAs(app, { executor: idle.name, pool: idle.pool, wait: 'PT0S' });
  await database.query(`update executors set created_at = now() - interval '1 hour'`);
}, 60_000);
afterAll(() => app.stop());

const report = (maxJobs: number) =>
  leaseAs(app, {
    ...{ executor: queue.pool, pool: queue.pool, maxJobs, wait: 'PT0S' },
    nodes: [{ name: 'a', allocatable: { cpu: '8', memory: '1Ti' } }],
  });

const cancelRunning = () =>
  mutate(app, 'cancelJobSet', { queue: queue.name, jobSet: 'set', states: ['PENDING', 'RUNNING'] }, 'count');

const listRunning = () =>
  app.ask(
    'query ($queue: String!) { jobs(filter: { queue: $queue, states: [LEASED, RUNNING] }) { nodes { id } } }',
    {
      queue: queue.name,
    },
  );

/** The statements that read a table while this works: jobs, unless it is another one. */
const readsOf = (work: () => Promise<unknown>, table = /\bjobs\b/): Promise<Sent[]> =>
  sentBy(work, (text) => table.test(text) && !/\b(update|insert|delete)\b/i.test(text));

/** What these statements cost, as PostgreSQL tells it when it runs them again. */
async function costOf(sent: readonly Sent[], cost: (plan: PlanNode) => number): Promise<number> {
  let sum = 0;
  for (const { text, values } of sent) {
    const { rows } = await database.query(`explain (analyze, buffers, format json) ${text}`, [...values]);
    sum += cost(rows[0]['QUERY PLAN'][0].Plan);
  }
  return sum;
}

/** How many rows of jobs these statements look at. */
const rowsRead = (sent: readonly Sent[]) => costOf(sent, (plan) => rowsOf(plan, 'jobs'));

/** How many pages of tables and indexes they look at. */
const pagesRead = (sent: readonly Sent[]) =>
  costOf(sent, (plan) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']);

describe('with 20,000 jobs in a queue', () => {
  it.each<[string, () => Promise<unknown>, number]>([
    ['a round', () => assignPool({ tenantId, name: queue.pool }, 600), 20 * SHAPES],
    [
      'a search for impossible jobs',
      () => rejectImpossibleJobs({ tenantId, name: queue.pool }, 86_400),
      5 * SHAPES,
    ],
    ['a look for pools that have something to do', () => listWaitingPools(), 10],
    ['a call of an executor', () => report(0), 100],
    ['the cancellation of what runs', () => cancelRunning(), 100],
    ['a list of the jobs that run', () => listRunning(), 100],
    [
      'the news that another queue may start more',
      () => inTransaction((tx) => wakePoolsOf(tx, tenantId, short.id)),
      10,
    ],
  ])('%s reads only the front of the queue', async (_what, work, most) => {
    const sent = await readsOf(work);
    expect(sent.length).toBeGreaterThan(0);
    expect(await rowsRead(sent)).toBeLessThanOrEqual(most);
  });

  it('explainJob counts the jobs before the last one, and reads no more than it counts', async () => {
    const { rows } = await database.query(
      `select id from jobs where queue_id = $1 and state = 'QUEUED' order by priority desc, submitted_at desc limit 1`,
      [queue.id],
    );
    let before: number | null | undefined;
    const sent = await readsOf(async () => {
      before = (await explainJob(tenantId, rows[0].id))?.before;
    });
    expect(before).toBe(10_000);
    expect(await rowsRead(sent)).toBeLessThanOrEqual(10_000 + 20 * SHAPES);
  });
});

it('a round passes the entries of jobs that no longer wait once, however many parts of it look at the queue', async () => {
  const long = await PlainQueue.open(app);
  const [model] = await long.submit([{}]);
  await database.query(
    `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, resources, shape, submitted_at)
     select gen_random_uuid(), tenant_id, queue_id, job_set_id, spec, owner_id, pool, resources, shape, now() + n * interval '1 ms'
       from jobs, generate_series(1, $2::int) as n where id = $1`,
    [model, MANY],
  );
  await database.query('vacuum analyze jobs');
  await leaseAs(app, { executor: long.pool, pool: long.pool, maxJobs: 5, wait: 'PT0S' });
  const gone = `update jobs set state = 'SUCCEEDED', ended_at = now()
                 where id in (select id from jobs where queue_id = $1 order by submitted_at limit $2)`;
  // A transaction that began before keeps the entries, as a long one does.
  const old = await database.connect();
  try {
    await old.query('begin isolation level repeatable read');
    await old.query('select 1');
    await database.query(gone, [long.id, MANY / 2]);
    const sent = await readsOf(() => assignPool({ tenantId, name: long.pool }, 600));
    const pages = await Promise.all(sent.map((one) => pagesRead([one])));
    expect(pages.filter((count) => count > 500)).toHaveLength(1);
  } finally {
    await old.query('rollback');
    old.release();
  }
}, 60_000);

describe('of a job set with 20,000 jobs that have ended and one that has not', () => {
  const ownerId = newId();
  let jobSetId: string;
  beforeAll(async () => {
    const [model] = await idle.submit([{}], 'old');
    await database.query(
      `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, state, ended_at)
       select gen_random_uuid(), tenant_id, queue_id, job_set_id, spec, owner_id, 'SUCCEEDED', now()
         from jobs, generate_series(1, $2::int) where id = $1`,
      [model, MANY],
    );
    // The last one, in the order of ids and on the disk.
    await database.query(`update jobs set id = 'ffffffff-ffff-7fff-bfff-ffffffffffff' where id = $1`, [
      model,
    ]);
    const { rows } = await database.query(
      `update job_sets set owner_id = $1 where name = 'old' returning id`,
      [ownerId],
    );
    jobSetId = rows[0].id;
    await database.query('vacuum analyze jobs');
  }, 60_000);

  it.each<[string, () => Promise<unknown>, unknown]>([
    ['whether a watcher may end', async () => (await readJobSetEnd(jobSetId))?.isFinished, false],
    ['whether its events may go', () => inTransaction((tx) => openJobsIn(tx)), true],
    ['whether its owner waits for jobs', () => inTransaction((tx) => hasOpenJobs(tx, ownerId)), true],
    ['which jobs its owner can cancel', () => inTransaction((tx) => countOpen(tx)), 1],
  ])('%s is read without the others', async (_what, work, expected) => {
    const sent = await readsOf(async () => expect(await work()).toBe(expected), /job_sets/);
    expect(await pagesRead(sent)).toBeLessThanOrEqual(20);
  });

  it('a turn of its deletion visits only the rows of the first jobs', async () => {
    await database.query(
      `insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, state,
                             lease_expires_at, ended_at)
       select gen_random_uuid(), job.tenant_id, job.id, job.job_set_id, job.queue_id, job.shape, executor.id, 'SUCCEEDED', now(), now()
         from jobs as job cross join (select id from executors limit 1) as executor where job_set_id = $1`,
      [jobSetId],
    );
    await database.query('vacuum analyze job_runs');
    await inTransaction(async (tx) => {
      // As on a large database, where nothing reads whole tables.
      for (const form of ['seqscan', 'mergejoin', 'hashjoin'])
        await tx.$executeRawUnsafe(`set local enable_${form} = off`);
      const before = await visitsOf(tx);
      expect(await sweepRows(tx, jobSetId)).toBe('MORE');
      const after = await visitsOf(tx);
      for (const [table, count] of after)
        expect([table, count - (before.get(table) ?? 0) < MANY / 2]).toEqual([table, true]);
    });
  });

  /** How many rows and entries of indexes this connection has looked at, by table. */
  async function visitsOf(tx: Tx): Promise<ReadonlyMap<string, number>> {
    const rows = await tx.$queryRaw<{ table: string; count: bigint }[]>`
      select indrelid::regclass::text as table, sum(pg_stat_get_xact_tuples_returned(indexrelid)) as count
        from pg_index where indrelid in ('jobs'::regclass, 'job_runs'::regclass) group by 1`;
    expect(rows).toHaveLength(2);
    return new Map(rows.map(({ table, count }) => [table, Number(count)]));
  }

  const openJobsIn = async (tx: Tx) => (await readLockedSet(tx, jobSetId)).hasOpenJobs;
  const countOpen = async (tx: Tx) => (await listOpenOfOwner(tx, ownerId, null)).length;
});

describe('gangs', () => {
  it('of one queue do not hide those of another one, however many do not fit', async () => {
    const [crowded, other] = [await PlainQueue.open(app), await PlainQueue.open(app)];
    const [model] = await crowded.submit([{}]);
    await database.query(
      `with made as (
         insert into gangs (id, tenant_id, queue_id, name, cardinality, priority_class, pool, size)
         select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, tenant_id, queue_id, 'g' || n, 50,
                priority_class, pool, 50
           from jobs, generate_series(1, 300) as n where id = $1
         returning *
       )
       insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, resources, shape, gang_id)
       select gen_random_uuid(), job.tenant_id, job.queue_id, job.job_set_id, job.spec, job.owner_id, job.pool,
              '{"cpu": 64000}', 'huge', made.id
         from made cross join jobs as job cross join generate_series(1, 50) where job.id = $1`,
      [model],
    );
    const gang = { pool: crowded.pool, gang: { id: 'pair', cardinality: 2 } };
    const ids = await other.submit([gang, gang]);
    await leaseAs(app, {
      ...{ executor: crowded.pool, pool: crowded.pool, maxJobs: 100, wait: 'PT0S' },
      nodes: [{ name: 'a', allocatable: { cpu: '8', memory: '1Ti' } }],
    });
    for (let round = 0; round < 3; round += 1) await assignPool({ tenantId, name: crowded.pool }, 600);
    expect(await statesOf(ids)).toEqual(['LEASED', 'LEASED']);
  });
});
