/** Clients with pairwise subjects: what they know people by. */
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type Answer, basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { SectorServer } from '../support/sector-server.ts';
import { letKeysAge } from '../support/signing-keys.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';
import { type Actors, challengeIn, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, redirect, Stage, scope, scopes, webSettings } from './stage.ts';
import { verifyLogoutToken } from './verified-tokens.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'true';
  process.env['OAUTH_ACCESS_TOKEN_STRATEGY'] = 'jwt';
  // The certificate of the server for sectors is signed by nobody.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
});

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const pairwise = { ...webSettings, subjectType: 'pairwise' };
const elsewhere = 'https://other.example/callback';
const isMade = expect.stringMatching(/^pair-[\w-]{43}$/);

let stage: Stage;
let sectors: SectorServer;
/** Its redirect URI names its sector. */
let shop: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  sectors = await new SectorServer().start();
  shop = await stage.addClient('shop', {
    ...pairwise,
    grantTypes: [...webSettings.grantTypes, DEVICE_CODE, EXCHANGE, 'implicit'],
    responseTypes: ['code', 'id_token'],
    scope: `${webSettings.scope} all`,
  });
});
afterAll(async () => {
  await sectors.stop();
  await stage.stop();
});

interface Wish {
  readonly by?: client.Configuration;
  readonly who?: Actors;
  readonly subject?: string;
  readonly redirectUri?: string;
  readonly more?: Record<string, string>;
}

/** Signs a person in. @returns her tokens. */
async function tokensOf({ by = shop, who = stage.actors(), subject = 'alice', ...wish }: Wish = {}) {
  const more = { redirect_uri: wish.redirectUri ?? redirect, ...wish.more };
  const { url, checks } = await stage.request(scope, more, by);
  const answer = await signIn(who, url, {
    login: { subject, remember: true },
    consent: { ...consent, remember: true },
  });
  return await client.authorizationCodeGrant(by, new URL(answer), checks);
}
const subjectOf = async (wish: Wish = {}) => (await tokensOf(wish)).claims()?.sub;

/** As an administrator sees a token. */
const shown = async (token: string): Promise<Answer> =>
  (
    await stage.app.ask(
      'query ($token: String!) { introspectOAuth2Token(token: $token) { subject obfuscatedSubject username } }',
      { token },
    )
  ).data.introspectOAuth2Token;

/** How often each client of a test is called, so that none has the name of another. */
let clients = 0;
const addClient = (settings: object = {}, authorization?: string) => {
  clients += 1;
  return stage.addClient(`client-${clients}`, { ...pairwise, ...settings }, authorization);
};

/** Lets a client ask without anybody being asked. @returns the answer at its redirect URI. */
async function silently({ browser }: Actors, more: Record<string, string>, by = shop) {
  const { url } = await stage.request(scope, { prompt: 'none', ...more }, by);
  return new URL(await redirectOf(browser, url)).searchParams;
}

describe('the subject of a person at a client with pairwise subjects', () => {
  it('says nothing about the person, and is the same in everything that the client gets', async () => {
    const made = await tokensOf();
    const sub = made.claims()?.sub ?? '';
    expect(sub).toEqual(isMade);
    const again = await client.refreshTokenGrant(shop, made.refresh_token ?? '');
    const known = {
      'a refreshed ID token': again.claims()?.sub,
      'an answer about the person': (await client.fetchUserInfo(shop, again.access_token, sub)).sub,
      'introspection of an access token': (await client.tokenIntrospection(shop, again.access_token)).sub,
      'introspection of a refresh token': (await client.tokenIntrospection(shop, again.refresh_token ?? ''))
        .sub,
    };
    expect(known).toEqual(Object.fromEntries(Object.keys(known).map((place) => [place, sub])));
  });

  it('is in a signed answer about the person, which is signed for the client', async () => {
    const by = await addClient({ userinfoSignedResponseAlg: 'RS256' });
    const made = await tokensOf({ by });
    const response = await client.fetchProtectedResource(
      by,
      made.access_token,
      new URL(by.serverMetadata().userinfo_endpoint ?? ''),
      'GET',
    );
    expect(response.headers.get('content-type')).toMatch(/^application\/jwt/);
    const [, payload = ''] = (await response.text()).split('.');
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(sub).toBe(await subjectOf());
  });

  it('is in an ID token that comes in the address, and in one for a device', async () => {
    const sub = await subjectOf();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(shop, {
      ...{ redirect_uri: redirect, scope: 'openid', state: client.randomState(), nonce },
      response_type: 'id_token',
    });
    const answer = await signIn(stage.actors(), url.href, { consent: { grantScopes: ['openid'] } });
    const idToken = new URLSearchParams(new URL(answer).hash.slice(1)).get('id_token') ?? '';
    const { sub: inAddress } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString());
    expect(inAddress).toBe(sub);

    const device = await client.initiateDeviceAuthorization(shop, { scope });
    const who = stage.actors();
    const page = await redirectOf(who.browser, `${stage.app.url}/oauth2/device/verify`);
    const challenge = new URL(page).searchParams.get('device_challenge') ?? '';
    const input = { challenge, userCode: device.user_code };
    const { redirectTo } = await mutate(
      stage.app,
      'acceptDeviceRequest',
      input,
      'redirectTo',
      stage.loginApp,
    );
    const done = await signIn(who, redirectTo, { consent }).catch((error: Error) => error.message);
    expect(done).toContain('answered 200');
    const made = await client.pollDeviceAuthorizationGrant(shop, device);
    expect(made.claims()?.sub).toBe(sub);
  });

  it('is shown to administrators beside the name that the login app has given', async () => {
    const made = await tokensOf();
    const obfuscatedSubject = made.claims()?.sub;
    for (const token of [made.access_token, made.refresh_token ?? ''])
      expect(await shown(token)).toEqual({ subject: 'alice', obfuscatedSubject, username: null });
    const own = await client.clientCredentialsGrant(shop, { scope: 'write' });
    expect(await shown(own.access_token)).toMatchObject({ subject: 'shop', obfuscatedSubject: null });
    const { access_token: token } = await tokensOf({ by: stage.web });
    expect(await shown(token)).toMatchObject({ subject: 'alice', obfuscatedSubject: null });
  });

  it('is never the name of a claim that the consent app adds', async () => {
    const { url, checks } = await stage.request(scope, {}, shop);
    const session = { idToken: { sub: 'alice', team: 'a' }, accessToken: {} };
    const answer = await signIn(stage.actors(), url, { consent: { ...consent, session } });
    const made = await client.authorizationCodeGrant(shop, new URL(answer), checks);
    expect(made.claims()).toMatchObject({ sub: isMade, team: 'a' });
    const info = await client.fetchUserInfo(shop, made.access_token, client.skipSubjectCheck);
    expect(info).toEqual({ sub: made.claims()?.sub, team: 'a' });
  });

  it('is not in the list of consents, nor in what login apps and consent apps read', async () => {
    const who = stage.actors();
    const { url } = await stage.request(scope, {}, shop);
    const challenge = await untilConsent(who, url, { subject: 'alice', remember: true });
    expect(await stage.consentRequest(challenge)).toMatchObject({ subject: 'alice' });
    const again = challengeIn(await redirectOf(who.browser, (await stage.request(scope, {}, shop)).url));
    expect((await stage.loginRequest(again)).data.loginRequest).toMatchObject({
      skip: true,
      subject: 'alice',
    });
    const { data } = await stage.app.ask(
      '{ consentSessions(subject: "alice", filter: { clientId: "shop" }) { totalCount } }',
    );
    expect(data.consentSessions.totalCount).toBeGreaterThan(0);
  });
});

describe('the sector of a client', () => {
  const own = () => subjectOf();
  const both = [redirect, elsewhere];
  const at = (host: string) => () =>
    addClient({ redirectUris: both, sectorIdentifierUri: sectors.publish('/both', both, host) });

  it.each<[string, () => Promise<client.Configuration>, redirectUri?: string]>([
    [
      'another client with the same host',
      () => addClient({ redirectUris: ['https://app.example/b'] }),
      'https://app.example/b',
    ],
    [
      'another port of the host',
      () => addClient({ redirectUris: ['https://app.example:8443/'] }),
      'https://app.example:8443/',
    ],
  ])('is the host of its redirect URIs: it shares subjects with %s', async (_what, add, redirectUri) => {
    const by = await add();
    expect(await subjectOf({ by, redirectUri: redirectUri ?? redirect })).toBe(await own());
  });

  it('is the host of its sector identifier URI, if it has one', async () => {
    const [one, two] = [await at('127.0.0.1')(), await at('127.0.0.1')()];
    const sub = await subjectOf({ by: one });
    expect(sub).toEqual(isMade);
    expect(await subjectOf({ by: two, redirectUri: elsewhere })).toBe(sub);
    expect(sub).not.toBe(await own());
  });

  it('tells people apart for those of another sector, of another tenant, and for other people', async () => {
    const tenantId = await newTenant('neighbours');
    const loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId });
    const neighbour = await addClient({}, await newCaller({ role: 'ADMIN', tenantId }));
    const all = await Promise.all([
      own(),
      subjectOf({ subject: 'berta' }),
      subjectOf({ by: await at('localhost')() }),
      subjectOf({ by: await at('127.0.0.1')() }),
      subjectOf({ by: await addClient({ redirectUris: [elsewhere] }), redirectUri: elsewhere }),
      subjectOf({ by: neighbour, who: { ...stage.actors(), loginApp } }),
    ]);
    expect(all).toEqual(all.map(() => isMade));
    expect(new Set(all).size).toBe(all.length);
  });

  it('cannot be found out from a subject without the random text of the tenant, which is stored encrypted', async () => {
    const sub = (await own()) ?? '';
    const { rows } = await pool.query('select tenant_id, salt_sealed from oauth2_pairwise_salts');
    expect(rows.length).toBeGreaterThan(0);
    for (const { tenant_id: tenantId } of rows) {
      const plain = createHash('sha256').update(`app.example\0${tenantId}/alice`).digest('base64url');
      expect(sub).not.toContain(plain);
    }
    const whole = rows.map(({ salt_sealed: sealed }) => sealed.length);
    // Version, nonce and tag, and the text.
    expect(whole).toEqual(whole.map(() => 1 + 12 + 16 + 43));
  });
});

describe('a subject', () => {
  it('stays when keys are rotated, and when the client gets another secret', async () => {
    const sub = await subjectOf();
    const { username, password } = stage.app.secrets.administrator;
    await letKeysAge();
    const input = { set: 'slipway.openid.id-token' };
    const rotated = await mutate(stage.app, 'rotateJsonWebKeySet', input, '', basic(username, password));
    expect(rotated).toMatchObject({ __typename: 'RotateJsonWebKeySetPayload' });
    const turned = await mutate(
      stage.app,
      'rotateOAuth2ClientSecret',
      { by: { clientId: 'shop' } },
      'clientSecret',
    );
    expect(turned.clientSecret).toEqual(expect.any(String));
    expect(await subjectOf()).toBe(sub);
  });
});

describe('an ID token as a hint', () => {
  it('lets its person in, and nobody else', async () => {
    const who = stage.actors();
    const mine = await tokensOf({ who });
    const hers = await tokensOf({ subject: 'berta' });
    expect((await silently(who, { id_token_hint: mine.id_token ?? '' })).get('code')).not.toBeNull();
    expect((await silently(who, { id_token_hint: hers.id_token ?? '' })).get('error')).toBe('login_required');
    expect((await silently(stage.actors(), { id_token_hint: mine.id_token ?? '' })).get('error')).toBe(
      'login_required',
    );
  });

  it('still lets in who got it before the client had pairwise subjects, or another identifier', async () => {
    const by = await addClient({ subjectType: 'public' });
    const clientId = by.clientMetadata().client_id;
    const who = stage.actors();
    const plain = await tokensOf({ who, by });
    expect(plain.claims()?.sub).toBe('alice');
    const patch = [{ op: 'replace', path: '/subject_type', value: 'pairwise' }];
    await mutate(stage.app, 'patchOAuth2Client', { by: { clientId }, patch });
    const made = await tokensOf({ by });
    expect(made.claims()?.sub).toEqual(isMade);
    const { url, checks } = await stage.request(scope, {}, by);
    const login = { forceSubjectIdentifier: 'number 7' };
    const answer = await signIn(stage.actors(), url, { login, consent });
    const forced = await client.authorizationCodeGrant(by, new URL(answer), checks);
    for (const { id_token: hint = '' } of [plain, made, forced])
      expect((await silently(who, { id_token_hint: hint }, by)).get('code')).not.toBeNull();
  });

  it('begins a logout, which tells the client which session has ended, and not whose', async () => {
    const receiver = await startWebhookReceiver();
    try {
      const by = await addClient({ backchannelLogoutUri: receiver.url });
      const who = stage.actors();
      const made = await tokensOf({ by, who });
      const url = client.buildEndSessionUrl(by, { id_token_hint: made.id_token ?? '' });
      const page = new URL(await redirectOf(who.browser, url.href));
      const challenge = page.searchParams.get('logout_challenge') ?? '';
      const { data } = await stage.app.ask(
        'query ($challenge: String!) { logoutRequest(challenge: $challenge) { subject rpInitiated } }',
        { challenge },
        stage.loginApp,
      );
      expect(data.logoutRequest).toEqual({ subject: 'alice', rpInitiated: true });
      const { redirectTo } = await mutate(
        stage.app,
        'acceptLogoutRequest',
        { challenge },
        'redirectTo',
        stage.loginApp,
      );
      await who.browser.open(redirectTo);
      const token = new URLSearchParams(receiver.received.at(-1)?.body).get('logout_token') ?? '';
      const clientId = by.clientMetadata().client_id;
      const said = await verifyLogoutToken(token, { issuer: stage.app.url, clientId });
      expect(said).toMatchObject({ sid: made.claims()?.['sid'] });
      expect(JSON.stringify(said)).not.toMatch(/alice|pair-/);
    } finally {
      await receiver.stop();
    }
  });
});

describe('access tokens of a client with pairwise subjects', () => {
  it('are opaque, though the server gives JWTs to others', async () => {
    const [made, others] = [await tokensOf(), await tokensOf({ by: stage.web })];
    expect([made.access_token.split('.').length, others.access_token.split('.').length]).toEqual([1, 3]);
  });

  it('are never for Slipway itself, which names users', async () => {
    const { id: subject } = await newUser();
    const { url, checks } = await stage.request('openid all', {}, shop);
    const answer = await signIn(stage.actors(), url, {
      login: { subject },
      consent: { grantScopes: ['openid', 'all'] },
    });
    await expect(client.authorizationCodeGrant(shop, new URL(answer), checks)).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  it('that were for Slipway before are shown to the client without the user', async () => {
    const by = await addClient({ subjectType: 'public', scope: `${webSettings.scope} all` });
    const { id: subject, username } = await newUser();
    const { url, checks } = await stage.request('openid offline all', {}, by);
    const answer = await signIn(stage.actors(), url, {
      login: { subject },
      consent: { grantScopes: ['openid', 'offline', 'all'] },
    });
    const made = await client.authorizationCodeGrant(by, new URL(answer), checks);
    const before = await client.tokenIntrospection(by, made.access_token);
    expect(before).toMatchObject({ sub: subject, username });
    const patch = [{ op: 'replace', path: '/subject_type', value: 'pairwise' }];
    const { client_id: clientId } = by.clientMetadata();
    await mutate(stage.app, 'patchOAuth2Client', { by: { clientId }, patch });
    const after = await client.tokenIntrospection(by, made.access_token);
    expect(after).toMatchObject({ active: true, sub: isMade });
    expect(after).not.toHaveProperty('username');
    await expect(client.refreshTokenGrant(by, made.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  it('that it exchanges are about the same subject, also as the one who acts', async () => {
    const [mine, hers] = [await tokensOf(), await tokensOf({ subject: 'berta' })];
    const made = await client.genericGrantRequest(shop, EXCHANGE, {
      ...{ subject_token: mine.access_token, subject_token_type: ACCESS_TOKEN, scope: 'read.runs' },
      ...{ actor_token: hers.access_token, actor_token_type: ACCESS_TOKEN },
    });
    expect(await client.tokenIntrospection(shop, made.access_token)).toMatchObject({
      ...{ active: true, sub: mine.claims()?.sub, act: { sub: hers.claims()?.sub } },
    });
    expect(await shown(made.access_token)).toMatchObject({ subject: 'alice' });
  });
});

it('the server says that it has both types of subjects', () => {
  expect(shop.serverMetadata().subject_types_supported).toEqual(['public', 'pairwise']);
  expect(scopes).toContain('openid');
});
