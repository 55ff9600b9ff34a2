import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller, newUser } from '../support/users.ts';
import { crowd, eventsOf, kindsOf, PlainQueue, statesOf } from './plain-jobs.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let queue: PlainQueue;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  queue = await PlainQueue.open(app);
  stage = await Stage.open(app);
});
afterAll(() => app.stop());

const fields = 'results { id job { id state } outcome error { code message } } count hasMore';
const cancel = (input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'cancelJobs', input, fields, authorization);
const outcomesOf = ({ results }: Answer) => results.map(({ outcome }: Answer) => outcome);
const cancelSet = (input: object, authorization?: string): Promise<Answer> =>
  mutate(app, 'cancelJobSet', { queue: queue.name, ...input }, 'count hasMore', authorization);

describe('cancelJobs', () => {
  it('says of each id what became of it, in the order of the request', async () => {
    const [waiting = '', ended = '', other = ''] = await queue.submit([{}, {}, {}]);
    await cancel({ ids: [ended] });
    const { ids } = await stage.submit(newJob());
    const absent = newId();
    const asked = [absent, ended, waiting, ids[0] ?? '', 'no id', other, waiting];
    const answer = await cancel({ ids: asked, reason: 'enough' });
    expect(answer.results.map(({ id }: Answer) => id)).toEqual(asked);
    expect(outcomesOf(answer)).toEqual([
      ...['NOT_FOUND', 'ALREADY_ENDED', 'DONE', 'BELONGS_TO_EXECUTION', 'NOT_FOUND', 'DONE', 'DONE'],
    ]);
    expect(answer).toMatchObject({ count: 3, hasMore: false });
    expect(answer.results.slice(0, 4)).toMatchObject([
      { job: null, error: { code: 'NOT_FOUND', message: `job ${absent} not found` } },
      {
        job: { state: 'CANCELLED' },
        error: { code: 'FAILED_PRECONDITION', message: 'the job is CANCELLED already' },
      },
      { job: { id: waiting, state: 'CANCELLED' }, error: null },
      { error: { code: 'FAILED_PRECONDITION', message: expect.stringContaining('terminateExecution') } },
    ]);
    expect(await statesOf(ids)).toEqual(['QUEUED']);
  });

  it('records who cancelled it, when and why, once', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    const [id = ''] = await queue.submit();
    await cancel({ ids: [id], reason: 'r'.repeat(512) }, admin.authorization);
    expect(outcomesOf(await cancel({ ids: [id], reason: 'later' }))).toEqual(['ALREADY_ENDED']);
    const row = await db.job.findUniqueOrThrow({ where: { id } });
    expect(row).toMatchObject({ cancelReason: 'r'.repeat(512), cancelledById: admin.id });
    expect(row.cancelledAt).toEqual(row.endedAt);
    const events = await eventsOf(id);
    expect(events.map(({ kind }) => kind)).toEqual(['SUBMITTED', 'QUEUED', 'CANCELLING', 'CANCELLED']);
    expect(events[2]?.detail).toEqual({ requestor: admin.id, reason: 'r'.repeat(512) });
  });

  it('leaves a job CANCELLING until its executor has stopped it', async () => {
    const [id = ''] = await queue.submit();
    const [run] = await queue.begin();
    expect((await cancel({ ids: [id] })).results).toMatchObject([
      { outcome: 'DONE', job: { state: 'CANCELLING' } },
    ]);
    expect((await cancel({ ids: [id] })).results).toMatchObject([
      { outcome: 'UNCHANGED', error: null, job: { state: 'CANCELLING' } },
    ]);
    expect(run && (await queue.report(run, 'CANCELLED'))).toEqual(['APPLIED']);
    expect(await statesOf([id])).toEqual(['CANCELLED']);
    expect((await kindsOf(id)).slice(-2)).toEqual(['CANCELLING', 'CANCELLED']);
  });

  it('ends a job at once that its executor does not know yet', async () => {
    const [id = ''] = await queue.submit();
    expect(await queue.begin({ confirmed: false })).toHaveLength(1);
    expect((await cancel({ ids: [id] })).results).toMatchObject([{ job: { state: 'CANCELLED' } }]);
  });

  it('with a queue and a job set finds only their jobs', async () => {
    const [one = ''] = await queue.submit([{}], 'one');
    const [two = ''] = await queue.submit([{}], 'two');
    const ids = [one, two];
    expect(outcomesOf(await cancel({ ids, queue: 'elsewhere' }))).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(outcomesOf(await cancel({ ids, queue: queue.name, jobSet: 'two' }))).toEqual([
      'NOT_FOUND',
      'DONE',
    ]);
    expect(await statesOf(ids)).toEqual(['QUEUED', 'CANCELLED']);
  });

  it('without ids cancels a whole job set, and with an empty list nothing', async () => {
    const ids = await queue.submit([{}, {}], 'whole');
    const set = { queue: queue.name, jobSet: 'whole' };
    expect(await cancel({ ...set, ids: [] })).toMatchObject({ results: [], count: 0, hasMore: false });
    expect(await cancel(set)).toMatchObject({ results: [], count: 2, hasMore: false });
    expect(await statesOf(ids)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await cancel({ ...set, queue: 'nowhere' })).toMatchObject({ refused: 'NOT_FOUND' });
  });

  it.each([
    ['neither ids nor a job set', { queue: 'q' }, 'ids', 'q'],
    ['1001 ids', { ids: Array.from({ length: 1001 }, newId) }, 'ids', null],
    ['a reason of 513 characters', { ids: [], reason: 'r'.repeat(513) }, 'reason', null],
  ])('refuses %s', async (_what, input, field, isNamed) => {
    const given = isNamed ? { queue: queue.name } : input;
    expect(await cancel(given)).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', field] });
  });

  it('takes 1000 ids, in the same statements as one', async () => {
    const ids = await queue.submit(Array.from({ length: 1000 }, () => ({ pool: 'nowhere' })));
    const one = await statementsOf(() => cancel({ ids: ids.slice(0, 1) }));
    const all = await statementsOf(() => cancel({ ids: ids.slice(1) }));
    expect(all.result.count).toBe(999);
    expect(all.statements).toEqual(one.statements);
    expect(all.statements.length).toBeLessThanOrEqual(10);
  });

  it('cancels each job once if several callers do it while its run begins', async () => {
    const ids = await queue.submit([{}, {}, {}, {}, {}]);
    const answers = await Promise.all([
      cancel({ ids }),
      queue.begin(),
      cancel({ ids: [...ids].reverse() }),
      cancelSet({ jobSet: 'set' }),
      cancel({ ids }),
    ]);
    expect(answers).toHaveLength(5);
    for (const id of ids) {
      expect((await kindsOf(id)).filter((kind) => kind === 'CANCELLING')).toHaveLength(1);
      expect(['CANCELLING', 'CANCELLED']).toContain((await statesOf([id]))[0]);
    }
  });
});

describe('the right to cancel', () => {
  it('is EDIT on the queue of each job, and hidden jobs look like absent ones', async () => {
    const [mine, read, hidden] = [await PlainQueue.open(app), await PlainQueue.open(app), queue];
    const user = await newUser({
      grants: [
        { type: 'QUEUE', id: mine.id, level: 'EDIT' },
        { type: 'QUEUE', id: read.id, level: 'USE' },
      ],
    });
    const [a = ''] = await read.submit();
    const [b = ''] = await mine.submit();
    const [c = ''] = await hidden.submit();
    const absent = newId();
    const { results } = await cancel({ ids: [a, b, c, absent] }, user.authorization);
    expect(results.map(({ outcome }: Answer) => outcome)).toEqual([
      'NOT_ALLOWED',
      'DONE',
      'NOT_FOUND',
      'NOT_FOUND',
    ]);
    expect(results[0]).toMatchObject({
      job: { id: a, state: 'QUEUED' },
      error: { code: 'PERMISSION_DENIED' },
    });
    const generic = ({ id, error, ...rest }: Answer) => ({
      ...rest,
      ...error,
      message: error.message.replace(id, 'ID'),
    });
    expect(generic(results[2])).toEqual(generic(results[3]));
    expect(await statesOf([a, c])).toEqual(['QUEUED', 'QUEUED']);
    await flushDenials();
    const denied = await db.auditEvent.findMany({ where: { actorId: user.id, outcome: 'DENIED' } });
    expect(denied.map(({ action, code, targetName }) => [action, code, targetName]).sort()).toEqual(
      [
        ['job:cancel', 'NOT_FOUND', c],
        ['job:cancel', 'PERMISSION_DENIED', a],
      ].sort(),
    );
  });

  it('for a job set is EDIT on its queue', async () => {
    const user = (level: 'READ' | 'EDIT') => newCaller({ grants: [{ type: 'QUEUE', id: queue.id, level }] });
    await queue.submit([{}], 'guarded');
    expect(await cancelSet({ jobSet: 'guarded' }, await newCaller())).toMatchObject({ refused: 'NOT_FOUND' });
    expect(await cancelSet({ jobSet: 'guarded' }, await user('READ'))).toMatchObject({
      refused: 'PERMISSION_DENIED',
    });
    expect(await cancelSet({ jobSet: 'guarded' }, await user('EDIT'))).toMatchObject({ count: 1 });
  });
});

describe('cancelJobSet', () => {
  it('can be limited to jobs that wait, or to jobs that are leased', async () => {
    const fresh = await PlainQueue.open(app);
    const [leased = '', running = ''] = await fresh.submit([{}, {}], 'mixed');
    const runs = await fresh.begin();
    const run = runs.find(({ jobId }) => jobId === running);
    if (run) await fresh.report(run, 'RUNNING');
    const [waiting = ''] = await fresh.submit([{}], 'mixed');
    const [apart = ''] = await fresh.submit([{}], 'apart');
    const of = (states: readonly string[]) => cancelSet({ queue: fresh.name, jobSet: 'mixed', states });
    for (const states of [['PENDING'], ['RUNNING'], ['QUEUED', 'RUNNING']])
      expect(await of(states)).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'states'] });
    expect(await of(['QUEUED'])).toMatchObject({ count: 1 });
    expect(await statesOf([leased, running, waiting, apart])).toEqual([
      'LEASED',
      'RUNNING',
      'CANCELLED',
      'QUEUED',
    ]);
    expect(await of(['PENDING', 'RUNNING'])).toMatchObject({ count: 2, hasMore: false });
    expect(await statesOf([leased, running, waiting, apart])).toEqual([
      ...['CANCELLING', 'CANCELLING', 'CANCELLED', 'QUEUED'],
    ]);
    expect(await of([])).toMatchObject({ count: 0 });
  });

  it('cancels nothing of a job set that does not exist', async () => {
    expect(await cancelSet({ jobSet: 'absent' })).toMatchObject({ count: 0, hasMore: false });
  });

  it('refuses the job set of an execution, which looks absent to callers who may not read it', async () => {
    const projectId = (
      await db.project.create({ data: { id: newId(), tenantId: stage.tenantId, identifier: 'p', name: 'p' } })
    ).id;
    const workflow = newId();
    const { ownerId } = await stage.submit(newJob());
    await pool.query('update job_sets set workflow_entity_id = $2, project_id = $3 where owner_id = $1', [
      ownerId,
      workflow,
      projectId,
    ]);
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    const set = { queue: name, jobSet: ownerId };
    expect(await cancelSet(set)).toMatchObject({ code: 'FAILED_PRECONDITION', path: ['input', 'jobSet'] });
    const outsider = await newCaller({
      grants: [
        { type: 'QUEUE', id: stage.queueId, level: 'EDIT' },
        { type: 'WORKFLOW', id: workflow, level: 'NO_PERMISSIONS' },
      ],
    });
    expect(await cancelSet(set, outsider)).toMatchObject({ count: 0, hasMore: false });
  });

  it('cancels 10,000 jobs in one call, a thousand at a time, and says that there are more', async () => {
    await crowd(queue, 'crowd', 10_001);
    const { result, statements } = await statementsOf(() => cancelSet({ jobSet: 'crowd' }));
    expect(result).toMatchObject({ count: 10_000, hasMore: true });
    expect(statements.filter((text) => text.startsWith('with open as'))).toHaveLength(10);
    expect(await cancelSet({ jobSet: 'crowd' })).toMatchObject({ count: 1, hasMore: false });
    const events = `select count(*)::int as count, max(sequence)::int as last from job_events
                     where job_set_id = (select job_set_id from jobs where queue_id = $1 and pool = 'nowhere' and state = 'CANCELLED' limit 1)`;
    const open = `select count(*)::int as count from jobs join job_sets as set on set.id = job_set_id
                   where set.name = 'crowd' and jobs.state <> 'CANCELLED'`;
    expect((await pool.query(open)).rows).toEqual([{ count: 0 }]);
    const [row] = (await pool.query(events, [queue.id])).rows;
    expect(row.count).toBe(row.last);
  });
});

describe('cancelOnQueue', () => {
  const cancelOn = (name: string, input: object = {}, authorization?: string): Promise<Answer> =>
    mutate(app, 'cancelOnQueue', { queue: name, ...input }, 'count hasMore', authorization);

  it('cancels the jobs of these classes, states and pools', async () => {
    const fresh = await PlainQueue.open(app);
    const [leased = ''] = await fresh.submit();
    await fresh.begin();
    const [plain = '', cheap = '', away = ''] = await fresh.submit([
      {},
      { priorityClass: 'slipway-preemptible' },
      { pool: 'away' },
    ]);
    const all = [leased, plain, cheap, away];
    expect(await cancelOn(fresh.name, { priorityClasses: ['slipway-preemptible'] })).toMatchObject({
      count: 1,
    });
    expect(await statesOf(all)).toEqual(['LEASED', 'QUEUED', 'CANCELLED', 'QUEUED']);
    expect(await cancelOn(fresh.name, { pools: ['away'] })).toMatchObject({ count: 1 });
    expect(await statesOf(all)).toEqual(['LEASED', 'QUEUED', 'CANCELLED', 'CANCELLED']);
    expect(await cancelOn(fresh.name, { jobStates: ['LEASED', 'RUNNING'] })).toMatchObject({ count: 1 });
    expect(await statesOf(all)).toEqual(['CANCELLING', 'QUEUED', 'CANCELLED', 'CANCELLED']);
    expect(await cancelOn(fresh.name)).toMatchObject({ count: 1, hasMore: false });
  });

  it('includes jobs of executions, but not those whose workflow the caller may not edit', async () => {
    const one = await stage.submit(newJob());
    const other = await stage.submit(newJob());
    const workflow = newId();
    await pool.query('update job_sets set workflow_entity_id = $2 where owner_id = $1', [
      other.ownerId,
      workflow,
    ]);
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    const user = await newCaller({
      grants: [
        { type: 'QUEUE', id: stage.queueId, level: 'EDIT' },
        { type: 'WORKFLOW', id: workflow, level: 'USE' },
      ],
    });
    await cancelOn(name, {}, user);
    expect(await statesOf([...one.ids, ...other.ids])).toEqual(['CANCELLED', 'QUEUED']);
    expect((await cancelOn(name)).count).toBeGreaterThan(0);
    expect(await statesOf(other.ids)).toEqual(['CANCELLED']);
  });

  it.each([
    ['a final state', { jobStates: ['QUEUED', 'FAILED'] }, 'jobStates'],
    ['101 pools', { pools: Array.from({ length: 101 }, () => 'x') }, 'pools'],
    ['101 classes', { priorityClasses: Array.from({ length: 101 }, () => 'x') }, 'priorityClasses'],
    ['a long reason', { reason: 'r'.repeat(513) }, 'reason'],
  ])('refuses %s', async (_what, input, field) => {
    expect(await cancelOn(queue.name, input)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', field],
    });
  });
});
