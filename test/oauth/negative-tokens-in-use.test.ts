/**
 * Revocation, introspection, the user info, the metadata and the steps between: requests that must fail or say nothing,
 * each with the paragraph that says so.
 */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { basic } from '../support/app.ts';
import { newCaller, newTenant } from '../support/users.ts';
import {
  acceptConsent,
  acceptLogin,
  Browser,
  challengeIn,
  redirectOf,
  signIn,
  untilConsent,
} from './browser.ts';
import { rawRequest } from './raw-request.ts';
import { consent, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let neighbour: client.Configuration;
let foreigner: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  neighbour = await stage.addClient('neighbour', webSettings);
  const tenantId = await newTenant('elsewhere');
  const admin = await newCaller({ role: 'ADMIN', tenantId });
  foreigner = await stage.addClient('foreigner', webSettings, admin);
});
afterAll(() => stage.stop());

const asWeb = () => ({ authorization: basic('web', stage.webSecret) });
const isActive = async (token: string) => (await client.tokenIntrospection(stage.web, token)).active;

interface Sent {
  readonly method?: string;
  readonly form?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
}
const send = async (path: string, { method = 'POST', form = [], headers = {} }: Sent) => {
  const body = method === 'GET' ? {} : { body: new URLSearchParams(form.map((pair) => [...pair])) };
  const response = await fetch(`${stage.app.url}${path}`, { method, headers, ...body });
  return { response, text: await response.text() };
};

describe.each(['/oauth2/revoke', '/oauth2/introspect'])('%s', (path) => {
  it.each<[source: string, what: string, status: number, error: string | null, sent: () => Sent]>([
    ['RFC 7009 §2', 'GET', 405, null, () => ({ method: 'GET', headers: asWeb() })],
    ['RFC 7662 §2.1', 'no client', 401, 'invalid_client', () => ({ form: [['token', 'x']] })],
    [
      'RFC 7662 §2.1',
      'a wrong secret',
      401,
      'invalid_client',
      () => ({ form: [['token', 'x']], headers: { authorization: basic('web', 'wrong') } }),
    ],
    ['RFC 7662 §2.1', 'no token', 400, 'invalid_request', () => ({ headers: asWeb() })],
    [
      'RFC 6749 §3.2',
      'two tokens',
      400,
      'invalid_request',
      () => ({
        form: [
          ['token', 'x'],
          ['token', 'y'],
        ],
        headers: asWeb(),
      }),
    ],
    [
      'RFC 7009 §2.1',
      'JSON',
      400,
      'invalid_request',
      () => ({ headers: { ...asWeb(), 'content-type': 'application/json' }, form: [['token', 'x']] }),
    ],
  ])('refuses (%s) %s: %i %s', async (_source, _what, status, error, sent) => {
    const { response, text } = await send(path, sent());
    expect([response.status, JSON.parse(text).error ?? null], text).toEqual([status, error]);
    expect(text).not.toContain('node_modules');
  });
});

describe('the token of another client', () => {
  it.each([
    ['of the same tenant', () => neighbour],
    ['of another tenant', () => foreigner],
  ])('is not revoked by a client %s (RFC 7009 §2.1)', async (_which, other) => {
    const made = await stage.tokens();
    for (const token of [made.access_token, made.refresh_token ?? ''])
      await expect(client.tokenRevocation(other(), token)).rejects.toMatchObject({
        error: 'unauthorized_client',
      });
    expect(await isActive(made.access_token)).toBe(true);
    expect((await client.refreshTokenGrant(stage.web, made.refresh_token ?? '')).token_type).toBe('bearer');
  });

  it.each([
    ['of the same tenant', () => neighbour],
    ['of another tenant', () => foreigner],
  ])('is not active for a client %s (RFC 7662 §4)', async (_which, other) => {
    const made = await stage.tokens();
    for (const token of [made.access_token, made.refresh_token ?? ''])
      expect(await client.tokenIntrospection(other(), token)).toEqual({ active: false });
    expect(await isActive(made.access_token)).toBe(true);
  });
});

describe('introspection says of a token that is not active nothing else (RFC 7662 §2.2)', () => {
  it.each<[what: string, token: () => Promise<string>]>([
    ['an unknown one', async () => 'unknown'],
    [
      'a code',
      async () => {
        const { url } = await stage.request(scope);
        const answer = await signIn(stage.actors(), url, { consent });
        return new URL(answer).searchParams.get('code') ?? '';
      },
    ],
    ['an ID token', async () => (await stage.tokens()).id_token ?? ''],
    [
      'a revoked one',
      async () => {
        const made = await stage.tokens();
        await client.tokenRevocation(stage.web, made.access_token);
        return made.access_token;
      },
    ],
    [
      'one of an authorization whose refresh token was revoked',
      async () => {
        const made = await stage.tokens();
        await client.tokenRevocation(stage.web, made.refresh_token ?? '');
        return made.access_token;
      },
    ],
    [
      'a used refresh token',
      async () => {
        const { refresh_token: token = '' } = await stage.tokens();
        await client.refreshTokenGrant(stage.web, token);
        return token;
      },
    ],
    ['one with a space behind it', async () => `${(await stage.tokens()).access_token} `],
    [
      'one that has expired',
      async () => {
        const made = await stage.tokens();
        await pool.query(
          `update oauth2_records set payload = payload || '{"exp": 1}' where kind = 'AccessToken'`,
        );
        return made.access_token;
      },
    ],
  ])('%s', async (_what, token) => {
    expect(await client.tokenIntrospection(stage.web, await token())).toEqual({ active: false });
  });
});

describe('the user info refuses', () => {
  it.each<
    [
      source: string,
      what: string,
      status: number,
      headers: () => Promise<Record<string, string>>,
      query?: boolean,
    ]
  >([
    ['RFC 6750 §3', 'no token', 401, async () => ({})],
    ['RFC 6750 §3.1', 'an unknown token', 401, async () => ({ authorization: 'Bearer unknown' })],
    ['RFC 9700 §4.3.2', 'a token in the address', 401, async () => ({}), true],
    [
      'RFC 6750 §2.1',
      'a token with two spaces',
      401,
      async () => ({
        authorization: `Bearer  ${(await stage.tokens()).access_token}`,
      }),
    ],
    [
      'RFC 6749 §1.5',
      'a refresh token',
      401,
      async () => ({
        authorization: `Bearer ${(await stage.tokens()).refresh_token}`,
      }),
    ],
    [
      'OpenID Connect Core §2',
      'an ID token',
      401,
      async () => ({
        authorization: `Bearer ${(await stage.tokens()).id_token}`,
      }),
    ],
    [
      'OpenID Connect Core §5.3',
      'a token of a client',
      401,
      async () => ({
        authorization: `Bearer ${(await client.clientCredentialsGrant(stage.web)).access_token}`,
      }),
    ],
    [
      'OpenID Connect Core §5.3',
      'a token without openid',
      403,
      async () => {
        const { url, checks } = await stage.request('write');
        const answer = await signIn(stage.actors(), url, { consent: { grantScopes: ['write'] } });
        const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
        return { authorization: `Bearer ${made.access_token}` };
      },
    ],
    ['RFC 7617', 'the secret of a client', 401, async () => asWeb()],
  ])('(%s) %s: %i', async (_source, _what, status, headers, inQuery = false) => {
    const query = inQuery ? `?access_token=${(await stage.tokens()).access_token}` : '';
    const response = await fetch(`${stage.app.url}/userinfo${query}`, { headers: await headers() });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.text()).not.toContain('alice');
  });
});

describe('what a request says about the host changes nothing (RFC 8414 §6.2, RFC 9700 §4.4)', () => {
  const forged: Record<string, string>[] = [
    { host: 'evil.example' },
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-port': '444', 'x-forwarded-prefix': '/evil' },
    { forwarded: 'host=evil.example;proto=https' },
    { 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
  ];
  const metadataPaths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];
  it.each(forged)('%j', async (headers) => {
    for (const path of metadataPaths) {
      const right = await (await fetch(`${stage.app.url}${path}`)).text();
      expect(await (await rawRequest(`${stage.app.url}${path}`, { headers })).text()).toBe(right);
    }
    const { url } = await stage.request(scope);
    const asked = await rawRequest(url, { headers });
    const challenge = challengeIn(asked.headers.get('location') ?? '');
    const accepted = await acceptLogin(stage.actors(), { challenge });
    expect(new URL(accepted.redirectTo).origin).toBe(new URL(stage.app.url).origin);
    expect(asked.headers.getSetCookie().join()).not.toContain('evil');
  });

  it('and the metadata names the same server everywhere', async () => {
    const [openid, oauth] = await Promise.all(
      metadataPaths.map(async (path) => (await fetch(`${stage.app.url}${path}`)).json()),
    );
    expect(openid).toEqual(oauth);
    const { issuer, ...metadata } = openid as Record<string, unknown>;
    expect(issuer).toBe(stage.app.url);
    const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(endpoints.length).toBeGreaterThan(5);
    for (const [, address] of endpoints) expect(String(address)).toMatch(new RegExp(`^${stage.app.url}/`));
    expect(metadata).toMatchObject({
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
    });
    const algorithms = Object.entries(metadata).filter(([name]) => /_alg_values_supported$/.test(name));
    expect(algorithms.length).toBeGreaterThan(3);
    for (const [, names] of algorithms) expect(String(names)).not.toMatch(/none|HS\d/);
    expect(metadata['grant_types_supported']).not.toContain('password');
  });
});

describe('the steps of a sign-in', () => {
  it('end in the browser in which they began (RFC 9700 §4.7)', async () => {
    const who = stage.actors();
    const { url } = await stage.request(scope);
    const login = await acceptLogin(who, { challenge: challengeIn(await redirectOf(who.browser, url)) });
    const victim = new Browser();
    await redirectOf(victim, (await stage.request(scope)).url);
    for (const browser of [new Browser(), victim]) {
      const response = await browser.open(login.redirectTo);
      expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    }
    expect(await redirectOf(who.browser, login.redirectTo)).toContain('consent_challenge=');
  });

  it('are taken once, also from a browser that keeps its cookies (RFC 9700 §4.7)', async () => {
    const who = stage.actors();
    const { url } = await stage.request(scope);
    const challenge = await untilConsent(who, url);
    const { redirectTo } = await acceptConsent(who, { challenge, ...consent });
    const kept = who.browser.copy();
    expect(await redirectOf(who.browser, redirectTo)).toContain('code=');
    for (const browser of [who.browser, kept]) {
      const again = await browser.open(redirectTo);
      expect([again.status, again.headers.get('location')]).toEqual([400, null]);
    }
  });

  it('say in the answer which server answers, so that a client can tell a mix-up (RFC 9207 §2)', async () => {
    const { url, checks } = await stage.request(scope);
    const answer = new URL(await signIn(stage.actors(), url, { consent }));
    expect(answer.searchParams.get('iss')).toBe(stage.app.url);
    answer.searchParams.set('iss', 'https://evil.example');
    await expect(client.authorizationCodeGrant(stage.web, answer, checks)).rejects.toThrow();
  });

  it('give a code that is worth nothing in the session of somebody else (RFC 9700 §4.5)', async () => {
    const { url } = await stage.request(scope);
    const stolen = await signIn(stage.actors(), url, { consent });
    const victim = await stage.request(scope);
    const injected = new URL(stolen);
    injected.searchParams.set('state', victim.checks.expectedState);
    await expect(client.authorizationCodeGrant(stage.web, injected, victim.checks)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it.each<[what: string, more: Record<string, string>, login: object, error: string]>([
    ['a consent that is not remembered', {}, { remember: true }, 'consent_required'],
    ['a session that is not remembered', {}, { remember: false }, 'login_required'],
    ['a sign-in that is too old', { max_age: '0' }, { remember: true }, 'login_required'],
  ])(
    'answer prompt=none for %s with an error (OpenID Connect Core §3.1.2.6)',
    async (_what, more, login, error) => {
      const who = stage.actors();
      await signIn(who, (await stage.request(scope)).url, { login, consent });
      const { url } = await stage.request(scope, { prompt: 'none', ...more });
      const told = new URL(await redirectOf(who.browser, url)).searchParams;
      expect([told.get('error'), told.get('code')]).toEqual([error, null]);
    },
  );

  it('answer prompt=none for a hint about somebody else with an error (OpenID Connect Core §3.1.2.1)', async () => {
    const bob = await stage.tokens(stage.actors(), { login: { subject: 'bob' } });
    const who = stage.actors();
    await stage.tokens(who, { login: { remember: true }, consent: { ...consent, remember: true } });
    const hint = { prompt: 'none', id_token_hint: bob.id_token ?? '' };
    const told = new URL(await redirectOf(who.browser, (await stage.request(scope, hint)).url)).searchParams;
    expect([told.get('error'), told.get('code')]).toEqual(['login_required', null]);
  });
});
