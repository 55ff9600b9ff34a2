/** The events of a job set, as its owner reads them, and the queues of projects. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acknowledgeNews, listNews, listOwnersWithNews } from '../../src/jobs/store/job-sets.ts';
import { ensureProjectQueue } from '../../src/jobs/store/queues.ts';
import { readJobsByClientId } from '../../src/jobs/store/reads.ts';
import { pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
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
});
