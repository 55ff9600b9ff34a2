/** How Hydra's addresses refuse: the form of Hydra's errors, and who may not come in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { newCaller, newTenant } from '../../support/users.ts';
import { type Call, callsTo } from './call.ts';

let app: App;
let call: Call;
let user: string;
let outsider: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  call = callsTo(app, app.admin);
  user = await newCaller({ role: 'USER' });
  outsider = await newCaller({ role: 'ADMIN', tenantId: await newTenant('strangers') });
  await call('POST', '/admin/clients', { client_id: 'taken' });
});
afterAll(() => app.stop());

type Case = [
  what: string,
  request: [method: string, path: string, body?: unknown],
  status: number,
  error: string,
  hint?: string,
];

describe('a refusal', () => {
  it.each<Case>([
    ['an unknown client', ['GET', '/admin/clients/none'], 404, 'Not Found'],
    ['an unknown client to change', ['PUT', '/admin/clients/none', {}], 404, 'Not Found'],
    ['an unknown client to patch', ['PATCH', '/admin/clients/none', []], 404, 'Not Found'],
    ['an unknown client to delete', ['DELETE', '/clients/none'], 404, 'Not Found'],
    ['an unknown client to rotate', ['POST', '/admin/clients/none/secrets/rotate'], 404, 'Not Found'],
    ['an unknown client with lifespans', ['PUT', '/admin/clients/none/lifespans', {}], 404, 'Not Found'],
    ['an id that is taken', ['POST', '/admin/clients', { client_id: 'taken' }], 409, 'Conflict'],
    [
      'a wrong setting',
      ['POST', '/admin/clients', { redirect_uris: ['https://a.example/#x'] }],
      400,
      'invalid_request',
      'redirect_uris.0: ',
    ],
    [
      'two wrong settings',
      ['PUT', '/admin/clients/taken', { logo_uri: 'ftp://a', grant_types: ['x'] }],
      400,
      'invalid_request',
      'logo_uri: ',
    ],
    ['a setting of another type', ['POST', '/clients', { client_name: 1 }], 400, 'invalid_request'],
    ['a client that is a list', ['POST', '/clients', []], 400, 'invalid_request'],
    [
      'a duration that is none',
      ['PUT', '/clients/taken/lifespans', { implicit_grant_id_token_lifespan: 'long' }],
      400,
      'invalid_request',
      'implicit_grant_id_token_lifespan: ',
    ],
    [
      'a patch of the id',
      ['PATCH', '/clients/taken', [{ op: 'replace', path: '/client_id', value: 'x' }]],
      400,
      'invalid_request',
      'patch.0.path: ',
    ],
    ['a patch that is no list', ['PATCH', '/clients/taken', { client_name: 'x' }], 400, 'invalid_request'],
    [
      'pairwise subjects without a sector',
      ['POST', '/clients', { subject_type: 'pairwise' }],
      400,
      'invalid_request',
      'sector_identifier_uri: ',
    ],
    ['an offset that is too large', ['GET', '/clients?offset=10001'], 400, 'invalid_request', 'offset: '],
    ['an offset that is none', ['GET', '/clients?offset=-1'], 400, 'invalid_request', 'offset: '],
    ['a token of another list', ['GET', '/admin/clients?page_token=x'], 400, 'invalid_request'],
    ['an unknown set of keys', ['GET', '/admin/keys/none'], 404, 'Not Found'],
    ['an unknown key', ['GET', '/keys/none/none'], 404, 'Not Found'],
    ['a key without algorithm', ['POST', '/keys/set', { use: 'sig' }], 400, 'invalid_request', 'alg: '],
    [
      'an unknown algorithm',
      ['POST', '/keys/set', { alg: 'X1', use: 'sig' }],
      400,
      'invalid_request',
      'alg: ',
    ],
    ['an unknown use', ['POST', '/keys/set', { alg: 'RS256', use: 'x' }], 400, 'invalid_request', 'use: '],
    ["one of the server's sets", ['PUT', '/keys/slipway.x', { keys: [] }], 400, 'invalid_request', 'set: '],
    ['a body that is not JSON', ['POST', '/clients', '{'], 400, 'invalid_request'],
    [
      'a missing challenge',
      ['GET', '/admin/oauth2/auth/requests/login'],
      400,
      'invalid_request',
      'login_challenge: ',
    ],
    ['a wrong escape in the path', ['GET', '/clients/%E0%A4%A'], 400, 'invalid_request'],
    ['another method', ['POST', '/admin/clients/taken', {}], 405, 'Method Not Allowed'],
  ])('of %s', async (_what, [method, path, body], status, error, hint) => {
    const refused = await call(method, path, body);
    expect(refused).toMatchObject({ status, body: { error, status_code: status } });
    expect(refused.body.error_description).toMatch(/\w+ \w+/);
    expect(refused.body.error_hint ?? '').toMatch(new RegExp(`^${(hint ?? '').replaceAll('.', '\\.')}`));
    expect(Object.keys(refused.body)).not.toContain('errors');
  });

  it('of a body that is not announced as JSON, or too large', async () => {
    const text = await call('POST', '/clients', '{}', { 'content-type': 'text/plain' });
    expect(text).toMatchObject({ status: 415, body: { status_code: 415 } });
    const large = await call('POST', '/clients', { client_name: 'x'.repeat(5 * 1024 * 1024) });
    expect(large).toMatchObject({ status: 413, body: { status_code: 413 } });
  });

  it('says which methods an address has', async () => {
    const { headers } = await call('POST', '/clients/taken/lifespans', {});
    expect(headers.get('allow')).toBe('PUT');
  });
});

describe('callers', () => {
  const calls: [string, string, unknown?][] = [
    ['GET', '/admin/clients'],
    ['GET', '/clients/taken'],
    ['POST', '/admin/clients', {}],
    ['PUT', '/clients/taken', {}],
    ['PATCH', '/clients/taken', []],
    ['DELETE', '/clients/taken'],
    ['PUT', '/clients/taken/lifespans', {}],
    ['POST', '/clients/taken/secrets/rotate'],
    ['DELETE', '/clients/taken/secrets/rotate'],
    ['GET', '/keys/set'],
    ['GET', '/keys/set/kid'],
    ['POST', '/keys/set', { alg: 'ES256', use: 'sig' }],
    ['PUT', '/keys/set', { keys: [] }],
    ['PUT', '/keys/set/kid', {}],
    ['DELETE', '/keys/set'],
    ['DELETE', '/keys/set/kid'],
    ['GET', '/oauth2/auth/requests/login?login_challenge=x'],
    ['PUT', '/oauth2/auth/requests/login/accept?login_challenge=x', { subject: 'a' }],
    ['PUT', '/oauth2/auth/requests/login/reject?login_challenge=x', {}],
    ['GET', '/oauth2/auth/requests/consent?consent_challenge=x'],
    ['PUT', '/oauth2/auth/requests/consent/accept?consent_challenge=x', {}],
    ['PUT', '/oauth2/auth/requests/consent/reject?consent_challenge=x', {}],
  ];

  it.each(calls)('who are strangers learn how to sign in: %s %s', async (method, path, body) => {
    const refused = await callsTo(app, null)(method, path, body);
    expect(refused).toMatchObject({ status: 401, body: { error: 'Unauthorized', status_code: 401 } });
    expect(refused.headers.get('www-authenticate')).toContain('Basic');
  });

  it.each(calls)('who are plain users are refused: %s %s', async (method, path, body) => {
    const refused = await callsTo(app, user)(method, path, body);
    expect(refused).toMatchObject({ status: 403, body: { error: 'Forbidden', status_code: 403 } });
  });

  it('of another tenant find nothing', async () => {
    const theirs = callsTo(app, outsider);
    expect((await theirs('GET', '/admin/clients/taken')).status).toBe(404);
    expect((await theirs('DELETE', '/admin/clients/taken')).status).toBe(404);
    expect((await theirs('GET', '/admin/clients')).body).toEqual([]);
    expect((await call('GET', '/admin/clients/taken')).status).toBe(200);
  });

  it('with a wrong secret are refused in the same form', async () => {
    const refused = await callsTo(app, 'Bearer nonsense')('GET', '/admin/clients');
    expect(refused).toMatchObject({ status: 401, body: { error: 'Unauthorized' } });
  });

  it('do not sign in with a cookie', async () => {
    const begun = await fetch(`${app.url}/session`, {
      method: 'POST',
      headers: { authorization: app.admin, 'content-type': 'application/json' },
      body: '{}',
    });
    const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(cookie).not.toBe('');
    const refused = await callsTo(app, null)('GET', '/admin/clients', undefined, { cookie });
    expect(refused.status).toBe(401);
  });

  it.each([
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a page of unknown origin', { origin: 'null' }],
    ['an image of a foreign page', { 'sec-fetch-site': 'cross-site' }],
  ])('who are %s are refused, also with a good sign-in', async (_what, headers) => {
    const refused = await call('POST', '/clients/taken/secrets/rotate', undefined, headers);
    expect(refused).toMatchObject({ status: 403, body: { error: 'Forbidden' } });
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('addresses that are not of the door', () => {
  it.each([
    ['GET', '/admin', 404],
    ['GET', '/admin/nothing', 404],
    ['GET', '/clients/', 404],
    ['GET', '/clients//lifespans', 404],
    ['GET', '/admin/admin/clients', 404],
    ['GET', '/metrics/prometheus', 404],
  ])('%s %s is unknown', async (method, path, status) => {
    const answer = await call(method, path);
    expect([answer.status, answer.body.errors?.[0].extensions.code]).toEqual([status, 'NOT_FOUND']);
  });

  it('are answered beside it: health, and the version to callers', async () => {
    const stranger = callsTo(app, null);
    expect((await stranger('GET', '/health/alive')).body).toEqual({ status: 'ok' });
    expect((await stranger('GET', '/health/ready')).body).toEqual({ status: 'ok' });
    const version = await call('GET', '/version');
    expect(version).toMatchObject({
      status: 200,
      body: { version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
    expect((await stranger('GET', '/version')).status).toBe(401);
  });
});
