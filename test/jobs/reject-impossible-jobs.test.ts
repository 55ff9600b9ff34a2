/** Jobs that no node of their pool could ever run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { rejectImpossibleJobs } from '../../src/jobs/commands/reject-impossible-jobs.ts';
import { forgetFormerNodes, rejectJobs } from '../../src/jobs/store/rejections.ts';
import { pool as database, db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';
import { eventsOf, kindsOf, PlainQueue, statesOf } from './plain-jobs.ts';
import { leaseAs } from './stage.ts';

const DAY = 86_400;

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const machine = (name: string, cpu: string, more = {}) => ({
  name,
  allocatable: { cpu, memory: '1Ti' },
  ...more,
});
const asks = (cpu: string, more: object = {}) => ({
  container: { image: 'x', command: ['true'], resources: { requests: [{ name: 'cpu', value: cpu }] } },
  ...more,
});
const gang = (id: string, cardinality: number) => ({ gang: { id, cardinality } });

/** A queue whose pool has had executors for an hour. */
class OldPool {
  readonly queue: PlainQueue;
  readonly name: string;

  constructor(queue: PlainQueue) {
    this.queue = queue;
    this.name = queue.pool;
  }

  static open = async () => new OldPool(await PlainQueue.open(app));

  /** What an executor of the pool reports. */
  async report(nodes: readonly object[], executor = this.name, pool = this.name): Promise<void> {
    const answer = await leaseAs(app, { executor, pool, nodes, maxJobs: 10, wait: 'PT0S' });
    if (!answer.runs) throw new Error(JSON.stringify(answer));
    await this.age('created_at', '1 hour');
  }

  /** As if the executors of the pool had called or joined so much earlier. */
  age = (column: 'created_at' | 'last_seen_at', by: string) =>
    database.query(`update executors set ${column} = now() - $2::interval where pool = $1`, [this.name, by]);

  async reject(memorySeconds = DAY) {
    return await rejectImpossibleJobs({ tenantId: await homeTenant(), name: this.name }, memorySeconds);
  }

  assign = async () => await assignPool({ tenantId: await homeTenant(), name: this.name }, 30);
}

describe('a job that no node can run', () => {
  it('is REJECTED with the reason, and the others wait', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1'), machine('large', '4')]);
    const ids = await pool.queue.submit([
      asks('4'),
      asks('5'),
      asks('5'),
      { nodeSelector: [{ key: 'a', value: 'b' }] },
    ]);
    expect(await pool.reject()).toEqual({ rejected: 3, mayHaveMore: false });
    expect(await statesOf(ids)).toEqual(['QUEUED', 'REJECTED', 'REJECTED', 'REJECTED']);
    const [, large = ''] = ids;
    expect(await kindsOf(large)).toEqual(['SUBMITTED', 'QUEUED', 'REJECTED']);
    const message = 'no node could ever run the job: 2 nodes: not enough cpu (asks 5, most free 4)';
    const error = { code: 'CannotRun', message, kind: 'SYSTEM' };
    expect((await eventsOf(large)).at(-1)?.detail).toEqual({ error });
    const query = 'query ($id: ID!) { job(by: { id: $id }) { state endedAt error { code message kind } } }';
    const { data, errors } = await app.ask(query, { id: large });
    expect(errors).toBeUndefined();
    expect(data.job).toMatchObject({ state: 'REJECTED', error: { code: 'CannotRun', message } });
    expect(data.job.endedAt).not.toBeNull();
    expect(await pool.reject()).toEqual({ rejected: 0, mayHaveMore: false });
  });

  it('waits if the pool has no executors, or only new ones', async () => {
    const pool = await OldPool.open();
    await pool.queue.submit([asks('5')]);
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
    await pool.report([machine('small', '1')]);
    await pool.age('created_at', '30 seconds');
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
    await pool.age('created_at', '61 seconds');
    expect(await pool.reject()).toMatchObject({ rejected: 1 });
  });

  it('waits while its queue is cordoned', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1')]);
    await pool.queue.submit([asks('5'), asks('5', gang('pair', 2)), asks('5', gang('pair', 2))]);
    const by = { name: pool.queue.name };
    await mutate(app, 'cordonQueue', { by }, 'queue { id }');
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
    await mutate(app, 'uncordonQueue', { by }, 'queue { id }');
    expect(await pool.reject()).toMatchObject({ rejected: 3 });
  });

  it('waits if a node that is cordoned could run it', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1'), machine('large', '8', { unschedulable: true })]);
    await pool.queue.submit([asks('5')]);
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
  });

  it('waits if an executor does not say what it has', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1')]);
    await pool.report([], `${pool.name.slice(0, 20)}-mute`);
    await pool.queue.submit([asks('5')]);
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
  });

  it('is REJECTED if the limits of its queue are too low, also for a gang', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('large', '8')]);
    const fraction = { resource: 'cpu', fraction: 0.25 };
    await mutate(
      app,
      'updateQueue',
      {
        name: pool.queue.name,
        resourceLimitsByPriorityClass: [
          { priorityClass: 'slipway-default', maximumResourceFraction: [fraction] },
        ],
      },
      'queue { id }',
    );
    const ids = await pool.queue.submit([
      asks('2'),
      asks('3'),
      ...[1, 2, 3].map(() => asks('1', gang('trio', 3))),
    ]);
    expect(await pool.reject()).toMatchObject({ rejected: 4 });
    expect(await statesOf(ids)).toEqual(['QUEUED', ...ids.slice(1).map(() => 'REJECTED')]);
    expect((await eventsOf(ids[1] ?? '')).at(-1)?.detail.error.message).toContain('may hold at most 2 cpu');
  });
});

describe('a node that is gone', () => {
  const forget = (pool: OldPool, by: string) =>
    database.query('update former_nodes set left_at = now() - $2::interval where pool = $1', [pool.name, by]);

  it('counts until it is forgotten', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1'), machine('large', '8')]);
    await pool.report([machine('small', '1')]);
    await pool.queue.submit([asks('5')]);
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
    await forget(pool, '25 hours');
    expect(await pool.reject(2 * DAY)).toMatchObject({ rejected: 0 });
    expect(await pool.reject()).toMatchObject({ rejected: 1 });
  });

  it('counts once, whatever its name is, and not beside the same node that came back', async () => {
    const pool = await OldPool.open();
    const large = (name: string) =>
      machine(name, '8', { labels: [{ key: 'kubernetes.io/hostname', value: name }] });
    await pool.report([large('a'), large('b')]);
    await pool.report([large('c')]);
    await pool.report([large('d'), large('e')]);
    await pool.report([large('f')]);
    await pool.queue.submit([1, 2].map(() => asks('8', gang('two', 2))));
    await pool.queue.submit([1, 2, 3].map(() => asks('8', gang('three', 3))));
    expect(await pool.reject()).toMatchObject({ rejected: 3 });
    const { rows } = await database.query('select count, kind from former_nodes where pool = $1', [
      pool.name,
    ]);
    expect(rows).toMatchObject([{ count: 2 }]);
  });

  it('counts in the pool in which it was', async () => {
    const [here, there] = [await OldPool.open(), await OldPool.open()];
    await here.report([machine('large', '8')], here.name);
    await here.report([machine('large', '8')], here.name, there.name);
    await here.report([machine('small', '1')], `${here.name.slice(0, 20)}-two`);
    await here.age('created_at', '1 hour');
    await here.queue.submit([asks('5')]);
    expect(await here.reject()).toMatchObject({ rejected: 0 });
    await forget(here, '25 hours');
    expect(await here.reject()).toMatchObject({ rejected: 1 });
  });

  it('is not stored while a report stays the same', async () => {
    const pool = await OldPool.open();
    for (const nodes of [[machine('a', '1')], [machine('a', '1')], [machine('a', '1'), machine('b', '1')]])
      await pool.report(nodes);
    expect(await db.formerNode.count({ where: { pool: pool.name } })).toBe(0);
  });

  it('is deleted when it is forgotten', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('a', '1')]);
    await pool.report([machine('a', '2')]);
    const left = () => db.formerNode.count({ where: { pool: pool.name } });
    await forgetFormerNodes(DAY, 1000);
    expect(await left()).toBe(1);
    await forget(pool, '25 hours');
    await forgetFormerNodes(DAY, 1000);
    expect(await left()).toBe(0);
  });
});

describe('an executor that is silent', () => {
  it('counts as long as its nodes would', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('large', '8')]);
    await pool.age('last_seen_at', '25 hours');
    await pool.report([machine('small', '1')], `${pool.name.slice(0, 20)}-two`);
    await pool.queue.submit([asks('5')]);
    expect(await pool.reject(2 * DAY)).toMatchObject({ rejected: 0 });
    expect(await pool.reject()).toMatchObject({ rejected: 1 });
  });
});

describe('a gang', () => {
  it('is rejected whole when it is complete, and not the other jobs', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('a', '2'), machine('b', '2')]);
    const two = await pool.queue.submit([1, 2].map(() => asks('1', gang('five', 5))));
    expect(await pool.reject()).toMatchObject({ rejected: 0 });
    const three = await pool.queue.submit([1, 2, 3].map(() => asks('1', gang('five', 5))));
    const four = await pool.queue.submit([1, 2, 3, 4].map(() => asks('1', gang('four', 4))));
    expect(await pool.reject()).toMatchObject({ rejected: 5 });
    expect(new Set(await statesOf([...two, ...three]))).toEqual(new Set(['REJECTED']));
    expect(new Set(await statesOf(four))).toEqual(new Set(['QUEUED']));
    expect((await eventsOf(two[0] ?? '')).at(-1)?.detail.error.message).toContain('the 5 jobs of the gang');
  });

  it('is not rejected in part if one of its jobs was cancelled meanwhile', async () => {
    const pool = await OldPool.open();
    const ids = await pool.queue.submit([1, 2].map(() => asks('1', gang('pair', 2))));
    await mutate(app, 'cancelJobs', { ids: ids.slice(0, 1) }, 'results { job { id } }');
    const all = ids.map((jobId) => ({ jobId, message: 'too large' }));
    expect(await inTransaction((tx) => rejectJobs(tx, 'CannotRun', all))).toBe(0);
    expect(await statesOf(ids)).toEqual(['CANCELLED', 'QUEUED']);
  });
});

describe('at the same time', () => {
  it('two schedulers reject each job once, and assign what can run', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('large', '8')]);
    const ids = await pool.queue.submit(Array.from({ length: 20 }, (_, at) => asks(at % 2 ? '9' : '1')));
    const turns = Array.from({ length: 6 }, async (_, at) =>
      at % 3 === 0 ? (await pool.assign()).assigned : -(await pool.reject()).rejected,
    );
    const counts = await Promise.all(turns);
    counts.push((await pool.assign()).assigned, -(await pool.reject()).rejected);
    const sum = (some: number[]) => some.reduce((all, one) => all + one, 0);
    expect(sum(counts.filter((one) => one < 0))).toBe(-10);
    expect(sum(counts.filter((one) => one > 0))).toBe(8);
    for (const [at, id] of ids.entries())
      expect((await kindsOf(id)).filter((kind) => kind === 'REJECTED')).toHaveLength(at % 2);
  });

  it('a job is either cancelled or rejected', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1')]);
    for (let round = 0; round < 5; round += 1) {
      const [id = ''] = await pool.queue.submit([asks('5')]);
      await Promise.all([mutate(app, 'cancelJobs', { ids: [id] }, 'results { job { id } }'), pool.reject()]);
      const ends = (await kindsOf(id)).filter((kind) => kind === 'CANCELLED' || kind === 'REJECTED');
      expect(ends).toHaveLength(1);
      expect(await statesOf([id])).toEqual(ends);
    }
  });

  it('a job that was assigned is not rejected', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('large', '8')]);
    const [jobId = ''] = await pool.queue.submit([asks('5')]);
    expect((await pool.assign()).assigned).toBe(1);
    expect(await inTransaction((tx) => rejectJobs(tx, 'CannotRun', [{ jobId, message: '' }]))).toBe(0);
    expect(await statesOf([jobId])).toEqual(['LEASED']);
  });
});

describe('very many jobs', () => {
  it('are rejected a thousand at a time', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1')]);
    for (const _ of [1, 2]) await pool.queue.submit(Array.from({ length: 600 }, () => asks('5')));
    expect(await pool.reject()).toEqual({ rejected: 1000, mayHaveMore: true });
    expect(await pool.reject()).toEqual({ rejected: 200, mayHaveMore: false });
  });

  it('of many shapes are all rejected in the end', async () => {
    const pool = await OldPool.open();
    await pool.report([machine('small', '1')]);
    await pool.queue.submit(Array.from({ length: 300 }, (_, at) => asks(String(5 + (at % 150)))));
    const answers: Answer[] = [];
    do answers.push(await pool.reject());
    while (answers.at(-1).mayHaveMore && answers.length < 5);
    expect(answers.reduce((all, { rejected }) => all + rejected, 0)).toBe(300);
  });
});
