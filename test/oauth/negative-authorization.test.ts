/**
 * Requests for a code that must fail, each with the paragraph that says so. A right request is changed in one way. The
 * error goes either to the client, at a redirect URI that is registered, or to a page of the server.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Browser } from './browser.ts';
import { redirect, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
  const hybrid = { ...webSettings, grantTypes: ['authorization_code', 'implicit'] };
  await stage.addClient('hybrid', {
    ...hybrid,
    redirectUris: [redirect],
    responseTypes: ['code', 'code id_token'],
  });
  const loopback = { tokenEndpointAuthMethod: 'none', scope, redirectUris: ['http://127.0.0.1/back'] };
  await stage.addClient('desktop', loopback);
});
afterAll(() => stage.stop());

type Change = Readonly<Record<string, string | readonly string[] | null>>;
interface Attack {
  readonly source: string;
  readonly what: string;
  /** Null takes the parameter away; a list repeats it. */
  readonly change: Change;
  readonly error: string;
  /** Where the error is told; the client, if nothing else is said. */
  readonly at?: 'page';
}

/** A right request with the change. */
async function changed(change: Change): Promise<string> {
  const url = new URL((await stage.request(scope)).url);
  for (const [name, value] of Object.entries(change)) {
    url.searchParams.delete(name);
    for (const one of [value ?? []].flat()) url.searchParams.append(name, one);
  }
  return url.href;
}

const unsigned = (claims: object) => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode(claims)}.`;
};
const badRedirect = (source: string, what: string, uri: string): Attack => ({
  ...{ source, what, change: { redirect_uri: uri }, at: 'page', error: 'invalid_redirect_uri' },
});
const challenge = (letter: string, length: number) => letter.repeat(length);

const attacks: Attack[] = [
  badRedirect('RFC 6749 §3.1.2.4', 'another host', 'https://evil.example/callback'),
  badRedirect('RFC 9700 §2.1', 'a longer path', `${redirect}/more`),
  badRedirect('RFC 9700 §2.1', 'a query', `${redirect}?next=https://evil.example`),
  badRedirect('RFC 6749 §3.1.2', 'a fragment', `${redirect}#there`),
  badRedirect('RFC 9700 §2.1', 'other letters', 'https://app.example/CALLBACK'),
  badRedirect('RFC 9700 §2.1', 'a slash at the end', `${redirect}/`),
  badRedirect('RFC 9700 §4.1.1', 'a host that begins alike', 'https://app.example.evil.example/callback'),
  badRedirect(
    'RFC 9700 §4.1.1',
    'a user name that looks like the host',
    'https://app.example@evil.example/callback',
  ),
  badRedirect('RFC 9700 §4.1.1', 'a backslash', 'https://evil.example\\@app.example/callback'),
  badRedirect('RFC 9700 §4.1.1', 'a way up', 'https://app.example/callback/../open?to=evil.example'),
  badRedirect('RFC 9700 §4.1.1', 'an encoded way up', 'https://app.example/callback%2f..%2fopen'),
  badRedirect('RFC 9700 §2.1', 'another port', 'https://app.example:8443/callback'),
  badRedirect('RFC 9700 §2.6', 'no TLS', 'http://app.example/callback'),
  badRedirect('RFC 9700 §4.1', 'a script', 'javascript:alert(1)'),
  badRedirect('RFC 9700 §4.1', 'a space before it', ` ${redirect}`),
  {
    ...badRedirect('RFC 8252 §7.3', 'another path at the loopback address', 'http://127.0.0.1:7/other'),
    change: { client_id: 'desktop', redirect_uri: 'http://127.0.0.1:7/other' },
  },
  {
    ...badRedirect('RFC 8252 §7.3', 'a host that begins like the loopback address', ''),
    change: { client_id: 'desktop', redirect_uri: 'http://127.0.0.1.evil.example/back' },
  },
  {
    source: 'RFC 6749 §3.1',
    what: 'two redirect URIs',
    change: { redirect_uri: [redirect, 'https://evil.example/'] },
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §4.1.2.1',
    what: 'an unknown client',
    change: { client_id: 'nobody' },
    error: 'invalid_client',
    at: 'page',
  },
  {
    source: 'RFC 6749 §4.1.1',
    what: 'no client',
    change: { client_id: null },
    error: 'invalid_request',
    at: 'page',
  },
  {
    source: 'RFC 6749 §3.1',
    what: 'two clients',
    change: { client_id: ['web', 'native'] },
    error: 'invalid_request',
    at: 'page',
  },
  {
    source: 'RFC 6749 §3.1.1',
    what: 'no response type',
    change: { response_type: null },
    error: 'invalid_request',
  },
  {
    source: 'RFC 9700 §2.1.2',
    what: 'the response type token',
    change: { response_type: 'token' },
    error: 'unsupported_response_type',
  },
  {
    source: 'RFC 6749 §3.1.1',
    what: 'an unknown response type',
    change: { response_type: 'code banana' },
    error: 'unsupported_response_type',
  },
  {
    source: 'RFC 6749 §4.1.2.1',
    what: 'a response type that is not registered',
    change: { response_type: 'code id_token' },
    error: 'unauthorized_client',
  },
  {
    source: 'RFC 6749 §3.3',
    what: 'a scope that the client may not have',
    change: { scope: 'openid admin' },
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §3.3',
    what: 'a scope that begins like an allowed one',
    change: { scope: 'openid reader.runs' },
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §3.3',
    what: 'characters that no scope has',
    change: { scope: 'openid "write' },
    error: 'invalid_scope',
  },
  {
    source: 'RFC 6749 §3.1',
    what: 'two scopes',
    change: { scope: ['openid', 'write'] },
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.1',
    what: 'two values of state',
    change: { state: ['first-state', 'second-state'] },
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §3.1',
    what: 'two nonces',
    change: { nonce: ['first-nonce', 'second-nonce'] },
    error: 'invalid_request',
  },
  {
    source: 'RFC 9700 §2.1',
    what: 'neither PKCE nor state',
    change: { code_challenge: null, code_challenge_method: null, state: null },
    error: 'invalid_request',
  },
  {
    source: 'RFC 6749 §10.10',
    what: 'a state that can be guessed, without PKCE',
    change: { code_challenge: null, code_challenge_method: null, state: '1234567' },
    error: 'invalid_request',
  },
  {
    source: 'RFC 9700 §2.1.1',
    what: 'no PKCE of a public client',
    change: { client_id: 'native', code_challenge: null, code_challenge_method: null },
    error: 'invalid_request',
  },
  {
    source: 'RFC 9700 §2.1.1',
    what: 'the method plain',
    change: { code_challenge_method: 'plain' },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.3',
    what: 'no method, which means plain',
    change: { code_challenge_method: null },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.4.1',
    what: 'an unknown method',
    change: { code_challenge_method: 'S512' },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.3',
    what: 'a method without a challenge',
    change: { code_challenge: null },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.2',
    what: 'a short challenge',
    change: { code_challenge: challenge('a', 42) },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.2',
    what: 'a long challenge',
    change: { code_challenge: challenge('a', 129) },
    error: 'invalid_request',
  },
  {
    source: 'RFC 7636 §4.2',
    what: 'a challenge with other characters',
    change: { code_challenge: challenge('+', 43) },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.1',
    what: 'prompt none together with login',
    change: { prompt: 'none login' },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.1',
    what: 'an unknown prompt',
    change: { prompt: 'banana' },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.6',
    what: 'prompt none without a session',
    change: { prompt: 'none' },
    error: 'login_required',
  },
  {
    source: 'OpenID Connect Core §3.1.2.1',
    what: 'a negative max_age',
    change: { max_age: '-1' },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.1',
    what: 'a max_age that is no number',
    change: { max_age: '1e9x' },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.1',
    what: 'an ID token hint that is none',
    change: { id_token_hint: 'banana' },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.1.2.2',
    what: 'an ID token hint that is not signed',
    change: { id_token_hint: unsigned({ iss: 'https://evil.example', sub: 'alice', aud: 'web' }) },
    error: 'invalid_request',
  },
  {
    source: 'OpenID Connect Core §3.3.2.11',
    what: 'no nonce where the browser gets an ID token',
    change: { client_id: 'hybrid', response_type: 'code id_token', nonce: null },
    error: 'invalid_request',
  },
  {
    source: 'OAuth 2.0 Multiple Response Types §5',
    what: 'an ID token in the query',
    change: { client_id: 'hybrid', response_type: 'code id_token', response_mode: 'query' },
    error: 'invalid_request',
  },
  {
    source: 'OAuth 2.0 Multiple Response Types §2.1',
    what: 'an unknown response mode',
    change: { response_mode: 'banana' },
    error: 'unsupported_response_mode',
  },
  {
    source: 'RFC 9101 §10.2',
    what: 'a request object that is not signed',
    change: { request: unsigned({ iss: 'web', client_id: 'web', scope: 'openid write' }) },
    error: 'invalid_request_object',
  },
  {
    source: 'RFC 9101 §10.4',
    what: 'a request object by reference',
    change: { request_uri: 'http://169.254.169.254/latest/meta-data' },
    error: 'request_uri_not_supported',
  },
  {
    source: 'RFC 9101 §5',
    what: 'a request object by value and by reference',
    change: { request: 'a.b.c', request_uri: 'urn:ietf:params:oauth:request_uri:x' },
    error: 'invalid_request',
  },
  {
    source: 'RFC 9126 §2.2',
    what: 'a pushed request that does not exist',
    change: { request_uri: 'urn:ietf:params:oauth:request_uri:unknown' },
    error: 'invalid_request_uri',
  },
  {
    source: 'OpenID Connect Core §7.2.1',
    what: 'metadata of the client in the request',
    change: { registration: '{"redirect_uris":["https://evil.example"]}' },
    error: 'registration_not_supported',
  },
  {
    source: 'RFC 8707 §2',
    what: 'a resource that the client may not ask for',
    change: { resource: 'https://evil.example/' },
    error: 'invalid_target',
  },
  {
    source: 'RFC 8707 §2',
    what: 'an audience that the client may not ask for',
    change: { audience: 'https://evil.example/' },
    error: 'invalid_target',
  },
  {
    source: 'RFC 8707 §2',
    what: 'a relative resource',
    change: { resource: '/api' },
    error: 'invalid_target',
  },
  {
    source: 'RFC 8707 §2',
    what: 'a resource with a fragment',
    change: { resource: 'https://api.example/#part' },
    error: 'invalid_target',
  },
];

describe('a request for a code is refused', () => {
  it.each(attacks)('for $what ($source): $error', async ({ change, error, at }) => {
    const url = await changed(change);
    const response = await new Browser().open(url);
    const location = response.headers.get('location');
    const text = await response.text();
    if (at === 'page') {
      expect([response.status, location]).toEqual([400, null]);
      expect(text).toContain(`<code>${error}</code>`);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    } else {
      const [address = '', query = ''] = (location ?? '').split(/[?#]/);
      const told = new URLSearchParams(query);
      expect([response.status, address, told.get('error')]).toEqual([303, redirect, error]);
      // RFC 9207 §2: the client learns who answers, also in errors.
      expect(told.get('iss')).toBe(stage.app.url);
      for (const name of ['code', 'id_token', 'access_token']) expect(told.get(name)).toBeNull();
    }
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(`${location} ${text}`).not.toMatch(/evil\.example|node_modules|\bat /);
  });

  it('and a right request leads to the login app', async () => {
    for (const client_id of ['web', 'native', 'hybrid']) {
      const location = (await new Browser().open(await changed({ client_id }))).headers.get('location');
      expect(location).toContain('https://login.example/login?login_challenge=');
    }
    const port = { client_id: 'desktop', redirect_uri: 'http://127.0.0.1:7/back' };
    expect((await new Browser().open(await changed(port))).status).toBe(303);
  });
});
