/** How often a password may be guessed, over HTTP and behind a proxy. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type App, basic, startApp } from '../../support/app.ts';
import { createUser } from '../../support/people.ts';
import { newUser, tokenOf } from '../../support/users.ts';
import { overWebSocket } from '../../support/watch.ts';

const verify = vi.hoisted(() => {
  process.env['TRUSTED_PROXIES'] = '127.0.0.1';
  process.env['SIGN_IN_ATTEMPTS_PER_ACCOUNT'] = '5';
  process.env['SIGN_IN_ATTEMPTS_PER_ADDRESS'] = '20';
  return vi.fn();
});
vi.mock('@node-rs/argon2', async (original) => {
  const argon2 = await original<typeof import('@node-rs/argon2')>();
  verify.mockImplementation(argon2.verify);
  return { ...argon2, verify };
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

async function ask(authorization: string, from: string) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, 'x-forwarded-for': from },
    body: JSON.stringify({ query: '{ viewer { username } }' }),
  });
  const body = await response.json();
  const retryAfter = Number(response.headers.get('retry-after'));
  return { status: response.status, retryAfter, body };
}
const statuses = async (authorizations: readonly string[], from: string) => {
  const found: number[] = [];
  for (const authorization of authorizations) found.push((await ask(authorization, from)).status);
  return found;
};

describe('sign-ins that fail', () => {
  it('are limited for each account and network, before a password is hashed', async () => {
    (await createUser(app, { username: 'ada', password: 'the password of ada' })).user;
    const right = basic('ada', 'the password of ada');
    for (let at = 0; at < 5; at += 1)
      expect((await ask(basic(at % 2 ? 'ada' : 'ADA', `guess ${at}`), '192.0.2.1')).status).toBe(401);
    verify.mockClear();
    const refused = await ask(right, '192.0.2.1');
    expect(refused).toMatchObject({
      status: 429,
      body: { errors: [{ extensions: { code: 'RESOURCE_EXHAUSTED' } }] },
    });
    expect(refused.retryAfter).toBeGreaterThan(290);
    expect(refused.retryAfter).toBeLessThanOrEqual(300);
    expect(verify).not.toHaveBeenCalled();
    // A caller with a token continues, and the owner signs in from elsewhere.
    expect((await ask(app.admin, '192.0.2.1')).status).toBe(200);
    expect((await ask(right, '192.0.2.2')).status).toBe(200);
    // A right password that is remembered works from every network.
    expect((await ask(right, '192.0.2.1')).status).toBe(200);
  });

  it('are counted together for all spellings of an account, and for its current password in updateUserPassword', async () => {
    await newUser({ username: 'grace', password: 'the password of grace' });
    const token = await tokenOf(app, basic('grace', 'the password of grace'));
    const from = '192.0.2.77';
    expect(await statuses([basic('default/grace', 'a'), basic('grace', 'b')], from)).toEqual([401, 401]);
    const change = async () => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: token, 'x-forwarded-for': from },
        body: JSON.stringify({
          query: `mutation ($input: UpdateUserPasswordInput!) {
            updateUserPassword(input: $input) { ... on Error { code } } }`,
          variables: { input: { password: 'another good one', currentPassword: 'a guess of it' } },
        }),
      });
      return (await response.json()).data.updateUserPassword.code;
    };
    expect([await change(), await change(), await change()]).toEqual(Array(3).fill('INVALID_ARGUMENT'));
    expect(await change()).toBe('RESOURCE_EXHAUSTED');
    expect(await statuses([basic('GRACE', 'c'), basic('default/grace', 'd')], from)).toEqual([429, 429]);
  });

  it('get the same answers for an account that exists as for one that does not', async () => {
    await newUser({ username: 'eve', password: 'the password of eve' });
    const outcomes = [];
    for (const [at, name] of ['eve', 'nobody'].entries()) {
      const from = `203.0.113.${at}`;
      const wrong = [
        ...Array(3).fill(basic(name, 'wrong')),
        ...Array(3).fill(basic(`default/${name}`, 'wrong')),
      ];
      const found = await statuses(wrong, from);
      const { retryAfter, ...last } = await ask(basic(name, 'wrong'), from);
      expect(retryAfter).toBeGreaterThan(290);
      outcomes.push([found, last]);
    }
    expect(outcomes[0]?.[0]).toEqual([401, 401, 401, 401, 401, 429]);
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('never block an access key with its right secret, even after failures', async () => {
    const { accessKey } = app.secrets.executor;
    const from = '203.0.113.200';
    const guesses = Array.from({ length: 21 }, (_, at) => basic(`guess-${at}`, 'wrong'));
    expect(await statuses(guesses, from)).toEqual([...Array(20).fill(401), 429]);
    for (const key of [accessKey, 'Z'.repeat(30)])
      expect(await statuses(Array(6).fill(basic(key, 'wrong')), from)).toEqual(Array(6).fill(401));
    expect((await ask(app.executor, from)).status).toBe(200);
    const { authorization } = await newUser({ role: 'USER' });
    const found = await Promise.all(Array.from({ length: 150 }, () => ask(authorization, from)));
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('are limited for each address over all accounts', async () => {
    const guesses = Array.from({ length: 21 }, (_, at) => basic(`somebody-${at}`, 'wrong'));
    expect(await statuses(guesses, '198.51.100.7')).toEqual([...Array(20).fill(401), 429]);
    // A longer header does not help the caller, and nobody else is refused.
    expect(await statuses([basic('another', 'wrong')], '1.2.3.4, 198.51.100.7')).toEqual([429]);
    expect(await statuses([basic('another', 'wrong')], '198.51.100.8')).toEqual([401]);
  });

  it('allow no more guesses when they are sent at the same time, over every way to sign in', async () => {
    await newUser({ username: 'mallory', password: 'the password of mallory' });
    verify.mockClear();
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.99' };
    // The same guess sent several times at once would be checked only once.
    const session = (password: string) =>
      fetch(`${app.url}/session`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ username: 'mallory', password }),
      });
    const guesses = Array.from({ length: 10 }, (_, at) => [
      ask(basic('mallory', `wrong-${at}`), '203.0.113.99'),
      session(`bad-${at}`),
    ]).flat();
    const found = (await Promise.all<{ status: number }>(guesses)).map(({ status }) => status);
    expect(found.filter((status) => status === 401)).toHaveLength(5);
    expect(found.filter((status) => status === 429)).toHaveLength(15);
    expect(verify).toHaveBeenCalledTimes(5);
    // A WebSocket of this test comes directly from this machine.
    const overSocket = (at: number) =>
      overWebSocket(app, '{ viewer { username } }', {}, basic('mallory', `wrong ${at}`)).catch(
        ({ code }) => code,
      );
    for (let at = 0; at < 5; at += 1) expect(await overSocket(at)).toBe(4403);
    expect(await overSocket(5)).toBe(1013);
  });

  it('do not count when the password is right, however many are sent at the same time', async () => {
    await newUser({ username: 'busy', password: 'the password of busy' });
    const right = basic('busy', 'the password of busy');
    const found = await Promise.all(Array.from({ length: 30 }, () => ask(right, '203.0.113.50')));
    expect(found.map(({ status }) => status)).toEqual(Array(30).fill(200));
  });
});
