/** How often a password may be guessed, over HTTP and behind a proxy. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type App, basic, startApp } from '../../support/app.ts';
import { signUp } from '../../support/users.ts';
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
  it('are limited per account from wherever they come, before anything is hashed', async () => {
    await signUp(app, 'ada', 'USER');
    const right = basic('ada', 'the password of ada');
    for (let at = 0; at < 5; at += 1)
      expect((await ask(basic(at % 2 ? 'ada' : 'ADA', `guess ${at}`), `192.0.2.${at}`)).status).toBe(401);
    verify.mockClear();
    const refused = await ask(right, '198.51.100.1');
    expect(refused).toMatchObject({
      status: 429,
      body: { errors: [{ extensions: { code: 'RESOURCE_EXHAUSTED' } }] },
    });
    expect(refused.retryAfter).toBeGreaterThan(290);
    expect(refused.retryAfter).toBeLessThanOrEqual(300);
    expect(verify).not.toHaveBeenCalled();
    // Who has a token goes on.
    expect((await ask(app.admin, '192.0.2.1')).status).toBe(200);
  });

  it('look the same of an account that is there, of one that is not, and of an access key', async () => {
    await signUp(app, 'eve', 'USER');
    const { accessKey } = app.secrets.executor;
    const outcomes = [];
    for (const [at, name] of ['eve', 'nobody', accessKey, 'Z'.repeat(30)].entries()) {
      const from = `203.0.113.${at}`;
      const found = await statuses(Array(6).fill(basic(name, 'wrong')), from);
      const { retryAfter, ...last } = await ask(basic(name, 'wrong'), from);
      expect(retryAfter).toBeGreaterThan(290);
      outcomes.push([found, last]);
    }
    expect(outcomes[0]?.[0]).toEqual([401, 401, 401, 401, 401, 429]);
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  });

  it('are limited per address, over all accounts', async () => {
    const guesses = Array.from({ length: 21 }, (_, at) => basic(`somebody-${at}`, 'wrong'));
    expect(await statuses(guesses, '198.51.100.7')).toEqual([...Array(20).fill(401), 429]);
    // Whoever writes more into the header does not get away from it, and nobody else is hit.
    expect(await statuses([basic('another', 'wrong')], '1.2.3.4, 198.51.100.7')).toEqual([429]);
    expect(await statuses([basic('another', 'wrong')], '198.51.100.8')).toEqual([401]);
  });

  it('let no more guesses through when they come all at once, over every door', async () => {
    await signUp(app, 'mallory', 'USER');
    verify.mockClear();
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.99' };
    // One and the same guess, sent often, would be checked but once.
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
    const overSocket = overWebSocket(app, '{ viewer { username } }', {}, basic('mallory', 'wrong'));
    await expect(overSocket).rejects.toMatchObject({ code: 1013 });
  });

  it('are none where the password is right, however many come at once', async () => {
    await signUp(app, 'busy', 'USER');
    const right = basic('busy', 'the password of busy');
    const found = await Promise.all(Array.from({ length: 30 }, () => ask(right, '203.0.113.50')));
    expect(found.map(({ status }) => status)).toEqual(Array(30).fill(200));
  });
});
