/** A server behind a proxy that removes a path in front of ours: every address that leaves the server has the path. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';
import { Browser, challengeIn, redirectOf, signIn } from './browser.ts';
import { rawRequest } from './raw-request.ts';
import { PATIENCE_SECONDS, redirect } from './stage.ts';
import { verifyingFetch } from './verified-tokens.ts';

const PUBLIC_URL = 'https://slipway.example/ml/platform';
vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['PUBLIC_URL'] = 'https://slipway.example/ml/platform/';
});

let app: LocalApp;
let loginApp: string;
let web: client.Configuration;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'] });
  const settings = { redirectUris: [redirect], scope: 'openid', grantTypes: ['authorization_code'] };
  const input = { clientId: 'web', client: settings };
  const { clientSecret } = await mutate(app, 'createOAuth2Client', input, 'clientSecret');
  // This is the proxy.
  const { fetch: send } = globalThis;
  vi.stubGlobal('fetch', (url: string | URL, init?: RequestInit) =>
    send(String(url).replace(PUBLIC_URL, app.url), init),
  );
  web = await client.discovery(new URL(PUBLIC_URL), 'web', clientSecret, undefined, {
    timeout: PATIENCE_SECONDS,
  });
  web[client.customFetch] = verifyingFetch({ issuer: PUBLIC_URL, clientId: 'web' });
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await app.stop();
});

describe('a public URL with a path', () => {
  it('is in front of each endpoint', () => {
    const metadata = Object.entries(web.serverMetadata());
    const endpoints = metadata.filter(([name]) => /_endpoint$|_uri$|^issuer$/.test(name));
    expect(endpoints.length).toBeGreaterThan(4);
    for (const [, address] of endpoints)
      expect(String(address)).toMatch(/^https:\/\/slipway\.example\/ml\/platform/);
    expect(web.serverMetadata().token_endpoint).toBe(`${PUBLIC_URL}/oauth2/token`);
  });

  it.each<Record<string, string>>([
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example, evil.example' },
    { forwarded: 'host=evil.example;proto=http' },
    { host: 'evil.example' },
  ])('is the same whatever a proxy forwards from a request: %j', async (headers) => {
    const { issuer, token_endpoint: token } = web.serverMetadata();
    const address = `${app.url}/.well-known/openid-configuration`;
    const metadata = await (await rawRequest(address, { headers })).json();
    expect(metadata).toMatchObject({ issuer, token_endpoint: token });
  });

  it('leads a browser through the whole code flow', async () => {
    const actors = { app, loginApp, browser: new Browser() };
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const { href: url } = client.buildAuthorizationUrl(web, {
      ...{ redirect_uri: redirect, scope: 'openid', state: 'a state', code_challenge_method: 'S256' },
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    });
    const challenge = challengeIn(await redirectOf(new Browser(), url));
    const asked = await app.ask(
      'query ($challenge: String!) { loginRequest(challenge: $challenge) { requestUrl } }',
      { challenge },
      loginApp,
    );
    expect(asked.data.loginRequest.requestUrl).toContain(`${PUBLIC_URL}/oauth2/auth?`);
    const answer = await signIn(actors, url, { consent: { grantScopes: ['openid'] } });
    const checks = { pkceCodeVerifier, expectedState: 'a state' };
    const made = await client.authorizationCodeGrant(web, new URL(answer), checks);
    expect(made.claims()).toMatchObject({ iss: PUBLIC_URL, sub: 'alice' });
    expect(await client.fetchUserInfo(web, made.access_token, 'alice')).toEqual({ sub: 'alice' });
  });
});
