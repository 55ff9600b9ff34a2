/** What people have allowed, and the sessions of their browsers: listed, taken back and ended. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { endSessions } from '../../src/oauth/store/records.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { holdAnswers } from '../support/statements.ts';
import { homeTenant, newCaller, newTenant, newUser } from '../support/users.ts';
import { eventually, overtaken, untilLocked } from '../support/waiting.ts';
import { acceptConsent, type Browser, challengeIn, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, Stage, scope, scopes, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let other: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  other = await stage.addClient('other', { ...webSettings, clientName: 'The other' });
});
afterAll(() => stage.stop());

const fields = `consentRequestId subject clientId clientName client { clientId } grantedScopes grantedAudience
  requestedScopes session { accessToken idToken } remember rememberFor handledAt requestedAt loginSessionId
  requestUrl acr amr context oidcContext { loginHint }`;

async function list(subject: string, args = '', authorization = stage.app.admin): Promise<Answer> {
  const document = `query ($subject: String!) { consentSessions(subject: $subject ${args}) {
    totalCount nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
  const { data, errors } = await stage.app.ask(document, { subject }, authorization);
  return errors ? { code: errors[0]?.extensions.code } : data.consentSessions;
}
const revoke = (input: object, authorization?: string) =>
  mutate(stage.app, 'revokeConsentSessions', input, 'revokedConsents', authorization);
const endSession = (input: object, authorization?: string) =>
  mutate(stage.app, 'revokeAuthenticationSession', input, 'revokedSessions', authorization);

/** Signs a person in. @returns the tokens. */
async function tokensOf(
  subject: string,
  {
    by = stage.web,
    who = stage.actors(),
    ...more
  }: {
    by?: client.Configuration;
    who?: ReturnType<Stage['actors']>;
    login?: object;
    consent?: object;
    params?: Record<string, string>;
  } = {},
) {
  const { url, checks } = await stage.request(scope, more.params, by);
  const login = { subject, ...more.login };
  const answer = await signIn(who, url, { login, consent: { ...consent, ...more.consent } });
  return await client.authorizationCodeGrant(by, new URL(answer), checks);
}
const isActive = async (token: string, by = stage.web) => (await client.tokenIntrospection(by, token)).active;

describe('consentSessions', () => {
  it('shows what a person has allowed, what was asked and how she signed in', async () => {
    const login = { remember: true, acr: 'urn:two', amr: ['otp'], context: { theme: 'dark' } };
    const session = { accessToken: { role: 'dev' }, idToken: { team: 'blue' } };
    const who = stage.actors();
    const { url } = await stage.request(scope, { login_hint: 'an' });
    const challenge = await untilConsent(who, url, { subject: 'ann', ...login });
    const handledAt = '2026-01-02T03:04:05.000Z';
    const given = { grantScopes: ['openid'], remember: true, rememberFor: 'P400D', session, handledAt };
    await acceptConsent(who, { challenge, ...given });
    const { nodes, totalCount } = await list('ann');
    expect(totalCount).toBe(1);
    expect(nodes).toEqual([
      {
        ...{ consentRequestId: expect.any(String), subject: 'ann', clientId: 'web', clientName: '' },
        ...{ client: { clientId: 'web' }, grantedScopes: ['openid'], grantedAudience: [], handledAt },
        ...{ requestedScopes: scopes, session, remember: true, rememberFor: 'PT9600H' },
        ...{
          requestedAt: expect.any(String),
          loginSessionId: expect.any(String),
          acr: 'urn:two',
          amr: ['otp'],
        },
        ...{ requestUrl: expect.stringContaining(`${stage.app.url}/oauth2/auth?`) },
        ...{ context: { theme: 'dark' }, oidcContext: { loginHint: 'an' } },
      },
    ]);
  });

  it('takes a time of the answer in the future for now', async () => {
    await tokensOf('early', { consent: { handledAt: '2999-01-01T00:00:00Z' } });
    const [{ handledAt }] = (await list('early')).nodes;
    expect(Math.abs(Date.parse(handledAt) - Date.now())).toBeLessThan(600_000);
  });

  it('is empty for a person whom nobody knows', async () => {
    expect(await list('nobody')).toMatchObject({ totalCount: 0, nodes: [] });
  });

  it('leaves out authorizations for which nobody was asked, and consents that are not remembered any more', async () => {
    const who = stage.actors();
    const remembered = { remember: true, rememberFor: 'PT1H' };
    await tokensOf('ben', { who, login: { remember: true }, consent: remembered });
    const skipped = await untilConsent(who, (await stage.request(scope)).url, { subject: 'ben' });
    await acceptConsent(who, { challenge: skipped, ...consent });
    const { url } = await stage.request(scope, { prompt: 'none' });
    expect(await redirectOf(who.browser, url)).toContain('code=');
    expect(await db.oAuth2Consent.count({ where: { subject: 'ben' } })).toBe(3);
    expect(await list('ben')).toMatchObject({ totalCount: 1, nodes: [{ rememberFor: 'PT1H' }] });
    await pool.query(`update oauth2_consents set remembered_until = now() where subject = 'ben'`);
    expect(await list('ben')).toMatchObject({ totalCount: 0, nodes: [] });
  });

  it('is filtered by client and by session, newest first, a page at a time', async () => {
    await tokensOf('cleo');
    const again = await tokensOf('cleo', { by: other });
    await pool.query(
      `update oauth2_consents set requested_at = requested_at - interval '1 hour'
        where subject = 'cleo' and client_row_id = (select id from oauth2_clients where client_id = 'web')`,
    );
    const clientsOf = (answer: Answer) => answer.nodes.map((node: Answer) => node.clientId);
    expect(clientsOf(await list('cleo'))).toEqual(['other', 'web']);
    const first = await list('cleo', ', first: 1');
    expect([clientsOf(first), first.pageInfo.hasNextPage, first.totalCount]).toEqual([['other'], true, 2]);
    expect(clientsOf(await list('cleo', `, first: 1, after: "${first.pageInfo.endCursor}"`))).toEqual([
      'web',
    ]);
    expect(clientsOf(await list('cleo', ', filter: { clientId: "other" }'))).toEqual(['other']);
    expect(clientsOf(await list('cleo', ', filter: { clientId: "absent" }'))).toEqual([]);
    const sid = again.claims()?.['sid'];
    expect(clientsOf(await list('cleo', `, filter: { loginSessionId: "${sid}" }`))).toEqual(['other']);
  });

  it('is for administrators of the tenant, and for oneself', async () => {
    const { id, authorization } = await newUser({ role: 'GUEST' });
    await tokensOf(id);
    expect(await list(id, '', authorization)).toMatchObject({
      totalCount: 1,
      nodes: [{ clientId: 'web', client: null }],
    });
    const someone = await newCaller({ role: 'SUPERUSER' });
    expect(await list(id, '', someone)).toEqual({ code: 'PERMISSION_DENIED' });
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant('far away') });
    expect(await list(id, '', elsewhere)).toMatchObject({ totalCount: 0, nodes: [] });
  });
});

describe('revokeConsentSessions', () => {
  it('ends the tokens of one client, and lets the person be asked again', async () => {
    const who = stage.actors();
    const login = { remember: true };
    const made = await tokensOf('dan', { who, login, consent: { remember: true } });
    const repeated = await stage.request(scope, { prompt: 'none' });
    const answer = await redirectOf(who.browser, repeated.url);
    const silent = await client.authorizationCodeGrant(stage.web, new URL(answer), repeated.checks);
    const kept = await tokensOf('dan', { who, by: other, login });
    expect(await revoke({ subject: 'dan', clientId: 'web' })).toMatchObject({ revokedConsents: 2 });
    expect(await isActive(made.access_token)).toBe(false);
    expect(await isActive(silent.access_token)).toBe(false);
    await expect(client.refreshTokenGrant(stage.web, made.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await isActive(kept.access_token, other)).toBe(true);
    const { url } = await stage.request(scope, { prompt: 'none' });
    expect(await redirectOf(who.browser, url)).toContain('error=consent_required');
    expect(await revoke({ subject: 'dan', clientId: 'web' })).toMatchObject({ revokedConsents: 0 });
  });

  it('also counts for a request that begins before and is answered afterwards', async () => {
    const who = stage.actors();
    await tokensOf('dora', { who, login: { remember: true }, consent: { remember: true } });
    const { url } = await stage.request(scope, { prompt: 'none' });
    // The consent was found, and is not repeated yet.
    const answers = holdAnswers(/insert into oauth2_records/);
    const answer = redirectOf(who.browser, url);
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    expect(await revoke({ subject: 'dora', all: true })).toMatchObject({ revokedConsents: 1 });
    answers.release();
    expect(await answer).toContain('error=consent_required');
    expect(await db.oAuth2Consent.count({ where: { subject: 'dora' } })).toBe(0);
  });

  it('waits for a consent that is being repeated, and takes that back, too', async () => {
    const who = stage.actors();
    await tokensOf('emma', { who, login: { remember: true }, consent: { remember: true } });
    const repeated = await stage.request(scope, { prompt: 'none' });
    const answers = holdAnswers(/INSERT INTO "public"."oauth2_consents"/);
    const answer = redirectOf(who.browser, repeated.url);
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    const revoked = revoke({ subject: 'emma', all: true });
    await untilLocked();
    answers.release();
    expect(await revoked).toMatchObject({ revokedConsents: 2 });
    expect(await db.oAuth2Consent.count({ where: { subject: 'emma' } })).toBe(0);
    const asked = client.authorizationCodeGrant(stage.web, new URL(await answer), repeated.checks);
    await expect(asked).rejects.toBeDefined();
  });

  it('ends the tokens of all clients', async () => {
    const made = [await tokensOf('eve'), await tokensOf('eve', { by: other })] as const;
    const stays = await tokensOf('eva');
    expect(await revoke({ subject: 'eve', all: true })).toMatchObject({ revokedConsents: 2 });
    expect(await isActive(made[0].access_token)).toBe(false);
    expect(await isActive(made[1].access_token, other)).toBe(false);
    expect(await isActive(stays.access_token)).toBe(true);
  });

  it('ends one authorization by the id that its consent request had', async () => {
    const who = stage.actors();
    const { url, checks } = await stage.request(scope);
    const challenge = await untilConsent(who, url, { subject: 'finn' });
    const document = 'query ($c: String!) { consentRequest(challenge: $c) { consentRequestId } }';
    const { data } = await stage.app.ask(document, { c: challenge }, stage.loginApp);
    const { redirectTo } = await acceptConsent(who, { challenge, ...consent });
    const answer = await redirectOf(who.browser, redirectTo);
    const made = await client.authorizationCodeGrant(stage.web, new URL(answer), checks);
    const stays = await tokensOf('finn');
    const { consentRequestId } = data.consentRequest;
    expect(await revoke({ consentRequestId })).toMatchObject({ revokedConsents: 1 });
    expect([await isActive(made.access_token), await isActive(stays.access_token)]).toEqual([false, true]);
  });

  it.each([
    ['a subject alone', { subject: 'gina' }],
    ['a client alone', { clientId: 'web' }],
    ['all alone', { all: true }],
    ['nothing', {}],
    ['a client and all', { subject: 'gina', clientId: 'web', all: true }],
  ])('refuses %s', async (_what, input) => {
    await tokensOf('gina');
    expect(await revoke(input)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await list('gina')).not.toMatchObject({ totalCount: 0 });
  });

  it('is for administrators of the tenant, and for oneself', async () => {
    const { id, authorization } = await newUser({ role: 'GUEST' });
    const made = await tokensOf(id);
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant('further away') });
    const of = { subject: id, all: true };
    expect(await revoke(of, elsewhere)).toMatchObject({ revokedConsents: 0 });
    expect(await revoke(of, await newCaller({ role: 'USER' }))).toMatchObject({ code: 'PERMISSION_DENIED' });
    const { nodes } = await list(id);
    const { consentRequestId } = nodes[0];
    const alone = await revoke({ consentRequestId }, authorization);
    expect(alone).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await isActive(made.access_token)).toBe(true);
    expect(await revoke(of, authorization)).toMatchObject({ revokedConsents: 1 });
    expect(await isActive(made.access_token)).toBe(false);
  });

  it('is in the audit log', async () => {
    await tokensOf('hal');
    await revoke({ subject: 'hal', all: true });
    expect(await db.auditEvent.findMany({ where: { targetName: 'hal' } })).toMatchObject([
      { action: 'consentSession:revoke', targetType: 'consent session', outcome: 'DONE' },
    ]);
  });
});

/** Whether the login app would find a person in the browser. */
async function isKnown(browser: Browser): Promise<boolean> {
  const challenge = challengeIn(await redirectOf(browser, (await stage.request(scope)).url));
  return (await stage.loginRequest(challenge)).data.loginRequest.skip;
}

describe('revokeAuthenticationSession', () => {
  const remembered = { login: { remember: true } };

  it('ends all sessions of a person, and leaves the tokens', async () => {
    const browsers = [stage.actors(), stage.actors()];
    const made = [];
    for (const who of browsers) made.push(await tokensOf('ida', { who, ...remembered }));
    const someone = stage.actors();
    await tokensOf('ian', { who: someone, ...remembered });
    expect(await endSession({ subject: 'ida' })).toMatchObject({ revokedSessions: 2 });
    for (const { browser } of browsers) expect(await isKnown(browser)).toBe(false);
    expect(await isKnown(someone.browser)).toBe(true);
    for (const { access_token } of made) expect(await isActive(access_token)).toBe(true);
    expect(await endSession({ subject: 'ida' })).toMatchObject({ revokedSessions: 0 });
  });

  it('ends one session by its id', async () => {
    const [one, two] = [stage.actors(), stage.actors()];
    const made = await tokensOf('jan', { who: one, ...remembered });
    await tokensOf('jan', { who: two, ...remembered });
    const sessionId = made.claims()?.['sid'];
    expect(await endSession({ sessionId })).toMatchObject({ revokedSessions: 1 });
    expect([await isKnown(one.browser), await isKnown(two.browser)]).toEqual([false, true]);
  });

  it('is not undone by a request that began before and stores the session after it', async () => {
    const who = stage.actors();
    const made = await tokensOf('kim', { who, ...remembered });
    const { url } = await stage.request(scope);
    const response = await overtaken(
      () => who.browser.open(url),
      async (tx) =>
        endSessions(tx, await homeTenant(), { accountId: null, uid: String(made.claims()?.['sid']) }),
    );
    expect(response.status).toBe(303);
    expect(await isKnown(who.browser)).toBe(false);
  });

  it('needs to be told whose session, or which', async () => {
    expect(await endSession({})).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is for administrators of the tenant, and for oneself', async () => {
    const { id, authorization } = await newUser({ role: 'GUEST' });
    const who = stage.actors();
    const sessionId = (await tokensOf(id, { who, ...remembered })).claims()?.['sid'];
    const elsewhere = await newCaller({ role: 'ADMIN', tenantId: await newTenant('furthest away') });
    for (const input of [{ subject: id }, { sessionId }])
      expect(await endSession(input, elsewhere)).toMatchObject({ revokedSessions: 0 });
    expect(await endSession({ sessionId }, authorization)).toMatchObject({ code: 'PERMISSION_DENIED' });
    const foreign = await newUser({ role: 'USER' });
    expect(await endSession({ subject: foreign.id, sessionId }, foreign.authorization)).toMatchObject({
      revokedSessions: 0,
    });
    expect(await isKnown(who.browser)).toBe(true);
    expect(await endSession({ subject: id, sessionId }, authorization)).toMatchObject({ revokedSessions: 1 });
    expect(await isKnown(who.browser)).toBe(false);
  });
});
