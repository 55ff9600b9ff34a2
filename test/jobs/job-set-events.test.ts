/** The events of a job set, as a query and as a subscription. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { startSecondServer } from '../support/second-server.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';
import { overSse, socketClient } from '../support/watch.ts';
import { leaseAs, newJob, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const fields =
  'id kind jobId runId reason executor pool requeued attempted exitCode outputs error { code } job { id }';

async function page(jobSet: string, more: object = {}, queueId = stage.queueId): Promise<Answer> {
  return await app.ask(
    `query ($queue: QueueByInput!, $jobSet: String!, $after: ID, $first: Int, $errorIfMissing: Boolean) {
       jobSetEvents(queue: $queue, jobSet: $jobSet, after: $after, first: $first, errorIfMissing: $errorIfMissing) {
         events { ${fields} } hasMore
       }
     }`,
    { queue: { id: queueId }, jobSet, ...more },
  );
}

const subscription = `subscription ($queue: QueueByInput!, $jobSet: String!, $after: ID, $until: JobSetWatchEnd,
    $jobs: [ID!], $kinds: [JobEventKind!], $errorIfMissing: Boolean) {
  jobSetEvents(queue: $queue, jobSet: $jobSet, after: $after, until: $until, jobs: $jobs, kinds: $kinds,
    errorIfMissing: $errorIfMissing) { id kind jobId }
}`;

const watch = (
  jobSet: string,
  more: object = {},
  server: Pick<App, 'url'> = app,
  authorization = app.admin,
) =>
  overSse(
    { url: server.url, admin: app.admin },
    subscription,
    { queue: { id: stage.queueId }, jobSet, ...more },
    authorization,
  );

/** The kinds of all events until the subscription completes. */
async function kindsOf(events: AsyncIterable<Answer>): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { data, errors } of events)
    kinds.push(errors ? errors[0].extensions.code : data.jobSetEvents.kind);
  return kinds;
}

/** Runs these jobs to their ends. */
async function finish(name: string, count: number): Promise<void> {
  const hands = new Hands(app, name);
  await hands.lease({ maxJobs: count, wait: 'PT0S' });
  await stage.assign();
  const { runs } = await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  expect(runs).toHaveLength(count);
  for (const run of runs) await hands.succeed(run, { y: 1 });
  await hands.lease({ maxJobs: 0, wait: 'PT0S' });
}

describe('the query jobSetEvents', () => {
  it('answers what has happened, in its order and with its details', async () => {
    const [id] = await stage.submitTo('told', newJob());
    await finish('teller', 1);
    const { data } = await page('told');
    expect(data.jobSetEvents.hasMore).toBe(false);
    expect(data.jobSetEvents.events).toMatchObject([
      { kind: 'SUBMITTED', jobId: id, runId: null, job: { id } },
      { kind: 'QUEUED' },
      { kind: 'LEASED', executor: 'teller', pool: 'default' },
      { kind: 'SUCCEEDED', exitCode: 0, outputs: { y: 1 } },
    ]);
  });

  it('says with each event of a run which executor and node had the job, with one statement for all runs', async () => {
    const ids = await stage.submitTo('placed', newJob(), newJob(), newJob());
    const nodes = [{ name: 'node-1', allocatable: { cpu: '8', memory: '64Gi' } }];
    await leaseAs(app, { executor: 'placer', nodes, maxJobs: 3, wait: 'PT0S' });
    await stage.assign();
    const { runs } = await leaseAs(app, { executor: 'placer', nodes, wait: 'PT0S' });
    expect(runs).toHaveLength(3);
    const hands = new Hands(app, 'placer');
    for (const run of runs) await hands.start(run);
    const read = () =>
      app.ask(
        `{ jobSetEvents(queue: {id: "${stage.queueId}"}, jobSet: "placed") {
             events { kind jobId runId run { id jobId executor node } } } }`,
      );
    const { result, statements } = await countStatements(read);
    const { events } = result.data.jobSetEvents;
    expect(events.slice(0, 6).map(({ run }: Answer) => run)).toEqual(Array(6).fill(null));
    const told = events.slice(6);
    expect(told.map(({ kind }: Answer) => kind)).toEqual([
      ...['LEASED', 'LEASED', 'LEASED'],
      ...['RUNNING', 'RUNNING', 'RUNNING'],
    ]);
    expect(new Set(told.map(({ jobId }: Answer) => jobId))).toEqual(new Set(ids));
    for (const { jobId, runId, run } of told)
      expect(run).toEqual({ id: runId, jobId, executor: 'placer', node: 'node-1' });
    expect(statements.filter((text) => text.includes('job_runs as run'))).toHaveLength(1);
  });

  it('says who gave a job which priority', async () => {
    const [id] = await stage.submitTo('ranked', newJob());
    await mutate(app, 'reprioritizeJobs', { ids: [id], newPriority: 7 });
    const { data } = await app.ask(
      `{ jobSetEvents(queue: {id: "${stage.queueId}"}, jobSet: "ranked") {
         events { kind priority requestor { id } } } }`,
    );
    expect(data.jobSetEvents.events.slice(-2)).toEqual(
      ['REPRIORITIZING', 'REPRIORITIZED'].map((kind) => ({
        kind,
        priority: '7',
        requestor: { id: stage.userId },
      })),
    );
  });

  it('continues after an event, page by page', async () => {
    await stage.submitTo('paged', newJob(), newJob(), newJob());
    const all = (await page('paged')).data.jobSetEvents.events;
    expect(all).toHaveLength(6);
    const seen: Answer[] = [];
    let after: string | undefined;
    for (const hasMore of [true, false]) {
      const { data } = await page('paged', { after, first: 4 });
      seen.push(...data.jobSetEvents.events);
      after = seen.at(-1).id;
      expect(data.jobSetEvents.hasMore).toBe(hasMore);
    }
    expect(seen).toEqual(all);
  });

  it('takes 1 to 500 events', async () => {
    for (const first of [0, 501])
      expect((await page('bounds', { first })).errors).toMatchObject([
        { extensions: { code: 'INVALID_ARGUMENT', path: ['first'] } },
      ]);
    for (const first of [1, 500])
      expect((await page('bounds', { first })).data.jobSetEvents).toEqual({ events: [], hasMore: false });
  });

  it('has no events for a job set that does not exist, or is refused if asked to be', async () => {
    expect((await page('nothing')).data.jobSetEvents.events).toEqual([]);
    const refused = await page('nothing', { errorIfMissing: true });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    const nowhere = await page('nothing', {}, newId());
    expect(nowhere.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it('refuses a cursor that is none, of another job set, or after the last event', async () => {
    await stage.submitTo('one', newJob());
    await stage.submitTo('other', newJob());
    const [event] = (await page('one')).data.jobSetEvents.events;
    const { id } = await db.jobSet.findFirstOrThrow({ where: { name: 'one' } });
    const beyond = Buffer.from(`${id.slice(-12)}.99`).toString('base64url');
    for (const after of ['x', beyond])
      expect((await page('one', { after })).errors).toMatchObject([
        { extensions: { code: 'INVALID_ARGUMENT', path: ['after'] } },
      ]);
    for (const jobSet of ['other', 'none'])
      expect((await page(jobSet, { after: event.id })).errors).toMatchObject([
        { extensions: { code: 'FAILED_PRECONDITION', reason: 'STREAM_EXPIRED' } },
      ]);
  });
});

describe('the subscription jobSetEvents', () => {
  it('completes when all jobs have ended, if it should, also if they had ended before', async () => {
    await stage.submitTo('ending', newJob(), newJob());
    const watching = kindsOf(watch('ending', { until: 'ALL_JOBS_ENDED' }));
    await finish('ender', 2);
    const expected = [
      'SUBMITTED',
      'QUEUED',
      'SUBMITTED',
      'QUEUED',
      'LEASED',
      'LEASED',
      'SUCCEEDED',
      'SUCCEEDED',
    ];
    expect(await watching).toEqual(expected);
    expect(await kindsOf(watch('ending', { until: 'ALL_JOBS_ENDED' }))).toEqual(expected);
  });

  it('sends only events of the jobs and kinds that it names', async () => {
    const [first] = await stage.submitTo('chosen', newJob(), newJob());
    await finish('chooser', 2);
    const only = { until: 'ALL_JOBS_ENDED', jobs: [first], kinds: ['QUEUED', 'SUCCEEDED'] };
    expect(await kindsOf(watch('chosen', only))).toEqual(['QUEUED', 'SUCCEEDED']);
  });

  it('says with each event which run it is about', async () => {
    await stage.submitTo('followed', newJob());
    await finish('followed', 1);
    const events = overSse(
      app,
      `subscription { jobSetEvents(queue: {id: "${stage.queueId}"}, jobSet: "followed", until: ALL_JOBS_ENDED) {
         kind runId run { id executor state } } }`,
    );
    const told: Answer[] = [];
    for await (const { data } of events) told.push(data.jobSetEvents);
    const { runId } = told[2];
    const run = { id: runId, executor: 'followed', state: 'SUCCEEDED' };
    expect(told).toEqual([
      { kind: 'SUBMITTED', runId: null, run: null },
      { kind: 'QUEUED', runId: null, run: null },
      { kind: 'LEASED', runId, run },
      { kind: 'SUCCEEDED', runId, run },
    ]);
  });

  it('waits for a job set that does not exist yet', async () => {
    const events = watch('late');
    const first = events.next();
    await stage.submitTo('late', newJob());
    expect((await first).value.data.jobSetEvents.kind).toBe('SUBMITTED');
    await events.return(undefined);
  });

  it('is refused for a queue that does not exist, a missing job set if asked to be, and ids that are none', async () => {
    expect(await kindsOf(watch('x', { queue: { id: newId() } }))).toEqual(['NOT_FOUND']);
    expect(await kindsOf(watch('x', { errorIfMissing: true }))).toEqual(['NOT_FOUND']);
    expect(await kindsOf(watch('x', { jobs: ['x'] }))).toEqual(['INVALID_ARGUMENT']);
  });

  it('ends when its job set is deleted', async () => {
    await stage.submitTo('deleted', newJob());
    const events = watch('deleted');
    await events.next();
    await events.next();
    const last = events.next();
    const { id } = await db.jobSet.findFirstOrThrow({ where: { name: 'deleted' } });
    for (const table of ['job_events', 'jobs'])
      await pool.query(`delete from ${table} where job_set_id = $1`, [id]);
    await pool.query('delete from job_sets where id = $1', [id]);
    await pool.query(`select pg_notify('slipway', $1)`, [`job-set:${id}`]);
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('sends each event once and in order over many new connections to two servers in turn', async () => {
    const jobs = process.env['SOAK'] ? 5000 : 60;
    const breaks = process.env['SOAK'] ? 1000 : 30;
    const other = await startSecondServer();
    try {
      const seen: string[] = [];
      const submitting = (async () => {
        for (let left = jobs; left > 0; left -= 20)
          await stage.submitTo('long', ...Array.from({ length: Math.min(left, 20) }, () => newJob()));
      })();
      for (let turn = 0; seen.length < 2 * jobs; turn += 1) {
        const server = turn % 2 === 0 ? app : other;
        const many = turn < breaks ? 1 + ((turn * 7) % Math.ceil((3 * jobs) / breaks)) : 2 * jobs;
        await take(server, turn % 3 === 0, seen, Math.min(many, 2 * jobs - seen.length));
      }
      await submitting;
      const { rows } = await pool.query(
        `select sequence from job_events where job_set_id = (select id from job_sets where name = 'long')`,
      );
      expect(rows).toHaveLength(2 * jobs);
      const numbers = seen.map((id) => Number(Buffer.from(id, 'base64url').toString().split('.')[1]));
      expect(numbers).toEqual(Array.from({ length: 2 * jobs }, (_, at) => at + 1));
    } finally {
      await other.stop();
    }
  });

  /** Takes so many events after the last one, over a connection of its own. */
  async function take(
    server: Pick<App, 'url'>,
    overWs: boolean,
    seen: string[],
    many: number,
  ): Promise<void> {
    const variables = { queue: { id: stage.queueId }, jobSet: 'long', after: seen.at(-1) ?? null };
    if (!overWs) {
      let left = many;
      for await (const { data } of watch('long', variables, server)) {
        seen.push(data.jobSetEvents.id);
        left -= 1;
        if (left === 0) return;
      }
      return;
    }
    const client = socketClient({ url: server.url, admin: app.admin });
    await new Promise<void>((resolve, reject) => {
      let left = many;
      const stop = client.subscribe<{ jobSetEvents: { id: string } }>(
        { query: subscription, variables },
        {
          next: ({ data }) => {
            if (left === 0 || !data) return;
            seen.push(data.jobSetEvents.id);
            left -= 1;
            if (left === 0) stop();
          },
          error: reject,
          complete: resolve,
        },
      );
    });
    await client.dispose();
  }
});

describe('the job set of an execution', () => {
  it('is shown with its runs to those who may read its workflow, and is not found by others', async () => {
    await registerProject(app, 'watched');
    await registerTask(app, 'watched', 'double');
    await registerWorkflow(app, 'watched', 'flow', { a: [] });
    const id = await launch(app, 'watched', 'flow');
    await advanceExecution(id);
    const ask = (authorization: string) =>
      app.ask(
        `{ jobSetEvents(queue: {name: "watched/${domain}"}, jobSet: "${id}") {
             events { kind run { executor } } } }`,
        {},
        authorization,
      );
    const hands = new Hands(app, 'watched');
    await hands.lease({ maxJobs: 1, wait: 'PT0S' });
    expect((await stage.assign()).assigned).toBe(1);
    const stranger = await newCaller();
    expect((await ask(stranger)).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    const { workflowEntityId } = await db.jobSet.findFirstOrThrow({ where: { ownerId: id } });
    const reader = await newCaller({
      grants: [
        { type: 'QUEUE', level: 'NO_PERMISSIONS' },
        { type: 'WORKFLOW', id: workflowEntityId ?? '', level: 'READ' },
      ],
    });
    expect((await ask(reader)).data.jobSetEvents.events).toEqual([
      { kind: 'SUBMITTED', run: null },
      { kind: 'QUEUED', run: null },
      { kind: 'LEASED', run: { executor: 'watched' } },
    ]);
  });
});
