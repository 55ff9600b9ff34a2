/** The events of a job set, as its owner reads them, and the queues of projects. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acknowledgeNews,
  hasOpenJobs,
  listNews,
  listOwnersWithNews,
  listWithoutJob,
} from '../../src/jobs/store/job-sets.ts';
import { ensureProjectQueue } from '../../src/jobs/store/queues.ts';
import { readJobsByClientId } from '../../src/jobs/store/reads.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
import { overtaken } from '../support/waiting.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());

const read = async (ownerId: string, limit = 100) =>
  (await inTransaction((tx) => listNews(tx, ownerId, limit))).map(
    ({ sequence, kind }) => `${sequence} ${kind}`,
  );
const acknowledge = (ownerId: string, upTo: bigint) =>
  inTransaction((tx) => acknowledgeNews(tx, ownerId, upTo));

describe('the events of a job set', () => {
  it('are read from the first one that the owner has not acknowledged', async () => {
    const { ownerId } = await stage.submit(newJob());
    expect(await read(ownerId)).toEqual(['1 SUBMITTED', '2 QUEUED']);
    expect(await read(ownerId, 1)).toEqual(['1 SUBMITTED']);
    expect(await acknowledge(ownerId, 1n)).toBe(true);
    expect(await read(ownerId)).toEqual(['2 QUEUED']);
    expect(await acknowledge(ownerId, 2n)).toBe(false);
    expect(await read(ownerId)).toEqual([]);
  });

  it('are waited for by owners that have not acknowledged all of them, and by nobody else', async () => {
    const [done, open] = [await stage.submit(newJob()), await stage.submit(newJob())];
    await acknowledge(done.ownerId, 2n);
    await pool.query('update job_sets set owner_id = null where owner_id <> all($1)', [
      [done.ownerId, open.ownerId],
    ]);
    expect(await listOwnersWithNews(100)).toEqual([open.ownerId]);
  });

  /** Sets the details of the two events to texts with this many characters, as PostgreSQL writes JSON. */
  async function withDetails(...lengths: readonly number[]): Promise<string> {
    const { ownerId } = await stage.submit(newJob());
    for (const [at, length] of lengths.entries())
      await pool.query(
        `update job_events set detail = to_jsonb(repeat('x', $3 - 2))
          where sequence = $2 and job_set_id = (select id from job_sets where owner_id = $1)`,
        [ownerId, at + 1, length],
      );
    return ownerId;
  }
  const MAX = 8 * 1024 * 1024;

  it.each([
    ['8 MiB', MAX - 100, 100, 2],
    ['no more than 8 MiB', MAX - 100, 101, 1],
    ['one event that is larger', MAX + 1, 2, 1],
  ])('are read together up to %s', async (_what, first, second, count) => {
    expect(await read(await withDetails(first, second))).toHaveLength(count);
  });
});

describe('the jobs of a job set', () => {
  const end = (...ids: readonly string[]) =>
    pool.query(`update jobs set state = 'FAILED', ended_at = now() where id = any($1::uuid[])`, [ids]);
  const isOpen = (ownerId: string) => inTransaction((tx) => hasOpenJobs(tx, ownerId));

  it('are open until the last of them has ended', async () => {
    const { ownerId, ids } = await stage.submit(newJob(), newJob());
    const [first = '', second = ''] = ids;
    await end(first);
    expect(await isOpen(ownerId)).toBe(true);
    await end(second);
    expect(await isOpen(ownerId)).toBe(false);
    expect(await isOpen(newId())).toBe(false);
  });

  it('send no more events when they have ended and their events are acknowledged, or never existed', async () => {
    const { ownerId, ids } = await stage.submit(newJob({ clientId: 'open' }), newJob({ clientId: 'ended' }));
    const silent = () => inTransaction((tx) => listWithoutJob(tx, ownerId, ['open', 'ended', 'absent']));
    await end(ids[1] ?? '');
    // Events 1 and 2 are of the open job, events 3 and 4 of the other one.
    for (const [upTo, expected] of [
      [2n, ['absent']],
      [3n, ['absent']],
      [4n, ['ended', 'absent']],
    ] as const) {
      await acknowledge(ownerId, upTo);
      expect(await silent()).toEqual(expected);
    }
    expect(await inTransaction((tx) => listWithoutJob(tx, ownerId, []))).toEqual([]);
  });

  it('do not wait for the events of other jobs', async () => {
    const { ownerId, ids } = await stage.submit(newJob({ clientId: 'quiet' }), newJob({ clientId: 'loud' }));
    await end(ids[0] ?? '');
    await acknowledge(ownerId, 2n);
    expect(await inTransaction((tx) => listWithoutJob(tx, ownerId, ['quiet']))).toEqual(['quiet']);
  });
});

describe('the job of an owner', () => {
  it('is found by its client id, and not in another tenant', async () => {
    const { ownerId, ids } = await stage.submit(newJob({ clientId: 'one' }), newJob({ clientId: 'two' }));
    const keys = [
      { ownerId, clientId: 'two' },
      { ownerId, clientId: 'none' },
    ];
    const found = await readJobsByClientId(stage.tenantId, keys);
    expect(found.map((job) => job?.id)).toEqual([ids[1], undefined]);
    expect(await readJobsByClientId(newId(), keys)).toEqual([null, null]);
  });
});

describe('the queue of a project and domain', () => {
  it('is the same each time, and another one for each domain', async () => {
    const projectId = await registerProject(app, 'queued');
    const ensure = async (name: string) => {
      const queue = { tenantId: stage.tenantId, projectId, name };
      return (await inTransaction((tx) => ensureProjectQueue(tx, queue))).id;
    };
    const names = ['queued/development', 'queued/staging'];
    const first = [await ensure('queued/development'), await ensure('queued/staging')];
    expect(new Set(first).size).toBe(2);
    for (const [at, name] of names.entries()) expect(await ensure(name)).toBe(first[at]);
  });

  it('is the one that another transaction creates at the same time', async () => {
    const projectId = await registerProject(app, 'raced');
    const queue = { tenantId: stage.tenantId, projectId, name: 'raced/development' };
    const id = newId();
    const found = await overtaken(
      () => inTransaction((tx) => ensureProjectQueue(tx, queue)),
      (tx) => tx.queue.create({ data: { id, ...queue } }),
    );
    expect(found.id).toBe(id);
  });

  it('is not one of another project', async () => {
    const name = 'mine/development';
    await db.queue.create({ data: { id: newId(), tenantId: stage.tenantId, name } });
    const projectId = await registerProject(app, 'mine');
    const queue = { tenantId: stage.tenantId, projectId, name };
    await expect(inTransaction((tx) => ensureProjectQueue(tx, queue))).rejects.toThrow(
      'the queue mine/development belongs to another project',
    );
  });
});
