/** Which pages may read the answers of the endpoints. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { Stage } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['CORS_ORIGINS'] = 'https://console.example';
});

let stage: Stage;
let accessToken: string;
beforeAll(async () => {
  stage = await Stage.start();
  const patch = [{ op: 'replace', path: '/allowed_cors_origins', value: ['https://app.example'] }];
  await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'web' }, patch });
  accessToken = (await stage.tokens()).access_token;
});
afterAll(() => stage.stop());

interface Endpoint {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly form?: () => Record<string, string>;
  readonly authorization?: () => string;
}

const web = () => basic('web', stage.webSecret);
const endpoints: Endpoint[] = [
  {
    path: '/oauth2/token',
    method: 'POST',
    form: () => ({ grant_type: 'client_credentials' }),
    authorization: web,
  },
  { path: '/oauth2/revoke', method: 'POST', form: () => ({ token: 'unknown' }), authorization: web },
  { path: '/oauth2/introspect', method: 'POST', form: () => ({ token: 'unknown' }), authorization: web },
  { path: '/userinfo', method: 'GET', authorization: () => `Bearer ${accessToken}` },
];

const ask = ({ path, method, form, authorization }: Endpoint, origin: string) =>
  fetch(`${stage.app.url}${path}`, {
    method,
    headers: { origin, ...(authorization ? { authorization: authorization() } : {}) },
    ...(form ? { body: new URLSearchParams(form()) } : {}),
  });

describe.each(endpoints)('$path', (endpoint) => {
  it.each(['https://app.example', 'https://console.example'])('can be read by %s', async (origin) => {
    const response = await ask(endpoint, origin);
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('vary')?.toLowerCase()).toContain('origin');
  });

  it.each(['https://evil.example', 'https://app.example.evil.example', 'null'])(
    'cannot be read by %s',
    async (origin) => {
      const response = await ask(endpoint, origin);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('answers the question that a browser asks first', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': endpoint.method };
    const response = await fetch(`${stage.app.url}${endpoint.path}`, { method: 'OPTIONS', headers });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

it.each([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
])('%s can be read by every page, without credentials', async (path) => {
  const response = await fetch(`${stage.app.url}${path}`, { headers: { origin: 'https://any.example' } });
  expect(response.headers.get('access-control-allow-origin')).toBe('https://any.example');
  expect(response.headers.get('access-control-allow-credentials')).toBeNull();
});

it.each(['https://app.example', 'https://console.example'])(
  'the page where people sign in cannot be read by a page of %s',
  async (origin) => {
    const { url } = await stage.request('openid');
    const response = await fetch(url, { headers: { origin }, redirect: 'manual' });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([303, null]);
  },
);
