/** A login app that is written for Hydra: what it reads and answers at Hydra's addresses. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Browser, challengeIn, redirectOf } from '../../oauth/browser.ts';
import { redirect, Stage, scope, scopes } from '../../oauth/stage.ts';
import { type Call, callsTo } from './call.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let call: Call;
beforeAll(async () => {
  stage = await Stage.start();
  call = callsTo(stage.app, stage.loginApp);
});
afterAll(() => stage.stop());

/** A browser that waits for the login app. */
async function atLogin(more: Record<string, string> = {}) {
  const browser = new Browser();
  const { url, checks } = await stage.request(scope, more);
  const challenge = challengeIn(await redirectOf(browser, url));
  return { browser, url, checks, challenge };
}

/** A browser that waits for the consent app. */
async function atConsent(prefix: string, login: object = {}) {
  const begun = await atLogin();
  const { challenge: loginChallenge } = begun;
  const path = `${prefix}/oauth2/auth/requests/login/accept?login_challenge=${loginChallenge}`;
  const { body } = await call('PUT', path, { subject: 'alice', ...login });
  const challenge = challengeIn(await redirectOf(begun.browser, body.redirect_to));
  return { ...begun, loginChallenge, challenge };
}

describe.each(['/admin', ''])('login and consent requests below "%s"', (prefix) => {
  const requests = `${prefix}/oauth2/auth/requests`;

  it('lead a browser to its tokens', async () => {
    const login = { acr: 'high', amr: ['pwd'], context: { from: 'login' }, remember: true, remember_for: 60 };
    const { browser, checks, challenge } = await atConsent(prefix, login);
    const asked = await call('GET', `${requests}/consent?consent_challenge=${challenge}`);
    expect(asked).toMatchObject({
      status: 200,
      body: {
        ...{ challenge, skip: false, subject: 'alice', acr: 'high', amr: ['pwd'] },
        ...{ context: { from: 'login' }, requested_scope: scopes, requested_access_token_audience: [] },
        client: { client_id: 'web', redirect_uris: [redirect] },
        login_session_id: expect.any(String),
      },
    });
    const { body } = await call('PUT', `${requests}/consent/accept?consent_challenge=${challenge}`, {
      ...{ grant_scope: scopes, grant_access_token_audience: [], remember: false, remember_for: 0 },
      session: { id_token: { team: 'a' }, access_token: {} },
      handled_at: new Date().toISOString(),
    });
    const answer = await redirectOf(browser, body.redirect_to);
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(tokens.claims()).toMatchObject({ sub: 'alice', acr: 'high', amr: ['pwd'], team: 'a' });
  });

  it('are read with all members that version 1 requires', async () => {
    const { challenge } = await atLogin({ login_hint: 'bo', ui_locales: 'de en', acr_values: 'high low' });
    const { status, body } = await call('GET', `${requests}/login?login_challenge=${challenge}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ challenge, skip: false, subject: '', session_id: expect.stringMatching(/^[\w-]{20,}$/) },
      ...{ requested_scope: scopes, requested_access_token_audience: [] },
      request_url: expect.stringContaining('/oauth2/auth?'),
      oidc_context: { acr_values: ['high', 'low'], ui_locales: ['de', 'en'], login_hint: 'bo' },
      client: expect.objectContaining({ client_id: 'web', skip_consent: false }),
    });
    expect(body.client).not.toHaveProperty('client_secret');
  });

  it('have the members of version 2, and so has the list of consents', async () => {
    const subject = `carl${prefix}`;
    const login = { subject, remember: true, identity_provider_session_id: 'idp' };
    const first = await atConsent(prefix, login);
    const path = `${requests}/consent/accept?consent_challenge=${first.challenge}`;
    const { body: given } = await call('PUT', path, { grant_scope: scopes, context: { from: 'consent' } });
    const answer = await redirectOf(first.browser, given.redirect_to);
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(answer), first.checks);
    const { url } = await stage.request(scope, { id_token_hint: tokens.id_token ?? '' });
    const challenge = challengeIn(await redirectOf(first.browser, url));
    const claims = { id_token_hint_claims: tokens.claims() };
    expect((await call('GET', `${requests}/login?login_challenge=${challenge}`)).body).toMatchObject({
      ...{ skip: true, oidc_context: claims, identity_provider_session_id: 'idp' },
      session_id: tokens.claims()?.['sid'],
    });
    const accept = `${requests}/login/accept?login_challenge=${challenge}`;
    const { body: accepted } = await call('PUT', accept, { subject });
    const asked = challengeIn(await redirectOf(first.browser, accepted.redirect_to));
    const request = {
      login_challenge: challenge,
      consent_request_id: expect.any(String),
      oidc_context: claims,
    };
    expect((await call('GET', `${requests}/consent?consent_challenge=${asked}`)).body).toMatchObject(request);
    const sessions = `${prefix}/oauth2/auth/sessions/consent?subject=${encodeURIComponent(subject)}`;
    expect((await callsTo(stage.app, stage.app.admin)('GET', sessions)).body).toMatchObject([
      { context: { from: 'consent' }, consent_request: { login_challenge: first.loginChallenge } },
    ]);
  });

  it('are found by the old name of the challenge', async () => {
    const { challenge } = await atLogin();
    const { body } = await call('GET', `${requests}/login?challenge=${challenge}`);
    expect(body.challenge).toBe(challenge);
  });

  it.each([
    ['login', atLogin, { subject: 'alice' }],
    ['consent', () => atConsent(prefix), { grant_scope: scopes }],
  ])(
    'of the kind %s are gone once they are answered, with the place to go on',
    async (kind, begin, answer) => {
      const { challenge } = await begin();
      const at = (verb: string) => `${requests}/${kind}${verb}?${kind}_challenge=${challenge}`;
      const accepted = await call('PUT', at('/accept'), answer);
      expect(accepted).toMatchObject({ status: 200, body: { redirect_to: expect.stringMatching(/^http/) } });
      for (const again of [
        await call('PUT', at('/accept'), answer),
        await call('PUT', at('/reject'), {}),
        await call('GET', at('')),
      ])
        expect([again.status, again.body]).toEqual([410, accepted.body]);
    },
  );

  it.each([
    ['login', atLogin],
    ['consent', () => atConsent(prefix)],
  ])('of the kind %s are rejected with an error for the client', async (kind, begin) => {
    const { browser, challenge } = await begin();
    const { status, body } = await call('PUT', `${requests}/${kind}/reject?${kind}_challenge=${challenge}`, {
      ...{ error: 'access_denied', error_description: 'Not today.', error_hint: 'Ask again.' },
      ...{ error_debug: 'for the log', status_code: 403 },
    });
    expect(status).toBe(200);
    const { searchParams } = new URL(await redirectOf(browser, body.redirect_to));
    expect(searchParams.get('error')).toBe('access_denied');
    expect(searchParams.get('error_description')).toContain('Not today. Ask again.');
    expect(searchParams.toString()).not.toContain('log');
  });

  it.each<[string, string, unknown, number, string]>([
    ['an unknown challenge', 'login/accept?login_challenge=none', { subject: 'a' }, 404, ''],
    ['an unknown challenge to reject', 'consent/reject?consent_challenge=none', {}, 404, ''],
    ['no challenge', 'consent/accept', {}, 400, 'consent_challenge: is missing'],
    ['no subject', 'login/accept?login_challenge=none', {}, 400, 'subject: '],
    [
      'an empty subject',
      'login/accept?login_challenge=none',
      { subject: '' },
      400,
      'subject: must not be empty',
    ],
    [
      'a negative time',
      'login/accept?login_challenge=none',
      { subject: 'a', remember_for: -1 },
      400,
      'remember_for: ',
    ],
    ['a member that does not exist', 'login/accept?login_challenge=none', { subject: 'a', x: 1 }, 400, ''],
    [
      'a session that is no object',
      'consent/accept?consent_challenge=none',
      { session: [] },
      400,
      'session: ',
    ],
    ['a reason that is no text', 'login/reject?login_challenge=none', { error: 1 }, 400, 'error: '],
    [
      'a status of success',
      'login/reject?login_challenge=none',
      { status_code: 200 },
      400,
      'status_code: must',
    ],
    ['the status 0, which stands for none', 'login/reject?login_challenge=none', { status_code: 0 }, 404, ''],
  ])('are not answered with %s', async (_what, path, answer, status, hint) => {
    const refused = await call('PUT', `${requests}/${path}`, answer);
    expect(refused.status).toBe(status);
    expect(refused.body.error_hint ?? '').toContain(hint);
  });

  it('are not answered as a request of the other kind', async () => {
    const { challenge } = await atLogin();
    const wrong = await call('GET', `${requests}/consent?consent_challenge=${challenge}`);
    expect(wrong.status).toBe(404);
  });
});

it('a scope that was not requested cannot be granted', async () => {
  const { challenge } = await atConsent('/admin');
  const path = `/admin/oauth2/auth/requests/consent/accept?consent_challenge=${challenge}`;
  const refused = await call('PUT', path, { grant_scope: [...scopes, 'write'] });
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
});

it('the engine still answers at its own addresses below /oauth2/auth/', async () => {
  const { browser, challenge } = await atLogin();
  const path = `/admin/oauth2/auth/requests/login/accept?login_challenge=${challenge}`;
  const { body } = await call('PUT', path, { subject: 'alice' });
  expect(new URL(body.redirect_to).pathname).toMatch(/^\/oauth2\/auth\/[^/]+$/);
  expect(await redirectOf(browser, body.redirect_to)).toContain('consent_challenge=');
});
