/** OAuth 2 clients at Hydra's addresses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isClientSecret } from '../../../src/oauth/client-secrets.ts';
import { findClientOfAnyTenant } from '../../../src/oauth/store/clients.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Call, callsTo } from './call.ts';

let app: App;
let call: Call;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  call = callsTo(app, app.admin);
});
afterAll(() => app.stop());

const create = async (body: object = {}) => (await call('POST', '/admin/clients', body)).body;
const accepts = async (clientId: string, secret: string) =>
  isClientSecret(secret, (await findClientOfAnyTenant(clientId))?.secretHashes ?? [], {
    clientId,
    address: null,
  });

const grants = [
  'authorization_code_grant_access_token',
  'authorization_code_grant_id_token',
  'authorization_code_grant_refresh_token',
  'client_credentials_grant_access_token',
  'device_authorization_grant_access_token',
  'device_authorization_grant_id_token',
  'device_authorization_grant_refresh_token',
  'implicit_grant_access_token',
  'implicit_grant_id_token',
  'jwt_bearer_grant_access_token',
  'refresh_token_grant_access_token',
  'refresh_token_grant_id_token',
  'refresh_token_grant_refresh_token',
];
const lifespans = (value: string | null) =>
  Object.fromEntries(grants.map((grant) => [`${grant}_lifespan`, value]));

/** What Hydra shows of a client that has only defaults. */
const defaults = {
  ...{ client_name: '', client_uri: '', logo_uri: '', tos_uri: '', policy_uri: '', owner: '', scope: '' },
  ...{ redirect_uris: [], audience: [], contacts: [], allowed_cors_origins: [], jwks: {}, metadata: {} },
  ...{ grant_types: ['authorization_code'], response_types: ['code'], subject_type: 'public' },
  ...{ token_endpoint_auth_method: 'client_secret_basic', userinfo_signed_response_alg: 'none' },
  ...{ skip_consent: false, skip_logout_consent: false, client_secret_expires_at: 0 },
  ...lifespans(null),
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
};

describe.each(['/admin', ''])('clients below "%s"', (prefix) => {
  const id = prefix === '' ? 'v1' : 'v2';
  const at = `${prefix}/clients/${id}`;

  it('are created with an id, a secret that is shown once, and empty lists', async () => {
    const made = await call('POST', `${prefix}/clients`, { client_id: id });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(at);
    // The server does not let clients manage themselves.
    expect(made.body).not.toHaveProperty('registration_access_token');
    expect(made.body).toEqual({ client_id: id, client_secret: expect.any(String), ...defaults });
    expect(await accepts(id, made.body.client_secret)).toBe(true);
  });

  it('are read without their secret', async () => {
    const found = await call('GET', at);
    expect(found.status).toBe(200);
    expect(found.body).toEqual({ client_id: id, ...defaults });
  });

  it('are replaced: what is left out gets its default, and the secret stays', async () => {
    const before = (await call('POST', `${at}/secrets/rotate`)).body.client_secret;
    await call('PUT', at, { client_name: 'One', owner: 'me', skip_consent: true });
    const changed = await call('PUT', at, { client_name: 'Two' });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({ client_id: id, ...defaults, client_name: 'Two' });
    expect(await accepts(id, before)).toBe(true);
  });

  it('echo a secret only if the call sets it', async () => {
    const changed = await call('PUT', at, { client_secret: 'chosen by hand' });
    expect(changed.body.client_secret).toBe('chosen by hand');
    expect(await accepts(id, 'chosen by hand')).toBe(true);
  });

  it('are patched', async () => {
    const patched = await call('PATCH', at, [
      { op: 'replace', path: '/client_name', value: 'Three' },
      { op: 'add', path: '/redirect_uris/-', value: 'https://app.example/callback' },
      { op: 'add', path: '/metadata/team', value: 'a' },
    ]);
    expect(patched.status).toBe(200);
    const redirects = { redirect_uris: ['https://app.example/callback'] };
    const expected = { ...defaults, client_name: 'Three', ...redirects, metadata: { team: 'a' } };
    expect(patched.body).toEqual({ client_id: id, ...expected });
  });

  it('get lifespans as durations of Go, and lose those that are left out', async () => {
    const set = await call('PUT', `${at}/lifespans`, lifespans('1h30m'));
    expect(set.status).toBe(200);
    expect(set.body).toMatchObject(lifespans('1h30m0s'));
    const few = { implicit_grant_id_token_lifespan: '90s' };
    const left = await call('PUT', `${at}/lifespans`, few);
    expect(left.body).toMatchObject({ ...lifespans(null), implicit_grant_id_token_lifespan: '1m30s' });
  });

  it('get further secrets, and lose the older ones', async () => {
    const [first, second] = [
      (await call('POST', `${at}/secrets/rotate`)).body.client_secret,
      (await call('POST', `${at}/secrets/rotate`)).body.client_secret,
    ];
    expect([await accepts(id, first), await accepts(id, second)]).toEqual([true, true]);
    const { status, body } = await call('DELETE', `${at}/secrets/rotate`);
    expect([status, body.client_id, body.client_secret]).toEqual([200, id, undefined]);
    expect([await accepts(id, first), await accepts(id, second)]).toEqual([false, true]);
  });

  it('are deleted, with an empty answer', async () => {
    const gone = await call('DELETE', at);
    expect([gone.status, gone.body]).toEqual([204, null]);
    expect((await call('GET', at)).status).toBe(404);
    expect((await call('DELETE', at)).status).toBe(404);
  });
});

describe('a client', () => {
  it('keeps every setting', async () => {
    const settings = {
      ...{ client_name: 'App', scope: 'openid a.*', owner: 'me', metadata: { a: [1] } },
      ...{ client_uri: 'https://a.example', logo_uri: 'https://a.example/l', tos_uri: 'https://a.example/t' },
      ...{ policy_uri: 'https://a.example/p', contacts: ['a@a.example'], audience: ['https://api.example'] },
      ...{ redirect_uris: ['https://a.example/c'], grant_types: ['refresh_token', 'authorization_code'] },
      ...{ response_types: ['code', 'code id_token'], token_endpoint_auth_method: 'private_key_jwt' },
      ...{ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] }, subject_type: 'public' },
      ...{ token_endpoint_auth_signing_alg: 'ES256', userinfo_signed_response_alg: 'RS256' },
      ...{ request_uris: ['https://a.example/r'], request_object_signing_alg: 'ES256' },
      ...{ allowed_cors_origins: ['https://a.example'], post_logout_redirect_uris: ['https://a.example/b'] },
      ...{ frontchannel_logout_uri: 'https://a.example/f', frontchannel_logout_session_required: true },
      ...{ backchannel_logout_uri: 'https://a.example/b', backchannel_logout_session_required: true },
      ...{ access_token_strategy: 'opaque', skip_consent: true, skip_logout_consent: true },
      ...lifespans('1h0m0s'),
    };
    const made = await create({ client_id: 'whole', ...settings });
    expect(made).toMatchObject(settings);
    expect((await call('GET', '/admin/clients/whole')).body).toEqual(made);
    expect((await call('PUT', '/admin/clients/whole', made)).body).toMatchObject(settings);
  });

  it('gets an id if the call has none, and no secret if it is public', async () => {
    const made = await create({ client_id: '', token_endpoint_auth_method: 'none', jwks: {} });
    expect(made.client_id).toMatch(/^[\da-f-]{36}$/);
    expect(made).not.toHaveProperty('client_secret');
  });

  it('has an address also if its id has a slash', async () => {
    const { headers } = await call('POST', '/admin/clients', { client_id: 'a/b?c' });
    expect(headers.get('location')).toBe('/admin/clients/a%2Fb%3Fc');
    expect((await call('GET', '/admin/clients/a%2Fb%3Fc')).body.client_id).toBe('a/b?c');
  });

  it('is created without what the call brings too much, such as times', async () => {
    const made = await create({
      created_at: '2001-01-01T00:00:00Z',
      unknown: true,
      client_secret_expires_at: 9,
    });
    expect(made).toMatchObject({
      client_secret_expires_at: 0,
      created_at: expect.stringMatching(/^20[2-9]/),
    });
    expect(made).not.toHaveProperty('unknown');
  });
});

describe('the list of clients', () => {
  const owner = 'lister';
  const ids = ['l1', 'l2', 'l3', 'l4', 'l5'];
  beforeAll(async () => {
    for (const client_id of ids)
      await create({ client_id, owner, client_name: client_id === 'l3' ? 'third' : '' });
  });

  const links = (headers: Headers) =>
    Object.fromEntries(
      [...(headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, url, rel]) => [rel, url]),
    );
  const idsOf = (body: { client_id: string }[]) => body.map(({ client_id }) => client_id);

  it.each([
    ['tokens', '/admin/clients?owner=lister&page_size=2'],
    ['offsets', '/clients?owner=lister&limit=2&offset=0'],
  ])('is walked by its links, with %s', async (_kind, first) => {
    const seen: string[][] = [];
    let next: string | undefined = first;
    while (next && seen.length < 9) {
      const { status, headers, body } = await call('GET', next);
      expect([status, headers.get('x-total-count')]).toEqual([200, '5']);
      expect(idsOf((await call('GET', links(headers)['first'] ?? '')).body)).toEqual(['l1', 'l2']);
      seen.push(idsOf(body));
      next = links(headers)['next'];
    }
    expect(seen).toEqual([['l1', 'l2'], ['l3', 'l4'], ['l5']]);
  });

  it.each([
    ['?owner=lister&offset=3', ['l4', 'l5']],
    ['?owner=lister&limit=1&offset=4', ['l5']],
    ['?owner=lister&offset=5', []],
    ['?owner=lister&offset=10000', []],
    ['?owner=lister&client_name=third', ['l3']],
    ['?owner=nobody', []],
    ['?owner=lister&page_size=0', ['l1']],
    ['?owner=lister&page_size=x', ids],
    ['?owner=lister&page_size=100000', ids],
  ])('answers %s', async (query, expected) => {
    const { status, body } = await call('GET', `/clients${query}`);
    expect([status, idsOf(body)]).toEqual([200, expected]);
  });

  it('shows no secret', async () => {
    const { body } = await call('GET', '/admin/clients');
    expect(body.length).toBeGreaterThan(5);
    expect(JSON.stringify(body)).not.toContain('"client_secret"');
  });
});
