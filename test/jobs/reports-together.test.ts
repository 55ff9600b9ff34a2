/** Reports of several executors that arrive at the same time, and are applied in few statements. */
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { GroupCommit } from '../../src/platform/database/group-commit.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';
import { eventsOf, PlainQueue, type PlainRun, statesOf } from './plain-jobs.ts';
import { newService } from './stage.ts';

const MANY = 60;

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

async function manyRuns() {
  const queue = await PlainQueue.open(app);
  const ids = await queue.submit(Array(MANY).fill({}));
  return { queue, ids, runs: await queue.begin() };
}

const reportAs = async (authorization: string, { id: run }: PlainRun) => {
  const events = [{ run, kind: 'SUCCEEDED', occurredAt: new Date().toISOString() }];
  return (await mutate(app, 'reportJobEvents', { events }, 'outcomes', authorization)).outcomes;
};

const moves = (statements: readonly string[]) =>
  statements.filter((text) => text.includes('update job_runs') && text.includes('update jobs'));

/** Nothing is applied before all of these reports have arrived. */
async function atOnce<T>(jobId: string | undefined, reports: () => readonly Promise<T>[]): Promise<T[]> {
  const submissions = vi.spyOn(GroupCommit.prototype, 'submit');
  onTestFinished(() => submissions.mockRestore());
  let answers: readonly Promise<T>[] = [];
  await inTransaction(async (tx) => {
    const sql =
      'select id from job_sets where id = (select job_set_id from jobs where id = $1::uuid) for update';
    await tx.$queryRawUnsafe(sql, jobId);
    answers = reports();
    await eventually(
      () => submissions.mock.calls.length,
      (arrived) => arrived === answers.length,
    );
  });
  return await Promise.all(answers);
}

it(`${MANY} reports need two statements, and each has its outcome and its event`, async () => {
  const { queue, ids, runs } = await manyRuns();
  const { result, statements } = await countStatements(() =>
    atOnce(ids[0], () => runs.map((run) => queue.report(run, 'SUCCEEDED', { exitCode: 0 }))),
  );
  expect(result).toEqual(Array(MANY).fill(['APPLIED']));
  expect(moves(statements)).toHaveLength(2);
  expect(new Set(await statesOf(ids))).toEqual(new Set(['SUCCEEDED']));
  for (const id of ids)
    expect((await eventsOf(id)).filter(({ kind }) => kind === 'SUCCEEDED')).toHaveLength(1);
  const { rows } = await pool.query(
    `select max(sequence)::int as last, count(*)::int as count from job_events
      where job_set_id = (select job_set_id from jobs where id = $1)`,
    [ids[0]],
  );
  expect(rows).toEqual([{ last: 4 * MANY, count: 4 * MANY }]);
});

it('a report about a run of another account is FENCED, though it is applied together with one of the owner', async () => {
  const { queue, ids, runs } = await manyRuns();
  const stranger = await newService();
  const [first, second, ...others] = runs as [PlainRun, PlainRun, ...PlainRun[]];
  const outcomes = await atOnce(ids[0], () => [
    queue.report(first, 'RUNNING'),
    reportAs(stranger, second),
    ...others.map((run) => queue.report(run, 'RUNNING')),
  ]);
  expect(outcomes).toEqual([['APPLIED'], ['FENCED'], ...others.map(() => ['APPLIED'])]);
  expect(await queue.report(second, 'RUNNING')).toEqual(['APPLIED']);
});

it('of several reports of the same end, one is APPLIED and the others are REPEATED', async () => {
  const { queue, ids, runs } = await manyRuns();
  const [run] = runs as [PlainRun];
  const outcomes = await atOnce(ids[0], () =>
    Array.from({ length: 20 }, () => queue.report(run, 'SUCCEEDED')),
  );
  expect(outcomes.flat().sort()).toEqual(['APPLIED', ...Array(19).fill('REPEATED')]);
});
