/** How long plain jobs, events and logs are kept, and what readers see when they are gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweepEndedJobs } from '../../src/jobs/commands/sweep-ended-jobs.ts';
import { sweepJobEvents } from '../../src/jobs/commands/sweep-job-events.ts';
import { sweepRunLogs } from '../../src/jobs/commands/sweep-run-logs.ts';
import { lockToLookAt } from '../../src/jobs/store/expired-events.ts';
import { watchJobSet } from '../../src/jobs/watch-job-set.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { sweepJobSets } from '../../src/scheduler/sweep-jobs.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import type { Run } from '../support/hands.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { overSse } from '../support/watch.ts';
import { newJob, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(async () => {
  await stage.clear();
  await pool.query('update job_sets set look_at = now() where owner_id is null');
});

const HOUR = 3600;
const WEEK = 168 * HOUR;
const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds);
const expired = [{ extensions: { code: 'FAILED_PRECONDITION', reason: 'STREAM_EXPIRED' } }];

/** A job set of so many jobs that have ended, each with a run and a log of two pieces. @returns the runs. */
async function ended(name: string, count = 1): Promise<Run[]> {
  await stage.submitTo(name, ...Array.from({ length: count }, () => newJob()));
  const hands = new Hands(app, `of-${name}`);
  await hands.lease({ maxJobs: count, wait: 'PT0S' });
  await stage.assign();
  const { runs } = await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  expect(runs).toHaveLength(count);
  for (const run of runs) {
    await hands.start(run);
    const chunks = [0, 1].map((sequence) => ({
      ...{ sequence, stream: 'STDOUT', text: 'x' },
      printedAt: new Date().toISOString(),
    }));
    await mutate(app, 'reportRunLog', { run: run.id, chunks, isComplete: true }, 'stored', app.executor);
    await hands.succeed(run, {});
  }
  await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  return runs;
}

/** As if these jobs and their runs had ended, and their events had been written, so long ago. */
async function age(name: string, seconds: number): Promise<void> {
  const { id } = await setOf(name);
  const at = ago(seconds);
  await pool.query('update jobs set ended_at = $2 where job_set_id = $1 and ended_at is not null', [id, at]);
  await pool.query('update job_runs set ended_at = $2 where job_set_id = $1', [id, at]);
  await pool.query('update job_events set created_at = $2 where job_set_id = $1', [id, at]);
}

const setOf = (name: string) => db.jobSet.findFirstOrThrow({ where: { queueId: stage.queueId, name } });
const countOf = async (name: string) => {
  const { rows } = await pool.query(
    `select count(distinct job.id)::int as jobs, count(distinct run.id)::int as runs, count(log.*)::int as pieces
       from job_sets as set join jobs as job on job.job_set_id = set.id
       left join job_runs as run on run.job_id = job.id left join job_run_logs as log on log.run_id = run.id
      where set.name = $1`,
    [name],
  );
  return rows[0];
};

/** Takes turns until there is nothing more to do. @returns how many. */
async function untilDone(turn: () => Promise<boolean>): Promise<number> {
  for (let turns = 1; turns < 50; turns += 1) if (!(await turn())) return turns;
  throw new Error('it never ends');
}

const events = (jobSet: string, after?: string): Promise<Answer> =>
  app.ask(
    `query ($queue: QueueByInput!, $jobSet: String!, $after: ID) {
       jobSetEvents(queue: $queue, jobSet: $jobSet, after: $after) { events { id kind runId job { id } run { id } } hasMore } }`,
    { queue: { id: stage.queueId }, jobSet, after },
  );
const watch = (jobSet: string, after?: string) =>
  overSse(
    app,
    `subscription ($queue: QueueByInput!, $jobSet: String!, $after: ID) {
       jobSetEvents(queue: $queue, jobSet: $jobSet, after: $after) { id kind } }`,
    { queue: { id: stage.queueId }, jobSet, after },
  );

describe('a plain job', () => {
  it('is deleted with its runs and logs when its time is over, and its events stay', async () => {
    await ended('old', 2);
    await ended('young');
    await age('old', WEEK + HOUR);
    await age('young', WEEK - HOUR);
    expect(await untilDone(() => sweepEndedJobs(ago(WEEK)))).toBe(1);
    expect(await countOf('old')).toEqual({ jobs: 0, runs: 0, pieces: 0 });
    expect(await countOf('young')).toEqual({ jobs: 1, runs: 1, pieces: 2 });
    const { data } = await events('old');
    expect(data.jobSetEvents.events).toHaveLength(10);
    expect(data.jobSetEvents.events[0]).toMatchObject({ kind: 'SUBMITTED', job: null });
    const last = data.jobSetEvents.events.at(-1);
    expect(last).toMatchObject({ kind: 'SUCCEEDED', runId: expect.any(String), run: null });
    const young = (await events('young')).data.jobSetEvents.events.at(-1);
    expect(young.run).toEqual({ id: young.runId });
  });

  it('stays while it has not ended, and while its execution owns it', async () => {
    const [open] = await stage.submitTo('open', newJob());
    const { ids } = await stage.submit(newJob());
    const both = [open ?? '', ...ids];
    await pool.query('update jobs set submitted_at = $2 where id = any($1)', [both, ago(10 * WEEK)]);
    await pool.query(`update jobs set state = 'SUCCEEDED', ended_at = $2 where id = any($1)`, [
      ids,
      ago(10 * WEEK),
    ]);
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    expect(await db.job.count({ where: { id: { in: both } } })).toBe(2);
  });

  it('frees its client id', async () => {
    const job = newJob({ clientId: 'again' });
    const [first] = await stage.submitTo('clients', job);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = $2 where id = $1`, [
      first,
      ago(2 * WEEK),
    ]);
    expect(await stage.submitTo('clients', job)).toEqual([first]);
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    expect(await stage.submitTo('clients', job)).not.toEqual([first]);
  });

  it('is deleted a few rows at a time, and its log is hidden before the first piece goes', async () => {
    const [run] = (await ended('wordy')) as [Run];
    await pool.query(
      `insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
       select $1, n, $2, 'STDOUT', 'line', now() from generate_series(2, 4500) as n`,
      [run.id, stage.tenantId],
    );
    await age('wordy', WEEK + HOUR);
    expect(await sweepEndedJobs(ago(WEEK))).toBe(true);
    expect(await countOf('wordy')).toEqual({ jobs: 1, runs: 1, pieces: 2501 });
    const { data } = await app.ask(
      'query ($id: ID!) { jobRun(by: { id: $id }) { logDeletedAt log { sequence } } }',
      { id: run.id },
    );
    expect(data.jobRun).toEqual({ logDeletedAt: expect.any(String), log: [] });
    expect(await untilDone(() => sweepEndedJobs(ago(WEEK)))).toBe(2);
    expect(await countOf('wordy')).toEqual({ jobs: 0, runs: 0, pieces: 0 });
  });

  it('is deleted once by several schedulers, and what another transaction uses waits', async () => {
    const runs = await ended('shared', 6);
    await age('shared', WEEK + HOUR);
    const [first] = runs as [Run];
    await inTransaction(async (tx) => {
      await tx.$queryRawUnsafe('select id from job_runs where id = $1::uuid for update', first.id);
      await Promise.all([1, 2, 3].map(() => untilDone(() => sweepEndedJobs(ago(WEEK)))));
      expect((await countOf('shared')).jobs).toBe(1);
    });
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    expect((await countOf('shared')).jobs).toBe(0);
  });

  it('takes its gang with it, when it was the last one', async () => {
    const gang = { id: 'g', cardinality: 2 };
    const container = { image: 'x', command: ['true'] };
    const { name } = await db.queue.findUniqueOrThrow({ where: { id: stage.queueId } });
    const submit = (jobSet: string) =>
      mutate(
        app,
        'submitJobs',
        { queue: name, jobSet, jobs: [1, 2].map(() => ({ container, gang })) },
        'results { job { id } }',
      );
    const { results } = await submit('gang');
    const ids = results.map(({ job }: Answer) => job.id);
    const end = (which: readonly string[]) =>
      pool.query(`update jobs set state = 'CANCELLED', ended_at = $2 where id = any($1)`, [
        which,
        ago(2 * WEEK),
      ]);
    await end(ids.slice(0, 1));
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    expect(await db.gang.count({ where: { name: 'g' } })).toBe(1);
    await end(ids);
    await Promise.all([untilDone(() => sweepEndedJobs(ago(WEEK))), submit('gang')]);
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    // The second gang of this name has come before or after the first one has gone.
    expect(await db.gang.count({ where: { name: 'g' } })).toBeLessThanOrEqual(1);
    const orphans = await pool.query(
      'select 1 from jobs where gang_id is not null and not exists (select from gangs where id = gang_id)',
    );
    expect(orphans.rows).toEqual([]);
  });
});

describe('the events of a job set', () => {
  const KEEP = 2 * WEEK;
  const sweep = async (name: string) => sweepJobEvents((await setOf(name)).id, KEEP, new Date());

  it('are kept since the last one, and then the job set is gone, so that its cursors have expired', async () => {
    await ended('sliding');
    const { data } = await events('sliding');
    const cursor = data.jobSetEvents.events.at(-1).id;
    await age('sliding', 2 * KEEP);
    const { id } = await setOf('sliding');
    await pool.query(
      `update job_events set created_at = now() where job_set_id = $1
          and sequence = (select last_sequence from job_sets where id = $1)`,
      [id],
    );
    await untilDone(() => sweepEndedJobs(ago(WEEK)));
    await untilDone(() => sweep('sliding'));
    expect((await events('sliding')).data.jobSetEvents.events).toHaveLength(5);

    await age('sliding', KEEP + HOUR);
    await pool.query('update job_sets set look_at = now() where id = $1', [id]);
    await untilDone(() => sweepJobSets(KEEP));
    expect(await db.jobSet.findUnique({ where: { id } })).toBeNull();
    expect((await events('sliding', cursor)).errors).toMatchObject(expired);
    expect((await watch('sliding', cursor).next()).value.errors).toMatchObject(expired);
    expect((await events('sliding')).data.jobSetEvents.events).toEqual([]);
    await stage.submitTo('sliding', newJob());
    expect((await events('sliding', cursor)).errors).toMatchObject(expired);
    expect((await events('sliding')).data.jobSetEvents.events).toHaveLength(2);
  });

  it('are kept while a job has not ended, and looked at again after a day', async () => {
    await stage.submitTo('long', newJob());
    await age('long', 10 * KEEP);
    expect(await sweep('long')).toBe(false);
    const { id } = await setOf('long');
    const { rows } = await pool.query(
      `select look_at > now() + interval '23 hours' as "isLater" from job_sets where id = $1`,
      [id],
    );
    expect(rows).toEqual([{ isLater: true }]);
    expect(await db.jobEvent.count({ where: { jobSetId: id } })).toBe(2);
    await pool.query('update job_sets set look_at = now() where id = $1', [id]);
    await pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where job_set_id = $1`, [id]);
    expect(await sweep('long')).toBe(false);
    expect(await db.jobEvent.count({ where: { jobSetId: id } })).toBe(0);
    // Its job is kept longer than its events here, so the numbers of its events go on.
    await stage.submitTo('long', newJob());
    const { data } = await events('long');
    expect(data.jobSetEvents.events).toHaveLength(2);
    const first = Buffer.from(data.jobSetEvents.events[0].id, 'base64url').toString();
    expect(first).toMatch(/\.3$/);
  });

  it('tell every reader that is behind that some are gone', async () => {
    await ended('behind', 2);
    const all = (await events('behind')).data.jobSetEvents.events;
    const { id, ...set } = await setOf('behind');
    const { signal } = new AbortController();
    const options = { jobIds: null, kinds: null, untilFinished: false, signal };
    const early = watchJobSet({ id, ...set }, { after: 0n, ...options });
    await early.next();
    const late = watchJobSet({ id, ...set }, { after: 3n, ...options });
    // As if a sweep had been killed in the middle.
    await pool.query('update job_sets set expired_sequence = 4 where id = $1', [id]);
    await pool.query('delete from job_events where job_set_id = $1 and sequence <= 4', [id]);
    await expect(late.next()).rejects.toMatchObject({ reason: 'STREAM_EXPIRED' });
    expect((await events('behind', all[2].id)).errors).toMatchObject(expired);
    expect((await events('behind', all[3].id)).data.jobSetEvents.events).toHaveLength(all.length - 4);
    expect((await events('behind')).data.jobSetEvents.events).toHaveLength(all.length - 4);
    await age('behind', KEEP + HOUR);
    await untilDone(() => sweep('behind'));
    // It has read its first page before.
    const read = async () => {
      for await (const { sequence } of early) if (sequence === BigInt(all.length)) break;
    };
    await read();
    const waiting = watchJobSet({ id, ...set }, { after: 4n, ...options });
    await expect(waiting.next()).rejects.toMatchObject({ reason: 'STREAM_EXPIRED' });
    expect((await events('behind', all[4].id)).errors).toMatchObject(expired);
    expect((await events('behind', all.at(-1).id)).data.jobSetEvents.events).toEqual([]);
  });

  it('go a few at a time', async () => {
    await stage.submitTo('many', newJob());
    const { id, tenantId } = await setOf('many');
    await pool.query(
      `insert into job_events (job_set_id, sequence, tenant_id, job_id, kind)
       select $1, n, $2, $3, 'UTILISATION' from generate_series(3, 4500) as n`,
      [id, tenantId, newId()],
    );
    await pool.query('update job_sets set last_sequence = 4500 where id = $1', [id]);
    await pool.query('delete from jobs where job_set_id = $1', [id]);
    await age('many', KEEP + HOUR);
    expect(await sweep('many')).toBe(true);
    expect(await db.jobEvent.count({ where: { jobSetId: id } })).toBe(2500);
    expect((await setOf('many')).expiredSequence).toBe(2000n);
    expect(await untilDone(() => sweep('many'))).toBe(2);
    expect(await db.jobSet.findUnique({ where: { id } })).toBeNull();
  });

  it('are never lost for jobs that are submitted meanwhile', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [old] = await stage.submitTo('raced', newJob());
      const { id } = await setOf('raced');
      await pool.query('delete from jobs where id = $1', [old]);
      await age('raced', KEEP + HOUR);
      await pool.query('update job_sets set look_at = now() where id = $1', [id]);
      const [, , [fresh]] = await Promise.all([
        sweepJobEvents(id, KEEP, new Date()),
        sweepJobEvents(id, KEEP, new Date()),
        stage.submitTo('raced', newJob()),
      ]);
      const { data } = await events('raced');
      const kinds = data.jobSetEvents.events.filter(({ job }: Answer) => job?.id === fresh);
      expect(kinds.map(({ kind }: Answer) => kind)).toEqual(['SUBMITTED', 'QUEUED']);
      await pool.query('delete from jobs where id = $1', [fresh]);
    }
  });

  it('wait when another transaction uses the job set', async () => {
    await ended('busy');
    await age('busy', KEEP + HOUR);
    const { id } = await setOf('busy');
    await inTransaction(async (tx) => {
      expect(await lockToLookAt(tx, id)).toBe(true);
      expect(await sweep('busy')).toBe(false);
      expect(await db.jobEvent.count({ where: { jobSetId: id } })).toBe(5);
    });
  });
});

describe('the log of a run', () => {
  it('is deleted when its time is over, and the run says so', async () => {
    const [run] = (await ended('logged')) as [Run];
    const [young] = (await ended('fresh')) as [Run];
    await age('logged', WEEK + HOUR);
    const read = async ({ id }: Run) =>
      (
        await app.ask('query ($id: ID!) { jobRun(by: { id: $id }) { logDeletedAt log { sequence } } }', {
          id,
        })
      ).data.jobRun;
    await Promise.all([1, 2].map(() => untilDone(() => sweepRunLogs(ago(WEEK)))));
    expect(await read(run)).toEqual({ logDeletedAt: expect.any(String), log: [] });
    expect(await read(young)).toEqual({ logDeletedAt: null, log: [{ sequence: 0 }, { sequence: 1 }] });
    const subscription =
      'subscription ($run: ID!, $after: Int) { runLog(run: $run, after: $after) { sequence } }';
    for (const after of [-1, 1])
      expect((await overSse(app, subscription, { run: run.id, after }).next()).value.errors).toMatchObject(
        expired,
      );
    const late = { sequence: 9, stream: 'STDOUT', text: 'late', printedAt: new Date().toISOString() };
    const input = { run: run.id, chunks: [late] };
    expect((await mutate(app, 'reportRunLog', input, 'stored', app.executor)).stored).toBe(0);
  });

  it('is hidden before the first of its pieces goes, and large ones take several turns', async () => {
    const [run] = (await ended('hidden')) as [Run];
    await pool.query(
      `insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
       select $1, n, $2, 'STDOUT', 'line', now() from generate_series(2, 4500) as n`,
      [run.id, stage.tenantId],
    );
    await age('hidden', WEEK + HOUR);
    expect(await sweepRunLogs(ago(WEEK))).toBe(true);
    expect((await countOf('hidden')).pieces).toBe(2501);
    const { data } = await app.ask('query ($id: ID!) { jobRun(by: { id: $id }) { log { sequence } } }', {
      id: run.id,
    });
    expect(data.jobRun.log).toEqual([]);
    await untilDone(() => sweepRunLogs(ago(WEEK)));
    expect((await countOf('hidden')).pieces).toBe(0);
  });
});
