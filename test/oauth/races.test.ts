/** What may be used once is used once, also by twenty requests at the same time. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';
import {
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

const TIMES = 20;
let app: App;
let loginApp: string;
let config: client.Configuration;
const redirect = 'https://app.example/callback';
const scope = 'openid offline';
const insecure = { execute: [client.allowInsecureRequests] };
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'] });
  const settings = { redirectUris: [redirect], grantTypes: ['authorization_code', 'refresh_token'], scope };
  const input = { clientId: 'web', client: settings };
  const { clientSecret } = await mutate(app, 'createOAuth2Client', input, 'clientSecret');
  config = await client.discovery(new URL(app.url), 'web', clientSecret, undefined, insecure);
});
afterAll(() => app.stop());

const times = <T>(work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: TIMES }, (_, at) => work(at)));
const settled = async <T>(work: () => Promise<T>) => {
  const results = await Promise.allSettled(Array.from({ length: TIMES }, work));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
};
const actors = () => ({ app, browser: new Browser(), loginApp });

async function request() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
  const pkce = { code_challenge, code_challenge_method: 'S256' };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope,
    state: 'a state',
    ...pkce,
  });
  return { url: url.href, checks: { pkceCodeVerifier, expectedState: 'a state' } };
}

async function newTokens() {
  const { url, checks } = await request();
  const answer = await signIn(actors(), url, { consent: { grantScopes: scope.split(' ') } });
  return await client.authorizationCodeGrant(config, new URL(answer), checks);
}

describe('twenty at the same time', () => {
  it('accept one login: one subject counts', async () => {
    const who = actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await request()).url));
    const answers = await times((at) => acceptLogin(who, { challenge, subject: `person-${at}` }));
    const accepted = answers.flatMap((answer: Answer, at) => (answer.redirectTo ? [{ ...answer, at }] : []));
    expect(accepted).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'FAILED_PRECONDITION')).toHaveLength(TIMES - 1);
    const next = challengeIn(await redirectOf(who.browser, accepted[0]?.redirectTo));
    const document = 'query ($challenge: String!) { consentRequest(challenge: $challenge) { subject } }';
    const { data } = await app.ask(document, { challenge: next }, loginApp);
    expect(data.consentRequest.subject).toBe(`person-${accepted[0]?.at}`);
  });

  it('accept one consent: one counts', async () => {
    const who = actors();
    const challenge = await untilConsent(who, (await request()).url);
    const answers = await times(() => acceptConsent(who, { challenge, grantScopes: ['openid'] }));
    expect(answers.filter(({ redirectTo }) => redirectTo)).toHaveLength(1);
  });

  it('redeem one code: one gets tokens, and they are dead afterwards', async () => {
    const { url, checks } = await request();
    const answer = await signIn(actors(), url, { consent: { grantScopes: scope.split(' ') } });
    const made = await settled(() => client.authorizationCodeGrant(config, new URL(answer), checks));
    expect(made).toHaveLength(1);
    expect(await client.tokenIntrospection(config, made[0]?.access_token ?? '')).toEqual({ active: false });
    await expect(client.refreshTokenGrant(config, made[0]?.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('use one refresh token: one gets tokens, and they are dead afterwards', async () => {
    const { refresh_token = '' } = await newTokens();
    const made = await settled(() => client.refreshTokenGrant(config, refresh_token));
    expect(made).toHaveLength(1);
    expect(await client.tokenIntrospection(config, made[0]?.access_token ?? '')).toEqual({ active: false });
  });

  it('show one client assertion: one gets a token', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
    const settings = { grantTypes: ['client_credentials'], tokenEndpointAuthMethod: 'private_key_jwt', jwks };
    await mutate(app, 'createOAuth2Client', { clientId: 'keyed', client: settings });
    const assertion = (audience: string) =>
      new SignJWT({ jti: `for ${audience}` })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer('keyed')
        .setSubject('keyed')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const send = async (client_assertion: string, headers: Record<string, string> = {}) => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const body = { grant_type: 'client_credentials', client_assertion_type, client_assertion };
      const response = await fetch(`${app.url}/oauth2/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams(body),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const one = await assertion(app.url);
    const statuses = await times(() => send(one));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(TIMES - 1);
    // An assertion for another server counts nowhere, whatever the request says about the host.
    const foreign = await assertion('https://evil.example/oauth2/token');
    const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect(await send(foreign, forwarded)).toBe(401);
  });
});
