import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newUser } from '../support/users.ts';
import { eventsOf, kindsOf, PlainQueue, statesOf } from './plain-jobs.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
});
afterAll(() => app.stop());

const cheap = { priorityClass: 'slipway-preemptible' };
const preempt = (input: object, authorization?: string): Promise<Answer> =>
  mutate(
    app,
    'preemptJobs',
    input,
    'results { id job { id state } outcome error { code message } }',
    authorization,
  );
const outcomesOf = ({ results }: Answer) => results.map(({ outcome }: Answer) => outcome);

describe('preemptJobs', () => {
  it('stops jobs that hold a place and are of a preemptible class, and says why others do not react', async () => {
    const [dear = '', requeued = '', failing = '', ended = ''] = await queue.submit([
      {},
      { ...cheap, onPreemption: 'REQUEUE' },
      cheap,
      cheap,
    ]);
    const runs = await queue.begin();
    const runOf = (id: string) => runs.find(({ jobId }) => jobId === id) ?? { id: '', jobId: id };
    await queue.report(runOf(ended), 'SUCCEEDED', { exitCode: 0, outputs: {} });
    const [waiting = ''] = await queue.submit([cheap]);
    const admin = await newUser({ role: 'ADMIN' });
    const asked = [dear, requeued, failing, ended, waiting, newId()];
    const answer = await preempt({ ids: asked, reason: 'room' }, admin.authorization);
    expect(outcomesOf(answer)).toEqual([
      ...['NOT_PREEMPTIBLE', 'DONE', 'DONE', 'ALREADY_ENDED', 'NOT_RUNNING', 'NOT_FOUND'],
    ]);
    expect(answer.results.map(({ job }: Answer) => job?.state ?? null)).toEqual([
      ...['LEASED', 'PREEMPTING', 'PREEMPTING', 'SUCCEEDED', 'QUEUED', null],
    ]);
    expect((await eventsOf(failing)).at(-1)).toMatchObject({
      kind: 'PREEMPTING',
      detail: { reason: 'room', requestor: admin.id },
    });
    expect(outcomesOf(await preempt({ ids: [failing] }))).toEqual(['UNCHANGED']);
    for (const id of [requeued, failing])
      expect(await queue.report(runOf(id), 'CANCELLED')).toEqual(['APPLIED']);
    expect(await statesOf([requeued, failing])).toEqual(['QUEUED', 'PREEMPTED']);
  });

  it('takes the whole gang with one of its jobs, with the same reason', async () => {
    const fresh = await PlainQueue.open(app);
    const gang = { id: 'trio', cardinality: 3 };
    const trio = await fresh.submit([
      { ...cheap, gang },
      { ...cheap, gang },
      { ...cheap, gang },
    ]);
    const [apart = ''] = await fresh.submit([cheap]);
    expect(await fresh.begin()).toHaveLength(4);
    expect(outcomesOf(await preempt({ ids: [trio[1]] }))).toEqual(['DONE']);
    expect(await statesOf([...trio, apart])).toEqual(['PREEMPTING', 'PREEMPTING', 'PREEMPTING', 'LEASED']);
    for (const id of trio)
      expect((await eventsOf(id)).at(-1)?.detail).toMatchObject({
        reason: 'somebody asked for it through the API',
      });
  });

  it('names two jobs of a gang without stopping it twice', async () => {
    const fresh = await PlainQueue.open(app);
    const gang = { id: 'pair', cardinality: 2 };
    const ids = await fresh.submit([
      { ...cheap, gang },
      { ...cheap, gang },
    ]);
    await fresh.begin();
    const [one, other] = await Promise.all([preempt({ ids }), preempt({ ids: [...ids].reverse() })]);
    const outcomes = [...outcomesOf(one), ...outcomesOf(other)].sort();
    expect(outcomes).toEqual(['DONE', 'DONE', 'UNCHANGED', 'UNCHANGED']);
    for (const id of ids) expect((await kindsOf(id)).filter((kind) => kind === 'PREEMPTING')).toHaveLength(1);
  });

  it('includes jobs of executions', async () => {
    const stage = await Stage.open(app);
    const { ids } = await stage.submit(newJob({ ...cheap, pool: queue.pool }));
    await queue.begin();
    expect(outcomesOf(await preempt({ ids }))).toEqual(['DONE']);
  });

  it('requires EDIT on the queue', async () => {
    const on = (level: 'USE' | 'EDIT') => newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level }] });
    const ids = await queue.submit([cheap]);
    await queue.begin();
    expect(outcomesOf(await preempt({ ids }, await newCaller()))).toEqual(['NOT_FOUND']);
    expect(outcomesOf(await preempt({ ids }, await on('USE')))).toEqual(['NOT_ALLOWED']);
    expect(outcomesOf(await preempt({ ids }, await on('EDIT')))).toEqual(['DONE']);
  });

  it('refuses more jobs than one call stops, gangs included', async () => {
    const ids = await queue.submit([{ ...cheap, gang: { id: 'huge', cardinality: 1000 } }, cheap]);
    await queue.submit([{ ...cheap, pool: queue.pool }]);
    await pool.query(`update gangs set size = 10000 where name = 'huge' and queue_id = $1`, [queue.id]);
    await pool.query(`update jobs set state = 'LEASED' where id = any($1)`, [ids]);
    expect(await preempt({ ids })).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'ids'] });
    await db.job.updateMany({
      where: { id: { in: ids } },
      data: { state: 'CANCELLED', endedAt: new Date() },
    });
  });

  it.each([
    ['1001 ids', { ids: Array.from({ length: 1001 }, newId) }, 'ids'],
    ['a reason of 513 characters', { ids: [], reason: 'r'.repeat(513) }, 'reason'],
  ])('refuses %s', async (_what, input, field) => {
    expect(await preempt(input)).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', field] });
  });
});

describe('preemptOnQueue', () => {
  const preemptOn = (name: string, input: object = {}, authorization?: string): Promise<Answer> =>
    mutate(app, 'preemptOnQueue', { queue: name, ...input }, 'count hasMore', authorization);

  it('stops the leased jobs of these classes and pools, with their gangs', async () => {
    const fresh = await PlainQueue.open(app);
    const gang = { id: 'both', cardinality: 2 };
    const ids = await fresh.submit([{}, cheap, { ...cheap, gang }, { ...cheap, gang }]);
    await fresh.begin();
    const [waiting = ''] = await fresh.submit([cheap]);
    expect(await preemptOn(fresh.name, { pools: ['elsewhere'] })).toMatchObject({ count: 0, hasMore: false });
    expect(await preemptOn(fresh.name, { priorityClasses: ['slipway-default'] })).toMatchObject({ count: 0 });
    expect(
      await preemptOn(fresh.name, { priorityClasses: ['slipway-preemptible'], pools: [fresh.pool] }),
    ).toMatchObject({ count: 3, hasMore: false });
    expect(await statesOf([...ids, waiting])).toEqual([
      ...['LEASED', 'PREEMPTING', 'PREEMPTING', 'PREEMPTING', 'QUEUED'],
    ]);
    expect(await preemptOn(fresh.name)).toMatchObject({ count: 0, hasMore: false });
  });

  it('leaves out jobs whose workflow the caller may not edit', async () => {
    const stage = await Stage.open(app);
    const fresh = await PlainQueue.open(app);
    const { ownerId, ids } = await stage.submit(newJob({ ...cheap, pool: fresh.pool }));
    await fresh.begin();
    const workflow = newId();
    await pool.query('update job_sets set workflow_entity_id = $2 where owner_id = $1', [ownerId, workflow]);
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    const user = await newCaller({
      grants: [
        { type: 'QUEUE', id: stage.queueId, level: 'EDIT' },
        { type: 'WORKFLOW', id: workflow, level: 'READ' },
      ],
    });
    expect(await preemptOn(name, {}, user)).toMatchObject({ count: 0 });
    expect(await preemptOn(name)).toMatchObject({ count: 1 });
    expect(await statesOf(ids)).toEqual(['PREEMPTING']);
  });

  it('requires EDIT on the queue, and a short reason', async () => {
    const reader = await newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level: 'USE' }] });
    expect(await preemptOn(queue.name, {}, await newCaller())).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await preemptOn(queue.name, {}, reader)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await preemptOn(queue.name, { reason: 'r'.repeat(513) })).toMatchObject({
      path: ['input', 'reason'],
    });
  });
});
