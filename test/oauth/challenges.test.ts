import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newCaller } from '../support/users.ts';
import { acceptConsent, acceptLogin, Browser, challengeIn, redirectOf, untilConsent } from './browser.ts';
import { Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

describe('a challenge', () => {
  it('cannot be answered twice, and says where the browser is sent', async () => {
    const who = stage.actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await stage.request(scope)).url));
    const { redirectTo } = await acceptLogin(who, { challenge });
    const again = await stage.app.ask(
      `mutation ($input: AcceptLoginRequestInput!) { acceptLoginRequest(input: $input) {
         ... on ChallengeUsedError { code redirectTo } } }`,
      { input: { challenge, subject: 'bob' } },
      stage.loginApp,
    );
    expect(again.data.acceptLoginRequest).toEqual({ code: 'FAILED_PRECONDITION', redirectTo });
    await redirectOf(who.browser, redirectTo);
    const used = await stage.loginRequest(challenge);
    expect(used.errors[0].extensions).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(used.errors[0].extensions.redirectTo).toContain(`${stage.app.url}/oauth2/auth?`);
  });

  it('of a login is no challenge of a consent', async () => {
    const who = stage.actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await stage.request(scope)).url));
    expect(await acceptConsent(who, { challenge })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('cannot grant what was not requested', async () => {
    const who = stage.actors();
    const challenge = await untilConsent(who, (await stage.request(scope)).url);
    const refused = await acceptConsent(who, { challenge, grantScopes: ['openid', 'write'] });
    expect(refused.problems).toMatchObject([{ path: ['input', 'grantScopes', '1'] }]);
  });

  it('is only for login apps', async () => {
    const challenge = challengeIn(await redirectOf(new Browser(), (await stage.request(scope)).url));
    for (const authorization of [stage.app.admin, await newCaller({ role: 'SYSTEM' })])
      expect((await stage.loginRequest(challenge, authorization)).errors[0].extensions.code).toBe(
        'PERMISSION_DENIED',
      );
  });
});
