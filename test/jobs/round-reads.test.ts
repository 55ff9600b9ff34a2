/** What a round reads of very long queues. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { explainJob } from '../../src/jobs/commands/explain-job.ts';
import { rejectImpossibleJobs } from '../../src/jobs/commands/reject-impossible-jobs.ts';
import { wakePoolsOf } from '../../src/jobs/store/queue-writes.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { listWaitingPools } from '../../src/scheduler/store.ts';
import { type App, startApp } from '../support/app.ts';
import { homeTenant } from '../support/users.ts';
import { PlainQueue, statesOf } from './plain-jobs.ts';
import { leaseAs } from './stage.ts';

const MANY = 20_000;
const SHAPES = 10;

let app: App;
let tenantId: string;
let queue: PlainQueue;
let idle: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await homeTenant();
  queue = await PlainQueue.open(app);
  idle = await PlainQueue.open(app);
  const [model] = await queue.submit([{}]);
  await database.query(
    `insert into jobs (id, tenant_id, queue_id, job_set_id, spec, owner_id, pool, resources, shape, priority, submitted_at)
     select gen_random_uuid(), tenant_id, queue_id, job_set_id, spec, owner_id, pool, '{"cpu": 1000}',
            'shape-' || n % ${SHAPES}, n % 7, now() + n * interval '1 ms'
       from jobs, generate_series(1, $2::int) as n where id = $1`,
    [model, MANY],
  );
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

interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statements that read jobs while this works. */
async function readsOf(work: () => Promise<unknown>): Promise<Sent[]> {
  const sent: Sent[] = [];
  const original = pg.Client.prototype.query;
  const restore = () => {
    pg.Client.prototype.query = original;
  };
  onTestFinished(restore);
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first, second] = args as [string | { text: string; values?: unknown[] }, unknown[] | undefined];
    const text = typeof first === 'string' ? first : first.text;
    const values = typeof first === 'string' ? second : first.values;
    if (/\bjobs\b/.test(text) && !/\b(update|insert|delete)\b/i.test(text))
      sent.push({ text, values: values ?? [] });
    return (original as (...rest: unknown[]) => unknown).apply(this, args);
  } as typeof original;
  await work();
  restore();
  return sent;
}

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

const rowsOf = (node: PlanNode): number => {
  const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  const below = (node.Plans ?? []).reduce((all, one) => all + rowsOf(one), 0);
  return below + (node['Relation Name'] === 'jobs' ? own : 0);
};

/** How many rows of jobs these statements look at. */
async function rowsRead(sent: readonly Sent[]): Promise<number> {
  let rows = 0;
  for (const { text, values } of sent) {
    const { rows: answers } = await database.query(`explain (analyze, format json) ${text}`, [...values]);
    rows += rowsOf(answers[0]['QUERY PLAN'][0].Plan);
  }
  return rows;
}

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
    [
      'the news that another queue may start more',
      () => inTransaction((tx) => wakePoolsOf(tx, tenantId, idle.id)),
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
