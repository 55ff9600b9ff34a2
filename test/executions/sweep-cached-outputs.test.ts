import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sweepCachedOutputs } from '../../src/executions/commands/sweep-cached-outputs.ts';
import { findEntries } from '../../src/executions/store/output-cache.ts';
import { deleteSurplusEntries, findSurplusEdges } from '../../src/executions/store/swept-cache.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually, registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';

const now = new Date('2026-06-01T00:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 24 * 60 * 60 * 1000);
/** One batch of two entries. */
const pairOnly = { batch: 2, batches: 1 };
const unlimited = { unusedDays: 0, entries: 0 };
let app: App;
let tenantId: string;
let home: string;
let other: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  home = await registerProject(app, 'swept');
  other = await registerProject(app, 'swept-other');
  tenantId = (await db.project.findUniqueOrThrow({ where: { id: home } })).tenantId;
});
afterAll(() => app.stop());
beforeEach(() => db.cacheEntry.deleteMany());

interface Entry {
  readonly projectId?: string;
  readonly taskDomain?: string;
}

/** An entry that was last used so many days ago. */
async function insert(key: string, days: number, entry: Entry = {}): Promise<void> {
  const task = { taskProject: 'tasks', taskName: 'a', taskDomain: 'development', cacheVersion: '1' };
  const times = { createdAt: daysAgo(1000), lastUsedAt: daysAgo(days) };
  await db.cacheEntry.create({
    data: { tenantId, projectId: home, key, ...task, ...times, ...entry, outputs: {}, catalogKey: {} },
  });
}

interface Plan {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** How many rows of tables a statement has read. */
const readBy = (plan: Plan): number =>
  (plan['Relation Name'] ? plan['Actual Rows'] * plan['Actual Loops'] : 0) +
  (plan.Plans ?? []).reduce((sum, inner) => sum + readBy(inner), 0);

const left = async () => (await db.cacheEntry.findMany({ orderBy: { key: 'asc' } })).map(({ key }) => key);

/** Holds an entry as a turn does that takes its outputs, until `work` is done. */
async function whileTaken(key: string, work: () => Promise<void>): Promise<void> {
  await inTransaction(async (tx) => {
    expect(await findEntries(tx, { tenantId, projectId: home }, [key])).toHaveLength(1);
    await work();
  });
}

describe('the sweep of cached outputs', () => {
  it('deletes what nobody has used for that many days, whenever it was stored', async () => {
    await insert('fresh', 1);
    await insert('edge', 30);
    await insert('old', 31);
    expect(await sweepCachedOutputs({ ...unlimited, unusedDays: 30 }, now)).toBe(false);
    expect(await left()).toEqual(['edge', 'fresh']);
  });

  it('keeps the most recently used ones of each project and each domain of tasks', async () => {
    for (const days of [1, 2, 3, 4]) await insert(`home-${days}`, days);
    for (const days of [1, 2, 3]) await insert(`other-${days}`, days, { projectId: other });
    for (const days of [5, 6]) await insert(`staging-${days}`, days, { taskDomain: 'staging' });
    expect(await sweepCachedOutputs({ ...unlimited, entries: 2 }, now)).toBe(false);
    expect(await left()).toEqual(['home-1', 'home-2', 'other-1', 'other-2', 'staging-5', 'staging-6']);
  });

  it('deletes nothing without limits', async () => {
    await insert('old', 10_000);
    expect(await sweepCachedOutputs(unlimited, now)).toBe(false);
    expect(await left()).toEqual(['old']);
  });

  it.each([
    { unusedDays: 1, entries: 0 },
    { unusedDays: 0, entries: 1 },
  ])(
    'deletes a limited number at once, least recently used first, and says that there is more: %j',
    async (limits) => {
      await insert('newest', 0);
      for (const days of [3, 4, 5, 6, 7]) await insert(`day-${days}`, days);
      expect(await sweepCachedOutputs(limits, now, pairOnly)).toBe(true);
      expect(await left()).toEqual(['day-3', 'day-4', 'day-5', 'newest']);
      expect(await sweepCachedOutputs(limits, now, pairOnly)).toBe(true);
      expect(await sweepCachedOutputs(limits, now, pairOnly)).toBe(false);
      expect(await left()).toEqual(['newest']);
    },
  );

  it('deletes a limited number also if many projects have too many', async () => {
    for (const days of [1, 2, 3]) {
      await insert(`home-${days}`, days);
      await insert(`other-${days}`, days, { projectId: other });
    }
    expect(await sweepCachedOutputs({ ...unlimited, entries: 1 }, now, pairOnly)).toBe(true);
    expect(await left()).toHaveLength(4);
  });

  it('leaves an entry alone that an execution takes at the moment, and does not wait for it', async () => {
    await insert('taken', 50);
    await insert('free', 40);
    const limits = { unusedDays: 30, entries: 0 };
    await whileTaken('taken', async () => {
      await sweepCachedOutputs(limits, now);
      expect(await left()).toEqual(['taken']);
    });
  });

  it('deletes no more than the surplus if several processes sweep at the same time', async () => {
    for (let days = 1; days <= 20; days += 1) await insert(`day-${String(days).padStart(2, '0')}`, days);
    const sweeps = Array.from({ length: 8 }, () => sweepCachedOutputs({ ...unlimited, entries: 12 }, now));
    await Promise.all(sweeps);
    expect(await left()).toHaveLength(12);
  });

  it('takes one statement for each limit, however many projects there are', async () => {
    const counted = async () =>
      (await countStatements(() => sweepCachedOutputs({ unusedDays: 30, entries: 1 }, now))).statements
        .length;
    await insert('one', 1);
    await insert('two', 2);
    const few = await counted();
    for (const projectId of [home, other])
      for (const taskDomain of ['development', 'staging', 'production'])
        for (const days of [3, 4])
          await insert(`${projectId}-${taskDomain}-${days}`, days, { projectId, taskDomain });
    expect(await counted()).toBe(few);
    expect(await left()).toHaveLength(6);
  });

  it('counts once, however many batches it deletes, and each batch is a transaction of its own', async () => {
    for (const days of [1, 2, 3, 4, 5, 6, 7]) await insert(`day-${days}`, days);
    const size = { batch: 2, batches: 10 };
    const { statements } = await countStatements(() =>
      sweepCachedOutputs({ unusedDays: 6, entries: 1 }, now, size),
    );
    const sent = (form: RegExp) => statements.filter((text) => form.test(text)).length;
    expect(sent(/count\(|offset/)).toBe(1);
    // One batch of what nobody uses, and three of what is too many; the last one has less than a batch.
    expect(sent(/^delete from cache_entries/)).toBe(4);
    expect(sent(/^commit$/i)).toBe(5);
    expect(await left()).toEqual(['day-1']);
  });

  it('reads no more entries than are allowed to find what is too many', async () => {
    await insert('other', 1, { projectId: other });
    await db.$executeRaw`
      insert into cache_entries (id, tenant_id, project_id, key, task_project, task_domain, task_name, cache_version,
                                 outputs, blob_ids, catalog_key, created_at, last_used_at)
      select gen_random_uuid(), tenant_id, ${home}::uuid, 'many-' || number, task_project, task_domain, task_name,
             cache_version, outputs, blob_ids, catalog_key, created_at, last_used_at + number * interval '1 second'
        from cache_entries cross join generate_series(1, 5000) as number`;
    await db.$executeRaw`analyze cache_entries`;
    const { statements } = await countStatements(() =>
      sweepCachedOutputs({ ...unlimited, entries: 10 }, now, pairOnly),
    );
    const search = statements.find((text) => /count\(|offset/.test(text)) ?? '';
    const [row] = await db.$queryRawUnsafe<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(
      `explain (analyze, format json) ${search}`,
      ...[10, 100],
    );
    // Two pairs, the search for a third, and eleven of the many entries.
    expect(row && readBy(row['QUERY PLAN'][0].Plan)).toBeLessThan(20);
  });

  it('keeps what is used between the search for what is too many and its deletion', async () => {
    for (const days of [1, 2, 3]) await insert(`day-${days}`, days);
    const edges = await inTransaction((tx) => findSurplusEdges(tx, 1, 10));
    await db.cacheEntry.updateMany({ where: { key: 'day-3' }, data: { lastUsedAt: daysAgo(0) } });
    expect(await inTransaction((tx) => deleteSurplusEntries(tx, edges, 10))).toBe(1);
    expect(await left()).toEqual(['day-1', 'day-3']);
  });

  it('is done by the scheduler, with the limits of its configuration', async () => {
    for (const days of [89, 91]) await insert(`day-${days}`, days);
    // The scheduler uses the clock of today.
    await db.$executeRaw`update cache_entries set last_used_at = now() - ${now}::timestamptz + last_used_at`;
    const scheduler = startScheduler();
    onTestFinished(() => scheduler.stop());
    expect(await eventually(left, (keys) => keys.length < 2)).toEqual(['day-89']);
  });
});
