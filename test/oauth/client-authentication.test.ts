/** How a client shows who it is, by two independent client libraries. */
import { exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mutate } from '../support/mutate.ts';
import { redirectOf, signIn } from './browser.ts';
import { consent, discover, redirect, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let server: oauth.AuthorizationServer;
const insecure = { [oauth.allowInsecureRequests]: true };
beforeAll(async () => {
  stage = await Stage.start();
  const issuer = new URL(stage.app.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, response);
});
afterAll(() => stage.stop());

const machine = { grantTypes: ['client_credentials'], scope: 'read.*' };
const secretOf = async (clientId: string, settings: object): Promise<string> =>
  (await mutate(stage.app, 'createOAuth2Client', { clientId, client: settings }, 'clientSecret'))
    .clientSecret;

/** As oauth4webapi asks for a token. */
async function tokenFor(clientId: string, authentication: oauth.ClientAuth) {
  const as = { client_id: clientId };
  const asked = new URLSearchParams({ scope: 'read.runs' });
  const response = await oauth.clientCredentialsGrantRequest(server, as, authentication, asked, insecure);
  return await oauth.processClientCredentialsResponse(server, as, response);
}

describe('a client with a secret', () => {
  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic, client.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost, client.ClientSecretPost],
  ])('gets a token by %s', async (tokenEndpointAuthMethod, authentication, other) => {
    const clientId = `by ${tokenEndpointAuthMethod}`.replace(' ', '-');
    const secret = await secretOf(clientId, { ...machine, tokenEndpointAuthMethod });
    expect((await tokenFor(clientId, authentication(secret))).scope).toBe('read.runs');
    const config = await discover(stage.app, clientId, secret, other(secret));
    expect((await client.clientCredentialsGrant(config)).token_type).toBe('bearer');
    await expect(tokenFor(clientId, authentication('wrong'))).rejects.toMatchObject({ status: 401 });
  });

  it('keeps characters that a form encodes', async () => {
    const input = { clientId: 'a:b%+ü'.replace('ü', '/'), clientSecret: 'p%20w:+&=ord', client: machine };
    await mutate(stage.app, 'createOAuth2Client', input);
    const { clientId, clientSecret } = input;
    for (const authentication of [oauth.ClientSecretBasic, oauth.ClientSecretPost])
      expect((await tokenFor(clientId, authentication(clientSecret))).token_type).toBe('bearer');
  });
});

describe('a client with a key', () => {
  it.each([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'Ed25519',
    'EdDSA',
  ])('gets a token by an assertion that it signs with %s, and by no other algorithm', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', use: 'sig' };
    const settings = { ...machine, tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } };
    const clientId = `keyed-${alg}`;
    await secretOf(clientId, { ...settings, tokenEndpointAuthSigningAlg: alg });
    const named = {
      // The libraries write Ed25519, the newer name of RFC 9864.
      [oauth.modifyAssertion]: (header: Record<string, unknown>) => Object.assign(header, { alg }),
    };
    const key = { key: pair.privateKey, kid: 'one' };
    const authentication = oauth.PrivateKeyJwt(key, named);
    const other = alg === 'ES256' ? 'ES384' : 'ES256';
    const stranger = await generateKeyPair(other);
    expect((await tokenFor(clientId, authentication)).scope).toBe('read.runs');
    const config = await discover(stage.app, clientId, undefined, client.PrivateKeyJwt(key, named));
    expect((await client.clientCredentialsGrant(config)).token_type).toBe('bearer');
    const wrong = oauth.PrivateKeyJwt({ key: stranger.privateKey, kid: 'one' });
    await expect(tokenFor(clientId, wrong)).rejects.toMatchObject({ error: 'invalid_client' });
  });
});

describe('a public client', () => {
  it('gets no token of its own, and cannot be registered for it', async () => {
    await expect(tokenFor('native', oauth.None())).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    const input = { client: { ...machine, tokenEndpointAuthMethod: 'none' } };
    const refused = await mutate(stage.app, 'createOAuth2Client', input);
    expect(refused.problems).toMatchObject([{ path: ['input', 'client', 'tokenEndpointAuthMethod'] }]);
  });

  it('cannot introspect, also not its own token', async () => {
    const { url, checks } = await stage.request(scope, {}, stage.native);
    const answer = await signIn(stage.actors(), url, { consent });
    const made = await client.authorizationCodeGrant(stage.native, new URL(answer), checks);
    expect(await client.tokenIntrospection(stage.native, made.access_token)).toEqual({ active: false });
  });
});

describe('oauth4webapi', () => {
  it('walks the code flow, refreshes, introspects and revokes', async () => {
    const as = { client_id: 'web' };
    const authentication = oauth.ClientSecretBasic(stage.webSecret);
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const asked = new URL(server.authorization_endpoint ?? '');
    asked.search = new URLSearchParams({
      ...{ ...as, redirect_uri: redirect, response_type: 'code', scope, state, nonce },
      ...{
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      },
    }).toString();
    const answer = await signIn(stage.actors(), asked.href, { consent });
    // It refuses an answer whose `iss` is missing or of another server (RFC 9207).
    const parameters = oauth.validateAuthResponse(server, as, new URL(answer), state);
    const code = await oauth.authorizationCodeGrantRequest(
      server,
      as,
      authentication,
      parameters,
      redirect,
      verifier,
      insecure,
    );
    const options = { expectedNonce: nonce, requireIdToken: true };
    const first = await oauth.processAuthorizationCodeResponse(server, as, code, options);
    // It verifies the signature with the published keys.
    await oauth.validateApplicationLevelSignature(server, code, insecure);
    const refreshing = async (token = '') =>
      await oauth.processRefreshTokenResponse(
        server,
        as,
        await oauth.refreshTokenGrantRequest(server, as, authentication, token, insecure),
      );
    const second = await refreshing(first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const introspect = async (token: string) =>
      await oauth.processIntrospectionResponse(
        server,
        as,
        await oauth.introspectionRequest(server, as, authentication, token, insecure),
      );
    expect(await introspect(second.access_token)).toMatchObject({ active: true, sub: 'alice' });
    const revoke = async (token = '') =>
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, as, authentication, token, insecure),
      );
    await revoke(second.refresh_token);
    expect(await introspect(second.access_token)).toEqual({ active: false });
    await expect(refreshing(second.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(revoke('unknown')).resolves.toBeUndefined();
  });

  it('ends a chain whose refresh token is used twice', async () => {
    const made = await stage.tokens();
    const as = { client_id: 'web' };
    const authentication = oauth.ClientSecretBasic(stage.webSecret);
    const use = async (token = '') =>
      await oauth.processRefreshTokenResponse(
        server,
        as,
        await oauth.refreshTokenGrantRequest(server, as, authentication, token, insecure),
      );
    const next = await use(made.refresh_token);
    await expect(use(made.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(use(next.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('gets an answer as a form that the browser posts', async () => {
    const { url } = await stage.request(scope, { response_mode: 'form_post' });
    const who = stage.actors();
    const { browser } = who;
    const plain = await stage.request(scope);
    await signIn(who, plain.url, { login: { remember: true }, consent: { ...consent, remember: true } });
    const response = await browser.open(`${url}&prompt=none`);
    const page = await response.text();
    expect([response.status, response.headers.get('location')]).toEqual([200, null]);
    expect(page).toContain(`action="${redirect}"`);
    expect(page).toMatch(/name="code" value="[\w-]+"/);
    expect(page).toContain(`name="iss" value="${stage.app.url}"`);
    expect(await redirectOf(browser, `${plain.url}&prompt=none`)).toContain('code=');
  });
});
