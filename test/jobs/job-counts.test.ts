/** The numbers of jobs, which nobody counts by reading jobs. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepDeletedQueue } from '../../src/jobs/commands/sweep-deleted-queue.ts';
import { foldJobCounts } from '../../src/jobs/store/job-counts.ts';
import { pool as database } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { PlainQueue } from './plain-jobs.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const ask = async (document: string): Promise<Answer> => {
  const { data, errors } = await app.ask(document);
  expect(errors).toBeUndefined();
  return data;
};

const countsOf = async ({ name }: PlainQueue) =>
  Object.fromEntries(
    (await ask(`{ queue(by: { name: "${name}" }) { counts { state count } } }`)).queue.counts.map(
      (one: Answer) => [one.state, one.count],
    ),
  );
const setsOf = async ({ name }: PlainQueue) =>
  (
    await ask(
      `{ queueInfo(by: { name: "${name}" }) { activeJobSets { nodes { name queuedJobs leasedJobs } } } }`,
    )
  ).queueInfo.activeJobSets.nodes as Answer[];

/** The same by reading all jobs. */
async function realCounts({ id }: PlainQueue) {
  const { rows } = await database.query(
    'select state, count(*)::int as count from jobs where queue_id = $1 group by state',
    [id],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
async function realSets({ id }: PlainQueue) {
  const { rows } = await database.query(
    `select set.name, (count(*) filter (where state = 'QUEUED'))::int as "queuedJobs",
            (count(*) filter (where state <> 'QUEUED'))::int as "leasedJobs"
       from job_sets as set join jobs as job on job.job_set_id = set.id
      where set.queue_id = $1 and job.ended_at is null group by set.id, set.name order by set.id desc`,
    [id],
  );
  return rows;
}

describe('the numbers of jobs', () => {
  it('are right whatever happens at the same time, before and after the changes are added up', async () => {
    const steps = fc.constantFrom('submit', 'begin', 'cancel', 'preempt', 'report', 'fold', 'reprioritize');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(steps, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
        async (turns) => {
          const queue = await PlainQueue.open(app);
          const ids: string[] = [];
          const runs: Awaited<ReturnType<PlainQueue['begin']>> = [];
          const one = async (step: string, at: number): Promise<unknown> => {
            const some = ids.slice(-3);
            if (step === 'submit') return void ids.push(...(await queue.submit([{}, {}], `set-${at % 2}`)));
            if (step === 'begin') return void runs.push(...(await queue.begin()));
            if (step === 'fold') return await foldJobCounts(3);
            if (step === 'report')
              return await Promise.all(runs.splice(0, 2).map((run) => queue.report(run, 'SUCCEEDED')));
            if (some.length === 0) return undefined;
            if (step === 'cancel')
              return await mutate(app, 'cancelJobs', { ids: some }, 'results { job { id } }');
            if (step === 'preempt')
              return await mutate(app, 'preemptJobs', { ids: some }, 'results { job { id } }');
            return await mutate(
              app,
              'reprioritizeJobs',
              { ids: some, priority: at },
              'results { job { id } }',
            );
          };
          await queue.submit([{}, {}], 'set-0');
          for (const turn of turns) await Promise.all(turn.map(one));
          const [counts, sets] = [await realCounts(queue), await realSets(queue)];
          expect(await countsOf(queue)).toEqual(counts);
          expect(await setsOf(queue)).toEqual(sets);
          await Promise.all([foldJobCounts(1000), foldJobCounts(1000)]);
          expect(await countsOf(queue)).toEqual(counts);
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);

  it('are read without reading jobs', async () => {
    const queue = await PlainQueue.open(app);
    await queue.submit([{}]);
    const { statements } = await countStatements(async () => {
      await countsOf(queue);
      await setsOf(queue);
      await ask('{ activeQueues { totalCount nodes { pool queue { name } } } }');
    });
    expect(statements.filter((text) => /(from|join) jobs\b/.test(text))).toEqual([]);
    expect(statements.some((text) => text.includes('job_counts'))).toBe(true);
  });

  it('are added up a limited number of changes at a time, once each', async () => {
    await foldJobCounts(100_000);
    const queue = await PlainQueue.open(app);
    for (let at = 0; at < 3; at += 1) await queue.submit([{}]);
    expect(await Promise.all([foldJobCounts(2), foldJobCounts(2)])).toEqual(expect.arrayContaining([2]));
    await foldJobCounts(2);
    expect(await foldJobCounts(2)).toBe(0);
    expect(await countsOf(queue)).toEqual({ QUEUED: 3 });
    const { rows } = await database.query('select count::int from job_counts where queue_id = $1', [
      queue.id,
    ]);
    expect(rows).toEqual([{ count: 3 }]);
  });

  it('go with their queue, whatever was not added up', async () => {
    const queue = await PlainQueue.open(app);
    const ids = await queue.submit([{}, {}]);
    await foldJobCounts(100_000);
    await mutate(app, 'cancelJobs', { ids }, 'results { job { id } }');
    await mutate(app, 'deleteQueue', { by: { name: queue.name } }, 'queue { id }');
    for (let turn = 0; turn < 20 && (await sweepDeletedQueue(queue.id)); turn += 1);
    const left = async (table: string) =>
      (await database.query(`select from ${table} where queue_id = $1`, [queue.id])).rowCount;
    expect(await left('jobs')).toBe(0);
    expect(await left('job_counts')).toBe(0);
    expect(await left('job_count_changes')).toBeGreaterThan(0);
    await foldJobCounts(100_000);
    expect([await left('job_counts'), await left('job_count_changes')]).toEqual([0, 0]);
  });
});
