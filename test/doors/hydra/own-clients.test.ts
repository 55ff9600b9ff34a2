/** Hydra's own clients, unchanged, against this server: npm's and PyPI's. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Configuration, JwkApi, OAuth2Api } from '@ory/hydra-client';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Browser, challengeIn, redirectOf } from '../../oauth/browser.ts';
import { Stage, scope, scopes } from '../../oauth/stage.ts';
import type { Answer } from '../../support/app.ts';
import { needs } from '../../support/require.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const as = (authorization: string) =>
  new Configuration({
    basePath: stage.app.url,
    baseOptions: { headers: { Authorization: authorization } },
  });
/** The status with which a call is refused. */
const statusOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error.response?.status,
  );

describe('@ory/hydra-client', () => {
  it('creates, lists, changes, patches and deletes a client', async () => {
    const oauth2 = new OAuth2Api(as(stage.app.admin));
    const { data: made } = await oauth2.createOAuth2Client({
      oAuth2Client: { client_id: 'npm', client_name: 'One', owner: 'npm' },
    });
    expect(made).toMatchObject({ client_id: 'npm', client_secret: expect.any(String), redirect_uris: [] });
    const { data: list } = await oauth2.listOAuth2Clients({ owner: 'npm', pageSize: 10 });
    expect(list.map(({ client_id }) => client_id)).toEqual(['npm']);
    const patch = [{ op: 'replace', path: '/client_name', value: 'Two' }];
    const { data: patched } = await oauth2.patchOAuth2Client({ id: 'npm', jsonPatch: patch });
    expect(patched.client_name).toBe('Two');
    const { data: replaced } = await oauth2.setOAuth2Client({
      id: 'npm',
      oAuth2Client: { ...patched, scope: 'openid' },
    });
    expect(replaced).toMatchObject({ client_name: 'Two', scope: 'openid' });
    const { data: spans } = await oauth2.setOAuth2ClientLifespans({
      id: 'npm',
      oAuth2ClientTokenLifespans: { client_credentials_grant_access_token_lifespan: '2h' },
    });
    expect(spans.client_credentials_grant_access_token_lifespan).toBe('2h0m0s');
    expect((await oauth2.getOAuth2Client({ id: 'npm' })).data).toEqual(spans);
    expect((await oauth2.deleteOAuth2Client({ id: 'npm' })).status).toBe(204);
    expect(await statusOf(oauth2.getOAuth2Client({ id: 'npm' }))).toBe(404);
  });

  it('creates, reads, changes and deletes sets of keys', async () => {
    const keys = new JwkApi(as(stage.app.admin));
    const wanted = { alg: 'ES256', kid: 'k1', use: 'sig' };
    const { data: made } = await keys.createJsonWebKeySet({ set: 'npm', createJsonWebKeySet: wanted });
    expect(made.keys).toEqual([expect.objectContaining({ ...wanted, d: expect.any(String) })]);
    const { data: read } = await keys.getJsonWebKeySet({ set: 'npm' });
    expect(read.keys).toEqual([expect.not.objectContaining({ d: expect.anything() })]);
    const { data: one } = await keys.getJsonWebKey({ set: 'npm', kid: 'k1' });
    expect(one).toEqual(read);
    const [key] = read.keys ?? [];
    if (!key) throw new Error('the set has no key');
    await keys.setJsonWebKey({ set: 'npm', kid: 'k1', jsonWebKey: key });
    await keys.setJsonWebKeySet({ set: 'npm', jsonWebKeySet: { keys: [{ ...key, kid: 'k2' }] } });
    expect((await keys.getJsonWebKeySet({ set: 'npm' })).data.keys?.map(({ kid }) => kid)).toEqual(['k2']);
    expect((await keys.deleteJsonWebKey({ set: 'npm', kid: 'k2' })).status).toBe(204);
    expect((await keys.deleteJsonWebKeySet({ set: 'npm' })).status).toBe(204);
    expect(await statusOf(keys.getJsonWebKeySet({ set: 'npm' }))).toBe(404);
  });

  it('is the login app of a sign-in, lists what was allowed, and takes it back', async () => {
    const loginApp = new OAuth2Api(as(stage.loginApp));
    const oauth2 = new OAuth2Api(as(stage.app.admin));
    const browser = new Browser();
    const { url, checks } = await stage.request(scope);
    const loginChallenge = challengeIn(await redirectOf(browser, url));
    const { data: asked } = await loginApp.getOAuth2LoginRequest({ loginChallenge });
    expect(asked).toMatchObject({ skip: false, subject: '', requested_scope: scopes });
    const { data: accepted } = await loginApp.acceptOAuth2LoginRequest({
      loginChallenge,
      acceptOAuth2LoginRequest: { subject: 'alice', remember: true, remember_for: 60, acr: 'high' },
    });
    const consentChallenge = challengeIn(await redirectOf(browser, accepted.redirect_to));
    const { data: consent } = await loginApp.getOAuth2ConsentRequest({ consentChallenge });
    expect(consent).toMatchObject({ subject: 'alice', acr: 'high', client: { client_id: 'web' } });
    const { data: granted } = await loginApp.acceptOAuth2ConsentRequest({
      consentChallenge,
      acceptOAuth2ConsentRequest: {
        ...{ grant_scope: scopes, remember: true, remember_for: 3600 },
        session: { id_token: { team: 'a' } },
      },
    });
    const answer = await redirectOf(browser, granted.redirect_to);
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(tokens.claims()).toMatchObject({ sub: 'alice', team: 'a' });

    const { data: sessions } = await oauth2.listOAuth2ConsentSessions({ subject: 'alice' });
    expect(sessions).toEqual([
      expect.objectContaining({ grant_scope: scopes, remember: true, remember_for: 3600 }),
    ]);
    expect(sessions[0]?.consent_request).toMatchObject({
      ...{ subject: 'alice', client: { client_id: 'web' }, requested_scope: scopes, skip: false },
    });
    expect((await oauth2.revokeOAuth2ConsentSessions({ subject: 'alice', all: true })).status).toBe(204);
    expect((await oauth2.listOAuth2ConsentSessions({ subject: 'alice' })).data).toEqual([]);
    await expect(client.refreshTokenGrant(stage.web, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await oauth2.revokeOAuth2LoginSessions({ subject: 'alice' })).status).toBe(204);
    const next = challengeIn(await redirectOf(browser, (await stage.request(scope)).url));
    expect((await loginApp.getOAuth2LoginRequest({ loginChallenge: next })).data.skip).toBe(false);
  });
});

const run = promisify(execFile);

describe.runIf(needs('hydraClient', 'ory-hydra-client'))('ory-hydra-client', () => {
  const folder = resolve(import.meta.dirname, '../..');
  async function walk(authorization: string, ...task: string[]): Promise<Answer> {
    const script = resolve(folder, 'fixtures/hydra/walk.py');
    const python = resolve(folder, '.clients/hydra/bin/python');
    const { stdout } = await run(python, [script, stage.app.url, authorization, ...task]);
    return JSON.parse(stdout);
  }

  it('creates, lists, changes and deletes clients and keys', async () => {
    expect(await walk(stage.app.admin, 'administer')).toEqual({
      ...{ hasSecret: true, names: ['One', 'Two', 'Two'], scope: 'openid read', lifespan: '2h0m0s' },
      ...{ listed: ['python'], foundSecret: null, afterDelete: 404 },
      ...{ createdPrivate: [true], readPrivate: [['k1', false]], keysAfterDelete: 404 },
    });
  });

  it('is the login app of a sign-in', async () => {
    const browser = new Browser();
    const { url, checks } = await stage.request(scope);
    const login = await walk(stage.loginApp, 'login', challengeIn(await redirectOf(browser, url)));
    expect(login).toMatchObject({ client: 'web', skip: false });
    const consentChallenge = challengeIn(await redirectOf(browser, login.redirectTo));
    const consent = await walk(stage.loginApp, 'consent', consentChallenge);
    expect(consent).toMatchObject({ subject: 'alice', scopes });
    const answer = await redirectOf(browser, consent.redirectTo);
    const tokens = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    expect(tokens.claims()?.sub).toBe('alice');
  });
});
