import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { statementsOf } from '../support/statements.ts';
import { newUser } from '../support/users.ts';
import { crowd, eventsOf, PlainQueue, statesOf } from './plain-jobs.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let queue: PlainQueue;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
});
afterAll(() => app.stop());

const fields = 'results { id job { id priority state } outcome error { code message } } count hasMore';
const reprioritize = (input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'reprioritizeJobs', { newPriority: 7, ...input }, fields, authorization);
const outcomesOf = ({ results }: Answer) => results.map(({ outcome }: Answer) => outcome);
const kinds = ['REPRIORITIZING', 'REPRIORITIZED'];

describe('reprioritizeJobs', () => {
  it('changes waiting and leased jobs alike, with two events each, and no jobs that have ended', async () => {
    const [leased = ''] = await queue.submit();
    await queue.begin();
    const [waiting = '', ended = ''] = await queue.submit([{ priority: 3 }, {}]);
    await mutate(app, 'cancelJobs', { ids: [ended] });
    const stage = await Stage.open(app);
    const { ids } = await stage.submit(newJob());
    const admin = await newUser({ role: 'ADMIN' });
    const before = await db.job.findUniqueOrThrow({ where: { id: waiting } });
    const answer = await reprioritize(
      { ids: [waiting, leased, ended, ids[0], newId()], newPriority: 1.5 },
      admin.authorization,
    );
    expect(outcomesOf(answer)).toEqual([
      'DONE',
      'DONE',
      'ALREADY_ENDED',
      'BELONGS_TO_EXECUTION',
      'NOT_FOUND',
    ]);
    expect(answer).toMatchObject({ count: 2, hasMore: false });
    expect(answer.results.slice(0, 3).map(({ job }: Answer) => job.priority)).toEqual(['2', '2', '0']);
    for (const id of [waiting, leased]) {
      const events = (await eventsOf(id)).slice(-2);
      expect(events.map(({ kind }) => kind)).toEqual(kinds);
      for (const { detail } of events) expect(detail).toEqual({ newPriority: 2, requestor: admin.id });
    }
    expect((await eventsOf(ended)).map(({ kind }) => kind)).not.toContain('REPRIORITIZED');
    const after = await db.job.findUniqueOrThrow({ where: { id: waiting } });
    expect(after.updatedAt).toEqual(before.updatedAt);
    expect(await statesOf([leased])).toEqual(['LEASED']);
  });

  it('changes the order in which jobs start', async () => {
    const fresh = await PlainQueue.open(app);
    const [first = '', second = ''] = await fresh.submit([{ priority: 1 }, { priority: 2 }]);
    await reprioritize({ ids: [second], newPriority: 0 });
    const lease = (maxJobs: number) =>
      mutate(
        app,
        'leaseJobs',
        { executor: fresh.name, pool: fresh.pool, maxJobs, knownRuns: [], wait: 'PT0S' },
        'runs { jobId }',
        app.executor,
      );
    await lease(1);
    await fresh.stage.assign(fresh.pool);
    expect((await lease(0)).runs).toEqual([{ jobId: second }]);
    expect(await statesOf([first])).toEqual(['QUEUED']);
  });

  it('writes no event for a job that has the priority already, and none twice at the same time', async () => {
    const [id = ''] = await queue.submit([{ priority: 7 }]);
    expect(outcomesOf(await reprioritize({ ids: [id] }))).toEqual(['UNCHANGED']);
    expect((await eventsOf(id)).map(({ kind }) => kind)).toEqual(['SUBMITTED', 'QUEUED']);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => reprioritize({ ids: [id], newPriority: 9 })),
    );
    expect(answers.flatMap(outcomesOf).filter((outcome) => outcome === 'DONE')).toHaveLength(1);
    expect((await eventsOf(id)).map(({ kind }) => kind)).toEqual(['SUBMITTED', 'QUEUED', ...kinds]);
  });

  it.each([
    [-5, '0'],
    [0.5, '1'],
    [9e9, '4294967295'],
  ])('stores %d as %s', async (newPriority, stored) => {
    const [id = ''] = await queue.submit([{ priority: 50 }]);
    expect((await reprioritize({ ids: [id], newPriority })).results[0].job.priority).toBe(stored);
  });

  it('changes only the named job of a gang', async () => {
    const gang = { id: 'duo', cardinality: 2 };
    const [one = '', two = ''] = await queue.submit([{ gang }, { gang }]);
    await reprioritize({ ids: [one] });
    const rows = await db.job.findMany({ where: { id: { in: [one, two] } }, orderBy: { id: 'asc' } });
    expect(rows.map(({ priority }) => priority)).toEqual([7n, 0n]);
  });

  it('without ids changes a whole job set, 10,000 jobs in one call', async () => {
    await crowd(queue, 'crowd', 10_500);
    const set = { queue: queue.name, jobSet: 'crowd' };
    const { result, statements } = await statementsOf(() => reprioritize(set));
    expect(result).toMatchObject({ results: [], count: 10_000, hasMore: true });
    expect(statements.filter((text) => text.startsWith('with changed as'))).toHaveLength(10);
    expect(await reprioritize(set)).toMatchObject({ count: 500, hasMore: false });
    expect(await reprioritize({ ...set, jobSet: 'absent' })).toMatchObject({ count: 0, hasMore: false });
    expect(await reprioritize({ ...set, queue: 'nowhere' })).toMatchObject({ refused: 'NOT_FOUND' });
  });

  it('refuses a job set of an execution, a missing address and a priority without end', async () => {
    const stage = await Stage.open(app);
    const { ownerId } = await stage.submit(newJob());
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    expect(await reprioritize({ queue: name, jobSet: ownerId })).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    expect(await reprioritize({})).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'ids'] });
    const document =
      'mutation { reprioritizeJobs(input: { ids: [], newPriority: 1e999 }) { ... on Error { code path } } }';
    expect((await app.ask(document)).data.reprioritizeJobs).toEqual({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'newPriority'],
    });
  });

  it('requires EDIT on the queue', async () => {
    const on = async (level: 'USE' | 'EDIT') =>
      (await newUser({ grants: [{ type: 'QUEUE', id: queue.id, level }] })).authorization;
    const [id = ''] = await queue.submit();
    const nobody = (await newUser()).authorization;
    expect(outcomesOf(await reprioritize({ ids: [id] }, nobody))).toEqual(['NOT_FOUND']);
    expect(outcomesOf(await reprioritize({ ids: [id] }, await on('USE')))).toEqual(['NOT_ALLOWED']);
    const set = { queue: queue.name, jobSet: 'set' };
    expect(await reprioritize(set, nobody)).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await reprioritize(set, await on('USE'))).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(outcomesOf(await reprioritize({ ids: [id] }, await on('EDIT')))).toEqual(['DONE']);
  });
});
