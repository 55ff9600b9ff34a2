/** Jobs that are submitted to a gang of which a job has ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectBrokenGangs } from '../../src/jobs/commands/reject-broken-gangs.ts';
import { sweepEndedJobs } from '../../src/jobs/commands/sweep-ended-jobs.ts';
import { cancelJobsById } from '../../src/jobs/store/changes.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction, type Tx } from '../../src/platform/database/transaction.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { homeTenant, userOf } from '../support/users.ts';
import { overtaken } from '../support/waiting.ts';
import { PlainQueue, plainJob, statesOf } from './plain-jobs.ts';

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
});
afterAll(() => app.stop());

const member = (gang: string, more: object = {}) => ({ gang: { id: gang, cardinality: 5 }, ...more });
const fields = 'results { job { id state } isDuplicate }';
const submit = (jobs: readonly object[], jobSet = 'set'): Promise<Answer> =>
  mutate(
    app,
    'submitJobs',
    { queue: queue.name, jobSet, jobs: jobs.map((job) => plainJob({ pool: queue.pool, ...job })) },
    fields,
  );
const cancel = (...ids: string[]) => mutate(app, 'cancelJobs', { ids }, '__typename');
const cancelIn = async (tx: Tx, id: string) =>
  cancelJobsById(tx, [id], { reason: null, requestorId: (await userOf(app.executor)).id, states: null });
const sweepGangs = async () => rejectBrokenGangs({ tenantId: await homeTenant(), name: queue.pool }, null);

/** A gang of which one job waits and another one was cancelled. */
async function breakGang(name: string) {
  const [ended = '', waiting = ''] = await queue.submit([
    member(name, { clientId: `${name}-ended` }),
    member(name, { clientId: `${name}-waiting` }),
  ]);
  await cancel(ended);
  return { ended, waiting };
}

const refusal = (gang: string, index: number) => ({
  __typename: 'FailedPreconditionError',
  code: 'FAILED_PRECONDITION',
  message: `the gang ${gang} can never start as a whole, because a job of it has ended; choose another name`,
  path: ['input', 'jobs', String(index), 'gang', 'id'],
});

describe('a submission to a gang that can never start', () => {
  it('is refused, names the first new job of the gang, and stores nothing', async () => {
    await breakGang('broken');
    const before = await db.job.count();
    const jobs = [
      member('other'),
      member('broken', { clientId: 'broken-waiting' }),
      ...[member('broken'), member('broken')],
    ];
    expect(await submit(jobs)).toMatchObject(refusal('broken', 2));
    expect(await db.job.count()).toBe(before);
    expect(await db.gang.count({ where: { name: 'other' } })).toBe(0);
    expect(await db.gang.findFirst({ where: { name: 'broken' } })).toMatchObject({ size: 2 });
  });

  it('names the first job of the request if there are two such gangs', async () => {
    await breakGang('b');
    await breakGang('a');
    expect(await submit([{}, member('b'), member('a')])).toMatchObject(refusal('b', 1));
    expect(await submit([{}, member('a'), member('b')])).toMatchObject(refusal('a', 1));
  });

  it('is refused when the job that has ended was deleted since then', async () => {
    const { ended } = await breakGang('forgotten');
    await sweepEndedJobs(new Date('9999-01-01'));
    expect(await statesOf([ended])).toEqual([]);
    expect(await submit([member('forgotten')])).toMatchObject(refusal('forgotten', 0));
  });

  it('answers the jobs of client ids that are repeated, with jobs of other gangs beside them', async () => {
    const { ended, waiting } = await breakGang('repeated');
    const again = [
      member('repeated', { clientId: 'repeated-ended' }),
      member('repeated', { clientId: 'repeated-waiting' }),
    ];
    const answer = await submit([...again, member('fresh')]);
    expect(answer.results).toEqual([
      { job: { id: ended, state: 'CANCELLED' }, isDuplicate: true },
      { job: { id: waiting, state: 'QUEUED' }, isDuplicate: true },
      { job: { id: expect.any(String), state: 'QUEUED' }, isDuplicate: false },
    ]);
  });

  it('is accepted while no job of the gang has ended', async () => {
    await queue.submit([member('sound')]);
    const [, more] = await queue.submit([{}, member('sound')]);
    expect((await submit([member('sound')])).results).toHaveLength(1);
    expect(await statesOf([more ?? ''])).toEqual(['QUEUED']);
  });
});

it('a gang begins anew when the sweep could not delete its row together with its last job', async () => {
  const [only = ''] = await queue.submit([member('left')]);
  await cancel(only);
  const { id } = await db.gang.findFirstOrThrow({ where: { name: 'left' } });
  await inTransaction(async (tx) => {
    await tx.$queryRaw`select from gangs where id = ${id}::uuid for update`;
    await sweepEndedJobs(new Date('9999-01-01'));
  });
  expect(await db.gang.findUnique({ where: { id } })).toMatchObject({ size: 1 });
  const { results } = await submit([{ gang: { id: 'left', cardinality: 2, nodeUniformityLabel: 'zone' } }]);
  expect(results).toMatchObject([{ job: { state: 'QUEUED' } }]);
  expect(await db.gang.findMany({ where: { name: 'left' } })).toMatchObject([
    { size: 1, cardinality: 2, uniformityLabel: 'zone' },
  ]);
});

describe('a late job and a job of its gang that ends at the same time', () => {
  it('is refused if the end is committed before the job is stored', async () => {
    const [ends = ''] = await queue.submit([member('end first')]);
    const answer = await overtaken(
      () => submit([member('end first')]),
      (tx) => cancelIn(tx, ends),
    );
    expect(answer).toMatchObject(refusal('end first', 0));
  });

  it('is stored and then REJECTED if the end is committed later', async () => {
    const [ends = ''] = await queue.submit([member('job first')]);
    const late = await inTransaction(async (tx) => {
      await cancelIn(tx, ends);
      // In another job set, so that it does not wait for the one whose job ends.
      return (await submit([member('job first')], 'other set')).results[0].job.id as string;
    });
    expect(await statesOf([ends, late])).toEqual(['CANCELLED', 'QUEUED']);
    await sweepGangs();
    expect(await statesOf([late])).toEqual(['REJECTED']);
  });

  it('never leaves a job that waits, in 20 races', async () => {
    const names = Array.from({ length: 20 }, (_, at) => `race-${at}`);
    const first = await queue.submit(names.map((name) => member(name)));
    const [answers] = await Promise.all([
      Promise.all(names.map((name, at) => submit([member(name)], at % 2 === 0 ? 'set' : `set of ${name}`))),
      Promise.all(first.map((id) => cancel(id))),
    ]);
    await sweepGangs();
    const stored: string[] = [];
    for (const [at, answer] of answers.entries())
      if (answer.results) stored.push(answer.results[0].job.id);
      else expect(answer).toMatchObject(refusal(names[at] ?? '', 0));
    expect(await statesOf(stored)).toEqual(stored.map(() => 'REJECTED'));
  });
});
