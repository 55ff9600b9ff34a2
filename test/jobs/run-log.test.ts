/** The subscription to the log of a run, with an executor that the test plays. */
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { watchRunLog } from '../../src/jobs/watch-run-log.ts';
import { pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import type { Hands, Run } from '../support/hands.ts';
import { heard } from '../support/heard.ts';
import { mutate } from '../support/mutate.ts';
import { startSecondServer } from '../support/second-server.ts';
import { countStatements } from '../support/statements.ts';
import { changeUser, newCaller, newUser } from '../support/users.ts';
import { overSse, socketClient } from '../support/watch.ts';
import { retire, Stage } from './stage.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());
beforeEach(() => stage.clear());

const subscription = `subscription ($run: ID!, $after: Int) {
  runLog(run: $run, after: $after) { sequence stream text isCut }
}`;

interface Piece {
  readonly sequence: number;
  readonly text: string;
  readonly isCut?: boolean;
}

/** A run that has begun, and what its executor says about its log. */
async function begin(name: string): Promise<{ hands: Hands; run: Run }> {
  const { hands, runs } = await stage.lease(name);
  const [run] = runs as [Run];
  await hands.start(run);
  return { hands, run };
}

async function say(run: Run, chunks: readonly Piece[], isComplete = false): Promise<number> {
  const printedAt = new Date().toISOString();
  const input = {
    ...{ run: run.id, isComplete },
    chunks: chunks.map((chunk) => ({ stream: 'STDOUT', printedAt, ...chunk })),
  };
  return (await mutate(app, 'reportRunLog', input, 'stored', app.executor)).stored;
}

const pieces = (from: number, to: number): Piece[] =>
  Array.from({ length: to - from }, (_, at) => ({ sequence: from + at, text: `line ${from + at}\n` }));

const watch = (run: string, after?: number, authorization = app.admin) =>
  overSse(app, subscription, { run, after }, authorization);

/** The pieces until the subscription ends, and the code of the refusal if one ends it. */
async function rest(events: AsyncIterable<Answer>): Promise<(number | string)[]> {
  const seen: (number | string)[] = [];
  for await (const { data, errors } of events)
    seen.push(errors ? errors[0].extensions.code : data.runLog.sequence);
  return seen;
}

/** What the subscription tells, until it completes. */
const all = (run: string, after?: number): Promise<(number | string)[]> => rest(watch(run, after));

describe('runLog', () => {
  it('sends what is stored and what comes, until the run has ended and its log is complete', async () => {
    const { hands, run } = await begin('live');
    await say(run, pieces(0, 2));
    const events = watch(run.id);
    const next = async () => (await events.next()).value?.data?.runLog;
    expect(await next()).toEqual({ sequence: 0, stream: 'STDOUT', text: 'line 0\n', isCut: false });
    expect((await next()).sequence).toBe(1);
    await say(run, [{ sequence: 2, text: '[truncated]', isCut: true }]);
    expect(await next()).toMatchObject({ sequence: 2, isCut: true });
    const last = rest(events);
    await hands.succeed(run, {});
    // The last pieces may come after the end of the run.
    await say(run, pieces(3, 4), true);
    expect(await last).toEqual([3]);
    expect(await all(run.id)).toEqual([0, 1, 2, 3]);
    expect(await all(run.id, 1)).toEqual([2, 3]);
    expect(await all(run.id, 3)).toEqual([]);
  });

  it('waits for the end of the run when the log is complete', async () => {
    const { hands, run } = await begin('ordered');
    const ending = rest(watch(run.id));
    await say(run, pieces(0, 1), true);
    let hasEnded = false;
    void ending.then(() => {
      hasEnded = true;
    });
    const second = rest(watch(run.id, 0));
    await hands.report({ run: run.id, kind: 'RUNNING' });
    expect(hasEnded).toBe(false);
    await hands.succeed(run, {});
    expect(await ending).toEqual([0]);
    expect(await second).toEqual([]);
    expect(await say(run, pieces(1, 2))).toBe(0);
  });

  it('completes for a run that ended before it began, and a minute after the end of one that says no more', async () => {
    const { hands, runs } = await stage.lease('unbegun');
    const [unbegun] = runs as [Run];
    await hands.giveBack(unbegun, false);
    expect(await all(unbegun.id)).toEqual([]);

    const { hands: silentHands, run } = await begin('silent');
    await say(run, pieces(0, 1));
    await silentHands.succeed(run, {});
    const iterator = watchRunLog(run.id, { after: -1, signal: new AbortController().signal });
    expect((await iterator.next()).value).toMatchObject({ sequence: 0 });
    await pool.query(`update job_runs set ended_at = now() - interval '61 seconds' where id = $1`, [run.id]);
    expect(await iterator.next()).toEqual({ done: true, value: null });
    await pool.query(`update job_runs set ended_at = now() - interval '30 seconds' where id = $1`, [run.id]);
    const open = watch(run.id);
    expect((await open.next()).value.data.runLog.sequence).toBe(0);
    const last = open.next();
    await pool.query(`update job_runs set ended_at = now() - interval '61 seconds' where id = $1`, [run.id]);
    await pool.query('select pg_notify($1, $2)', ['slipway', `run-log:${run.id}`]);
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('tells where the server has cut the log, and then takes only its end', async () => {
    const { hands, run } = await begin('large');
    const large = Array.from({ length: 33 }, (_, sequence) => ({ sequence, text: 'x'.repeat(64 * 1024) }));
    expect(await say(run, large)).toBe(32);
    expect(await say(run, [{ sequence: 40, text: 'late' }], true)).toBe(0);
    await hands.succeed(run, {});
    const seen: Answer[] = [];
    for await (const { data } of watch(run.id, 30)) seen.push(data.runLog);
    expect(seen.map(({ sequence, isCut }) => [sequence, isCut])).toEqual([
      [31, false],
      [32, true],
    ]);
    expect(seen[1].text).toContain('truncated');
    const { data } = await app.ask(
      'query ($id: ID!) { jobRun(by: { id: $id }) { log(after: 30) { sequence isCut } } }',
      { id: run.id },
    );
    expect(data.jobRun.log).toEqual([
      { sequence: 31, isCut: false },
      { sequence: 32, isCut: true },
    ]);
  });

  it('sends each piece once and in order, although its executor repeats and mixes them up', async () => {
    const { hands, run } = await begin('mixed');
    const watching = rest(watch(run.id));
    for (let from = 0; from < 30; from += 3)
      await Promise.all([
        say(run, pieces(from, from + 3)),
        say(run, pieces(from, from + 3)),
        say(run, pieces(Math.max(0, from - 2), from + 2)),
      ]);
    await say(run, [], true);
    await hands.succeed(run, {});
    const seen = await watching;
    const { rows } = await pool.query(
      'select sequence from job_run_logs where run_id = $1 order by sequence',
      [run.id],
    );
    expect(seen).toEqual(rows.map(({ sequence }) => sequence));
    expect(seen.length).toBeGreaterThan(20);
  });

  it('stores no piece with a lower number than one that somebody may have seen', async () => {
    const { run } = await begin('late');
    expect(await say(run, [{ sequence: 5, text: 'five' }])).toBe(1);
    expect(await say(run, pieces(3, 7))).toBe(1);
    const { rows } = await pool.query('select sequence from job_run_logs where run_id = $1 order by 1', [
      run.id,
    ]);
    expect(rows).toEqual([{ sequence: 5 }, { sequence: 6 }]);
  });

  it('is news when something was stored, or when the log is complete', async () => {
    const { run } = await begin('news');
    const news = `run-log:${run.id}`;
    const told = (work: () => Promise<unknown>) =>
      heard(work).then((all) => all.filter((one) => one === news).length);
    expect(await told(() => say(run, pieces(0, 2)))).toBe(1);
    expect(await told(() => say(run, pieces(0, 2)))).toBe(0);
    expect(await told(() => say(run, [], true))).toBe(1);
    expect(await told(() => say(run, pieces(2, 3), true))).toBe(0);
  });

  it('reads only a part of the log before the watcher wants more', async () => {
    const { run } = await begin('slow');
    await say(
      run,
      Array.from({ length: 30 }, (_, sequence) => ({ sequence, text: 'x'.repeat(60_000) })),
    );
    const { signal } = new AbortController();
    const iterator = watchRunLog(run.id, { after: -1, signal });
    const { statements } = await countStatements(async () => {
      for (let taken = 0; taken < 4; taken += 1) await iterator.next();
    });
    expect(statements.filter((text) => text.includes('job_run_logs'))).toHaveLength(1);
    const { statements: more } = await countStatements(() => iterator.next());
    expect(more.filter((text) => text.includes('job_run_logs'))).toHaveLength(1);
    await iterator.return(null);
  });

  it('continues over new connections, of two clients, to two servers in turn, without gap or repeat', async () => {
    const count = process.env['SOAK'] ? 5000 : 200;
    const other = await startSecondServer();
    try {
      const { hands, run } = await begin('long');
      const seen: number[] = [];
      const printing = (async () => {
        for (let from = 0; from < count; from += 10) await say(run, pieces(from, from + 10));
        await say(run, [], true);
        await hands.succeed(run, {});
      })();
      for (let turn = 0; seen.length < count; turn += 1) {
        const server = turn % 2 === 0 ? app : other;
        const many = Math.min(1 + ((turn * 7) % 23), count - seen.length);
        const take = turn % 3 === 0 ? overSocket : overGraphqlSse;
        seen.push(...(await take(server.url, { run: run.id, after: seen.at(-1) ?? -1 }, many)));
      }
      await printing;
      expect(seen).toEqual(Array.from({ length: count }, (_, at) => at));
      expect(await overGraphqlSse(other.url, { run: run.id, after: count - 2 }, 5)).toEqual([count - 1]);
    } finally {
      await other.stop();
    }
  });

  /** The numbers of so many pieces, or fewer if the subscription completes. */
  type Take = (url: string, variables: Record<string, unknown>, many: number) => Promise<number[]>;
  type Result = { readonly data?: { readonly runLog: { readonly sequence: number } } | null };

  const takeFrom = async (results: AsyncIterable<Result>, many: number) => {
    const numbers: number[] = [];
    for await (const { data } of results) {
      if (data) numbers.push(data.runLog.sequence);
      if (numbers.length === many) break;
    }
    return numbers;
  };
  const overSocket: Take = async (url, variables, many) => {
    const client = socketClient({ url, admin: app.admin });
    try {
      return await takeFrom(
        client.iterate({ query: subscription, variables }) as AsyncIterable<Result>,
        many,
      );
    } finally {
      await client.dispose();
    }
  };
  const overGraphqlSse: Take = async (url, variables, many) => {
    const client = createClient({
      url: `${url}/graphql`,
      headers: { authorization: app.admin },
      retryAttempts: 0,
    });
    try {
      return await takeFrom(
        client.iterate({ query: subscription, variables }) as AsyncIterable<Result>,
        many,
      );
    } finally {
      client.dispose();
    }
  };

  it('is refused for a run that does not exist or is hidden, and for numbers of no piece', async () => {
    const { run } = await begin('hidden');
    await say(run, pieces(0, 3));
    const stranger = await newCaller();
    for (const [id, authorization] of [
      [newId(), app.admin],
      ['x', app.admin],
      [run.id, stranger],
    ] as const)
      expect(await rest(watch(id, undefined, authorization))).toEqual(['NOT_FOUND']);
    for (const after of [-2, 3]) expect(await all(run.id, after)).toEqual(['INVALID_ARGUMENT']);
  });

  it('ends when its caller may not read the job any more', async () => {
    const { run } = await begin('revoked');
    await say(run, pieces(0, 1));
    const { username, authorization } = await newUser({ role: 'USER', level: 'READ' });
    const events = watch(run.id, undefined, authorization);
    expect((await events.next()).value.data.runLog.sequence).toBe(0);
    const last = rest(events);
    await changeUser(username, { defaultLevel: 'NO_PERMISSIONS' });
    expect(await last).toEqual(['NOT_FOUND']);
  });

  it('ends with STREAM_EXPIRED when the log or the run is deleted before everything was sent', async () => {
    const { hands, run } = await begin('gone');
    await say(run, pieces(0, 2));
    const events = watch(run.id);
    await events.next();
    await events.next();
    const last = events.next();
    await hands.succeed(run, {});
    await pool.query('update job_runs set log_deleted_at = now(), log_next = 5 where id = $1', [run.id]);
    await pool.query('delete from job_run_logs where run_id = $1', [run.id]);
    await pool.query('select pg_notify($1, $2)', ['slipway', `run-log:${run.id}`]);
    const expired = [{ extensions: { code: 'FAILED_PRECONDITION', reason: 'STREAM_EXPIRED' } }];
    expect((await last).value.errors).toMatchObject(expired);
    expect((await watch(run.id).next()).value.errors).toMatchObject(expired);
    expect((await watch(run.id, 3).next()).value.errors).toMatchObject(expired);
    expect(await all(run.id, 4)).toEqual([]);

    await stage.clear();
    const { hands: others, run: other } = await begin('gone-too');
    await say(other, pieces(0, 1));
    const open = watch(other.id);
    await open.next();
    const end = open.next();
    await retire(others);
    await pool.query('delete from job_runs where id = $1', [other.id]);
    await pool.query('select pg_notify($1, $2)', ['slipway', `run-log:${other.id}`]);
    expect((await end).value.errors).toMatchObject(expired);
  });
});
