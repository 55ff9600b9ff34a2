/**
 * When one server ends a sign-in or a right, all other servers know it within a second, with or without a notification.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AccessEvent, AccessFeed, accessFeed } from '../../src/authorization/feed.ts';
import { recordAccessChange, sweepAccessChanges } from '../../src/authorization/store/changes.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { stopClocks, stopStopwatch } from '../support/clock.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { holdAnswers } from '../support/statements.ts';
import { changeUser, newUser, tokenOf, type User } from '../support/users.ts';
import { eventually, hangTable } from '../support/waiting.ts';

let app: App;
let second: SecondServer;
let tenantId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  second = await startSecondServer();
  ({ id: tenantId } = await db.tenant.findFirstOrThrow({ where: { name: 'default' } }));
});
afterAll(async () => {
  await second.stop();
  await app.stop();
});

const viewerStatus = async (authorization: string) =>
  (await app.ask('{ viewer { id } }', {}, authorization)).status;

const isRefusedThere = (authorization: string) =>
  eventually(
    () => second.statusFor(authorization),
    (status) => status === 401,
  );

/** A change by hand without a notification, as if the notification was lost. */
async function silently(sql: string, values: unknown[], userId: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(sql, values);
    await client.query(
      `with tick as (update access_clock set version = version + 1 returning version)
       insert into access_changes (version, tenant_id, user_id, kind)
       select version, $1, $2, 'PRINCIPAL' from tick`,
      [tenantId, userId],
    );
    await client.query('commit');
  } finally {
    client.release();
  }
}

describe('a token that two servers know ends on both', () => {
  const ends: [string, (token: string, key: User) => Promise<unknown>][] = [
    ['logout', (token) => app.ask('mutation { logout { __typename } }', {}, token)],
    [
      'the revocation of its access key',
      (_token, { accessKey, authorization }) =>
        app.ask(
          'mutation ($input: RevokeCredentialsInput!) { revokeCredentials(input: $input) { __typename } }',
          { input: { by: { accessKey } } },
          authorization,
        ),
    ],
    ['a new password', (_token, { username }) => changeUser(username, { version: { increment: 1 } })],
    ['disabling its user', (_token, { username }) => changeUser(username, { disabledAt: new Date() })],
  ];

  it.each(ends)('by %s: before the answer on this server, soon after on the other', async (_name, end) => {
    const key = await newUser({ role: 'USER' });
    const token = await tokenOf(app, key.authorization);
    const other = await tokenOf(app, key.authorization);
    expect([await viewerStatus(token), await second.statusFor(token)]).toEqual([200, 200]);
    await end(token, key);
    expect(await viewerStatus(token)).toBe(401);
    await isRefusedThere(token);
    // Logging out ends one session; the other changes end all sessions.
    expect(await viewerStatus(other)).toBe(_name === 'logout' ? 200 : 401);
  });

  it.each([
    ['an ended session', "insert into revoked_sessions values ($2, $3, $1, now() + interval '1 day')"],
    ['a revoked access key', 'update credentials set revoked_at = now() where user_id = $1'],
    ['a disabled user', 'update users set disabled_at = now() where id = $1'],
  ])('by %s without a notification', async (_name, sql) => {
    const key = await newUser({ role: 'USER' });
    const token = await tokenOf(app, key.authorization);
    expect([await viewerStatus(token), await second.statusFor(token)]).toEqual([200, 200]);
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const values = sql.includes('$2') ? [key.id, sid, tenantId] : [key.id];
    await silently(sql, values, key.id);
    await isRefusedThere(token);
    await eventually(
      () => viewerStatus(token),
      (status) => status === 401,
    );
  });
});

const change = (userId: string) => ({ tenantId, userId, kind: 'PRINCIPAL' as const });

/** A separate feed for this test, and the events that it reported. */
async function startFeed(): Promise<{ feed: AccessFeed; told: AccessEvent[] }> {
  const feed = new AccessFeed();
  const stop = await feed.start();
  onTestFinished(stop);
  const told: AccessEvent[] = [];
  feed.on((event) => told.push(event));
  return { feed, told };
}

/** From here on, the feed cannot learn anything by its timer. */
const stopTheClock = () => stopClocks('performance', 'setInterval', 'clearInterval');

describe('the feed', () => {
  it('hears of a change without waiting for its timer', async () => {
    stopTheClock();
    const { told } = await startFeed();
    const userId = newId();
    await inTransaction((tx) => recordAccessChange(tx, change(userId)));
    await eventually(
      () => told,
      (events) => events.length > 0,
    );
    expect(told).toEqual([change(userId)]);
  });

  it('reads every 400 ms, to find changes without a notification', async () => {
    stopTheClock();
    const { told } = await startFeed();
    const userId = newId();
    await silently('select 1', [], userId);
    vi.advanceTimersByTime(400);
    await eventually(
      () => told,
      (events) => events.length > 0,
    );
    expect(told).toEqual([change(userId)]);
  });

  it('is fresh for a second from the start of its last read, while the next read hangs', async () => {
    stopTheClock();
    const { feed } = await startFeed();
    const release = await hangTable('access_clock');
    vi.advanceTimersByTime(999);
    expect(feed.isFresh).toBe(true);
    vi.advanceTimersByTime(1);
    expect(feed.isFresh).toBe(false);
    await release();
    await feed.catchUp();
    expect(feed.isFresh).toBe(true);
  });

  it('goes on until each of its users has stopped it, however often one of them does', async () => {
    const feed = new AccessFeed();
    const [stop, stopOther] = [await feed.start(), await feed.start()];
    await stop();
    await stop();
    await feed.catchUp();
    expect(feed.isFresh).toBe(true);
    await stopOther();
    expect(feed.isFresh).toBe(false);
  });

  it('is not fresh after a read has failed, nor after it stopped', async () => {
    stopTheClock();
    const feed = new AccessFeed();
    const stop = await feed.start();
    await pool.query('alter table access_clock rename to no_clock');
    vi.advanceTimersByTime(400);
    await eventually(
      () => feed.isFresh,
      (isFresh) => !isFresh,
    );
    await pool.query('alter table no_clock rename to access_clock');
    await feed.catchUp();
    expect(feed.isFresh).toBe(true);
    await stop();
    expect(feed.isFresh).toBe(false);
  });

  it('is not fresh after it stopped, also if a further read was asked for before', async () => {
    const feed = new AccessFeed();
    const stop = await feed.start();
    const answers = holdAnswers(/^select clock\.version as clock, change\./);
    const asked = [feed.catchUp(), feed.catchUp()];
    await eventually(
      () => answers.held,
      (held) => held > 0,
    );
    const stopped = stop();
    answers.release();
    await Promise.all([...asked, stopped]);
    expect(feed.isFresh).toBe(false);
  });

  it('reports at its start that anything may have changed', async () => {
    const feed = new AccessFeed();
    const told: AccessEvent[] = [];
    feed.on((event) => told.push(event));
    onTestFinished(await feed.start());
    expect(told).toEqual(['ANYTHING']);
  });

  it('reports after every three seconds of silence that anything may have changed', async () => {
    stopTheClock();
    const { told } = await startFeed();
    await hangTable('access_clock');
    vi.advanceTimersByTime(3199);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['ANYTHING']);
    vi.advanceTimersByTime(3200);
    expect(told).toEqual(['ANYTHING', 'ANYTHING']);
  });

  it('counts the silence from the start of its last read', async () => {
    stopTheClock();
    const { feed, told } = await startFeed();
    vi.advanceTimersByTime(200);
    await feed.catchUp();
    await hangTable('access_clock');
    vi.advanceTimersByTime(2999);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['ANYTHING']);
  });

  it('reports each change once, whoever reads', async () => {
    const { feed, told } = await startFeed();
    const users = Array.from({ length: 20 }, newId);
    await Promise.all(
      users.map((id) => inTransaction((tx) => recordAccessChange(tx, change(id))).then(() => feed.catchUp())),
    );
    await feed.catchUp();
    expect(told).toHaveLength(20);
    expect(new Set(told.map((event) => event !== 'ANYTHING' && event.userId))).toEqual(new Set(users));
  });

  it('reports changes that were committed during a read', async () => {
    stopTheClock();
    const { feed, told } = await startFeed();
    const answers = holdAnswers(/^select clock\.version as clock, change\./);
    const early = feed.catchUp();
    await eventually(
      () => answers.held,
      (held) => held > 0,
    );
    const userId = newId();
    await silently('select 1', [], userId);
    // The limit of a second is never reached.
    stopClocks('setTimeout');
    const caughtUp = feed.catchUp();
    vi.useRealTimers();
    answers.release();
    await caughtUp;
    expect(told).toEqual([change(userId)]);
    await early;
  });

  it('reports that anything may have changed when changes are missing or too many', async () => {
    const { feed, told } = await startFeed();
    await pool.query('update access_clock set version = version + 3');
    await feed.catchUp();
    expect(told).toEqual(['ANYTHING']);
    await pool.query(
      `with tick as (update access_clock set version = version + 1500 returning version)
       insert into access_changes (version, tenant_id, user_id, kind)
       select version - 1500 + n, $1, null, 'GRANT' from tick, generate_series(1, 1500) as n`,
      [tenantId],
    );
    await feed.catchUp();
    expect(told).toEqual(['ANYTHING', 'ANYTHING']);
    for (const count of [1000, 1001]) {
      told.length = 0;
      await pool.query(
        `with tick as (update access_clock set version = version + $2::int returning version)
         insert into access_changes (version, tenant_id, user_id, kind)
         select version - $2::int + n, $1, null, 'GRANT' from tick, generate_series(1, $2::int) as n`,
        [tenantId, count],
      );
      await feed.catchUp();
      expect(told).toHaveLength(count === 1000 ? 1000 : 1);
    }
    told.length = 0;
    const userId = newId();
    await inTransaction((tx) => recordAccessChange(tx, change(userId)));
    await feed.catchUp();
    expect(told).toEqual([change(userId)]);
  });

  it('does not hear of changes that were rolled back', async () => {
    const { feed, told } = await startFeed();
    const failing = inTransaction(async (tx) => {
      await recordAccessChange(tx, change(newId()));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await feed.catchUp();
    expect(told).toEqual([]);
  });

  it('loses changes that are older than an hour', async () => {
    await pool.query(
      `update access_changes set created_at = now() - interval '2 hours' where kind = 'GRANT'`,
    );
    await sweepAccessChanges();
    const { rows } = await pool.query('select kind::text from access_changes group by kind order by 1');
    expect(rows).toEqual([{ kind: 'PRINCIPAL' }, { kind: 'SIGNING_KEY' }]);
  });
});

describe('a sign-in that is remembered', () => {
  it('is used for one second while the feed hangs; then the database is asked', async () => {
    const { authorization, id: userId } = await newUser({ role: 'USER' });
    const token = await tokenOf(app, authorization);
    expect(await viewerStatus(token)).toBe(200);
    const moveOn = stopStopwatch();
    // However long the read takes, it counts from this moment: the limit of a second is never reached.
    stopClocks('setTimeout');
    const caughtUp = accessFeed.catchUp();
    vi.useRealTimers();
    await caughtUp;
    await hangTable('access_clock');
    await db.user.update({ where: { id: userId }, data: { disabledAt: new Date() } });
    moveOn(999);
    expect(await viewerStatus(token)).toBe(200);
    moveOn(1);
    expect(await viewerStatus(token)).toBe(401);
  });
});
