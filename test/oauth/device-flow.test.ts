/** The device flow of RFC 8628, with a device page of the operator's own. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { Browser, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, Stage, scope, scopes } from './stage.ts';

const deviceUrl = 'https://login.example/device';
const successUrl = 'https://login.example/device-success';
vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_DEVICE_URL'] = 'https://login.example/device';
  process.env['OAUTH_DEVICE_SUCCESS_URL'] = 'https://login.example/device-success';
});

const TIMES = 20;
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
let stage: Stage;
let tv: client.Configuration;
const settings = {
  grantTypes: [DEVICE_CODE, 'refresh_token'],
  scope: scope,
  tokenEndpointAuthMethod: 'none',
  clientName: 'Television',
};
beforeAll(async () => {
  stage = await Stage.start();
  tv = await stage.addClient('tv', settings);
});
afterAll(() => stage.stop());

const begin = (by = tv) => client.initiateDeviceAuthorization(by, { scope });
const poll = (code: { device_code: string }, by = tv) =>
  client.genericGrantRequest(by, DEVICE_CODE, { device_code: code.device_code });
/** As if the device had waited. */
const wait = (seconds = 5) =>
  pool.query(
    `update oauth2_records set payload = payload || jsonb_build_object('polledAt', (payload ->> 'polledAt')::float - $1::int)
      where kind = 'DeviceCode' and payload ? 'polledAt'`,
    [seconds],
  );

/** Opens the page where the code is entered. @returns its address. */
async function openPage(browser: Browser, url = `${stage.app.url}/oauth2/device/verify`): Promise<URL> {
  let page = await redirectOf(browser, url);
  // After an error, the browser begins anew.
  if (page.includes('/device/verify?error=')) page = await redirectOf(browser, page);
  expect(page).toContain(`${deviceUrl}?`);
  return new URL(page);
}
const challengeOf = (page: URL) => page.searchParams.get('device_challenge') ?? '';
const accept = (challenge: string, userCode: string, loginApp = stage.loginApp) =>
  mutate(stage.app, 'acceptDeviceRequest', { challenge, userCode }, 'redirectTo', loginApp);
const deviceRequest = (challenge: string, userCode: string | null = null, loginApp = stage.loginApp) =>
  stage.app.ask(
    `query ($challenge: String!, $userCode: String) { deviceRequest(challenge: $challenge, userCode: $userCode) {
       challenge code { userCode client { clientId clientName } requestedScopes } } }`,
    { challenge, userCode },
    loginApp,
  );

/** A person enters the code of a device. @returns where her browser continues. */
async function enter(userCode: string, browser = new Browser()) {
  const { redirectTo, ...answer } = await accept(challengeOf(await openPage(browser)), userCode);
  expect(redirectTo, JSON.stringify(answer)).toBeDefined();
  return { who: stage.actors(browser), redirectTo };
}

describe('the device flow', () => {
  it('gives a device tokens when its person has entered the code, signed in and consented', async () => {
    const code = await begin();
    expect(code).toMatchObject({
      ...{ user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/), expires_in: 600, interval: 5 },
      verification_uri: `${stage.app.url}/oauth2/device/verify`,
    });
    const who = stage.actors();
    const page = await openPage(who.browser, code.verification_uri_complete);
    const userCode = page.searchParams.get('user_code') ?? '';
    expect(userCode).toBe(code.user_code);
    const shown = await deviceRequest(challengeOf(page), userCode);
    expect(shown.data.deviceRequest.code).toEqual({
      userCode: userCode.replace('-', ''),
      client: { clientId: 'tv', clientName: 'Television' },
      requestedScopes: scopes,
    });
    await expect(poll(code)).rejects.toMatchObject({ error: 'authorization_pending' });
    await wait();
    const { redirectTo } = await accept(challengeOf(page), userCode.toLowerCase());
    expect(await signIn(who, redirectTo, { consent })).toBe(successUrl);
    const polled = { ...code, interval: 0.001 };
    const made = await client.pollDeviceAuthorizationGrant(tv, polled);
    expect(made.scope).toBe(scope);
    expect(made.claims()).toMatchObject({ sub: 'alice', aud: 'tv', sid: expect.any(String) });
    const again = await client.refreshTokenGrant(tv, made.refresh_token ?? '');
    expect(await client.fetchUserInfo(tv, again.access_token, 'alice')).toMatchObject({ sub: 'alice' });
  });

  it('tells the device when the person refuses', async () => {
    const code = await begin();
    const { who, redirectTo } = await enter(code.user_code);
    const challenge = await untilConsent(who, redirectTo);
    const refused = await mutate(
      stage.app,
      'rejectConsentRequest',
      { challenge },
      'redirectTo',
      stage.loginApp,
    );
    const page = await openPage(who.browser, refused.redirectTo);
    expect(page.searchParams.get('error')).toBe('access_denied');
    await expect(poll(code)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('makes a device that asks too often slow down, more and more', async () => {
    const code = await begin();
    await expect(poll(code)).rejects.toMatchObject({ error: 'authorization_pending' });
    await expect(poll(code)).rejects.toMatchObject({ error: 'slow_down' });
    await wait(5);
    await expect(poll(code)).rejects.toMatchObject({ error: 'slow_down' });
    await wait(15);
    await expect(poll(code)).rejects.toMatchObject({ error: 'authorization_pending' });
  });

  it('ends with the code', async () => {
    const code = await begin();
    const page = await openPage(new Browser());
    await pool.query(
      `update oauth2_records set expires_at = now() - interval '1 second',
              payload = payload || jsonb_build_object('exp', extract(epoch from now())::int - 1)
        where kind = 'DeviceCode' and consumed_at is null`,
    );
    await expect(poll(code)).rejects.toMatchObject({ error: 'expired_token' });
    expect(await accept(challengeOf(page), code.user_code)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('asks for consent again, also if one is remembered', async () => {
    const first = await enter((await begin()).user_code);
    await signIn(first.who, first.redirectTo, {
      login: { remember: true },
      consent: { ...consent, remember: true },
    });
    const second = await enter((await begin()).user_code, first.who.browser);
    const challenge = await untilConsent(second.who, second.redirectTo);
    expect((await stage.consentRequest(challenge)).skip).toBe(false);
  });

  it('asks for a code in another page when the browser comes back without having been sent', async () => {
    const { redirectTo } = await enter((await begin()).user_code);
    const stranger = await openPage(new Browser(), redirectTo);
    expect(stranger.searchParams.get('error')).toBe('invalid_request');
    const unknown = await openPage(new Browser(), `${stage.app.url}/oauth2/device/verify?device_challenge=x`);
    expect(unknown.searchParams.get('error')).toBe('invalid_request');
  });

  it('is refused to clients without the grant', async () => {
    await expect(begin(stage.web)).rejects.toMatchObject({
      error: 'unauthorized_client',
      error_description: `${DEVICE_CODE} is not allowed for this client`,
    });
  });

  it('gives the code of one client to no other', async () => {
    const other = await stage.addClient('other-tv', settings);
    const code = await begin();
    const { who, redirectTo } = await enter(code.user_code);
    await signIn(who, redirectTo, { consent });
    await expect(poll(code, other)).rejects.toMatchObject({ error: 'invalid_grant' });
    await wait();
    expect((await poll(code)).access_token).toBeTruthy();
  });

  it('stores neither the code of the device nor the code of the person', async () => {
    const code = await begin();
    const { who, redirectTo } = await enter(code.user_code);
    await untilConsent(who, redirectTo);
    const { rows } = await pool.query('select oauth2_records::text as row from oauth2_records');
    const dump = rows.map(({ row }) => row).join('\n');
    expect(dump).toContain('sealedDeviceCode');
    for (const text of [code.device_code, code.user_code, code.user_code.replace('-', '')])
      expect(dump).not.toContain(text);
  });
});

describe('deviceRequest', () => {
  it('shows nothing of a code that does not exist, and ends after ten of them', async () => {
    const code = await begin();
    const challenge = challengeOf(await openPage(new Browser()));
    for (let tries = 0; tries < 10; tries += 1)
      expect((await deviceRequest(challenge, 'WRON-GCOD')).data.deviceRequest.code).toBeNull();
    const ended = await deviceRequest(challenge, code.user_code);
    expect(ended.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await accept(challenge, code.user_code)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('hides the codes of other tenants', async () => {
    const tenantId = await newTenant('elsewhere');
    const otherApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId });
    const code = await begin();
    const challenge = challengeOf(await openPage(new Browser()));
    expect((await deviceRequest(challenge, code.user_code, otherApp)).data.deviceRequest.code).toBeNull();
    expect(await accept(challenge, code.user_code, otherApp)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'userCode'] },
    });
  });

  it('is only for login apps', async () => {
    const challenge = challengeOf(await openPage(new Browser()));
    const { errors } = await deviceRequest(challenge, null, stage.app.admin);
    expect(errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });
});

describe('acceptDeviceRequest', () => {
  it('cannot be repeated, and says where the browser is sent', async () => {
    const challenge = challengeOf(await openPage(new Browser()));
    const { redirectTo } = await accept(challenge, (await begin()).user_code);
    const again = await stage.app.ask(
      `mutation ($input: AcceptDeviceRequestInput!) { acceptDeviceRequest(input: $input) {
         ... on ChallengeUsedError { code redirectTo } } }`,
      { input: { challenge, userCode: (await begin()).user_code } },
      stage.loginApp,
    );
    expect(again.data.acceptDeviceRequest).toEqual({ code: 'FAILED_PRECONDITION', redirectTo });
  });

  it.each(['', 'WRON-GCOD'])('refuses the code "%s"', async (userCode) => {
    const challenge = challengeOf(await openPage(new Browser()));
    expect(await accept(challenge, userCode)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'userCode'] },
    });
  });
});

const times = <T>(work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: TIMES }, (_, at) => work(at)));

describe('twenty at the same time', () => {
  it('enter codes into one page: one counts', async () => {
    const challenge = challengeOf(await openPage(new Browser()));
    const codes = await times(() => begin());
    const answers = await times((at) => accept(challenge, codes[at]?.user_code ?? ''));
    expect(answers.filter(({ redirectTo }: Answer) => redirectTo)).toHaveLength(1);
    expect(answers.filter(({ code }: Answer) => code === 'FAILED_PRECONDITION')).toHaveLength(TIMES - 1);
  });

  it('enter one code into different pages: one counts', async () => {
    const { user_code } = await begin();
    const challenges = await times(async () => challengeOf(await openPage(new Browser())));
    const answers = await times((at) => accept(challenges[at] ?? '', user_code));
    expect(answers.filter(({ redirectTo }: Answer) => redirectTo)).toHaveLength(1);
  });

  it('ask for the tokens of one device: one gets them, and they live', async () => {
    const code = await begin();
    const { who, redirectTo } = await enter(code.user_code);
    await signIn(who, redirectTo, { consent });
    const polled = await Promise.allSettled(Array.from({ length: TIMES }, () => poll(code)));
    const made = polled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(made).toHaveLength(1);
    const info = await client.fetchUserInfo(tv, made[0]?.access_token ?? '', 'alice');
    expect(info.sub).toBe('alice');
    // A device code works once, also later.
    await wait(1000);
    await expect(poll(code)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(client.refreshTokenGrant(tv, made[0]?.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});
