/** What login apps, consent apps and logout apps learn and say beyond the person and the scopes. */
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { log } from '../../src/platform/log.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { acceptConsent, acceptLogin, Browser, challengeIn, redirectOf, untilConsent } from './browser.ts';
import { consent, redirect, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const read = async (kind: string, challenge: string, fields: string, app = stage.loginApp): Promise<Answer> =>
  (
    await stage.app.ask(
      `query ($challenge: String!) { found: ${kind}(challenge: $challenge) { ${fields} } }`,
      { challenge },
      app,
    )
  ).data.found;

/** A browser that waits for the login app. @returns its challenge. */
async function atLogin(browser: Browser, more: Record<string, string> = {}) {
  const { url, checks } = await stage.request(scope, more);
  return { checks, challenge: challengeIn(await redirectOf(browser, url)) };
}
const sessionOf = async (challenge: string, app?: string) =>
  (await read('loginRequest', challenge, 'skip sessionId', app)).sessionId as string;

describe('the session that a login request names', () => {
  it('is the `sid` of the tokens, also if nobody has signed in before', async () => {
    const who = stage.actors();
    const { challenge, checks } = await atLogin(who.browser);
    const planned = await sessionOf(challenge);
    const { redirectTo } = await acceptLogin(who, { challenge, remember: true });
    const asked = challengeIn(await redirectOf(who.browser, redirectTo));
    expect(await read('consentRequest', asked, 'loginSessionId loginChallenge')).toEqual({
      loginSessionId: planned,
      loginChallenge: challenge,
    });
    const given = await acceptConsent(who, { challenge: asked, ...consent });
    const answer = new URL(await redirectOf(who.browser, given.redirectTo));
    const tokens = await client.authorizationCodeGrant(stage.web, answer, checks);
    expect(tokens.claims()?.['sid']).toBe(planned);
    // The next request of the browser is about the same session.
    expect(await sessionOf((await atLogin(who.browser)).challenge)).toBe(planned);
  });

  it('is another one for each browser and each request without a session', async () => {
    const browser = new Browser();
    const challenges = [await atLogin(browser), await atLogin(browser), await atLogin(new Browser())];
    const ids = await Promise.all(challenges.map(({ challenge }) => sessionOf(challenge)));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[\w-]{20,}$/);
  });

  it('is not the one of somebody else, whose place the person takes', async () => {
    const who = stage.actors();
    const first = (await stage.tokens(who, { login: { remember: true } })).claims()?.['sid'];
    const { challenge } = await atLogin(who.browser, { prompt: 'login' });
    const { redirectTo } = await acceptLogin(who, { challenge, subject: 'bob', remember: true });
    const confirm = await redirectOf(who.browser, redirectTo);
    const resume = await redirectOf(who.browser, confirm);
    const asked = challengeIn(await redirectOf(who.browser, resume));
    const { loginSessionId, subject } = await read('consentRequest', asked, 'loginSessionId subject');
    expect(subject).toBe('bob');
    expect(loginSessionId).not.toBe(first);
  });

  it('of another tenant stays hidden', async () => {
    const tenantId = await newTenant('neighbours');
    const [admin, app] = [
      await newCaller({ role: 'ADMIN', tenantId }),
      await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId }),
    ];
    const by = await stage.addClient('neighbour', { redirectUris: [redirect], scope: 'openid' }, admin);
    const who = stage.actors();
    const own = (await stage.tokens(who, { login: { remember: true } })).claims()?.['sid'];
    const { url } = await stage.request('openid', {}, by);
    const id = await sessionOf(challengeIn(await redirectOf(who.browser, url)), app);
    expect(id).toMatch(/^[\w-]{20,}$/);
    expect(id).not.toBe(own);
  });
});

describe('an ID token in a request', () => {
  it('reaches the apps and the list of consents as its claims', async () => {
    const who = stage.actors();
    const session = { idToken: { team: 'blue' } };
    const subject = 'hinted';
    const first = await stage.tokens(who, {
      login: { subject, remember: true },
      consent: { ...consent, session },
    });
    const hint = first.id_token ?? '';
    const { challenge } = await atLogin(who.browser, { id_token_hint: hint });
    const context = 'oidcContext { idTokenHintClaims }';
    const claims = decodeJwt(hint);
    expect(claims).toMatchObject({ sub: subject, team: 'blue' });
    const expected = { oidcContext: { idTokenHintClaims: claims } };
    expect(await read('loginRequest', challenge, context)).toEqual(expected);
    const { redirectTo } = await acceptLogin(who, { challenge, subject });
    const asked = challengeIn(await redirectOf(who.browser, redirectTo));
    expect(await read('consentRequest', asked, context)).toEqual(expected);
    await acceptConsent(who, { challenge: asked, ...consent });
    const { data } = await stage.app.ask(
      `{ consentSessions(subject: "${subject}", first: 2) { nodes { loginChallenge ${context} } } }`,
    );
    const { nodes } = data.consentSessions;
    expect(nodes).toHaveLength(2);
    expect(nodes).toContainEqual({ loginChallenge: challenge, ...expected });
    const earlier = { loginChallenge: expect.any(String), oidcContext: { idTokenHintClaims: null } };
    expect(nodes).toContainEqual(earlier);
  });
});

describe('the session at the identity provider', () => {
  const signIn = async (who = stage.actors(), login: object = {}) => {
    await stage.tokens(who, { login: { remember: true, ...login } });
    return who;
  };
  const atLogout = async ({ browser }: { browser: Browser }) => {
    const page = await redirectOf(browser, `${stage.app.url}/oauth2/sessions/logout`);
    const challenge = new URL(page).searchParams.get('logout_challenge') ?? '';
    return await read('logoutRequest', challenge, 'identityProviderSessionId');
  };

  it('is shown when the session is used again, and when it ends', async () => {
    const who = await signIn(undefined, { identityProviderSessionId: 'idp-1' });
    const { challenge } = await atLogin(who.browser);
    const fields = 'skip identityProviderSessionId';
    const expected = { identityProviderSessionId: 'idp-1' };
    expect(await read('loginRequest', challenge, fields)).toEqual({ skip: true, ...expected });
    // Whoever is asked nothing has not signed in at the identity provider again.
    await redirectOf(
      who.browser,
      (await acceptLogin(who, { challenge, identityProviderSessionId: 'idp-2', extendSessionLifespan: true }))
        .redirectTo,
    );
    expect(await atLogout(who)).toEqual(expected);
  });

  it('is not shown to an app that has to sign the person in', async () => {
    const who = await signIn(undefined, { identityProviderSessionId: 'idp-3' });
    const { challenge } = await atLogin(who.browser, { prompt: 'login' });
    const fields = 'skip identityProviderSessionId';
    expect(await read('loginRequest', challenge, fields)).toEqual({
      skip: false,
      identityProviderSessionId: null,
    });
  });

  it('is forgotten when the person signs in anew without one', async () => {
    const who = await signIn(undefined, { identityProviderSessionId: 'idp-4' });
    const { challenge } = await atLogin(who.browser, { prompt: 'login' });
    await redirectOf(who.browser, (await acceptLogin(who, { challenge, remember: true })).redirectTo);
    expect(await atLogout(who)).toEqual({ identityProviderSessionId: null });
  });

  it('has at most 255 characters', async () => {
    const who = stage.actors();
    const { challenge } = await atLogin(who.browser);
    const [most, more] = ['x'.repeat(255), 'x'.repeat(256)];
    const refused = await acceptLogin(who, { challenge, identityProviderSessionId: more });
    expect(refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'identityProviderSessionId'],
    });
    const accepted = await acceptLogin(who, { challenge, identityProviderSessionId: most });
    expect(accepted).toHaveProperty('redirectTo');
  });
});

describe('the context of a consent', () => {
  it.each<[string, object, unknown]>([
    ['is what the consent app says', { context: { by: 'consent' } }, { by: 'consent' }],
    ['is what the login app has said, if the consent app says nothing', {}, { by: 'login' }],
  ])('%s', async (title, more, expected) => {
    const who = stage.actors();
    const { url } = await stage.request(scope);
    const login = { subject: title, context: { by: 'login' } };
    const challenge = await untilConsent(who, url, login);
    await acceptConsent(who, { challenge, ...consent, ...more });
    const { data } = await stage.app.ask(
      'query ($subject: String!) { consentSessions(subject: $subject) { nodes { context } } }',
      { subject: title },
    );
    expect(data.consentSessions.nodes).toEqual([{ context: expected }]);
  });
});

describe('a rejection', () => {
  it.each([
    [{}, { error: 'access_denied', statusCode: 400, errorDebug: null }],
    [
      { error: 'login_required', statusCode: 403, errorDebug: 'for us' },
      { error: 'login_required', statusCode: 403, errorDebug: 'for us' },
    ],
  ])('of %j stands in the log', async (more, expected) => {
    const { challenge } = await atLogin(new Browser());
    const info = vi.fn();
    const child = vi
      .spyOn(log, 'child')
      .mockImplementation(() => Object.assign(Object.create(log), { info }));
    await mutate(stage.app, 'rejectLoginRequest', { challenge, ...more }, 'redirectTo', stage.loginApp);
    child.mockRestore();
    expect(info).toHaveBeenCalledWith({ clientId: 'web', kind: 'login', ...expected }, 'request rejected');
  });

  it.each([399, 600, 0])('cannot have the status %i', async (statusCode) => {
    const { challenge } = await atLogin(new Browser());
    const input = { challenge, statusCode };
    const refused = await mutate(stage.app, 'rejectLoginRequest', input, 'redirectTo', stage.loginApp);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'statusCode'] });
    expect((await acceptLogin(stage.actors(), { challenge })).redirectTo).toMatch(/^http/);
  });
});

it('no challenge of a login can be used again because a consent names it', async () => {
  const who = stage.actors();
  const challenge = await untilConsent(who, (await stage.request(scope)).url);
  const { loginChallenge } = await read('consentRequest', challenge, 'loginChallenge');
  expect(await acceptLogin(who, { challenge: loginChallenge })).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  const { rows } = await pool.query(
    `select count(*)::int as open from oauth2_records where kind = 'Interaction' and consumed_at is null
       and id_hash = sha256(convert_to($1, 'UTF8'))`,
    [loginChallenge],
  );
  expect(rows).toEqual([{ open: 0 }]);
});
