/** The code flow with an own login app, walked by an independent client. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sweepExpiredRecords } from '../../src/oauth/store/records.ts';
import { pool } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';
import {
  type Actors,
  acceptConsent,
  acceptLogin,
  Browser,
  challengeIn,
  redirectOf,
  signIn,
  untilConsent,
} from './browser.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let app: App;
let loginApp: string;
let config: client.Configuration;
let secret: string;
const redirect = 'https://app.example/callback';
const insecure = { execute: [client.allowInsecureRequests] };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'] });
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'];
  const settings = {
    redirectUris: [redirect],
    grantTypes,
    scope: 'openid offline offline_access read.* write',
  };
  const made = await mutate(
    app,
    'createOAuth2Client',
    { clientId: 'web', client: settings },
    'clientSecret client { id }',
  );
  secret = made.clientSecret;
  await mutate(app, 'createOAuth2Client', {
    clientId: 'native',
    client: { ...settings, grantTypes: grantTypes.slice(0, 2), tokenEndpointAuthMethod: 'none' },
  });
  config = await client.discovery(new URL(app.url), 'web', secret, undefined, insecure);
});
afterAll(() => app.stop());

const actors = (browser = new Browser()): Actors => ({ app, browser, loginApp });

interface Request {
  readonly url: string;
  readonly checks: {
    readonly pkceCodeVerifier: string;
    readonly expectedState: string;
    readonly expectedNonce?: string;
  };
}

/** A request of the client, and what it checks in the answer. */
async function request(scope: string, more: Record<string, string> = {}, by = config): Promise<Request> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, nonce] = [client.randomState(), client.randomNonce()];
  const isOpenId = scope.split(' ').includes('openid');
  const url = client.buildAuthorizationUrl(by, {
    ...{ redirect_uri: redirect, scope, state: expectedState },
    ...{
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    },
    ...(isOpenId ? { nonce } : {}),
    ...more,
  });
  return {
    url: url.href,
    checks: { pkceCodeVerifier, expectedState, ...(isOpenId ? { expectedNonce: nonce } : {}) },
  };
}

const scopes = ['openid', 'offline', 'read.runs'];
const scope = scopes.join(' ');
const consent = { grantScopes: scopes };

/** Signs alice in. @returns the tokens. */
async function tokens(who = actors(), more: { login?: object; consent?: object } = {}) {
  const { url, checks } = await request(scope);
  const answer = await signIn(who, url, { consent, ...more });
  return await client.authorizationCodeGrant(config, new URL(answer), checks);
}

const loginRequest = async (challenge: string, authorization = loginApp): Promise<Answer> =>
  await app.ask(
    `query ($challenge: String!) { loginRequest(challenge: $challenge) {
       skip subject requestedScopes requestUrl sessionId client { clientId } oidcContext { loginHint acrValues }
     } }`,
    { challenge },
    authorization,
  );
const consentRequest = async (challenge: string): Promise<Answer> =>
  (
    await app.ask(
      `query ($challenge: String!) { consentRequest(challenge: $challenge) {
         skip subject requestedScopes context acr amr client { clientId }
       } }`,
      { challenge },
      loginApp,
    )
  ).data.consentRequest;

describe('discovery', () => {
  it('names the endpoints at the paths of Hydra', () => {
    const { authorization_endpoint, token_endpoint, jwks_uri, ...metadata } = config.serverMetadata();
    expect([authorization_endpoint, token_endpoint, jwks_uri]).toEqual([
      `${app.url}/oauth2/auth`,
      `${app.url}/oauth2/token`,
      `${app.url}/.well-known/jwks.json`,
    ]);
    expect(metadata).toMatchObject({
      ...{ issuer: app.url, userinfo_endpoint: `${app.url}/userinfo` },
      ...{ revocation_endpoint: `${app.url}/oauth2/revoke`, code_challenge_methods_supported: ['S256'] },
    });
  });

  it('answers the same whatever a request says about the host', async () => {
    const forged: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    ];
    for (const headers of forged) {
      const text = await (await rawGet('/.well-known/openid-configuration', headers)).text();
      expect(text).not.toContain('evil');
      expect(JSON.parse(text).issuer).toBe(app.url);
    }
  });

  it('publishes public keys only', async () => {
    const { keys } = (await (await fetch(`${app.url}/.well-known/jwks.json`)).json()) as { keys: Answer[] };
    expect(keys).toHaveLength(2);
    for (const key of keys)
      expect(Object.keys(key).filter((name) => 'd p q dp dq qi'.includes(name))).toEqual([]);
  });
});

/** `fetch` sets Host itself. */
async function rawGet(path: string, headers: Record<string, string>): Promise<Response> {
  const { request: send } = await import('node:http');
  const { hostname, port } = new URL(app.url);
  return await new Promise((resolve, reject) => {
    send({ hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0 })),
      );
    })
      .once('error', reject)
      .end();
  });
}

describe('the code flow', () => {
  it('asks the login app and the consent app, and gives the client tokens', async () => {
    const who = actors();
    const { url, checks } = await request(scope, { login_hint: 'al', acr_values: 'one two' });
    const asked = await redirectOf(who.browser, url);
    const { data } = await loginRequest(challengeIn(asked));
    expect(data.loginRequest).toMatchObject({
      ...{
        skip: false,
        subject: null,
        requestedScopes: scopes,
        client: { clientId: 'web' },
        sessionId: null,
      },
      oidcContext: { loginHint: 'al', acrValues: ['one', 'two'] },
    });
    expect(data.loginRequest.requestUrl).toContain(`${app.url}/oauth2/auth?`);
    const login = { acr: 'urn:two', amr: ['pwd', 'otp'], context: { theme: 'dark' } };
    const accepted = await acceptLogin(who, { challenge: challengeIn(asked), ...login });
    const next = await redirectOf(who.browser, accepted.redirectTo);
    expect(await consentRequest(challengeIn(next))).toEqual({
      ...{ skip: false, subject: 'alice', requestedScopes: scopes, client: { clientId: 'web' }, ...login },
    });
    const session = { idToken: { team: 'blue' }, accessToken: { role: 'dev' } };
    const given = await acceptConsent(who, { challenge: challengeIn(next), ...consent, session });
    const answer = await redirectOf(who.browser, given.redirectTo);
    expect(answer).toContain(`${redirect}?`);
    const made = await client.authorizationCodeGrant(config, new URL(answer), checks);
    expect(made.claims()).toMatchObject({
      ...{ sub: 'alice', iss: app.url, aud: 'web', acr: 'urn:two', amr: ['pwd', 'otp'], team: 'blue' },
      ...{ sid: expect.any(String), auth_time: expect.any(Number) },
    });
    expect([made.scope, made.token_type, made.expires_in]).toEqual([scope, 'bearer', 3600]);
    const keys = (await (await fetch(config.serverMetadata().jwks_uri ?? '')).json()) as never;
    await expect(
      jwtVerify(made.id_token ?? '', createLocalJWKSet(keys), { issuer: app.url }),
    ).resolves.toBeDefined();
    const info = await client.fetchUserInfo(config, made.access_token, 'alice');
    expect(info).toEqual({ sub: 'alice', team: 'blue' });
    expect(await client.tokenIntrospection(config, made.access_token)).toMatchObject({
      ...{ active: true, sub: 'alice', client_id: 'web', scope, ext: { role: 'dev' } },
    });
  });

  it('works for a public client with PKCE, and not without', async () => {
    const native = await client.discovery(new URL(app.url), 'native', undefined, client.None(), insecure);
    const { url, checks } = await request('openid', {}, native);
    const answer = await signIn(actors(), url, { consent: { grantScopes: ['openid'] } });
    const made = await client.authorizationCodeGrant(native, new URL(answer), checks);
    expect(made.claims()?.sub).toBe('alice');
    const plain = new URL(url);
    plain.searchParams.delete('code_challenge');
    plain.searchParams.delete('code_challenge_method');
    const refused = new URL(await redirectOf(new Browser(), plain.href));
    expect(refused.searchParams.get('error')).toBe('invalid_request');
  });

  it('grants only what the person has allowed', async () => {
    const { url, checks } = await request('openid read.runs write');
    const answer = await signIn(actors(), url, { consent: { grantScopes: ['openid', 'write'] } });
    const made = await client.authorizationCodeGrant(config, new URL(answer), checks);
    expect(made.scope).toBe('openid write');
    expect(made.refresh_token).toBeUndefined();
  });

  it.each([
    ['a scope that the client may not have', 'openid admin', 'invalid_scope'],
    ['a scope beside a pattern', 'openid read', 'invalid_scope'],
  ])('refuses %s', async (_what, asked, error) => {
    const { url } = await request(asked);
    expect(new URL(await redirectOf(new Browser(), url)).searchParams.get('error')).toBe(error);
  });

  it('never sends a browser to an address that is not registered', async () => {
    const { url } = await request(scope, { redirect_uri: 'https://evil.example/callback' });
    const response = await new Browser().open(url);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('binds the answer to the browser that has asked', async () => {
    const { url } = await request(scope);
    const asked = await redirectOf(new Browser(), url);
    const { redirectTo } = await acceptLogin(actors(), { challenge: challengeIn(asked) });
    const response = await new Browser().open(redirectTo);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('tells the client when the login app refuses', async () => {
    const { browser } = actors();
    const { url } = await request(scope);
    const challenge = challengeIn(await redirectOf(browser, url));
    const input = {
      challenge,
      error: 'login_required',
      errorDescription: 'no such person',
      errorHint: 'ask IT',
    };
    const { redirectTo } = await mutate(app, 'rejectLoginRequest', input, 'redirectTo', loginApp);
    const { searchParams } = new URL(await redirectOf(browser, redirectTo));
    expect(searchParams.get('error')).toBe('login_required');
    expect(searchParams.get('error_description')).toBe('no such person ask IT');
  });

  it('tells the client when the consent app refuses', async () => {
    const who = actors();
    const challenge = await untilConsent(who, (await request(scope)).url);
    const { redirectTo } = await mutate(app, 'rejectConsentRequest', { challenge }, 'redirectTo', loginApp);
    const { searchParams } = new URL(await redirectOf(who.browser, redirectTo));
    expect(searchParams.get('error')).toBe('access_denied');
  });
});

describe('a session', () => {
  it('lets the login app skip, and keeps how and when the person signed in', async () => {
    const who = actors();
    const first = await tokens(who, { login: { remember: true, acr: 'strong', amr: ['pwd'] } });
    const { url, checks } = await request(scope);
    const asked = await redirectOf(who.browser, url);
    const { data } = await loginRequest(challengeIn(asked));
    expect(data.loginRequest).toMatchObject({
      skip: true,
      subject: 'alice',
      sessionId: first.claims()?.['sid'],
    });
    const challenge = challengeIn(asked);
    expect(await acceptLogin(who, { challenge, subject: 'bob' })).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'subject'] },
    });
    const { redirectTo } = await acceptLogin(who, { challenge, acr: 'weak' });
    const next = await redirectOf(who.browser, redirectTo);
    const given = await acceptConsent(who, { challenge: challengeIn(next), ...consent });
    const answer = await redirectOf(who.browser, given.redirectTo);
    const again = (await client.authorizationCodeGrant(config, new URL(answer), checks)).claims();
    const { auth_time, acr, amr, sid } = first.claims() as Record<string, unknown>;
    expect(again).toMatchObject({ auth_time, acr, amr, sid });
  });

  it('that is not remembered is asked again', async () => {
    const who = actors();
    await tokens(who, { login: { remember: false } });
    const asked = await redirectOf(who.browser, (await request(scope)).url);
    expect((await loginRequest(challengeIn(asked))).data.loginRequest.skip).toBe(false);
  });

  it('answers prompt=none without the apps, if the consent is remembered', async () => {
    const who = actors();
    await tokens(who, { login: { remember: true }, consent: { ...consent, remember: true } });
    const { url, checks } = await request(scope, { prompt: 'none' });
    const made = await client.authorizationCodeGrant(
      config,
      new URL(await redirectOf(who.browser, url)),
      checks,
    );
    expect(made.claims()?.sub).toBe('alice');
    const more = await request(`${scope} write`, { prompt: 'none' });
    expect(await redirectOf(who.browser, more.url)).toContain('error=consent_required');
    const stranger = await redirectOf(new Browser(), url);
    expect(stranger).toContain('error=login_required');
  });

  it('of one tenant is nobody for the clients of another tenant', async () => {
    const tenantId = await newTenant('elsewhere');
    const otherAdmin = await newCaller({ role: 'ADMIN', tenantId });
    const otherApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId });
    const input = { clientId: 'other', client: { redirectUris: [redirect], scope: 'openid' } };
    const { clientSecret } = await mutate(app, 'createOAuth2Client', input, 'clientSecret', otherAdmin);
    const other = await client.discovery(new URL(app.url), 'other', clientSecret, undefined, insecure);
    const who = actors();
    await tokens(who, { login: { remember: true } });
    const asked = await redirectOf(who.browser, (await request('openid', {}, other)).url);
    const challenge = challengeIn(asked);
    expect((await loginRequest(challenge, otherApp)).data.loginRequest).toMatchObject({
      skip: false,
      subject: null,
    });
    // The login app of the first tenant does not see the challenge at all.
    const hidden = await loginRequest(challenge);
    expect([hidden.data.loginRequest, hidden.errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
    expect(await acceptLogin(who, { challenge })).toMatchObject({ code: 'NOT_FOUND' });
    const none = await request('openid', { prompt: 'none' }, other);
    expect(await redirectOf(who.browser, none.url)).toContain('error=login_required');
  });
});

describe('a challenge', () => {
  it('cannot be answered twice, and says where the browser is sent', async () => {
    const who = actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await request(scope)).url));
    const { redirectTo } = await acceptLogin(who, { challenge });
    const again = await app.ask(
      `mutation ($input: AcceptLoginRequestInput!) { acceptLoginRequest(input: $input) {
         ... on ChallengeUsedError { code redirectTo } } }`,
      { input: { challenge, subject: 'bob' } },
      loginApp,
    );
    expect(again.data.acceptLoginRequest).toEqual({ code: 'FAILED_PRECONDITION', redirectTo });
    await redirectOf(who.browser, redirectTo);
    const used = await loginRequest(challenge);
    expect(used.errors[0].extensions).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(used.errors[0].extensions.redirectTo).toContain(`${app.url}/oauth2/auth?`);
  });

  it('of a login is no challenge of a consent', async () => {
    const who = actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await request(scope)).url));
    expect(await acceptConsent(who, { challenge })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('cannot grant what was not requested', async () => {
    const who = actors();
    const challenge = await untilConsent(who, (await request(scope)).url);
    const refused = await acceptConsent(who, { challenge, grantScopes: ['openid', 'write'] });
    expect(refused.problems).toMatchObject([{ path: ['input', 'grantScopes', '1'] }]);
  });

  it('is only for login apps', async () => {
    const challenge = challengeIn(await redirectOf(new Browser(), (await request(scope)).url));
    for (const authorization of [app.admin, await newCaller({ role: 'SYSTEM' })])
      expect((await loginRequest(challenge, authorization)).errors[0].extensions.code).toBe(
        'PERMISSION_DENIED',
      );
  });
});

describe('tokens', () => {
  it('are refreshed with rotation; a used refresh token ends all tokens of the authorization', async () => {
    const first = await tokens();
    const second = await client.refreshTokenGrant(config, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.claims()).toMatchObject({ sub: 'alice', sid: first.claims()?.['sid'] });
    await expect(client.refreshTokenGrant(config, first.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(client.refreshTokenGrant(config, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await client.tokenIntrospection(config, second.access_token)).toEqual({ active: false });
  });

  it('lose a scope that the client loses', async () => {
    const made = await tokens();
    const patch = [{ op: 'replace', path: '/scope', value: 'openid offline' }];
    await mutate(app, 'patchOAuth2Client', { by: { clientId: 'web' }, patch });
    await expect(client.refreshTokenGrant(config, made.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    patch[0] = { op: 'replace', path: '/scope', value: 'openid offline offline_access read.* write' };
    await mutate(app, 'patchOAuth2Client', { by: { clientId: 'web' }, patch });
  });

  it('end when they are revoked', async () => {
    const made = await tokens();
    await client.tokenRevocation(config, made.refresh_token ?? '');
    expect(await client.tokenIntrospection(config, made.access_token)).toEqual({ active: false });
    const response = await fetch(`${app.url}/userinfo`, {
      headers: { authorization: `Bearer ${made.access_token}` },
    });
    expect(response.status).toBe(401);
  });

  it('of client_credentials have the scopes that the client asks for, if it may have them', async () => {
    const made = await client.clientCredentialsGrant(config, { scope: 'read.runs write' });
    expect([made.scope, made.expires_in, made.refresh_token]).toEqual(['read.runs write', 3600, undefined]);
    await expect(client.clientCredentialsGrant(config, { scope: 'admin' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
    const wrong = await client.discovery(new URL(app.url), 'web', 'wrong', undefined, insecure);
    await expect(client.clientCredentialsGrant(wrong)).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('are not in the database, nor is any code or session id', async () => {
    const { url, checks } = await request(scope);
    const answer = await signIn(actors(), url, { consent });
    const made = await client.authorizationCodeGrant(config, new URL(answer), checks);
    const { rows } = await pool.query('select oauth2_records::text as row from oauth2_records');
    const dump = rows.map(({ row }) => row).join('\n');
    const code = new URL(answer).searchParams.get('code') ?? '';
    for (const text of [made.access_token, made.refresh_token ?? '', code]) {
      expect(text.length).toBeGreaterThan(20);
      expect(dump).not.toContain(text);
    }
    expect(dump).not.toContain('"cookie"');
  });

  it('are signed by the next key after a rotation, also of a sign-in that began before', async () => {
    const jwksUri = config.serverMetadata().jwks_uri ?? '';
    const published = async () => (await (await fetch(jwksUri)).json()) as JSONWebKeySet;
    const before = await tokens();
    const who = actors();
    const { url, checks } = await request(scope);
    const challenge = await untilConsent(who, url);
    const known = await published();
    const { username, password } = app.secrets.administrator;
    const set = 'slipway.openid.id-token';
    const turned = await mutate(app, 'rotateJsonWebKeySet', { set }, '', basic(username, password));
    expect(turned.__typename).toBe('RotateJsonWebKeySetPayload');
    const { redirectTo } = await acceptConsent(who, { challenge, ...consent });
    const answer = await redirectOf(who.browser, redirectTo);
    const after = await client.authorizationCodeGrant(config, new URL(answer), checks);
    const kidOf = (token = '') => decodeProtectedHeader(token).kid;
    expect(kidOf(after.id_token)).not.toBe(kidOf(before.id_token));
    // Whoever fetched the keys before the rotation verifies the new token, and whoever fetches them now the old one.
    await expect(jwtVerify(after.id_token ?? '', createLocalJWKSet(known))).resolves.toBeDefined();
    await expect(
      jwtVerify(before.id_token ?? '', createLocalJWKSet(await published())),
    ).resolves.toBeDefined();
  });

  it('are deleted when they have expired, a limited number at a time', async () => {
    for (const _ of [1, 2, 3]) await client.clientCredentialsGrant(config);
    const count = async () => Number((await pool.query('select from oauth2_records')).rowCount);
    const before = await count();
    await pool.query(
      `update oauth2_records set expires_at = now() - interval '1 second'
        where id_hash in (select id_hash from oauth2_records where kind = 'ClientCredentials' limit 3)`,
    );
    expect([await sweepExpiredRecords(2), await sweepExpiredRecords(2)]).toEqual([2, 1]);
    expect(await count()).toBe(before - 3);
  });

  it('die with their client', async () => {
    const input = { clientId: 'dying', client: { grantTypes: ['client_credentials'] } };
    const { clientSecret } = await mutate(app, 'createOAuth2Client', input, 'clientSecret');
    const dying = await client.discovery(new URL(app.url), 'dying', clientSecret, undefined, insecure);
    await client.clientCredentialsGrant(dying);
    const count = async () =>
      (
        await pool.query(
          `select from oauth2_records where kind = 'ClientCredentials' and payload ->> 'clientId' = 'dying'`,
        )
      ).rowCount;
    expect(await count()).toBe(1);
    await mutate(app, 'deleteOAuth2Client', { by: { clientId: 'dying' } });
    expect(await count()).toBe(0);
  });
});
