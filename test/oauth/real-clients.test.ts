/**
 * Two client libraries walk each flow. Each token that they get is verified with jose by the keys that the server
 * publishes; each test says which kinds of tokens these were.
 */
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { Browser, redirectOf, signIn } from './browser.ts';
import { type Authentication, type Connection, libraries, type Tokens } from './libraries.ts';
import { consent, redirect, Stage, scope, webSettings } from './stage.ts';
import { verifyLogoutToken } from './verified-tokens.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
  process.env['OAUTH_DEVICE_URL'] = 'https://login.example/device';
  process.env['OAUTH_DEVICE_SUCCESS_URL'] = 'https://login.example/device-success';
  process.env['OAUTH_REGISTRATION'] = 'on';
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'true';
});

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const back = 'https://app.example/bye';
let stage: Stage;
let receiver: WebhookReceiver;
beforeAll(async () => {
  stage = await Stage.start();
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await receiver.stop();
  await stage.stop();
});

let number = 0;
/** Makes a client. @returns its id and its secret, if it has one. */
async function newClient(settings: object): Promise<{ clientId: string; secret: string }> {
  number += 1;
  const clientId = `client-${number}`;
  const made = await mutate(stage.app, 'createOAuth2Client', { clientId, client: settings }, 'clientSecret');
  expect(made.__typename, JSON.stringify(made)).toBe('CreateOAuth2ClientPayload');
  return { clientId, secret: made.clientSecret ?? '' };
}

const as = (subject: string) => ({ login: { subject, remember: true }, consent });
/** Signs alice in. @returns the tokens. */
async function tokensOf(connection: Connection, how = {}, who = stage.actors()): Promise<Tokens> {
  const { url, redeem } = await connection.request(scope, how);
  return await redeem(await signIn(who, url, as('alice')));
}
const refused = (error: string) => ({ error });

describe.each(libraries)('$name', ({ connect, register }) => {
  /** A client of its own, and the kinds of tokens that it has got. */
  async function begin(settings: object = {}, more: { bindTo?: CryptoKeyPair } = {}) {
    const { clientId, secret } = await newClient({ ...webSettings, ...settings });
    const isPublic = 'tokenEndpointAuthMethod' in settings && settings.tokenEndpointAuthMethod === 'none';
    const authentication: Authentication = isPublic
      ? { method: 'none' }
      : { method: 'client_secret_basic', secret };
    const kinds: string[] = [];
    const opening = { issuer: stage.app.url, clientId, authentication, ...more };
    const connection = await connect({ ...opening, onVerified: (kind) => kinds.push(kind) });
    return { connection, kinds, clientId };
  }

  it.each([
    ['a client with a secret', {}],
    ['a public client', { tokenEndpointAuthMethod: 'none', grantTypes: ['authorization_code'] }],
  ])('walks the code flow with PKCE as %s', async (_what, settings) => {
    const { connection, kinds } = await begin(settings);
    const made = await tokensOf(connection);
    expect([made.token_type, made.scope]).toEqual(['bearer', scope]);
    expect(await connection.userInfo(made.access_token, 'alice')).toEqual({ sub: 'alice' });
    expect(kinds).toEqual(['opaque access token', 'ID token']);
  });

  it('gets JWTs as access tokens if the client wants them', async () => {
    const { connection, kinds } = await begin({ accessTokenStrategy: 'jwt' });
    const made = await tokensOf(connection);
    const next = await connection.refresh(made.refresh_token ?? '');
    expect(kinds).toEqual(['access token', 'ID token', 'access token', 'ID token']);
    expect(await connection.introspect(next.access_token)).toMatchObject({
      sub: 'alice',
      iss: stage.app.url,
    });
  });

  it('gets tokens for Slipway itself', async () => {
    const { connection, kinds } = await begin({ scope: 'openid offline all' });
    const { id } = await newUser();
    const { url, redeem } = await connection.request('openid all');
    const more = { login: { subject: id }, consent: { grantScopes: ['openid', 'all'] } };
    const made = await redeem(await signIn(stage.actors(), url, more));
    const { data } = await stage.app.ask('{ viewer { id } }', {}, `Bearer ${made.access_token}`);
    expect([data.viewer.id, kinds]).toEqual([id, ['access token', 'ID token']]);
  });

  it('gets the ID token with the browser in the hybrid flow', async () => {
    const { connection, kinds } = await begin({
      grantTypes: ['authorization_code', 'implicit'],
      responseTypes: ['code', 'code id_token'],
    });
    const made = await tokensOf(connection, { isHybrid: true });
    expect([made.scope, kinds]).toEqual([scope, ['opaque access token', 'ID token']]);
  });

  it('pushes its request', async () => {
    const { connection } = await begin();
    const { url, redeem } = await connection.request(scope, { isPushed: true });
    expect([...new URL(url).searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    expect((await redeem(await signIn(stage.actors(), url, as('alice')))).scope).toBe(scope);
  });

  it('reads the signed user info', async () => {
    const { connection, kinds } = await begin({ userinfoSignedResponseAlg: 'RS256' });
    const made = await tokensOf(connection);
    expect(await connection.userInfo(made.access_token, 'alice')).toMatchObject({ sub: 'alice' });
    expect(kinds).toEqual(['opaque access token', 'ID token', 'user info']);
  });

  it('refreshes with rotation; a refresh token that is used twice ends the chain', async () => {
    const { connection } = await begin();
    const first = await tokensOf(connection);
    const second = await connection.refresh(first.refresh_token ?? '');
    expect([second.refresh_token, second.access_token]).not.toEqual([
      first.refresh_token,
      first.access_token,
    ]);
    expect(await connection.introspect(second.access_token)).toMatchObject({ active: true, sub: 'alice' });
    for (const used of [first, second])
      await expect(connection.refresh(used.refresh_token ?? '')).rejects.toMatchObject(
        refused('invalid_grant'),
      );
    expect(await connection.introspect(second.access_token)).toEqual({ active: false });
  });

  it('revokes what belongs together', async () => {
    const { connection } = await begin();
    const made = await tokensOf(connection);
    await connection.revoke(made.refresh_token ?? '');
    expect(await connection.introspect(made.access_token)).toEqual({ active: false });
    await expect(connection.refresh(made.refresh_token ?? '')).rejects.toMatchObject(
      refused('invalid_grant'),
    );
    await expect(connection.revoke('unknown')).resolves.toBeUndefined();
  });

  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'acts for itself by %s, and not with a wrong secret',
    async (method) => {
      const settings = {
        grantTypes: ['client_credentials'],
        scope: 'read.*',
        tokenEndpointAuthMethod: method,
      };
      const { clientId, secret } = await newClient(settings);
      const ask = async (authentication: Authentication) => {
        const connection = await connect({ issuer: stage.app.url, clientId, authentication });
        return await connection.clientCredentials('read.runs');
      };
      expect((await ask({ method, secret })).scope).toBe('read.runs');
      await expect(ask({ method, secret: 'wrong' })).rejects.toMatchObject({ status: 401 });
    },
  );

  it('signs a device in', async () => {
    const grantTypes = [DEVICE_CODE, 'refresh_token'];
    const { connection, kinds } = await begin({ grantTypes, tokenEndpointAuthMethod: 'none' });
    const [waiting, code] = [await connection.beginDevice(scope), await connection.beginDevice(scope)];
    await expect(connection.pollDevice(waiting)).rejects.toMatchObject(refused('authorization_pending'));
    const browser = new Browser();
    const page = new URL(await redirectOf(browser, code.verification_uri_complete ?? ''));
    const challenge = page.searchParams.get('device_challenge');
    const input = { challenge, userCode: page.searchParams.get('user_code') };
    const accepted = await mutate(stage.app, 'acceptDeviceRequest', input, 'redirectTo', stage.loginApp);
    const end = await signIn(stage.actors(browser), accepted.redirectTo, as('alice'));
    expect(end).toBe('https://login.example/device-success');
    const made = await connection.pollDevice(code);
    expect((await connection.refresh(made.refresh_token ?? '')).scope).toBe(scope);
    expect(kinds).toEqual(['opaque access token', 'ID token', 'opaque access token', 'ID token']);
  });

  it('signs a person out, and is told in the back channel by a token that it can verify', async () => {
    const { connection, clientId } = await begin({
      postLogoutRedirectUris: [back],
      backchannelLogoutUri: `${receiver.url}/${number}`,
    });
    const who = stage.actors();
    const made = await tokensOf(connection, {}, who);
    const asked = { id_token_hint: made.id_token ?? '', post_logout_redirect_uri: back, state: 'a state' };
    const page = await redirectOf(who.browser, connection.logoutUrl(asked));
    const challenge = new URL(page).searchParams.get('logout_challenge');
    const { redirectTo } = await mutate(
      stage.app,
      'acceptLogoutRequest',
      { challenge },
      'redirectTo',
      stage.loginApp,
    );
    expect(await redirectOf(who.browser, redirectTo)).toBe(`${back}?state=a+state`);
    const call = new URLSearchParams(receiver.received.at(-1)?.body);
    const token = call.get('logout_token') ?? '';
    const { sid } = await verifyLogoutToken(token, { issuer: stage.app.url, clientId });
    expect(sid).toEqual(expect.any(String));
  });

  it('gets tokens that are bound to a key, and uses them only with it', async () => {
    const bindTo = await generateKeyPair('ES256', { extractable: true });
    const publicClient = { tokenEndpointAuthMethod: 'none', grantTypes: webSettings.grantTypes.slice(0, 2) };
    const { connection, clientId } = await begin(publicClient, { bindTo });
    const made = await tokensOf(connection, { isPushed: true });
    expect(made.token_type).toBe('dpop');
    expect(await connection.userInfo(made.access_token, 'alice')).toEqual({ sub: 'alice' });
    const opening = { issuer: stage.app.url, clientId, authentication: { method: 'none' } } as const;
    const thief = await connect({ ...opening, bindTo: await generateKeyPair('ES256') });
    await expect(thief.refresh(made.refresh_token ?? '')).rejects.toMatchObject(refused('invalid_grant'));
    await expect(thief.userInfo(made.access_token, 'alice')).rejects.toMatchObject({ status: 401 });
    const bearer = await connect(opening);
    await expect(bearer.refresh(made.refresh_token ?? '')).rejects.toMatchObject(refused('invalid_grant'));
    expect((await connection.refresh(made.refresh_token ?? '')).token_type).toBe('dpop');
  });

  it('registers itself, and signs a person in', async () => {
    const connection = await register(stage.app.url, { redirect_uris: [redirect], client_name: 'Mine' });
    const { url, redeem } = await connection.request('openid');
    const made = await redeem(await signIn(stage.actors(), url, { consent: { grantScopes: ['openid'] } }));
    expect(await connection.userInfo(made.access_token, 'alice')).toEqual({ sub: 'alice' });
  });

  it.each([
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
    ...['Ed25519', 'EdDSA'],
  ])('acts for itself by an assertion that it signs with %s, and by no other algorithm', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' }] };
    const { clientId } = await newClient({
      ...{ grantTypes: ['client_credentials'], scope: 'read.*', jwks },
      ...{ tokenEndpointAuthMethod: 'private_key_jwt', tokenEndpointAuthSigningAlg: alg },
    });
    const ask = async (key: CryptoKey, signedWith: string) => {
      const authentication = { method: 'private_key_jwt', key, alg: signedWith } as const;
      const connection = await connect({ issuer: stage.app.url, clientId, authentication });
      return await connection.clientCredentials('read.runs');
    };
    expect((await ask(privateKey, alg)).scope).toBe('read.runs');
    const other = alg === 'ES256' ? 'ES384' : 'ES256';
    const stranger = (await generateKeyPair(other)).privateKey;
    await expect(ask(stranger, other)).rejects.toMatchObject(refused('invalid_client'));
  });
});
