/** A logout app and a device app that are written for Hydra: what they read and answer at Hydra's addresses. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Browser, redirectOf, signIn } from '../../oauth/browser.ts';
import { consent, Stage, scope } from '../../oauth/stage.ts';
import { type Call, callsTo } from './call.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
  process.env['OAUTH_DEVICE_URL'] = 'https://login.example/device';
});

let stage: Stage;
let call: Call;
beforeAll(async () => {
  stage = await Stage.start();
  call = callsTo(stage.app, stage.loginApp);
});
afterAll(() => stage.stop());

const parameterOf = (url: string, name: string) => new URL(url).searchParams.get(name) ?? '';

/** Alice has signed in and wants to sign out. */
async function atLogout() {
  const who = stage.actors();
  const { url } = await stage.request(scope);
  const login = { remember: true, identityProviderSessionId: 'idp' };
  await signIn(who, url, { login, consent });
  const isKnown = async () => {
    const asked = await redirectOf(who.browser, (await stage.request(scope)).url);
    return (await stage.loginRequest(parameterOf(asked, 'login_challenge'))).data.loginRequest.skip;
  };
  const page = await redirectOf(who.browser, `${stage.app.url}/oauth2/sessions/logout`);
  return { browser: who.browser, isKnown, challenge: parameterOf(page, 'logout_challenge') };
}

/** A device shows a code, and a browser waits for its person to enter it. */
async function atDevice() {
  const body = new URLSearchParams({ client_id: 'flytectl', scope: 'offline all' });
  const device = await (await fetch(`${stage.app.url}/oauth2/device/auth`, { method: 'POST', body })).json();
  const browser = new Browser();
  const page = await redirectOf(browser, device.verification_uri);
  return { browser, userCode: device.user_code, challenge: parameterOf(page, 'device_challenge') };
}

describe.each(['/admin', ''])('logout requests below "%s"', (prefix) => {
  const at = (verb: string, challenge: string) =>
    `${prefix}/oauth2/auth/requests/logout${verb}?logout_challenge=${challenge}`;

  it('are read, and accepted once', async () => {
    const { browser, isKnown, challenge } = await atLogout();
    expect(await call('GET', at('', challenge))).toMatchObject({
      status: 200,
      body: {
        ...{ challenge, subject: 'alice', sid: expect.any(String), rp_initiated: false },
        ...{ request_url: `${stage.app.url}/oauth2/sessions/logout` },
        ...{ identity_provider_session_id: 'idp', client: null },
        ...{ requested_at: expect.any(String), expires_at: expect.any(String) },
      },
    });
    const accepted = await call('PUT', at('/accept', challenge));
    expect(accepted.status).toBe(200);
    for (const again of [await call('PUT', at('/accept', challenge)), await call('GET', at('', challenge))])
      expect([again.status, again.body]).toEqual([410, accepted.body]);
    await redirectOf(browser, accepted.body.redirect_to);
    expect(await isKnown()).toBe(false);
  });

  it('are rejected without a body, and do not exist any more', async () => {
    const { isKnown, challenge } = await atLogout();
    const rejected = await call('PUT', at('/reject', challenge));
    expect([rejected.status, rejected.body]).toEqual([204, null]);
    expect((await call('GET', at('', challenge))).status).toBe(404);
    expect(await isKnown()).toBe(true);
  });

  it.each(['/accept', '/reject'])('that do not exist cannot be answered with %s', async (verb) => {
    expect((await call('PUT', at(verb, 'none'))).status).toBe(404);
    expect((await call('PUT', at(verb, ''))).body.error_hint).toContain('logout_challenge: is missing');
  });
});

describe.each(['/admin', ''])('device requests below "%s"', (prefix) => {
  const at = (challenge: string) =>
    `${prefix}/oauth2/auth/requests/device/accept?device_challenge=${challenge}`;

  it('are accepted with the code that the device shows, and lead to the login page', async () => {
    const { browser, userCode, challenge } = await atDevice();
    const { status, body } = await call('PUT', at(challenge), { user_code: userCode });
    expect(status).toBe(200);
    expect(await redirectOf(browser, body.redirect_to)).toContain('https://login.example/login?');
  });

  it.each([
    [{ user_code: 'XXXX-XXXX' }, 'user'],
    [{ user_code: '' }, 'user_code: must not be empty'],
    [{}, 'user_code: '],
  ])('are not accepted with %j', async (answer, hint) => {
    const { challenge } = await atDevice();
    const refused = await call('PUT', at(challenge), answer);
    expect([refused.status, refused.body.error_hint ?? '']).toEqual([400, expect.stringContaining(hint)]);
  });

  it('are not accepted with a member that we do not know', async () => {
    const { userCode, challenge } = await atDevice();
    const refused = await call('PUT', at(challenge), { user_code: userCode, more: 1 });
    expect(refused.status).toBe(400);
    expect((await call('PUT', at(challenge), { user_code: userCode })).status).toBe(200);
  });

  it('that do not exist are not accepted', async () => {
    expect((await call('PUT', at('none'), { user_code: 'XXXX-XXXX' })).status).toBe(404);
  });
});

it('an answer to a login request can prolong the session, and an answer to a consent says when it was given', async () => {
  const browser = new Browser();
  const accept = async (kind: string, url: string, answer: object) => {
    const path = `/admin/oauth2/auth/requests/${kind}/accept?${kind}_challenge=${parameterOf(url, `${kind}_challenge`)}`;
    const { status, body } = await call('PUT', path, answer);
    expect(status).toBe(200);
    return await redirectOf(browser, body.redirect_to);
  };
  const login = await redirectOf(browser, (await stage.request(scope)).url);
  const asked = await accept('login', login, {
    ...{ subject: 'ada', remember: true, extend_session_lifespan: true },
  });
  const handled_at = '2026-01-02T03:04:05.000Z';
  await accept('consent', asked, { ...{ grant_scope: ['openid'], remember: true, handled_at } });
  const asAdmin = callsTo(stage.app, stage.app.admin);
  const { body } = await asAdmin('GET', '/admin/oauth2/auth/sessions/consent?subject=ada');
  expect(body).toMatchObject([{ handled_at }]);
});
