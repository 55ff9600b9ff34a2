/** What executors may report, up to each limit and one past it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportJobEvents } from '../../src/jobs/commands/report-job-events.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { controlPlaneConfig } from '../../src/platform/config/control-plane.ts';
import { pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { newJob, runOf, Stage } from './stage.ts';

let app: App;
let stage: Stage;
let hands: Hands;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
  hands = new Hands(app, 'reporter');
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

/** The outcome of one report about a run that does not exist: FENCED if the report itself is accepted. */
const report = async (event: object): Promise<Answer> => await hands.report({ run: newId(), ...event });
const error = { code: 'NonZeroExit', message: 'it broke', kind: 'USER' };
const outputsOf = (bytes: number) => ({ y: 'x'.repeat(bytes - '{"y":""}'.length) });

describe('a report', () => {
  it.each([
    ['at the first instant of 1970', { kind: 'RUNNING', occurredAt: '1970-01-01T00:00:00Z' }],
    ['at the last one of 9999', { kind: 'RUNNING', occurredAt: '9999-12-31T23:59:59.999Z' }],
    ['without outputs', { kind: 'SUCCEEDED', outputs: null, error: null, exitCode: null }],
    ['with no outputs', { kind: 'SUCCEEDED', outputs: {} }],
    ['of a failure', { kind: 'FAILED', error }],
  ])('is accepted %s', async (_what, event) => {
    expect(await report(event)).toEqual(['FENCED']);
  });

  it.each([
    ['a failure without an error', { kind: 'FAILED' }, 'error'],
    ['an error without a failure', { kind: 'RUNNING', error }, 'error'],
    ['outputs without a success', { kind: 'RUNNING', outputs: {} }, 'outputs'],
    ['outputs that are a text', { kind: 'SUCCEEDED', outputs: 'y' }, 'outputs'],
    ['outputs that are a list', { kind: 'SUCCEEDED', outputs: [] }, 'outputs'],
    ['literals without a success', { kind: 'RUNNING', outputLiterals: {} }, 'outputLiterals'],
    ['literals that are a list', { kind: 'SUCCEEDED', outputLiterals: [] }, 'outputLiterals'],
    [
      'literals that cannot be stored',
      { kind: 'SUCCEEDED', outputLiterals: { y: '\u0000' } },
      'outputLiterals',
    ],
    ['outputs that cannot be stored', { kind: 'SUCCEEDED', outputs: { y: 'a\u0000' } }, 'outputs'],
    ['a run that is no id', { kind: 'RUNNING', run: 'nonsense' }, 'run'],
  ])('is refused with %s', async (_what, event, field) => {
    expect(await report(event)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'events', '0', field],
    });
  });

  it('may have outputs up to the limit in bytes', async () => {
    const limit = controlPlaneConfig.outputLimitBytes;
    expect(await report({ kind: 'SUCCEEDED', outputs: outputsOf(limit) })).toEqual(['FENCED']);
    expect(await report({ kind: 'SUCCEEDED', outputs: outputsOf(limit + 1) })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
  });

  // By default, the body of a request may not be this large.
  it('may have outputs as literals up to four times the limit', async () => {
    const caller = systemCaller(newId(), newId());
    const one = {
      runId: newId(),
      kind: 'SUCCEEDED',
      occurredAt: new Date(),
      exitCode: 0,
      error: null,
    } as const;
    const reporting = (bytes: number) =>
      reportJobEvents(caller, [{ ...one, outputs: {}, outputLiterals: outputsOf(bytes) }], {
        outputLimitBytes: 100,
        leaseSeconds: 1,
      });
    expect(await reporting(400)).toEqual(['FENCED']);
    await expect(reporting(401)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('comes with at most 500 others', async () => {
    const events = Array.from({ length: 501 }, () => ({ run: newId(), kind: 'RUNNING' }));
    expect(await hands.report(...events.slice(1))).toHaveLength(500);
    expect(await hands.report(...events)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'events'],
    });
  });

  it('takes one statement, with reports about other runs', async () => {
    const { hands: busy, runs } = await stage.lease('busy', 3);
    const { statements } = await countStatements(() =>
      busy.report(...runs.map(({ id }) => ({ run: id, kind: 'RUNNING' }))),
    );
    expect(statements.filter((text) => text.includes('job_runs'))).toHaveLength(1);
  });

  it('of a failure keeps the exit code, and 255 characters of the code of its error', async () => {
    const { hands: failing, runs } = await stage.lease('failing');
    const [run] = runs as [Run];
    await failing.report({
      run: run.id,
      kind: 'FAILED',
      exitCode: 7,
      error: { ...error, code: 'c'.repeat(256) },
    });
    const { data } = await app.ask(
      'query ($id: ID!) { jobRun(by: { id: $id }) { state exitCode error { code message } } }',
      { id: run.id },
    );
    expect(data.jobRun).toEqual({
      state: 'FAILED',
      exitCode: 7,
      error: { code: 'c'.repeat(255), message: 'it broke' },
    });
  });
});

describe('the reason of a returned lease', () => {
  it('is kept up to 512 characters, with those replaced that cannot be stored', async () => {
    const { runs } = await stage.lease('returning');
    const [run] = runs as [Run];
    const input = { run: run.id, reason: `\u0000${'r'.repeat(512)}`, attempted: false };
    expect((await mutate(app, 'returnLease', input, 'returned', app.executor)).returned).toBe(true);
    const { rows } = await pool.query(
      `select detail->>'reason' as reason from job_events where run_id = $1 and kind = 'LEASE_RETURNED'`,
      [run.id],
    );
    expect(rows).toEqual([{ reason: `\uFFFD${'r'.repeat(511)}` }]);
  });
});

describe('the log of a run', () => {
  const CHUNK = 64 * 1024;
  const say = (run: string, chunks: readonly object[]): Promise<Answer> =>
    mutate(
      app,
      'reportRunLog',
      {
        run,
        chunks: chunks.map((chunk) => ({ stream: 'STDOUT', printedAt: new Date().toISOString(), ...chunk })),
      },
      'stored',
      app.executor,
    );
  const pieces = (count: number, text = 'x') =>
    Array.from({ length: count }, (_, sequence) => ({ sequence, text }));

  it.each([
    ['200 pieces', pieces(200), 'stored', 0],
    ['a piece of 64 KiB', pieces(1, 'x'.repeat(CHUNK)), 'stored', 0],
    ['201 pieces', pieces(201), 'path', ['input', 'chunks']],
    ['a longer piece', pieces(1, 'x'.repeat(CHUNK + 1)), 'path', ['input', 'chunks', '0', 'text']],
    ['a negative number', [{ sequence: -1, text: 'x' }], 'path', ['input', 'chunks', '0', 'sequence']],
  ])('is reported with %s', async (_what, chunks, field, expected) => {
    expect((await say(newId(), chunks))[field]).toEqual(expected);
  });

  it('is stored up to 2 MiB', async () => {
    const { runs } = await stage.lease('full');
    const [run] = runs as [Run];
    const chunks = pieces(33, 'x'.repeat(CHUNK));
    expect((await say(run.id, chunks)).stored).toBe(32);
    expect((await say(run.id, [{ sequence: 32, text: 'x' }])).stored).toBe(0);
    expect((await runOf(run)).logBytes).toBe(2 * 1024 * 1024);
  });

  it('is read from any piece on, 100 pieces by default and at most 1000', async () => {
    const { runs } = await stage.lease('wordy');
    const [run] = runs as [Run];
    await pool.query(
      `insert into job_run_logs (run_id, sequence, tenant_id, stream, text, created_at)
       select $1, n, $2, 'STDOUT', 'line', now() from generate_series(0, 1000) as n`,
      [run.id, stage.tenantId],
    );
    const read = async (args: string) => {
      const { data, errors } = await app.ask(
        `query ($id: ID!) { jobRun(by: { id: $id }) { log${args} { sequence } } }`,
        { id: run.id },
      );
      if (errors) return errors.map(({ extensions }) => extensions.code);
      const numbers = data.jobRun.log.map((chunk: { sequence: number }) => chunk.sequence);
      return [numbers[0], numbers.at(-1)];
    };
    expect(await read('')).toEqual([0, 99]);
    expect(await read('(after: null)')).toEqual([0, 99]);
    expect(await read('(after: 7, first: 1)')).toEqual([8, 8]);
    expect(await read('(first: 1000)')).toEqual([0, 999]);
    for (const args of ['(first: 0)', '(first: 1001)', '(first: null)'])
      expect(await read(args)).toEqual(['INVALID_ARGUMENT']);
  });
});

describe('the runs of a job', () => {
  it('are the newest 100, newest first', async () => {
    const { ids } = await stage.submit(newJob());
    const executor = await pool.query('select id from executors limit 1');
    const runIds = Array.from({ length: 102 }, newId);
    // Each pair was leased at the same time.
    await pool.query(
      `insert into job_runs (id, tenant_id, job_id, job_set_id, queue_id, shape, executor_id, state, leased_at,
                             lease_expires_at, ended_at)
       select one.id, $2, job.id, job.job_set_id, job.queue_id, job.shape, $4, 'LEASE_RETURNED',
              now() + (number - 1) / 2 * interval '1 second', now(), now()
         from unnest($1::uuid[]) with ordinality as one(id, number) join jobs as job on job.id = $3`,
      [runIds, stage.tenantId, ids[0], executor.rows[0].id],
    );
    const { data } = await app.ask('query ($id: ID!) { job(by: { id: $id }) { runs { id } } }', {
      id: ids[0],
    });
    expect(data.job.runs.map(({ id }: { id: string }) => id)).toEqual(runIds.toReversed().slice(0, 100));
  });
});
