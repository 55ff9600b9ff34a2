import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, basic, startApp } from '../support/app.ts';
import { newUser } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

describe('signing in', () => {
  it('accepts the password of the first start, and the token that login gives for it', async () => {
    const { username, password } = app.secrets.administrator;
    const byPassword = await app.ask('{ viewer { username role } }', {}, basic(username, password));
    const byToken = await app.ask('{ viewer { username role } }', {}, app.admin);
    expect(byPassword.data.viewer).toEqual({
      username: 'admin',
      role: 'ADMIN',
    });
    expect(byToken.data).toEqual(byPassword.data);
  });

  it('accepts an access key and its secret', async () => {
    const { data } = await app.ask('{ viewer { username kind role } }', {}, app.executor);
    expect(data.viewer).toEqual({
      username: 'local-executor',
      kind: 'SERVICE_ACCOUNT',
      role: 'SYSTEM',
    });
  });

  it.each([
    ['a wrong password', basic('admin', 'wrong')],
    ['an unknown user', basic('nobody', 'wrong')],
    ['a wrong secret', () => basic(app.secrets.executor.accessKey, 'wrong')],
    ['an unknown access key', basic('A'.repeat(30), 'wrong')],
    ['a token that is none', 'Bearer nonsense'],
    ['another scheme', 'Digest x'],
  ])('refuses %s with the challenges of each scheme', async (_name, authorization) => {
    const header = typeof authorization === 'string' ? authorization : authorization();
    const { status, headers, errors, data } = await app.ask('{ viewer { id } }', {}, header);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Bearer');
    expect(headers.get('www-authenticate')).toContain('Basic');
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(data).toBeUndefined();
  });

  it('refuses Basic without a colon, and with characters that no name has', async () => {
    await newUser({ username: 'without a colon', password: 'without a colon!' });
    const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect((await app.ask('{ viewer { id } }', {}, encoded('without a colon:without a colon!'))).status).toBe(
      200,
    );
    for (const pair of ['without a colon!', 'a\u0000b:c', ''])
      expect((await app.ask('{ viewer { id } }', {}, encoded(pair))).status).toBe(401);
  });

  /** In base64, it has a character that is another one in URLs, and bits at its end that mean nothing. */
  const password = '??? is \ufffd right';
  const changedPair = (change: (pair: Buffer) => Buffer) => (base64: string) =>
    change(Buffer.from(base64, 'base64')).toString('base64');

  // Each of these is the right name and password for a reader that overlooks something.
  it.each<[name: string, credentials: (base64: string) => string]>([
    ['something behind them', (base64) => `${base64} x`],
    ['characters that are not of base64', (base64) => `${base64.replace(/=+$/, '')}!!!`],
    ['a comma', (base64) => `${base64},`],
    ['a character of other tokens inside', (base64) => `${base64.slice(0, 4)}~${base64.slice(4)}`],
    ['the alphabet of URLs', (base64) => base64.replace('/', '_')],
    ['no padding', (base64) => base64.replace(/=+$/, '')],
    ['too much padding', (base64) => `${base64}=`],
    [
      'bits behind the last byte',
      (base64) =>
        base64.replace(/(.)==$/, (_all, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==`),
    ],
    [
      'a byte that is not UTF-8',
      changedPair((pair) => Buffer.from(pair.toString('latin1').replace('\xef\xbf\xbd', '\xe9'), 'latin1')),
    ],
    ['a byte order mark', changedPair((pair) => Buffer.concat([Buffer.from('\ufeff'), pair]))],
  ])('refuses Basic with %s, although name and password are right', async (_name, credentials) => {
    const { username } = await newUser({ password });
    const base64 = basic(username, password).slice('Basic '.length);
    expect(base64).toMatch(/\/.*[AQgw]==$/);
    const changed = credentials(base64);
    expect(changed).not.toBe(base64);
    const ask = (value: string) => app.ask('{ viewer { id } }', {}, `Basic ${value}`);
    expect((await ask(base64)).status).toBe(200);
    expect((await ask(changed)).status).toBe(401);
  });

  it('splits Basic at the first colon, so a password may have some', async () => {
    const { username } = await newUser({ username: 'with-colons', password: 'one:two:three' });
    const { data } = await app.ask('{ viewer { username } }', {}, basic(username, 'one:two:three'));
    expect(data.viewer).toEqual({ username });
  });

  it('answers the same for an unknown user as for a wrong password', async () => {
    const unknown = await app.ask('{ viewer { id } }', {}, basic('nobody', 'wrong'));
    const wrong = await app.ask('{ viewer { id } }', {}, basic('admin', 'wrong'));
    expect(unknown.errors).toEqual(wrong.errors);
  });

  it('refuses a token whose text was changed', async () => {
    const [head, , signature] = app.admin.slice('Bearer '.length).split('.');
    const claims = Buffer.from(
      JSON.stringify({ sub: 'x', iss: 'slipway', aud: 'slipway', exp: 9e9 }),
    ).toString('base64url');
    const { status } = await app.ask('{ viewer { id } }', {}, `Bearer ${head}.${claims}.${signature}`);
    expect(status).toBe(401);
  });
});

describe('login', () => {
  it('gives a token with the requested lifetime', async () => {
    const { data } = await app.ask(
      'mutation { login(input: { expiresIn: "PT1H" }) { ... on LoginPayload { token expiresAt } } }',
    );
    const left = new Date(data.login.expiresAt).getTime() - Date.now();
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  it.each(['PT0S', '-PT1H', 'P366D'])('refuses %s and names the field', async (expiresIn) => {
    const { data } = await app.ask(
      'mutation ($input: LoginInput) { login(input: $input) { ... on Error { code path } } }',
      { input: { expiresIn } },
    );
    expect(data.login).toEqual({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'expiresIn'],
    });
  });
});
