/** Gangs of which a job has ended while others wait. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectBrokenGangs } from '../../src/jobs/commands/reject-broken-gangs.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';
import { eventsOf, PlainQueue, statesOf } from './plain-jobs.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const gang = (id: string, cardinality: number) => ({ gang: { id, cardinality } });
const cancel = (...ids: string[]) => mutate(app, 'cancelJobs', { ids }, '__typename');
const reject = async (queue: PlainQueue, limits?: { gangs: number; jobs: number }) =>
  rejectBrokenGangs({ tenantId: await homeTenant(), name: queue.pool }, limits);

describe('a job that waits for its gang', () => {
  it('is REJECTED when a job of the incomplete gang was cancelled, and says which', async () => {
    const queue = await PlainQueue.open(app);
    const [cancelled = '', waiting = ''] = await queue.submit(Array(2).fill(gang('g', 3)));
    expect(await reject(queue)).toBe(0);
    await cancel(cancelled);
    expect(await reject(queue)).toBe(1);
    expect(await statesOf([cancelled, waiting])).toEqual(['CANCELLED', 'REJECTED']);
    const error = {
      code: 'CannotRun',
      kind: 'SYSTEM',
      message: `the gang can never start as a whole: its job ${cancelled} is CANCELLED`,
    };
    expect((await eventsOf(waiting)).at(-1)).toEqual({ kind: 'REJECTED', detail: { error } });
    const { data } = await app.ask(
      'query ($id: ID!) { job(by: { id: $id }) { state error { code message } } }',
      {
        id: waiting,
      },
    );
    expect(data.job).toEqual({ state: 'REJECTED', error: { code: error.code, message: error.message } });
    expect(await reject(queue)).toBe(0);
  });

  it('is REJECTED when it waits again and another job has succeeded', async () => {
    const queue = await PlainQueue.open(app);
    const [first = '', second = ''] = await queue.submit(Array(2).fill(gang('g', 2)));
    const runs = await queue.begin();
    const run = runs.find(({ jobId }) => jobId === first);
    if (!run) throw new Error('the gang did not start');
    await queue.report(run, 'SUCCEEDED');
    expect(await reject(queue)).toBe(0);
    // As if it had to make room.
    await database.query(`update job_runs set state = 'PREEMPTED', ended_at = now() where job_id = $1`, [
      second,
    ]);
    await database.query(`update jobs set state = 'QUEUED' where id = $1`, [second]);
    expect(await reject(queue)).toBe(1);
    expect(await statesOf([first, second])).toEqual(['SUCCEEDED', 'REJECTED']);
  });

  it('goes on waiting if no job of its gang has ended, and so do jobs without a gang', async () => {
    const queue = await PlainQueue.open(app);
    const whole = await queue.submit(Array(2).fill(gang('whole', 2)));
    const part = await queue.submit([gang('part', 2)]);
    const [single = '', cancelled = ''] = await queue.submit([{}, {}]);
    await cancel(cancelled);
    expect(await reject(queue)).toBe(0);
    expect(await statesOf([...whole, ...part, single])).toEqual(Array(4).fill('QUEUED'));
  });

  it('of another pool is left alone', async () => {
    const [queue, other] = [await PlainQueue.open(app), await PlainQueue.open(app)];
    const [cancelled = '', waiting = ''] = await other.submit(Array(2).fill(gang('g', 3)));
    await cancel(cancelled);
    expect(await reject(queue)).toBe(0);
    expect(await statesOf([waiting])).toEqual(['QUEUED']);
  });
});

it('each call looks at the next gangs, and begins anew after the last one', async () => {
  const queue = await PlainQueue.open(app);
  for (const id of ['a', 'b', 'c']) await queue.submit(Array(2).fill(gang(id, 3)));
  const order = await database.query(
    `select gang_id, (array_agg(id order by id))[1] as id from jobs where queue_id = $1 group by gang_id order by gang_id`,
    [queue.id],
  );
  const [first, , last] = order.rows.map(({ id }) => id as string) as [string, string, string];
  await cancel(last);
  const one = { gangs: 1, jobs: 10 };
  expect([await reject(queue, one), await reject(queue, one), await reject(queue, one)]).toEqual([0, 0, 1]);
  await cancel(first);
  // The end of the list is only known when nothing follows.
  expect([await reject(queue, one), await reject(queue, one)]).toEqual([0, 1]);
});

it('each call rejects a limited number of jobs, and a later one the others', async () => {
  const queue = await PlainQueue.open(app);
  const [cancelled = '', ...waiting] = await queue.submit(Array(4).fill(gang('g', 5)));
  await cancel(cancelled);
  const two = { gangs: 10, jobs: 2 };
  expect([await reject(queue, two), await reject(queue, two), await reject(queue, two)]).toEqual([2, 1, 0]);
  expect(await statesOf(waiting)).toEqual(Array(3).fill('REJECTED'));
});

it('20 calls at the same time reject each job once', async () => {
  const queue = await PlainQueue.open(app);
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) {
    const [cancelled = '', ...waiting] = await queue.submit(Array(4).fill(gang(`g${at}`, 5)));
    await cancel(cancelled);
    ids.push(...waiting);
  }
  const counts = await Promise.all(Array.from({ length: 20 }, () => reject(queue)));
  expect(counts.reduce((sum, count) => sum + count)).toBe(15);
  expect(new Set(await statesOf(ids))).toEqual(new Set(['REJECTED']));
  for (const id of ids)
    expect((await eventsOf(id)).filter(({ kind }) => kind === 'REJECTED')).toHaveLength(1);
});
