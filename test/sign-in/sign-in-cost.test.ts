/** The cost of signing in: the test counts statements and hashes, never the time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { flushDenials } from '../../src/authorization/audit.ts';
import { hashPassword } from '../../src/identity/passwords.ts';
import { db } from '../../src/platform/database/client.ts';
import { flushKeyUses } from '../../src/sign-in/key-uses.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { countStatements } from '../support/statements.ts';
import { changeUser, newTenant, newUser, tokenOf } from '../support/users.ts';

const hashing = vi.hoisted(() => {
  // Other tests check the limit of guesses. This one counts their cost.
  process.env['SIGN_IN_ATTEMPTS_PER_ACCOUNT'] = '1000';
  return { count: 0 };
});
vi.mock('@node-rs/argon2', async (importOriginal) => {
  const original = await importOriginal<typeof import('@node-rs/argon2')>();
  const counted =
    <Args extends unknown[], Result>(work: (...args: Args) => Result) =>
    (...args: Args) => {
      hashing.count += 1;
      return work(...args);
    };
  return { ...original, hash: counted(original.hash), verify: counted(original.verify) };
});

let app: App;
let password: string;
let admin: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  password = app.secrets.administrator.password;
  admin = basic('admin', password);
});
afterAll(() => app.stop());
beforeEach(() => {
  hashing.count = 0;
});

const statusOf = async (authorization: string) =>
  (await app.ask('{ viewer { id } }', {}, authorization)).status;

const newPerson = async (username: string, password: string, tenantId?: string) =>
  (await newUser({ username, password, tenantId })).id;

describe('a password', () => {
  it('is hashed for the first of 200 requests only', async () => {
    await newPerson('frequent', 'a password that is often sent');
    hashing.count = 0;
    const header = basic('frequent', 'a password that is often sent');
    expect(await statusOf(header)).toBe(200);
    expect(hashing.count).toBe(1);
    const statuses = new Set<number>();
    for (let request = 0; request < 200; request += 1) statuses.add(await statusOf(header));
    expect([...statuses]).toEqual([200]);
    expect(hashing.count).toBe(1);
  });

  it('is remembered as right for a minute', async () => {
    await newPerson('remembered', 'a password for a minute');
    stopClocks('Date');
    const start = Date.now();
    const header = basic('remembered', 'a password for a minute');
    hashing.count = 0;
    for (const [moment, count] of [
      [0, 1],
      [59_999, 1],
      [60_000, 2],
    ] as const) {
      vi.setSystemTime(start + moment);
      expect([moment, await statusOf(header), hashing.count]).toEqual([moment, 200, count]);
    }
  });

  it('takes the same work when it is wrong for an existing, an absent, an ambiguous and a disabled user', async () => {
    await newPerson('twin', 'the password of one twin', await newTenant('castor'));
    await newPerson('twin', 'the password of another', await newTenant('twins'));
    await newPerson('gone', 'the password of gone');
    await changeUser('gone', { disabledAt: new Date() });
    const costs: [number, number, number][] = [];
    for (const header of [
      basic('admin', 'wrong'),
      basic('nobody', 'wrong'),
      basic('twin', 'the password of one twin'),
      basic('gone', 'the password of gone'),
      basic('twins/nobody', 'wrong'),
      basic('no-tenant/admin', password),
    ]) {
      hashing.count = 0;
      const { result, statements } = await countStatements(() => statusOf(header));
      costs.push([result, hashing.count, statements.filter((text) => !text.includes('audit_events')).length]);
    }
    expect(costs).toEqual(costs.map(() => [401, 1, 1]));
  });

  it('signs in to the named tenant when two tenants have a user of that name', async () => {
    const tenantId = await newTenant('second tenant');
    const ids = [
      await newPerson('double', 'in the first one'),
      await newPerson('double', 'in the second one', tenantId),
    ];
    const who = async (header: string) => (await app.ask('{ viewer { id } }', {}, header)).data?.viewer.id;
    expect(await who(basic('default/double', 'in the first one'))).toBe(ids[0]);
    expect(await who(basic('second tenant/DOUBLE', 'in the second one'))).toBe(ids[1]);
    // A name without a tenant belongs to the first tenant; no other tenant can interfere.
    expect(await who(basic('double', 'in the first one'))).toBe(ids[0]);
    expect(await statusOf(basic('double', 'in the second one'))).toBe(401);
    expect(await statusOf(basic('default/double', 'in the second one'))).toBe(401);
  });

  it('signs in without a tenant if one active user has the name, or else the user of the first tenant', async () => {
    const [second, third] = [await newTenant('tenant 2'), await newTenant('tenant 3')];
    const who = async (name: string, password: string) =>
      (await app.ask('{ viewer { id } }', {}, basic(name, password))).data?.viewer.id;
    const only = await newPerson('the only one', 'the password of the only one', second);
    expect(await who('the only one', 'the password of the only one')).toBe(only);
    await newPerson('half gone', 'the password of the first', undefined);
    const left = await newPerson('half gone', 'the password of the second', second);
    const [first] = await db.user.findMany({ where: { usernameKey: 'half gone', id: { not: left } } });
    await db.user.update({ where: { id: first?.id ?? '' }, data: { disabledAt: new Date() } });
    expect(await who('half gone', 'the password of the second')).toBe(left);
    const ids = [
      await newPerson('triple', 'in tenant 3', third),
      await newPerson('triple', 'in tenant 2', second),
      await newPerson('triple', 'in the first tenant'),
    ];
    expect(await who('triple', 'in the first tenant')).toBe(ids[2]);
    for (const tenantId of [second, third])
      await newPerson('ambiguous', `the password of ${tenantId}`, tenantId);
    for (const tenantId of [second, third])
      expect(await who('ambiguous', `the password of ${tenantId}`)).toBeUndefined();
  });

  it('is refused at once after it was changed, cached or not', async () => {
    const id = await newPerson('changing', 'the first password');
    const first = basic('changing', 'the first password');
    expect([await statusOf(first), await statusOf(first)]).toEqual([200, 200]);
    const token = await tokenOf(app, first);
    const passwordHash = await hashPassword('the second password');
    await changeUser('changing', { passwordHash, version: { increment: 1 } });
    expect([await statusOf(first), await statusOf(token)]).toEqual([401, 401]);
    expect(await statusOf(basic('changing', 'the second password'))).toBe(200);
    await changeUser('changing', { disabledAt: new Date() });
    expect(await statusOf(basic('changing', 'the second password'))).toBe(401);
    expect(await db.auditEvent.count({ where: { actorId: id, action: 'session:login' } })).toBe(1);
  });

  it('does not sign in when it is changed during the check', async () => {
    await newPerson('racing', 'before the race');
    const passwordHash = await hashPassword('after the race');
    // Asked many times, so that some calls are between the hash and the user when the user changes.
    const tokens: string[] = [];
    const asking = Array.from({ length: 12 }, async (_, turn) => {
      const { status, data } = await app.ask(
        `mutation { login(input: { expiresIn: "PT${turn + 1}H" }) { ... on LoginPayload { token } } }`,
        {},
        basic('racing', 'before the race'),
      );
      if (status === 200) tokens.push(data.login.token);
    });
    await changeUser('racing', { passwordHash, version: { increment: 1 } });
    await Promise.all(asking);
    for (const token of tokens) expect(await statusOf(`Bearer ${token}`)).toBe(401);
    expect(await statusOf(basic('racing', 'before the race'))).toBe(401);
  });

  it('does not sign in with a former name of its user', async () => {
    await newPerson('old-name', 'the same password');
    expect(await statusOf(basic('old-name', 'the same password'))).toBe(200);
    await changeUser('old-name', { username: 'new-name', usernameKey: 'new-name' });
    expect(await statusOf(basic('old-name', 'the same password'))).toBe(401);
    expect(await statusOf(basic('new-name', 'the same password'))).toBe(200);
  });

  it('signs in each of many requests at the same time', async () => {
    await newPerson('eager', 'sent many times at once');
    const header = basic('eager', 'sent many times at once');
    hashing.count = 0;
    const statuses = await Promise.all(Array.from({ length: 130 }, () => statusOf(header)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(hashing.count).toBe(1);
  });
});

describe('a cached sign-in', () => {
  it('takes no statement, whether by token, password or access key', async () => {
    const { authorization } = await newUser({ role: 'USER' });
    const token = await tokenOf(app, authorization);
    for (const header of [token, admin, authorization]) {
      await statusOf(header);
      await flushKeyUses();
      const { statements } = await countStatements(() => app.ask('{ version { version } }', {}, header));
      expect(statements).toEqual([]);
    }
  });

  it('takes no statement for an impersonated user either', async () => {
    const { id: userId } = await newUser({ role: 'USER' });
    const ask = () =>
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: app.admin, 'x-slipway-act-as': userId },
        body: '{"query":"{ version { version } }"}',
      }).then((response) => response.status);
    expect(await ask()).toBe(200);
    const { result, statements } = await countStatements(ask);
    expect([result, statements]).toEqual([200, []]);
  });

  it('is read once for all requests at the same time', async () => {
    const { authorization } = await newUser({ role: 'USER' });
    const token = await tokenOf(app, authorization);
    await changeUser('admin', {});
    const { statements } = await countStatements(() =>
      Promise.all(Array.from({ length: 50 }, () => app.ask('{ version { version } }', {}, token))),
    );
    expect(statements.length).toBeLessThanOrEqual(1);
  });
});

describe('a sign-in that failed', () => {
  it('is in the audit log with the account and a count', async () => {
    const { accessKey, id: userId } = await newUser({ role: 'USER' });
    const id = await newPerson('tried', 'the right password');
    for (let attempt = 0; attempt < 3; attempt += 1) await statusOf(basic('tried', `wrong ${attempt}`));
    await statusOf(basic(accessKey, 'wrong'));
    await flushDenials();
    const failed = (targetId: string) =>
      db.auditEvent.findMany({ where: { targetId, action: 'session:login', outcome: 'DENIED' } });
    const [byPassword, byKey] = [await failed(id), await failed(userId)];
    expect(byPassword.reduce((sum, event) => sum + event.count, 0)).toBe(3);
    expect(byKey).toMatchObject([
      { count: 1, code: 'UNAUTHENTICATED', actorId: null, address: expect.stringContaining('127.0.0.1') },
    ]);
    expect(JSON.stringify([byPassword, byKey])).not.toContain('wrong');
    const good = await newPerson('untried', 'the right password');
    expect(await statusOf(basic('untried', 'the right password'))).toBe(200);
    await flushDenials();
    expect(await failed(good)).toEqual([]);
  });
});
