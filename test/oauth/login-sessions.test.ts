import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { acceptConsent, acceptLogin, Browser, challengeIn, redirectOf } from './browser.ts';
import { consent, redirect, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

describe('a session', () => {
  it('lets the login app skip, and keeps how and when the person signed in', async () => {
    const who = stage.actors();
    const first = await stage.tokens(who, { login: { remember: true, acr: 'strong', amr: ['pwd'] } });
    const { url, checks } = await stage.request(scope);
    const asked = await redirectOf(who.browser, url);
    const { data } = await stage.loginRequest(challengeIn(asked));
    expect(data.loginRequest).toMatchObject({
      skip: true,
      subject: 'alice',
      sessionId: first.claims()?.['sid'],
    });
    const challenge = challengeIn(asked);
    expect(await acceptLogin(who, { challenge, subject: 'bob' })).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'subject'] },
    });
    const { redirectTo } = await acceptLogin(who, { challenge, acr: 'weak' });
    const next = await redirectOf(who.browser, redirectTo);
    const given = await acceptConsent(who, { challenge: challengeIn(next), ...consent });
    const answer = await redirectOf(who.browser, given.redirectTo);
    const again = (await client.authorizationCodeGrant(stage.web, new URL(answer), checks)).claims();
    const { auth_time, acr, amr, sid } = first.claims() as Record<string, unknown>;
    expect(again).toMatchObject({ auth_time, acr, amr, sid });
  });

  it('lasts longer when it is used again only if the login app says so', async () => {
    const who = stage.actors();
    const subject = 'regular';
    await stage.tokens(who, { login: { subject, remember: true, rememberFor: 'PT1H' } });
    const hoursLeft = async () => {
      const { rows } = await pool.query(
        `select payload ->> 'rememberedUntil' as until from oauth2_records
          where kind = 'Session' and account_id like '%/regular' and consumed_at is null`,
      );
      return Math.round((Number(rows[0].until) - Date.now() / 1000) / 3600);
    };
    const again = async (login: object) => {
      const asked = await redirectOf(who.browser, (await stage.request(scope)).url);
      const accepted = await acceptLogin(who, { challenge: challengeIn(asked), subject, ...login });
      await redirectOf(who.browser, accepted.redirectTo);
      return await hoursLeft();
    };
    expect(await hoursLeft()).toBe(1);
    expect(await again({ rememberFor: 'PT10H' })).toBe(1);
    expect(await again({ rememberFor: 'PT10H', extendSessionLifespan: true })).toBe(10);
  });

  it('that is not remembered is asked again', async () => {
    const who = stage.actors();
    await stage.tokens(who, { login: { remember: false } });
    const asked = await redirectOf(who.browser, (await stage.request(scope)).url);
    expect((await stage.loginRequest(challengeIn(asked))).data.loginRequest.skip).toBe(false);
  });

  it('answers prompt=none without the apps, if the consent is remembered', async () => {
    const who = stage.actors();
    await stage.tokens(who, { login: { remember: true }, consent: { ...consent, remember: true } });
    const { url, checks } = await stage.request(scope, { prompt: 'none' });
    const made = await client.authorizationCodeGrant(
      stage.web,
      new URL(await redirectOf(who.browser, url)),
      checks,
    );
    expect(made.claims()?.sub).toBe('alice');
    const more = await stage.request(`${scope} write`, { prompt: 'none' });
    expect(await redirectOf(who.browser, more.url)).toContain('error=consent_required');
    const stranger = await redirectOf(new Browser(), url);
    expect(stranger).toContain('error=login_required');
  });

  it('of one tenant is nobody for the clients of another tenant', async () => {
    const tenantId = await newTenant('elsewhere');
    const otherAdmin = await newCaller({ role: 'ADMIN', tenantId });
    const otherApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'], tenantId });
    const settings = { redirectUris: [redirect], scope: 'openid' };
    const other = await stage.addClient('other', settings, otherAdmin);
    const who = stage.actors();
    await stage.tokens(who, { login: { remember: true } });
    const asked = await redirectOf(who.browser, (await stage.request('openid', {}, other)).url);
    const challenge = challengeIn(asked);
    expect((await stage.loginRequest(challenge, otherApp)).data.loginRequest).toMatchObject({
      skip: false,
      subject: null,
    });
    // The login app of the first tenant does not see the challenge at all.
    const hidden = await stage.loginRequest(challenge);
    expect([hidden.data.loginRequest, hidden.errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
    expect(await acceptLogin(who, { challenge })).toMatchObject({ code: 'NOT_FOUND' });
    const none = await stage.request('openid', { prompt: 'none' }, other);
    expect(await redirectOf(who.browser, none.url)).toContain('error=login_required');
  });
});
