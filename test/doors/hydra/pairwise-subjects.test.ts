/** Clients with pairwise subjects, as Hydra's clients make them and answer logins for them. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { acceptConsent, challengeIn, redirectOf } from '../../oauth/browser.ts';
import { consent, discover, redirect, Stage, scope, webSettings } from '../../oauth/stage.ts';
import { SectorServer } from '../../support/sector-server.ts';
import { type Call, callsTo } from './call.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'true';
  // The certificate of the server for sectors is signed by nobody.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
});

let stage: Stage;
let sectors: SectorServer;
let administer: Call;
let answerLogins: Call;
beforeAll(async () => {
  stage = await Stage.start();
  sectors = await new SectorServer().start();
  administer = callsTo(stage.app, stage.app.admin);
  answerLogins = callsTo(stage.app, stage.loginApp);
});
afterAll(async () => {
  await sectors.stop();
  await stage.stop();
});

const { grantTypes: grant_types, scope: allowed } = webSettings;
const redirect_uris = [redirect, 'https://other.example/callback'];
const settings = { redirect_uris, grant_types, scope: allowed, subject_type: 'pairwise' };

describe('a client with pairwise subjects', () => {
  it('is stored with its sector, and knows a person by what the login app says', async () => {
    const sector_identifier_uri = sectors.publish('/sector', redirect_uris);
    const body = { ...settings, client_id: 'shop', sector_identifier_uri };
    const made = await administer('POST', '/admin/clients', body);
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ ...settings, sector_identifier_uri }),
    ]);
    expect((await administer('GET', '/admin/clients/shop')).body).toMatchObject({ sector_identifier_uri });

    const by = await discover(stage.app, 'shop', made.body.client_secret);
    const who = stage.actors();
    const { url, checks } = await stage.request(scope, {}, by);
    const challenge = challengeIn(await redirectOf(who.browser, url));
    const accepted = await answerLogins(
      'PUT',
      `/admin/oauth2/auth/requests/login/accept?login_challenge=${challenge}`,
      { subject: 'alice', force_subject_identifier: 'customer 1' },
    );
    const next = challengeIn(await redirectOf(who.browser, accepted.body.redirect_to));
    const { redirectTo } = await acceptConsent(who, { challenge: next, ...consent });
    const answer = new URL(await redirectOf(who.browser, redirectTo));
    const tokens = await client.authorizationCodeGrant(by, answer, checks);
    expect(tokens.claims()?.sub).toBe('customer 1');
    const form = new URLSearchParams({ token: tokens.access_token });
    const { body: shown } = await administer('POST', '/admin/oauth2/introspect', form);
    expect(shown).toMatchObject({ active: true, sub: 'alice', obfuscated_subject: 'customer 1' });
  });

  it('is refused under the names that the call uses', async () => {
    const uri = sectors.publish('/less', [redirect]);
    for (const more of [{}, { sector_identifier_uri: uri }])
      expect(await administer('POST', '/admin/clients', { ...settings, ...more })).toMatchObject({
        status: 400,
        body: { error_hint: expect.stringContaining('sector_identifier_uri: ') },
      });
  });
});
