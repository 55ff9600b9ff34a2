/** Deleting queues, and what becomes of their jobs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { sweepDeletedQueue } from '../../src/jobs/commands/sweep-deleted-queue.ts';
import { listDeletedQueues } from '../../src/jobs/store/deleted-queues.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newUser, tokenOf } from '../support/users.ts';
import { untilLocked } from '../support/waiting.ts';
import { queueCalls } from './queue-stage.ts';
import { newJob } from './stage.ts';

let app: App;
let calls: ReturnType<typeof queueCalls>;
let tenantId: string;
let userId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  calls = queueCalls(app);
  ({ id: userId, tenantId } = await db.user.findFirstOrThrow({ where: { username: 'admin' } }));
});
afterAll(() => app.stop());

const create = async (name: string): Promise<string> => (await calls.create({ name })).queue.id;
const submit = (queueId: string, jobs: readonly Parameters<typeof newJob>[0][], jobSet = 'set') =>
  inTransaction((tx) =>
    submitJobs(
      systemCaller(tenantId, userId),
      tx,
      { id: queueId, tenantId },
      { name: jobSet, ownerId: null, projectId: null, workflowEntityId: null },
      jobs.map((more) => newJob(more)),
    ),
  );
const endAll = (queueId: string) =>
  pool.query(`update jobs set state = 'SUCCEEDED', ended_at = now() where queue_id = $1`, [queueId]);

describe('deleteQueue', () => {
  it('hides the queue at once and frees its name', async () => {
    const id = await create('gone');
    expect(await calls.remove('gone')).toMatchObject({ queue: { id, name: 'gone' } });
    expect(await calls.read('gone')).toEqual({ code: 'NOT_FOUND' });
    const { data } = await app.ask(
      'query ($id: ID!) { queues(first: 1000) { nodes { id } } node(id: $id) { id } }',
      {
        id,
      },
    );
    expect(data.queues.nodes).not.toContainEqual({ id });
    expect(data.node).toBeNull();
    expect(await create('gone')).not.toBe(id);
  });

  it('is refused while a job has not ended', async () => {
    const id = await create('busy');
    const [first = ''] = await submit(id, [{}, {}]);
    await pool.query(`update jobs set state = 'FAILED', ended_at = now() where id = $1`, [first]);
    expect(await calls.remove('busy')).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'the queue has jobs that have not ended (1); cancel them first, or wait',
      path: ['input', 'by'],
    });
    expect(await calls.read('busy')).toMatchObject({ id });
    await endAll(id);
    expect(await calls.remove('busy')).toMatchObject({ queue: { id } });
  });

  it('never deletes the queue of a project', async () => {
    const { id: projectId } = await db.project.create({ data: { tenantId, identifier: 'own', name: 'Own' } });
    await db.queue.create({ data: { tenantId, projectId, name: 'own/development' } });
    expect(await calls.remove('own/development')).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await calls.read('own/development')).toMatchObject({ name: 'own/development' });
  });

  it('can be repeated by whoever could delete the queue, and hides it from others', async () => {
    const id = await create('again');
    const owner = await newUser({ grants: [{ type: 'QUEUE', id, level: 'MANAGE' }] });
    const reader = await newUser({ grants: [{ type: 'QUEUE', id, level: 'EDIT' }] });
    const stranger = await newUser({ role: 'SUPERUSER' });
    expect((await calls.remove('again', reader.authorization)).refused).toBe('PERMISSION_DENIED');
    expect((await calls.remove('again', stranger.authorization)).refused).toBe('NOT_FOUND');
    expect(await calls.remove('again', owner.authorization)).toMatchObject({ queue: { id } });
    expect(await calls.remove('again', owner.authorization)).toMatchObject({ queue: null });
    const byId = { by: { id } };
    expect(await mutate(app, 'deleteQueue', byId, 'queue { id }', owner.authorization)).toMatchObject({
      queue: null,
    });
    expect((await calls.remove('again', stranger.authorization)).refused).toBe('NOT_FOUND');
    expect(await calls.remove('never was')).toMatchObject({ queue: null });
    expect((await calls.remove('never was', owner.authorization)).refused).toBe('NOT_FOUND');
    const confined = await tokenOf(app, app.admin, { resources: [{ type: 'QUEUE', id }] });
    expect((await calls.remove('never was', confined)).refused).toBe('NOT_FOUND');
  });

  it('does not delete a new queue of the same name for the owner of the old one', async () => {
    const id = await create('renewed');
    const owner = await newUser({ grants: [{ type: 'QUEUE', id, level: 'MANAGE' }] });
    await calls.remove('renewed', owner.authorization);
    await create('renewed');
    expect((await calls.remove('renewed', owner.authorization)).refused).toBe('NOT_FOUND');
    expect(await calls.read('renewed')).toMatchObject({ name: 'renewed' });
  });
});

describe('a deletion and a submission at the same time', () => {
  it('never leave an accepted job in a deleted queue', async () => {
    for (let round = 0; round < 12; round += 1) {
      const name = `raced-${round}`;
      const id = await create(name);
      const [submitted, deleted] = await Promise.all([
        submit(id, [{}]).then(
          () => 'submitted',
          (error) => error.message,
        ),
        calls.remove(name),
      ]);
      const { deletedAt } = await db.queue.findUniqueOrThrow({ where: { id } });
      const jobs = await db.job.count({ where: { queueId: id } });
      expect([submitted === 'submitted', deletedAt === null, jobs]).toEqual(
        deletedAt ? [false, false, 0] : [true, true, 1],
      );
      expect(deleted.code ?? 'OK').toBe(deletedAt ? 'OK' : 'FAILED_PRECONDITION');
    }
  });

  it('wait for each other: the deletion sees a job that was not committed yet', async () => {
    const id = await create('waiting');
    let deleting: ReturnType<typeof calls.remove> | undefined;
    await inTransaction(async (tx) => {
      const caller = systemCaller(tenantId, userId);
      const set = { name: 'set', ownerId: null, projectId: null, workflowEntityId: null };
      await submitJobs(caller, tx, { id, tenantId }, set, [newJob()]);
      deleting = calls.remove('waiting');
      await untilLocked();
    });
    expect(await deleting).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('wait for each other: the submission sees the deletion', async () => {
    const id = await create('sealed');
    let submitting: Promise<unknown> | undefined;
    await inTransaction(async (tx) => {
      await tx.$queryRawUnsafe('select id from queues where id = $1::uuid for update', id);
      submitting = submit(id, [{}]).catch((error) => error);
      await untilLocked();
      await tx.queue.update({ where: { id }, data: { deletedAt: new Date() } });
    });
    expect(await submitting).toMatchObject({ code: 'NOT_FOUND', kind: 'queue' });
    expect(await db.job.count({ where: { queueId: id } })).toBe(0);
  });
});

/** Sweeps until there is nothing more to do. @returns how often. */
async function sweepAll(queueId: string): Promise<number> {
  for (let turns = 1; ; turns += 1) if (!(await sweepDeletedQueue(queueId))) return turns;
}

describe('the sweep of deleted queues', () => {
  const tables = ['job_sets', 'jobs', 'gangs'];
  const left = async (queueId: string) => {
    const counts = await Promise.all(
      tables.map((table) => pool.query(`select count(*)::int from ${table} where queue_id = $1`, [queueId])),
    );
    return counts.map(({ rows }) => rows[0].count);
  };

  it('deletes the jobs, their runs, logs and events, the gangs, the grants and at last the queue', async () => {
    const id = await create('swept');
    const gang = { name: 'pair', cardinality: 2, uniformityLabel: null };
    const [jobId = ''] = await submit(id, [{}, { gang }, { gang }]);
    await submit(id, [{}], 'other set');
    const { id: executorId } = await db.executor.create({ data: { tenantId, userId, name: `e-${newId()}` } });
    const { jobSetId } = await db.job.findUniqueOrThrow({ where: { id: jobId } });
    const run = await db.jobRun.create({
      data: {
        ...{ tenantId, jobId, jobSetId, queueId: id, shape: '', executorId, state: 'SUCCEEDED' },
        ...{ leaseExpiresAt: new Date(), endedAt: new Date() },
      },
    });
    const log = {
      runId: run.id,
      sequence: 0,
      tenantId,
      stream: 'STDOUT' as const,
      text: 'x',
      createdAt: new Date(),
    };
    await db.jobRunLog.create({ data: log });
    await endAll(id);
    await calls.remove('swept');
    expect(await listDeletedQueues(1000)).toContain(id);
    expect(await left(id)).toEqual([2, 4, 1]);
    expect(await sweepAll(id)).toBeGreaterThan(2);
    expect(await left(id)).toEqual([0, 0, 0]);
    expect(await db.queue.findUnique({ where: { id } })).toBeNull();
    expect(await db.jobRunLog.count({ where: { runId: run.id } })).toBe(0);
    expect(await db.grant.count({ where: { resourceId: id } })).toBe(0);
    expect(await listDeletedQueues(1000)).not.toContain(id);
  });

  it('leaves queues that exist alone', async () => {
    const id = await create('alive');
    await submit(id, [{}]);
    expect(await sweepDeletedQueue(id)).toBe(false);
    expect(await left(id)).toEqual([1, 1, 0]);
    expect(await listDeletedQueues(1000)).not.toContain(id);
  });

  it('does the work once, if several schedulers sweep at the same time', async () => {
    const id = await create('shared');
    for (const set of ['a', 'b', 'c', 'd']) await submit(id, [{}, {}], set);
    await endAll(id);
    await calls.remove('shared');
    await Promise.all(Array.from({ length: 4 }, () => sweepAll(id)));
    await sweepAll(id);
    expect(await left(id)).toEqual([0, 0, 0]);
    expect(await db.queue.findUnique({ where: { id } })).toBeNull();
  });

  it('comes back for a job set that another transaction uses', async () => {
    const id = await create('held');
    await submit(id, [{}]);
    await endAll(id);
    await calls.remove('held');
    await inTransaction(async (tx) => {
      await tx.$queryRawUnsafe('select id from job_sets where queue_id = $1::uuid for update', id);
      expect(await sweepDeletedQueue(id)).toBe(false);
    });
    expect(await left(id)).toEqual([1, 1, 0]);
    await sweepAll(id);
    expect(await db.queue.findUnique({ where: { id } })).toBeNull();
  });
});
