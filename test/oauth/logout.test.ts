/** Logout: by the person and by a client, with a page of the operator's own, and told to all clients. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { Browser, challengeIn, redirectOf, signIn } from './browser.ts';
import { consent, redirect, Stage, scope, webSettings } from './stage.ts';
import { verifyLogoutToken } from './verified-tokens.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
  process.env['OAUTH_POST_LOGOUT_URL'] = 'https://login.example/signed-out';
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'true';
});
const logoutPage = 'https://login.example/logout';
const signedOut = 'https://login.example/signed-out';
const back = 'https://app.example/bye?from=logout';

const TIMES = 20;
let stage: Stage;
let receiver: WebhookReceiver;
let told: client.Configuration;
let framed: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  receiver = await startWebhookReceiver();
  const settings = { ...webSettings, postLogoutRedirectUris: [back] };
  told = await stage.addClient('told', {
    ...{ ...settings, backchannelLogoutUri: `${receiver.url}/logout`, skipLogoutConsent: true },
  });
  framed = await stage.addClient('framed', {
    ...settings,
    frontchannelLogoutUri: 'https://app.example/out?a=1',
  });
});
afterAll(async () => {
  await receiver.stop();
  await stage.stop();
});

/** Signs a person in, with a session. @returns the tokens. */
async function tokensOf(who: ReturnType<Stage['actors']>, by: client.Configuration, subject = 'alice') {
  const { url, checks } = await stage.request(scope, {}, by);
  const answer = await signIn(who, url, { login: { subject, remember: true }, consent });
  return await client.authorizationCodeGrant(by, new URL(answer), checks);
}
const logoutUrl = (parameters: Record<string, string> = {}) => {
  const url = new URL('/oauth2/sessions/logout', stage.app.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};
const byClient = (by: client.Configuration, id_token_hint: string | undefined) =>
  client.buildEndSessionUrl(by, {
    ...{ id_token_hint: id_token_hint ?? '', post_logout_redirect_uri: back, state: 'a state' },
  }).href;

/** Asks for a logout. @returns the challenge. */
async function begin(browser: Browser, url = logoutUrl()): Promise<string> {
  const page = await redirectOf(browser, url);
  expect(page).toContain(`${logoutPage}?`);
  return new URL(page).searchParams.get('logout_challenge') ?? '';
}
const accept = (challenge: string, authorization = stage.loginApp): Promise<Answer> =>
  mutate(stage.app, 'acceptLogoutRequest', { challenge }, 'redirectTo', authorization);
const reject = (challenge: string): Promise<Answer> =>
  mutate(stage.app, 'rejectLogoutRequest', { challenge }, 'rejected', stage.loginApp);
const logoutRequest = (challenge: string, authorization = stage.loginApp) =>
  stage.app.ask(
    `query ($challenge: String!) { logoutRequest(challenge: $challenge) {
       subject sessionId rpInitiated requestUrl client { clientId skipLogoutConsent } } }`,
    { challenge },
    authorization,
  );
/** Whether the login app would find a person in the browser. */
async function isKnown(browser: Browser): Promise<boolean> {
  const challenge = challengeIn(await redirectOf(browser, (await stage.request(scope)).url));
  return (await stage.loginRequest(challenge)).data.loginRequest.skip;
}
const isActive = async (token: string, by: client.Configuration) =>
  (await client.tokenIntrospection(by, token)).active;

describe('a logout', () => {
  it('of a person asks the logout app, ends the session and leaves the tokens', async () => {
    const who = stage.actors();
    const made = await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    const { data } = await logoutRequest(challenge);
    expect(data.logoutRequest).toEqual({
      ...{ subject: 'alice', sessionId: made.claims()?.['sid'], rpInitiated: false, client: null },
      requestUrl: logoutUrl(),
    });
    expect(await isKnown(who.browser)).toBe(true);
    const again = await begin(who.browser);
    const { redirectTo } = await accept(again);
    const success = await redirectOf(who.browser, redirectTo);
    expect(await redirectOf(who.browser, success)).toBe(signedOut);
    expect(await isKnown(who.browser)).toBe(false);
    expect(await isActive(made.access_token, stage.web)).toBe(true);
  });

  it('by a client leads back to it, with its state, and tells the clients of the session', async () => {
    const who = stage.actors();
    const made = await tokensOf(who, told);
    const challenge = await begin(who.browser, byClient(told, made.id_token));
    const shown = (await logoutRequest(challenge)).data.logoutRequest;
    expect(shown).toMatchObject({ rpInitiated: true, client: { clientId: 'told', skipLogoutConsent: true } });
    expect(shown.requestUrl).not.toContain('id_token_hint');
    const { redirectTo } = await accept(challenge);
    expect(await redirectOf(who.browser, redirectTo)).toBe(`${back}&state=a+state`);
    expect(await isKnown(who.browser)).toBe(false);
    const form = new URLSearchParams(receiver.received.at(-1)?.body);
    const token = form.get('logout_token') ?? '';
    const { sid } = await verifyLogoutToken(token, { issuer: stage.app.url, clientId: 'told' });
    expect(sid).toBe(made.claims()?.['sid']);
  });

  it('loads the logout pages of clients before it leads on', async () => {
    const who = stage.actors();
    const made = await tokensOf(who, framed);
    const { redirectTo } = await accept(await begin(who.browser, byClient(framed, made.id_token)));
    const response = await who.browser.open(redirectTo);
    const html = await response.text();
    const sid = encodeURIComponent(String(made.claims()?.['sid']));
    const frame = `https://app.example/out?a=1&amp;iss=${encodeURIComponent(stage.app.url)}&amp;sid=${sid}`;
    expect([response.status, response.headers.get('location')]).toEqual([200, null]);
    expect(html).toContain(`<iframe src="${frame}"`);
    expect(html).toContain(`url=${back}&amp;state=a+state`);
    expect(response.headers.get('content-security-policy')).toContain('frame-src https://app.example;');
    expect(await isKnown(who.browser)).toBe(false);
  });

  it('that the logout app rejects ends nothing, and the challenge does not exist any more', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    expect(await reject(challenge)).toMatchObject({ rejected: true });
    expect((await logoutRequest(challenge)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await accept(challenge)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await isKnown(who.browser)).toBe(true);
  });

  it('that nobody has answered ends nothing, though the browser comes back', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    const response = await who.browser.open(logoutUrl({ logout_challenge: challenge }));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await isKnown(who.browser)).toBe(true);
  });

  it('without a session leads on at once', async () => {
    expect(await redirectOf(new Browser(), logoutUrl())).toBe(logoutUrl().concat('/success'));
  });

  it('with the ID token of another session ends nothing', async () => {
    const made = await tokensOf(stage.actors(), told);
    const who = stage.actors();
    await tokensOf(who, told, 'bob');
    expect(await redirectOf(who.browser, byClient(told, made.id_token))).toBe(`${back}&state=a+state`);
    expect(await isKnown(who.browser)).toBe(true);
  });

  it.each([
    ['an address that is not registered', { post_logout_redirect_uri: 'https://evil.example/' }],
    ['a forged ID token', { id_token_hint: 'e30.e30.e30' }],
  ])('never leads to %s', async (_what, wrong) => {
    const who = stage.actors();
    const made = await tokensOf(who, told);
    const url = new URL(byClient(told, made.id_token));
    for (const [name, value] of Object.entries(wrong)) url.searchParams.set(name, value);
    const response = await who.browser.open(url.href);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await isKnown(who.browser)).toBe(true);
  });

  it('is bound to the browser that has asked', async () => {
    const [who, victim] = [stage.actors(), stage.actors()];
    await tokensOf(who, stage.web);
    await tokensOf(victim, stage.web, 'victim');
    // The victim is about to sign out, too, so her session has a secret of its own.
    await begin(victim.browser);
    const { redirectTo } = await accept(await begin(who.browser));
    expect((await victim.browser.open(redirectTo)).status).toBe(400);
    expect(await isKnown(victim.browser)).toBe(true);
    expect(await redirectOf(who.browser, redirectTo)).toContain('/success');
  });

  it('happens by itself when another person signs in', async () => {
    const who = stage.actors();
    const first = await tokensOf(who, stage.web);
    const { url, checks } = await stage.request(scope, { prompt: 'login' });
    const login = challengeIn(await redirectOf(who.browser, url));
    const input = { challenge: login, subject: 'bob', remember: true };
    const accepted = await mutate(stage.app, 'acceptLoginRequest', input, 'redirectTo', stage.loginApp);
    // The old session ends, and the sign-in continues.
    let next = await redirectOf(who.browser, accepted.redirectTo);
    for (let step = 0; step < 2; step += 1) next = await redirectOf(who.browser, next);
    expect(next).toContain('consent_challenge=');
    const given = { challenge: challengeIn(next), ...consent };
    const done = await mutate(stage.app, 'acceptConsentRequest', given, 'redirectTo', stage.loginApp);
    const answer = await redirectOf(who.browser, done.redirectTo);
    expect(answer).toContain(`${redirect}?`);
    const second = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(second.claims()?.sub).toBe('bob');
    expect(second.claims()?.['sid']).not.toBe(first.claims()?.['sid']);
  });
});

describe('revokeAuthenticationSession', () => {
  it('of one session tells its clients', async () => {
    const sessionId = (await tokensOf(stage.actors(), told)).claims()?.['sid'];
    const before = receiver.received.length;
    const ended = await mutate(stage.app, 'revokeAuthenticationSession', { sessionId }, 'revokedSessions');
    expect(ended).toMatchObject({ revokedSessions: 1 });
    const [call, ...others] = receiver.received.slice(before);
    const token = new URLSearchParams(call?.body).get('logout_token') ?? '';
    const { sid } = await verifyLogoutToken(token, { issuer: stage.app.url, clientId: 'told' });
    expect([sid, others]).toEqual([sessionId, []]);
  });

  it('of a person tells nobody', async () => {
    await tokensOf(stage.actors(), told, 'quiet');
    const before = receiver.received.length;
    const input = { subject: 'quiet' };
    const ended = await mutate(stage.app, 'revokeAuthenticationSession', input, 'revokedSessions');
    expect([ended.revokedSessions, receiver.received.length]).toEqual([1, before]);
  });
});

describe('acceptLogoutRequest', () => {
  it('counts once of twenty at the same time', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    const answers = await Promise.all(Array.from({ length: TIMES }, () => accept(challenge)));
    expect(answers.filter(({ redirectTo }) => redirectTo)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'FAILED_PRECONDITION')).toHaveLength(TIMES - 1);
  });

  it('and rejectLogoutRequest: one of both counts', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    const [accepted, rejected] = await Promise.all([accept(challenge), reject(challenge)]);
    expect([accepted.redirectTo, rejected.rejected].filter(Boolean)).toHaveLength(1);
  });

  it('is for login apps of the tenant', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    const tenantId = await newTenant('elsewhere');
    const otherApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId });
    expect(await accept(challenge, otherApp)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await accept(challenge, stage.app.admin)).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('says after the logout that the challenge was used', async () => {
    const who = stage.actors();
    await tokensOf(who, stage.web);
    const challenge = await begin(who.browser);
    await redirectOf(who.browser, (await accept(challenge)).redirectTo);
    const { errors } = await logoutRequest(challenge);
    expect(errors?.[0]?.extensions).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', redirectTo: logoutUrl() },
    });
  });
});
