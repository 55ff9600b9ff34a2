/** What queues have of a pool and should have, now and over time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { sampleQueueShares } from '../../src/jobs/commands/sample-queue-shares.ts';
import { deleteOldSamples, listPoolsToSample } from '../../src/jobs/store/queue-shares.ts';
import { pool as database, db } from '../../src/platform/database/client.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { homeTenant, newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { PlainQueue } from './plain-jobs.ts';
import { leaseAs } from './stage.ts';

let app: App;
let tenantId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await homeTenant();
});
afterAll(() => app.stop());

const asks = (cpu: string, more: object = {}) => ({
  container: { image: 'x', command: ['true'], resources: { requests: [{ name: 'cpu', value: cpu }] } },
  ...more,
});
const report = (name: string, more: object = {}) =>
  leaseAs(app, {
    ...{ executor: name, pool: name, maxJobs: 50, wait: 'PT0S' },
    nodes: [{ name: 'a', allocatable: { cpu: '8', memory: '1Ti' } }],
    ...more,
  });
const sample = (name: string, everySeconds = 0) => sampleQueueShares({ tenantId, name }, everySeconds);

/** Two queues in one pool of 8 CPUs: the first holds 6 and waits for nothing, the second waits for 4. */
async function twoQueues(): Promise<{
  pool: string;
  first: PlainQueue;
  second: PlainQueue;
  waiting: string[];
}> {
  const [first, second] = [await PlainQueue.open(app), await PlainQueue.open(app)];
  await mutate(app, 'updateQueue', { name: second.name, priorityFactor: 3 }, 'queue { id }');
  await report(first.pool);
  await first.submit([asks('6')]);
  await assignPool({ tenantId, name: first.pool }, 30);
  const waiting = await second.submit([asks('4', { pool: first.pool })]);
  return { pool: first.pool, first, second, waiting };
}

const figures = 'weight cost fairShare adjustedFairShare demandShare actualShare';

async function shares(args: string, fields = `pool queue { name } ${figures}`, authorization?: string) {
  const document = `{ queueShares${args && `(${args})`} { totalCount pageInfo { endCursor } nodes { ${fields} } } }`;
  const { data, errors } = await app.ask(document, {}, authorization);
  expect(errors).toBeUndefined();
  return data.queueShares as Answer;
}

describe('queueShares', () => {
  it('shows weight, cost and shares of the queues with jobs, by name', async () => {
    const { pool, first, second } = await twoQueues();
    expect((await shares(`pool: "${pool}"`)).nodes).toEqual([]);
    expect(await sample(pool)).toBe(2);
    const close = (value: number) => expect.closeTo(value, 9);
    const expected = [
      {
        ...{ pool, queue: { name: first.name }, weight: 1, cost: 0.75, actualShare: 0.75 },
        ...{ fairShare: 0.75, adjustedFairShare: 0.75, demandShare: 0.75 },
      },
      {
        ...{ pool, queue: { name: second.name }, weight: close(1 / 3), cost: 0, actualShare: 0 },
        ...{ fairShare: close(0.25), adjustedFairShare: close(0.25), demandShare: 0.5 },
      },
    ];
    const byName = (one: Answer, other: Answer) => (one.queue.name < other.queue.name ? -1 : 1);
    expect(await shares(`pool: "${pool}"`)).toMatchObject({ totalCount: 2, nodes: expected.sort(byName) });
    expect((await shares('pool: "empty"')).nodes).toEqual([]);
    expect((await shares('')).nodes).toHaveLength((await shares('')).totalCount);
  });

  it('goes on to show what runs when nothing waits, and nothing when the pool has no executors', async () => {
    const { pool, waiting } = await twoQueues();
    await mutate(app, 'cancelJobs', { ids: waiting }, 'results { job { id } }');
    expect(await sample(pool)).toBe(1);
    expect(await shares(`pool: "${pool}"`)).toMatchObject({ totalCount: 1, nodes: [{ actualShare: 0.75 }] });
    await database.query(`update executors set last_seen_at = now() - interval '1 hour' where pool = $1`, [
      pool,
    ]);
    expect(await listPoolsToSample(30)).toContain(`${tenantId}/${pool}`);
    expect(await sample(pool)).toBe(0);
    expect((await shares(`pool: "${pool}"`)).nodes).toEqual([]);
    expect(await listPoolsToSample(30)).not.toContain(`${tenantId}/${pool}`);
  });

  it('shows only queues that the caller may read', async () => {
    const { pool, first } = await twoQueues();
    await sample(pool);
    const { authorization } = await newUser({ grants: [{ type: 'QUEUE', id: first.id, level: 'READ' }] });
    expect(await shares(`pool: "${pool}"`, 'queue { name }', authorization)).toMatchObject({
      ...{ totalCount: 1, nodes: [{ queue: { name: first.name } }] },
    });
  });

  it('goes through the list page by page', async () => {
    const { pool } = await twoQueues();
    await sample(pool);
    const all = (await shares(`pool: "${pool}"`, 'queue { name }')).nodes;
    const { nodes, pageInfo } = await shares(`pool: "${pool}", first: 1`, 'queue { name }');
    const rest = await shares(`pool: "${pool}", first: 1, after: "${pageInfo.endCursor}"`, 'queue { name }');
    expect([...nodes, ...rest.nodes]).toEqual(all);
    expect(all).toHaveLength(2);
  });
});

describe('a sample', () => {
  const taken = (pool: string) => db.queueShareSample.count({ where: { pool } });

  it('is taken once in a time, by however many schedulers', async () => {
    const { pool } = await twoQueues();
    const counts = await Promise.all(Array.from({ length: 4 }, () => sample(pool, 30)));
    expect(counts.sort()).toEqual([0, 0, 0, 2]);
    expect(await taken(pool)).toBe(2);
    expect(await sample(pool, 30)).toBe(0);
    await database.query(`update pool_rounds set last_sample_at = now() - interval '31 s' where pool = $1`, [
      pool,
    ]);
    expect(await sample(pool, 30)).toBe(2);
    expect(await taken(pool)).toBe(4);
  });

  it('is deleted when it is old, a limited number at a time, and with its queue', async () => {
    const { pool, first } = await twoQueues();
    await sample(pool);
    await sample(pool);
    await database.query(
      `update queue_share_samples set taken_at = taken_at - interval '8 days' where pool = $1`,
      [pool],
    );
    await sample(pool);
    expect(await deleteOldSamples(9, 1000)).toBe(0);
    expect(await deleteOldSamples(7, 3)).toBe(3);
    expect(await deleteOldSamples(7, 1000)).toBe(1);
    expect(await taken(pool)).toBe(2);
    await database.query('delete from job_runs where job_id in (select id from jobs where queue_id = $1)', [
      first.id,
    ]);
    await database.query('delete from jobs where queue_id = $1', [first.id]);
    await database.query(
      'delete from job_events where job_set_id in (select id from job_sets where queue_id = $1)',
      [first.id],
    );
    await database.query('delete from job_sets where queue_id = $1', [first.id]);
    await database.query('delete from queues where id = $1', [first.id]);
    expect(await taken(pool)).toBe(1);
  });

  it('is taken by the scheduler', async () => {
    const { pool } = await twoQueues();
    const scheduler = startScheduler();
    try {
      await eventually(
        () => taken(pool),
        (count) => count > 0,
      );
    } finally {
      await scheduler.stop();
    }
  });
});

describe('QueueShare.history', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
  const history = (args: string) => `history(${args}) { at ${figures} }`;

  /** One queue with samples at these seconds of a minute long ago. */
  async function withSamples(samples: Readonly<Record<number, number>>): Promise<string> {
    const { pool, first } = await twoQueues();
    await sample(pool);
    const data = Object.entries(samples).map(([seconds, actualShare]) => ({
      ...{ tenantId, pool, queueId: first.id, takenAt: new Date(at(Number(seconds))) },
      ...{ fairShare: 0.5, adjustedShare: 0.4, actualShare, demand: 1, weight: 0.5, cost: actualShare * 2 },
    }));
    await db.queueShareSample.createMany({ data });
    return `pool: "${pool}"`;
  }

  it('has the average of each step that has samples, and no more than the window', async () => {
    const pool = await withSamples({ 0: 0.9, 5: 0, 10: 0.2, 19: 0.4, 20: 0.6, 45: 1, 60: 0.7 });
    const window = `from: "${at(5)}", to: "${at(60)}", step: "PT15S"`;
    const { nodes } = await shares(pool, history(window));
    const step = (seconds: number, actualShare: number) => ({
      ...{
        at: at(seconds),
        actualShare: expect.closeTo(actualShare, 9),
        cost: expect.closeTo(2 * actualShare, 9),
      },
      ...{ fairShare: 0.5, adjustedFairShare: expect.closeTo(0.4, 9), demandShare: 1, weight: 0.5 },
    });
    expect(
      nodes.map((node: Answer) => node.history).sort((a: Answer, b: Answer) => b.length - a.length),
    ).toEqual([[step(5, 0.2), step(20, 0.6), step(35, 1)], []]);
  });

  it('shows the last hour if nothing else is asked', async () => {
    const { pool } = await twoQueues();
    await sample(pool);
    await database.query(
      `update queue_share_samples set taken_at = taken_at - interval '61 minutes' where pool = $1`,
      [pool],
    );
    await sample(pool);
    const { nodes } = await shares(`pool: "${pool}"`, 'history { at actualShare }');
    expect(nodes.map((node: Answer) => node.history.length)).toEqual([1, 1]);
  });

  it('takes one statement for all queues of a page', async () => {
    const pool = await withSamples({ 0: 1 });
    const plain = await countStatements(() => shares(pool, 'pool'));
    const charted = await countStatements(() => shares(pool, 'history { at }'));
    expect(charted.statements).toHaveLength(plain.statements.length + 1);
  });

  it.each([
    ['an empty window', `from: "${at(5)}", to: "${at(5)}"`, 'must be before `to`'],
    ['a step below a second', 'step: "PT0.5S"', 'must be at least a second'],
    ['more than 500 steps', `from: "${at(0)}", to: "${at(501)}", step: "PT1S"`, 'at most 500 steps'],
  ])('refuses %s', async (_what, args, message) => {
    const pool = await withSamples({});
    const { errors } = await app.ask(`{ queueShares(${pool}) { nodes { ${history(args)} } } }`);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(message),
      extensions: { code: 'INVALID_ARGUMENT' },
    });
  });
});
