/** What one server ends is over on every other within a second, whether or not it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AccessEvent, AccessFeed } from '../../src/authorization/feed.ts';
import { recordAccessChange, sweepAccessChanges } from '../../src/authorization/store/changes.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { newKey, tokenOf } from '../support/credentials.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { eventually } from '../support/seed.ts';
import { changeUser } from '../support/users.ts';

/** The feed's looks of this process, which a test can break. The second server's are its own. */
const looks = vi.hoisted(() => ({ fail: false, delayMs: 0, count: 0 }));
vi.mock('../../src/authorization/store/changes.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/authorization/store/changes.ts')>();
  return {
    ...original,
    readAccessNews: async (after: bigint) => {
      looks.count += 1;
      if (looks.fail) throw new Error('the feed is broken');
      const news = await original.readAccessNews(after);
      if (looks.delayMs > 0) await sleep(looks.delayMs);
      return news;
    },
  };
});

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

/** Until the second server refuses it. @returns how long that took. */
async function msUntilRefused(authorization: string): Promise<number> {
  const since = performance.now();
  await eventually(
    () => second.statusFor(authorization),
    (status) => status === 401,
    5,
  );
  return performance.now() - since;
}

/** A change by hand that nobody is told of: as if the notification were lost. */
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

describe('a token that is known to two servers dies on both', () => {
  const ends: [string, (token: string, key: Awaited<ReturnType<typeof newKey>>) => Promise<unknown>][] = [
    ['logout', (token) => app.ask('mutation { logout { __typename } }', {}, token)],
    [
      'the revocation of its access key',
      (_token, { accessKey, authorization }) =>
        app.ask(
          'mutation ($input: RevokeCredentialsInput!) { revokeCredentials(input: $input) { __typename } }',
          { input: { accessKey } },
          authorization,
        ),
    ],
    ['a new password', (_token, { username }) => changeUser(username, { version: { increment: 1 } })],
    ['disabling its user', (_token, { username }) => changeUser(username, { disabledAt: new Date() })],
  ];

  it.each(ends)('by %s: here at once, there within a second', async (_name, end) => {
    const key = await newKey({ role: 'USER' });
    const token = await tokenOf(app, key.authorization);
    const other = await tokenOf(app, key.authorization);
    expect([await viewerStatus(token), await second.statusFor(token)]).toEqual([200, 200]);
    await end(token, key);
    expect(await viewerStatus(token)).toBe(401);
    expect(await msUntilRefused(token)).toBeLessThan(1000);
    // Logging out ends one session, the rest ends all.
    expect(await viewerStatus(other)).toBe(_name === 'logout' ? 200 : 401);
  });

  it.each([
    ['an ended session', "insert into revoked_sessions values ($2, $3, $1, now() + interval '1 day')"],
    ['a revoked access key', 'update credentials set revoked_at = now() where user_id = $1'],
    ['a disabled user', 'update users set disabled_at = now() where id = $1'],
  ])('by %s that nobody was told of, within a second', async (_name, sql) => {
    const key = await newKey({ role: 'USER' });
    const token = await tokenOf(app, key.authorization);
    expect([await viewerStatus(token), await second.statusFor(token)]).toEqual([200, 200]);
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const values = sql.includes('$2') ? [key.userId, sid, tenantId] : [key.userId];
    await silently(sql, values, key.userId);
    const since = performance.now();
    expect(await msUntilRefused(token)).toBeLessThan(1000);
    await eventually(
      () => viewerStatus(token),
      (status) => status === 401,
    );
    expect(performance.now() - since).toBeLessThan(1000);
  });
});

describe('while the feed does not answer', () => {
  it('the database is asked, and the first look afterwards tells what was missed', async () => {
    const { authorization, userId } = await newKey({ role: 'USER' });
    const token = await tokenOf(app, authorization);
    expect(await viewerStatus(token)).toBe(200);
    looks.fail = true;
    await eventually(
      async () => looks.count,
      (count) => count > 0,
    );
    await sleep(500);
    await db.user.update({ where: { id: userId }, data: { disabledAt: new Date() } });
    expect(await viewerStatus(token)).toBe(401);
    looks.fail = false;
    await db.user.update({ where: { id: userId }, data: { disabledAt: null } });
    expect(await viewerStatus(token)).toBe(200);
  });

  it('whoever listens is told that anything may have changed', async () => {
    const feed = new AccessFeed();
    const stop = await feed.start();
    const told: AccessEvent[] = [];
    feed.on((event) => told.push(event));
    looks.fail = true;
    await eventually(
      async () => told,
      (events) => events.includes('ANYTHING'),
      10,
    );
    expect(feed.isFresh).toBe(false);
    looks.fail = false;
    await feed.catchUp();
    expect(feed.isFresh).toBe(true);
    await stop();
    expect(feed.isFresh).toBe(false);
  });
});

describe('the feed', () => {
  const change = (userId: string) => ({ tenantId, userId, kind: 'PRINCIPAL' as const });

  it('tells each change once and in order, all that was committed before `catchUp`', async () => {
    const feed = new AccessFeed();
    const stop = await feed.start();
    const told: AccessEvent[] = [];
    feed.on((event) => told.push(event));
    looks.delayMs = 50;
    const users = Array.from({ length: 20 }, newId);
    await Promise.all(
      users.map((id) => inTransaction((tx) => recordAccessChange(tx, change(id))).then(() => feed.catchUp())),
    );
    looks.delayMs = 0;
    const ids = told.map((event) => event !== 'ANYTHING' && event.userId);
    expect(ids).toHaveLength(20);
    expect(new Set(ids)).toEqual(new Set(users));
    await stop();
  });

  it('tells that anything may have changed when changes are missing, or too many', async () => {
    const feed = new AccessFeed();
    const stop = await feed.start();
    const told: AccessEvent[] = [];
    feed.on((event) => told.push(event));
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
    const userId = newId();
    await inTransaction((tx) => recordAccessChange(tx, change(userId)));
    await feed.catchUp();
    expect(told.slice(2)).toEqual([change(userId)]);
    await stop();
  });

  it('is not told of what was rolled back', async () => {
    const before = looks.count;
    const failing = inTransaction(async (tx) => {
      await recordAccessChange(tx, change(newId()));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const { rows } = await pool.query(
      'select count(*)::int from access_changes where version > (select version from access_clock)',
    );
    expect(rows[0].count).toBe(0);
    expect(looks.count - before).toBeLessThan(3);
  });

  it('is swept of what is older than an hour', async () => {
    await pool.query(
      `update access_changes set created_at = now() - interval '2 hours' where kind = 'GRANT'`,
    );
    await sweepAccessChanges();
    const { rows } = await pool.query('select kind from access_changes group by kind');
    expect(rows).toEqual([{ kind: 'PRINCIPAL' }]);
  });
});
