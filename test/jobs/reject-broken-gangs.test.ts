/** Gangs of which a job has ended while others wait. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectBrokenGangs } from '../../src/jobs/commands/reject-broken-gangs.ts';
import { sweepEndedJobs } from '../../src/jobs/commands/sweep-ended-jobs.ts';
import type { GangPlace } from '../../src/jobs/store/waiting-gangs.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';
import { eventsOf, PlainQueue, type PlainRun, statesOf } from './plain-jobs.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const gang = (id: string, cardinality: number) => ({ gang: { id, cardinality } });
const cancel = (...ids: string[]) => mutate(app, 'cancelJobs', { ids }, '__typename');
const poolOf = async (queue: PlainQueue) => ({ tenantId: await homeTenant(), name: queue.pool });

/** One call from the first gang on. @returns how many jobs it has rejected. */
const reject = async (queue: PlainQueue) => (await rejectBrokenGangs(await poolOf(queue), null)).rejected;

const plenty = { gangs: 100, jobs: 1000, rejections: 1000 };

/** Calls with these limits, each of which goes on where the one before has ended. */
async function callsIn(queue: PlainQueue | null, limits: Partial<typeof plenty>) {
  const pool = queue && (await poolOf(queue));
  let place: GangPlace | null = null;
  return async (): Promise<{ rejected: number; gangId: string | null }> => {
    const { rejected, next } = await rejectBrokenGangs(pool, place, { ...plenty, ...limits });
    place = next;
    return { rejected, gangId: next?.gangId ?? null };
  };
}

/** Gangs with so many of their jobs, in the order in which they are looked at. */
async function gangsOf(queue: PlainQueue, count: number, members: number) {
  for (let at = 0; at < count; at += 1) await queue.submit(Array(members).fill(gang(`g${at}`, members + 1)));
  const { rows } = await database.query(
    `select gang_id as id, array_agg(id order by id) as jobs from jobs where queue_id = $1 group by gang_id order by gang_id`,
    [queue.id],
  );
  return rows as { id: string; jobs: string[] }[];
}

async function succeed(queue: PlainQueue, runs: readonly PlainRun[], id: string): Promise<void> {
  const run = runs.find(({ jobId }) => jobId === id);
  if (!run) throw new Error('the gang did not start');
  await queue.report(run, 'SUCCEEDED');
}

/** The job waits again, as if it had to make room. */
async function requeue(jobId: string): Promise<void> {
  await database.query(`update job_runs set state = 'PREEMPTED', ended_at = now() where job_id = $1`, [
    jobId,
  ]);
  await database.query(`update jobs set state = 'QUEUED' where id = $1`, [jobId]);
}

async function messageOf(jobId: string): Promise<string> {
  const document = 'query ($id: ID!) { job(by: { id: $id }) { state error { code message } } }';
  const { data } = await app.ask(document, { id: jobId });
  expect(data.job).toMatchObject({ state: 'REJECTED', error: { code: 'CannotRun' } });
  return data.job.error.message;
}

const because = (cause: string) => `the gang can never start as a whole: ${cause}`;

describe('a job that waits for its gang', () => {
  it('is REJECTED when a job of the incomplete gang was cancelled, and says which', async () => {
    const queue = await PlainQueue.open(app);
    const [cancelled = '', waiting = ''] = await queue.submit(Array(2).fill(gang('g', 3)));
    expect(await reject(queue)).toBe(0);
    await cancel(cancelled);
    expect(await reject(queue)).toBe(1);
    expect(await statesOf([cancelled, waiting])).toEqual(['CANCELLED', 'REJECTED']);
    const message = because(`its job ${cancelled} is CANCELLED`);
    const error = { code: 'CannotRun', kind: 'SYSTEM', message };
    expect((await eventsOf(waiting)).at(-1)).toEqual({ kind: 'REJECTED', detail: { error } });
    expect(await messageOf(waiting)).toBe(message);
    expect(await reject(queue)).toBe(0);
  });

  it('is REJECTED when it waits again and another job has succeeded; jobs that run go on', async () => {
    const queue = await PlainQueue.open(app);
    const ids = await queue.submit(Array(3).fill(gang('g', 3)));
    const [first = '', second = ''] = ids;
    const runs = await queue.begin();
    await succeed(queue, runs, first);
    expect(await reject(queue)).toBe(0);
    await requeue(second);
    expect(await reject(queue)).toBe(1);
    expect(await statesOf(ids)).toEqual(['SUCCEEDED', 'REJECTED', 'LEASED']);
  });

  it('names the job that was the first to end, and not one that was rejected because of it', async () => {
    const queue = await PlainQueue.open(app);
    const [first = '', second = '', third = '', fourth = ''] = await queue.submit(
      Array(4).fill(gang('g', 4)),
    );
    const runs = await queue.begin();
    for (const id of [fourth, third]) await succeed(queue, runs, id);
    for (const id of [first, second]) {
      await requeue(id);
      expect(await reject(queue)).toBe(1);
      expect(await messageOf(id)).toBe(because(`its job ${fourth} is SUCCEEDED`));
    }
  });

  it('is REJECTED when the job that has ended was deleted since then', async () => {
    const queue = await PlainQueue.open(app);
    const [cancelled = '', waiting = ''] = await queue.submit(Array(2).fill(gang('g', 3)));
    await cancel(cancelled);
    await sweepEndedJobs(new Date('9999-01-01'));
    expect(await statesOf([cancelled, waiting])).toEqual(['QUEUED']);
    expect(await reject(queue)).toBe(1);
    expect(await messageOf(waiting)).toBe(because('one of its jobs has ended'));
  });

  it('names no job if the one that has ended was deleted and another one was rejected because of it', async () => {
    const queue = await PlainQueue.open(app);
    const [first = '', second = '', third = ''] = await queue.submit(Array(3).fill(gang('g', 3)));
    await succeed(queue, await queue.begin(), third);
    await requeue(first);
    expect(await reject(queue)).toBe(1);
    await database.query(`update jobs set ended_at = '2000-01-01' where id = $1`, [third]);
    await sweepEndedJobs(new Date('2001-01-01'));
    await requeue(second);
    expect(await reject(queue)).toBe(1);
    expect(await statesOf([first, second, third])).toEqual(['REJECTED', 'REJECTED']);
    expect(await messageOf(second)).toBe(because('one of its jobs has ended'));
  });

  it('is REJECTED in a cordoned queue, too', async () => {
    const queue = await PlainQueue.open(app);
    const [cancelled = '', waiting = ''] = await queue.submit(Array(2).fill(gang('g', 3)));
    await cancel(cancelled);
    await mutate(app, 'cordonQueue', { by: { id: queue.id } }, 'queue { id }');
    expect(await reject(queue)).toBe(1);
    expect(await statesOf([waiting])).toEqual(['REJECTED']);
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

describe('calls that follow each other', () => {
  it('look at the next gangs, and begin anew after the last one', async () => {
    const queue = await PlainQueue.open(app);
    const [first, second, third] = await gangsOf(queue, 3, 2);
    await cancel(third?.jobs[0] ?? '');
    const call = await callsIn(queue, { gangs: 1 });
    expect(await call()).toEqual({ rejected: 0, gangId: first?.id });
    expect(await call()).toEqual({ rejected: 0, gangId: second?.id });
    expect(await call()).toEqual({ rejected: 1, gangId: third?.id });
    // The end of the list is only known when nothing follows.
    expect(await call()).toEqual({ rejected: 0, gangId: null });
    await cancel(first?.jobs[0] ?? '');
    expect(await call()).toEqual({ rejected: 1, gangId: first?.id });
  });

  it('end with the gang that brings the sum of the jobs to the limit', async () => {
    const queue = await PlainQueue.open(app);
    const [first, second, third, fourth] = await gangsOf(queue, 4, 3);
    await cancel(fourth?.jobs[0] ?? '');
    const call = await callsIn(queue, { jobs: 4 });
    expect([first?.id, second?.id, third?.id, fourth?.id].indexOf((await call()).gangId ?? '')).toBe(1);
    expect(await call()).toEqual({ rejected: 2, gangId: fourth?.id });
  });

  it('reject whole gangs and no more jobs than the limit, but never nothing', async () => {
    const queue = await PlainQueue.open(app);
    const gangs = await gangsOf(queue, 3, 3);
    for (const { jobs } of gangs) await cancel(jobs[0] ?? '');
    const five = await callsIn(queue, { rejections: 5 });
    expect(await five()).toEqual({ rejected: 4, gangId: gangs[1]?.id });
    const one = await callsIn(queue, { rejections: 1 });
    expect(await one()).toEqual({ rejected: 2, gangId: null });
    const waiting = gangs.flatMap(({ jobs }) => jobs.slice(1));
    expect(await statesOf(waiting)).toEqual(Array(6).fill('REJECTED'));
  });

  it('go through all pools if none is named', async () => {
    const queues = [await PlainQueue.open(app), await PlainQueue.open(app), await PlainQueue.open(app)];
    const waiting: string[] = [];
    for (const queue of queues) {
      const gangs = await gangsOf(queue, 2, 2);
      for (const { jobs } of gangs) await cancel(jobs[0] ?? '');
      waiting.push(...gangs.map(({ jobs }) => jobs[1] ?? ''));
    }
    const count = `select count(distinct gang_id)::int as count from jobs where state = 'QUEUED' and gang_id is not null`;
    const gangs = (await database.query(count)).rows[0].count;
    const call = await callsIn(null, { gangs: 1 });
    for (let at = 0; at < gangs; at += 1) expect(await call()).toMatchObject({ gangId: expect.any(String) });
    expect(await call()).toEqual({ rejected: 0, gangId: null });
    expect(await statesOf(waiting)).toEqual(Array(6).fill('REJECTED'));
  });
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
