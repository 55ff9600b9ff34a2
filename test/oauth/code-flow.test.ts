/** The code flow with an own login app, walked by an independent client. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mutate } from '../support/mutate.ts';
import {
  acceptConsent,
  acceptLogin,
  Browser,
  challengeIn,
  redirectOf,
  signIn,
  untilConsent,
} from './browser.ts';
import { consent, redirect, Stage, scope, scopes } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

describe('the code flow', () => {
  it('asks the login app and the consent app, and gives the client tokens', async () => {
    const who = stage.actors();
    const { url, checks } = await stage.request(scope, { login_hint: 'al', acr_values: 'one two' });
    const asked = await redirectOf(who.browser, url);
    const { data } = await stage.loginRequest(challengeIn(asked));
    expect(data.loginRequest).toMatchObject({
      ...{
        skip: false,
        subject: null,
        requestedScopes: scopes,
        client: { clientId: 'web' },
        sessionId: expect.stringMatching(/^[\w-]{20,}$/),
      },
      oidcContext: { loginHint: 'al', acrValues: ['one', 'two'] },
    });
    expect(data.loginRequest.requestUrl).toContain(`${stage.app.url}/oauth2/auth?`);
    const login = { acr: 'urn:two', amr: ['pwd', 'otp'], context: { theme: 'dark' } };
    const accepted = await acceptLogin(who, { challenge: challengeIn(asked), ...login });
    const next = await redirectOf(who.browser, accepted.redirectTo);
    expect(await stage.consentRequest(challengeIn(next))).toEqual({
      ...{ skip: false, subject: 'alice', requestedScopes: scopes, client: { clientId: 'web' }, ...login },
    });
    const session = { idToken: { team: 'blue' }, accessToken: { role: 'dev' } };
    const given = await acceptConsent(who, { challenge: challengeIn(next), ...consent, session });
    const answer = await redirectOf(who.browser, given.redirectTo);
    expect(answer).toContain(`${redirect}?`);
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(made.claims()).toMatchObject({
      ...{ sub: 'alice', iss: stage.app.url, aud: 'web', acr: 'urn:two', amr: ['pwd', 'otp'], team: 'blue' },
      ...{ sid: expect.any(String), auth_time: expect.any(Number) },
    });
    expect([made.scope, made.token_type, made.expires_in]).toEqual([scope, 'bearer', 3600]);
    const info = await client.fetchUserInfo(stage.web, made.access_token, 'alice');
    expect(info).toEqual({ sub: 'alice', team: 'blue' });
    expect(await client.tokenIntrospection(stage.web, made.access_token)).toMatchObject({
      ...{ active: true, sub: 'alice', client_id: 'web', scope, ext: { role: 'dev' } },
    });
  });

  it('works for a public client with PKCE, and not without', async () => {
    const { native } = stage;
    const { url, checks } = await stage.request('openid', {}, native);
    const answer = await signIn(stage.actors(), url, { consent: { grantScopes: ['openid'] } });
    const made = await client.authorizationCodeGrant(native, new URL(answer), checks);
    expect(made.claims()?.sub).toBe('alice');
    const plain = new URL(url);
    plain.searchParams.delete('code_challenge');
    plain.searchParams.delete('code_challenge_method');
    const refused = new URL(await redirectOf(new Browser(), plain.href));
    expect(refused.searchParams.get('error')).toBe('invalid_request');
  });

  it('grants only what the person has allowed', async () => {
    const { url, checks } = await stage.request('openid read.runs write');
    const answer = await signIn(stage.actors(), url, { consent: { grantScopes: ['openid', 'write'] } });
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(made.scope).toBe('openid write');
    expect(made.refresh_token).toBeUndefined();
  });

  it.each([
    ['a scope that the client may not have', 'openid admin', 'invalid_scope'],
    ['a scope beside a pattern', 'openid read', 'invalid_scope'],
  ])('refuses %s', async (_what, asked, error) => {
    const { url } = await stage.request(asked);
    expect(new URL(await redirectOf(new Browser(), url)).searchParams.get('error')).toBe(error);
  });

  it('never sends a browser to an address that is not registered', async () => {
    const { url } = await stage.request(scope, { redirect_uri: 'https://evil.example/callback' });
    const response = await new Browser().open(url);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('binds the answer to the browser that has asked', async () => {
    const { url } = await stage.request(scope);
    const asked = await redirectOf(new Browser(), url);
    const { redirectTo } = await acceptLogin(stage.actors(), { challenge: challengeIn(asked) });
    const response = await new Browser().open(redirectTo);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('tells the client when the login app refuses', async () => {
    const { browser } = stage.actors();
    const { url } = await stage.request(scope);
    const challenge = challengeIn(await redirectOf(browser, url));
    const input = {
      challenge,
      error: 'login_required',
      errorDescription: 'no such person',
      errorHint: 'ask IT',
    };
    const { redirectTo } = await mutate(stage.app, 'rejectLoginRequest', input, 'redirectTo', stage.loginApp);
    const { searchParams } = new URL(await redirectOf(browser, redirectTo));
    expect(searchParams.get('error')).toBe('login_required');
    expect(searchParams.get('error_description')).toBe('no such person ask IT');
  });

  it('tells the client when the consent app refuses', async () => {
    const who = stage.actors();
    const challenge = await untilConsent(who, (await stage.request(scope)).url);
    const { redirectTo } = await mutate(
      stage.app,
      'rejectConsentRequest',
      { challenge },
      'redirectTo',
      stage.loginApp,
    );
    const { searchParams } = new URL(await redirectOf(who.browser, redirectTo));
    expect(searchParams.get('error')).toBe('access_denied');
  });
});
