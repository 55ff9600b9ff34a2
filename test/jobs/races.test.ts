import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { cancelJobSet } from '../../src/jobs/commands/cancel-job-set.ts';
import { submitJobs } from '../../src/jobs/commands/submit-jobs.ts';
import { cancelJobsById } from '../../src/jobs/store/changes.ts';
import { storeRuns } from '../../src/jobs/store/leases.ts';
import { moveRuns } from '../../src/jobs/store/run-moves.ts';
import { returnLeases } from '../../src/jobs/store/runs.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { untilLocked } from '../support/waiting.ts';
import { newJob } from './stage.ts';

let app: App;
let tenantId: string;
let queue: { id: string; tenantId: string };
let userId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  queue = await db.queue.create({ data: { id: newId(), tenantId, name: 'races' } });
  userId = (await db.user.findFirstOrThrow({ where: { username: 'admin' } })).id;
});
afterAll(() => app.stop());

const caller = () => systemCaller(tenantId, userId);
const job = (clientId: string | null = null) => newJob({ clientId });
/** A separate job set with this many jobs. */
async function submitted(count: number) {
  const ownerId = newId();
  const set = { name: ownerId, ownerId, projectId: null, workflowEntityId: null };
  const jobs = Array.from({ length: count }, () => job());
  return { ownerId, ids: await inTransaction((tx) => submitJobs(caller(), tx, queue, set, jobs)) };
}
const cancel = (ownerId: string) => inTransaction((tx) => cancelJobSet(caller(), tx, ownerId, 'stop'));
const executorId = async (name: string) => (await db.executor.findFirstOrThrow({ where: { name } })).id;
const kindsOf = async (jobId: string) =>
  (await pool.query('select kind from job_events where job_id = $1 order by sequence', [jobId])).rows.map(
    (row) => row.kind,
  );

describe('cancelling while the assigner leases', () => {
  it('ends the run too, and later reports of it do not count', async () => {
    const hands = new Hands(app, 'cancelled');
    await hands.lease({ wait: 'PT0S' });
    const { ownerId, ids } = await submitted(1);
    const [jobId = ''] = ids;
    const executor = await executorId('cancelled');
    const runId = newId();
    let cancelling: Promise<string[]> | undefined;
    await inTransaction(async (tx) => {
      await storeRuns(tx, [{ jobId, executorId: executor, node: null, runId }], 30);
      cancelling = cancel(ownerId);
      await untilLocked();
    });
    expect(await cancelling).toEqual([jobId]);
    expect((await hands.lease({ wait: 'PT0S' })).runs).toEqual([]);
    expect(await hands.report({ run: runId, kind: 'RUNNING' })).toEqual(['FENCED']);
    expect(await kindsOf(jobId)).toEqual(['SUBMITTED', 'QUEUED', 'LEASED', 'CANCELLING', 'CANCELLED']);
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });

  it('leaves no cancelled job with a run that continues, whichever is first', async () => {
    const hands = new Hands(app, 'storm');
    await hands.lease({ maxJobs: 100, wait: 'PT0S' });
    for (let turn = 0; turn < 10; turn += 1) {
      const { ownerId, ids } = await submitted(5);
      await Promise.all([
        assignPool({ tenantId, name: 'default' }, 30),
        cancel(ownerId),
        hands.lease({ maxJobs: 100, wait: 'PT0S' }),
      ]);
      const { rows } = await pool.query(
        `select 1 from jobs join job_runs on job_runs.job_id = jobs.id
          where jobs.id = any($1) and jobs.ended_at is not null and job_runs.ended_at is null`,
        [ids],
      );
      expect(rows).toEqual([]);
      await cancel(ownerId);
    }
    hands.known.clear();
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });
});

describe('statements on the same runs', () => {
  it('neither deadlock nor fail', async () => {
    const hands = new Hands(app, 'circle');
    await hands.lease({ maxJobs: 100, wait: 'PT0S' });
    const executor = await executorId('circle');
    const service = (await db.user.findFirstOrThrow({ where: { username: 'local-executor' } })).id;
    for (let turn = 0; turn < 5; turn += 1) {
      const sets = await Promise.all([submitted(20), submitted(20)]);
      const runs = sets
        .flatMap((set) => set.ids)
        .map((jobId) => ({ jobId, executorId: executor, node: null, runId: newId() }));
      await inTransaction((tx) => storeRuns(tx, runs, 30));
      const known = runs.map((run) => run.runId);
      const turned = [...known].reverse();
      const endings = turned.map((runId, position) => ({ position, runId, reason: 'x', attempted: false }));
      const beat = () =>
        app.ask(
          `mutation ($known: [ID!]!) { leaseJobs(input: { executor: "circle", knownRuns: $known, maxJobs: 0 }) {
             ... on LeaseJobsPayload { cancelRuns } } }`,
          { known: turned },
          app.executor,
        );
      const [one, two] = await Promise.all([
        beat(),
        beat(),
        returnLeases({ tenantId, userId: service }, endings),
        ...sets.map((set) => cancel(set.ownerId)),
      ]);
      expect([one?.errors, two?.errors]).toEqual([undefined, undefined]);
    }
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });

  it('number their events without gap or repeat when they report, assign and cancel at the same time', async () => {
    const service = (await db.user.findFirstOrThrow({ where: { username: 'local-executor' } })).id;
    const hands = new Hands(app, 'crowd');
    await hands.lease({ maxJobs: 100, wait: 'PT0S' });
    const executor = await executorId('crowd');
    const newRuns = (ids: readonly string[]) =>
      ids.map((jobId) => ({ jobId, executorId: executor, node: null, runId: newId() }));
    for (let turn = 0; turn < 5; turn += 1) {
      const sets = await Promise.all([submitted(30), submitted(30)]);
      const thirds = [0, 10, 20].map((at) => sets.flatMap(({ ids }) => ids.slice(at, at + 10)));
      const [begun, fresh, stopped] = thirds as [string[], string[], string[]];
      const runs = newRuns(begun);
      await inTransaction((tx) => storeRuns(tx, runs, 30));
      const move = (some: typeof runs) =>
        moveRuns(
          { tenantId, userId: service },
          some.map(({ runId }) => ({
            ...{ runId, to: 'SUCCEEDED', at: new Date().toISOString(), exitCode: 0 },
            ...{ error: null, outputs: null, outputLiterals: null },
          })),
          [],
        );
      await Promise.all([
        move(runs.slice(0, 10)),
        inTransaction((tx) => storeRuns(tx, newRuns(fresh.slice(0, 10).reverse()), 30)),
        move(runs.slice(10).reverse()),
        inTransaction((tx) => storeRuns(tx, newRuns(fresh.slice(10)), 30)),
        ...stopped.map((id) =>
          inTransaction((tx) =>
            cancelJobsById(tx, [id], { reason: null, requestorId: service, states: null }),
          ),
        ),
      ]);
      const { rows } = await pool.query(
        `select max(set.last_sequence) = count(*) and max(event.sequence) = count(*) as "isWhole",
                count(*)::int as count
           from job_sets as set join job_events as event on event.job_set_id = set.id
          where set.owner_id = any($1) group by set.id`,
        [sets.map(({ ownerId }) => ownerId)],
      );
      // SUBMITTED and QUEUED of 30 jobs; LEASED of 20; SUCCEEDED of 10; CANCELLING and CANCELLED of 10.
      const whole = { isWhole: true, count: 60 + 20 + 10 + 20 };
      expect(rows).toEqual([whole, whole]);
    }
  });
});

describe('a job set with an owner', () => {
  const submitTo = (name: string, ownerId: string | null, clientId: string, queueOf = queue) =>
    inTransaction((tx) =>
      submitJobs(caller(), tx, queueOf, { name, ownerId, projectId: null, workflowEntityId: null }, [
        job(clientId),
      ]),
    );
  const end = () =>
    pool.query(`update jobs set state = 'CANCELLED', ended_at = now() where ended_at is null`);

  it('accepts no jobs without its owner, and nobody can make a set with the name of an owner', async () => {
    const { ownerId } = await submitted(1);
    await expect(submitTo(ownerId, newId(), 'forged')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(submitTo(ownerId, null, 'forged')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'jobSet'] }],
    });
    await end();
  });

  it('has client ids of its own, and so has another owner; the other sets of a queue share theirs', async () => {
    const clientId = `${newId()}/0`;
    const [one, other] = [newId(), newId()];
    const ids = [
      await submitTo('free', null, clientId),
      await submitTo('also-free', null, clientId),
      await submitTo(one, one, clientId),
      await submitTo(one, one, clientId),
      await submitTo(other, other, clientId),
    ].flat();
    expect(ids[1]).toBe(ids[0]);
    expect(ids[3]).toBe(ids[2]);
    expect(new Set(ids).size).toBe(3);
    await end();
  });
});

describe('executors of other accounts', () => {
  /** A service account of this tenant. @returns its Authorization header. */
  const service = (tenantId: string, username: string) =>
    newCaller({ tenantId, username, role: 'SYSTEM', scopes: ['executor'] });
  const lease = async (executor: string, authorization: string, knownRuns: string[] = []) => {
    const { data } = await app.ask(
      `mutation ($input: LeaseJobsInput!) { leaseJobs(input: $input) {
         ... on LeaseJobsPayload { runs { id } cancelRuns } ... on Error { code path } } }`,
      { input: { executor, knownRuns, maxJobs: 10 } },
      authorization,
    );
    return data.leaseJobs;
  };

  it('get no jobs of another tenant', async () => {
    const other = await newTenant('other');
    const spy = await service(other, 'spy');
    await lease('spy', spy);
    const { ownerId } = await submitted(3);
    await assignPool({ tenantId, name: 'default' }, 30);
    await assignPool({ tenantId: other, name: 'default' }, 30);
    expect(await lease('spy', spy)).toEqual({ runs: [], cancelRuns: [] });
    await cancel(ownerId);
  });

  it('cannot use the name of another service account, nor report its runs', async () => {
    const hands = new Hands(app, 'named');
    await hands.lease({ wait: 'PT0S' });
    const { ownerId } = await submitted(1);
    await assignPool({ tenantId, name: 'default' }, 30);
    const [run] = (await hands.lease({ wait: 'PT0S' })).runs;
    const stranger = await service(tenantId, 'stranger');
    expect(await lease('named', stranger)).toEqual({ code: 'INVALID_ARGUMENT', path: ['input', 'executor'] });
    const { data } = await app.ask(
      `mutation ($run: ID!, $at: DateTime!) {
         renewLeases(input: { runs: [$run] }) { ... on RenewLeasesPayload { held } }
         returnLease(input: { run: $run, reason: "mine", attempted: true }) { ... on ReturnLeasePayload { returned } }
         reportJobEvents(input: { events: [{ run: $run, kind: RUNNING, occurredAt: $at }] }) { ... on ReportJobEventsPayload { outcomes } }
         reportRunLog(input: { run: $run, chunks: [{ sequence: 0, stream: STDOUT, text: "x", printedAt: $at }] }) { ... on ReportRunLogPayload { stored } }
       }`,
      { run: run?.id, at: new Date().toISOString() },
      stranger,
    );
    expect(data).toEqual({
      renewLeases: { held: [] },
      returnLease: { returned: false },
      reportJobEvents: { outcomes: ['FENCED'] },
      reportRunLog: { stored: 0 },
    });
    await cancel(ownerId);
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });
});

describe('the log of a run', () => {
  it('is stored up to its limit, each chunk once, and read in order', async () => {
    const hands = new Hands(app, 'logger');
    await hands.lease({ wait: 'PT0S' });
    const { ownerId } = await submitted(1);
    await assignPool({ tenantId, name: 'default' }, 30);
    const [run] = (await hands.lease({ wait: 'PT0S' })).runs;
    const say = async (chunks: object[]) => {
      const { data } = await app.ask(
        `mutation ($input: ReportRunLogInput!) { reportRunLog(input: $input) { ... on ReportRunLogPayload { stored } } }`,
        {
          input: {
            run: run?.id,
            chunks: chunks.map((chunk) => ({
              stream: 'STDOUT',
              printedAt: new Date().toISOString(),
              ...chunk,
            })),
          },
        },
        app.executor,
      );
      return data.reportRunLog.stored;
    };
    expect(
      await say([
        { sequence: 0, text: 'one\n' },
        { sequence: 1, text: 'zw\u0000ei\n' },
      ]),
    ).toBe(2);
    expect(
      await say([
        { sequence: 1, text: 'again' },
        { sequence: 2, text: 'drei\n' },
      ]),
    ).toBe(1);
    const large = Array.from({ length: 40 }, (_, index) => ({
      sequence: 3 + index,
      text: 'x'.repeat(60_000),
    }));
    expect(await say(large)).toBe(34);
    expect(await say([{ sequence: 100, text: 'x'.repeat(60_000) }])).toBe(0);
    const { data } = await app.ask(
      'query ($id: ID!) { jobRun(by: { id: $id }) { log(first: 3) { sequence stream text } } }',
      { id: run?.id },
    );
    expect(data.jobRun.log).toEqual([
      { sequence: 0, stream: 'STDOUT', text: 'one\n' },
      { sequence: 1, stream: 'STDOUT', text: 'zw\uFFFDei\n' },
      { sequence: 2, stream: 'STDOUT', text: 'drei\n' },
    ]);
    await cancel(ownerId);
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });
});
