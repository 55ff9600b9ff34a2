/** Clients that register themselves: RFC 7591 and RFC 7592. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { callsTo } from '../doors/hydra/call.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { signIn } from './browser.ts';
import { redirect, Stage } from './stage.ts';
import { verifyingFetch } from './verified-tokens.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_REGISTRATION'] = 'on';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const metadata = { redirect_uris: [redirect], client_name: 'A client of somebody' };

async function send(method: string, address: string, body?: object, token?: string) {
  const response = await fetch(address, {
    method,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    answer: text ? (JSON.parse(text) as Answer) : null,
  };
}
const register = (body: object) => send('POST', `${stage.app.url}/oauth2/register`, body);

describe('a client that registers itself', () => {
  it('signs people in, with the scopes that are open', async () => {
    const made = await client.dynamicClientRegistration(new URL(stage.app.url), metadata, undefined, {
      execute: [client.allowInsecureRequests],
    });
    const clientId = made.clientMetadata().client_id;
    made[client.customFetch] = verifyingFetch({ issuer: stage.app.url, clientId });
    expect(made.serverMetadata().registration_endpoint).toBe(`${stage.app.url}/oauth2/register`);
    const { url, checks } = await stage.request('openid offline', {}, made);
    const answer = await signIn(stage.actors(), url, { consent: { grantScopes: ['openid'] } });
    const tokens = await client.authorizationCodeGrant(made, new URL(answer), checks);
    expect(tokens.claims()).toMatchObject({ sub: 'alice', aud: clientId });
  });

  it('is answered what is stored, with a secret and a token that are shown once', async () => {
    const { status, headers, answer } = await register({ ...metadata, unknown: 'ignored', contacts: null });
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(answer).toMatchObject({
      ...{ ...metadata, grant_types: ['authorization_code'], response_types: ['code'] },
      ...{ token_endpoint_auth_method: 'client_secret_basic', scope: 'openid offline offline_access' },
      ...{ client_secret: expect.any(String), client_secret_expires_at: 0 },
      registration_client_uri: `${stage.app.url}/oauth2/register/${answer.client_id}`,
    });
    expect(answer).not.toHaveProperty('unknown');
    const { rows } = await pool.query(
      `select (oauth2_clients, oauth2_client_secrets)::text as row from oauth2_clients
         join oauth2_client_secrets on client_row_id = oauth2_clients.id where oauth2_clients.client_id = $1`,
      [answer.client_id],
    );
    expect(rows).toHaveLength(1);
    for (const secret of [answer.client_secret, answer.registration_access_token]) {
      expect(secret.length).toBeGreaterThan(30);
      expect(rows[0].row).not.toContain(secret);
    }
    const read = await send(
      'GET',
      answer.registration_client_uri,
      undefined,
      answer.registration_access_token,
    );
    expect([read.status, read.answer.client_name, read.answer.client_secret]).toEqual([
      200,
      metadata.client_name,
      undefined,
    ]);
  });

  it('belongs to one tenant, and the audit log has it', async () => {
    const { answer } = await register(metadata);
    const lookup = 'query ($id: String!) { oauth2Client(by: { clientId: $id }) { clientName } }';
    const id = answer.client_id;
    const own = await stage.app.ask(lookup, { id });
    expect(own.data.oauth2Client).toEqual({ clientName: metadata.client_name });
    const stranger = await newCaller({ role: 'ADMIN', tenantId: await newTenant('elsewhere') });
    expect((await stage.app.ask(lookup, { id }, stranger)).data.oauth2Client).toBeNull();
    const { rows } = await pool.query('select actor_name from audit_events where target_name = $1', [
      answer.client_id,
    ]);
    expect(rows).toEqual([{ actor_name: `oauth2 client ${answer.client_id}` }]);
  });

  it.each<[what: string, change: object, error: string]>([
    ['a secret of its own choice is ignored', {}, ''],
    ['metadata', { metadata: { trusted: true } }, 'invalid_client_metadata'],
    ['the form of its tokens', { access_token_strategy: 'jwt' }, 'invalid_client_metadata'],
    ['that nobody is asked', { skip_consent: true }, 'invalid_client_metadata'],
    ['that nobody is asked at the logout', { skip_logout_consent: true }, 'invalid_client_metadata'],
    ['its owner', { owner: 'root' }, 'invalid_client_metadata'],
    ['for whom its tokens are', { audience: ['https://api.example'] }, 'invalid_client_metadata'],
    ['how long its tokens live', { lifespans: {} }, 'invalid_client_metadata'],
    ['scopes of Slipway', { scope: 'openid all' }, 'invalid_client_metadata'],
    ['all scopes', { scope: '*' }, 'invalid_client_metadata'],
    ['a scope that is no text', { scope: ['openid'] }, 'invalid_client_metadata'],
    ['to act for itself', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    ['a redirect URI without TLS', { redirect_uris: ['http://app.example/'] }, 'invalid_redirect_uri'],
    ['a redirect URI that is a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['a redirect URI with a wildcard', { redirect_uris: ['https://*.example/'] }, 'invalid_redirect_uri'],
    ['a private key', { jwks: { keys: [{ kty: 'RSA', d: 'x' }] } }, 'invalid_client_metadata'],
    ['a name that is no text', { client_name: 7 }, 'invalid_client_metadata'],
  ])('cannot choose %s', async (_what, change, error) => {
    const { status, answer } = await register({ ...metadata, ...change });
    if (error === '') return expect([status, answer.client_secret === 'mine']).toEqual([201, false]);
    expect([status, answer.error, answer.client_id]).toEqual([400, error, undefined]);
  });

  it.each([[[]], ['text'], [null]])('is refused if it sends %j', async (body) => {
    const response = await fetch(`${stage.app.url}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: 'invalid_client_metadata' },
    ]);
  });
});

describe('a registration', () => {
  it('is replaced by its client, which then has a new token', async () => {
    const { answer } = await register({ ...metadata, client_uri: 'https://app.example' });
    const { client_id, registration_client_uri: address, registration_access_token: token } = answer;
    const next = { client_id, redirect_uris: ['https://app.example/new'] };
    const put = await send('PUT', address, next, token);
    expect(put.status).toBe(200);
    expect(put.answer).toMatchObject(next);
    expect(put.answer).not.toHaveProperty('client_uri');
    expect(put.answer.registration_access_token).not.toBe(token);
    expect((await send('GET', address, undefined, token)).status).toBe(401);
    expect((await send('GET', address, undefined, put.answer.registration_access_token)).status).toBe(200);
  });

  it('keeps its token if an update is refused', async () => {
    const { answer } = await register(metadata);
    const { client_id, registration_client_uri: address, registration_access_token: token } = answer;
    const bad: object[] = [
      { ...metadata, client_id: 'another' },
      metadata,
      { ...metadata, client_id, client_secret: 'chosen-secret' },
      { ...metadata, client_id, skip_consent: true },
    ];
    for (const body of bad) expect((await send('PUT', address, body, token)).status).toBe(400);
    expect((await send('GET', address, undefined, token)).status).toBe(200);
  });

  it('is replaced once by twenty updates at the same time', async () => {
    const { answer } = await register(metadata);
    const { client_id, registration_client_uri: address, registration_access_token: token } = answer;
    const updates = Array.from({ length: 20 }, () => send('PUT', address, { ...metadata, client_id }, token));
    const statuses = (await Promise.all(updates)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(19);
  });

  it('is deleted by its client, with its tokens', async () => {
    const { answer } = await register(metadata);
    const { registration_client_uri: address, registration_access_token: token } = answer;
    expect((await send('DELETE', address, undefined, token)).status).toBe(204);
    expect((await send('GET', address, undefined, token)).status).toBe(401);
    const { url } = await stage.request('openid');
    const asked = url.replace('client_id=web', `client_id=${answer.client_id}`);
    expect((await fetch(asked, { redirect: 'manual' })).status).toBe(400);
  });

  it('is closed to everybody else, who learns nothing', async () => {
    const [one, other] = [(await register(metadata)).answer, (await register(metadata)).answer];
    const { registration_client_uri: address } = one;
    const asks = [
      send('GET', address),
      send('GET', address, undefined, 'wrong'),
      send('GET', address, undefined, other.registration_access_token),
      send('DELETE', address, undefined, other.registration_access_token),
      send('PUT', address, { ...metadata, client_id: one.client_id }, other.registration_access_token),
      send('GET', `${stage.app.url}/oauth2/register/unknown`, undefined, one.registration_access_token),
      // A client that an administrator has made has no registration token.
      send('GET', `${stage.app.url}/oauth2/register/web`, undefined, ''),
      send('GET', `${stage.app.url}/oauth2/register/%E0%A4%A`, undefined, 'wrong'),
    ];
    for (const { status, answer, headers } of await Promise.all(asks)) {
      expect([status, answer]).toEqual([401, { error: 'invalid_token' }]);
      expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    }
    expect((await send('GET', address, undefined, one.registration_access_token)).status).toBe(200);
  });
});

describe('a client that an administrator has registered', () => {
  it('manages its registration with the token that the administrator got', async () => {
    const input = { clientId: 'by-hand', client: { redirectUris: [redirect], scope: 'openid read.runs' } };
    const fields = 'registrationAccessToken registrationClientUri';
    const made = await mutate(stage.app, 'createOAuth2Client', input, fields);
    const { registrationAccessToken: token, registrationClientUri: address } = made;
    expect(address).toBe(`${stage.app.url}/oauth2/register/by-hand`);
    expect((await send('GET', address, undefined, token)).answer).toMatchObject({ client_id: 'by-hand' });
    // It then has no more than a client that has registered itself.
    const update = { ...metadata, client_id: 'by-hand' };
    expect((await send('PUT', address, { ...update, scope: 'read.runs' }, token)).status).toBe(400);
    expect((await send('PUT', address, update, token)).answer.scope).toBe('openid offline offline_access');
    expect((await send('GET', address, undefined, token)).status).toBe(401);
  });

  it("gets the token from Hydra's address, too, once", async () => {
    const call = callsTo(stage.app, stage.app.admin);
    const { body } = await call('POST', '/admin/clients', { client_id: 'like-hydra' });
    expect(body.registration_client_uri).toBe(`${stage.app.url}/oauth2/register/like-hydra`);
    const { registration_access_token: token } = body;
    expect((await send('GET', body.registration_client_uri, undefined, token)).status).toBe(200);
    const read = await call('GET', '/admin/clients/like-hydra');
    expect(read.body).not.toHaveProperty('registration_access_token');
  });
});
