/**
 * ORY Hydra v2.3.0 and this server get the same requests of an administrator and of a login app. Their answers are equal
 * but for ids, times and secrets, and for what `hydra-differences.ts` names.
 */
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Call, callsTo, type HydraAnswer } from '../doors/hydra/call.ts';
import { Browser, challengeIn, redirectOf } from '../oauth/browser.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { newCaller } from '../support/users.ts';
import { type AllowedDifference, allows, differencesOf } from './compare.ts';
import { hydraDifferences } from './hydra-differences.ts';
import { type Hydra, startHydra } from './start-hydra.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_LOGOUT_URL'] = 'https://login.example/logout';
});

/** One of the two servers, as its users see it. */
interface Side {
  readonly publicUrl: string;
  readonly administer: Call;
  readonly answerLogins: Call;
  readonly browser: Browser;
}

let app: App;
let hydra: Hydra;
let theirs: Side;
let ours: Side;
beforeAll(async () => {
  [app, hydra] = await Promise.all([startApp({ scheduler: false }), startHydra()]);
  const loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'] });
  const theirCalls = callsTo({ url: hydra.adminUrl }, null);
  theirs = {
    ...{ publicUrl: hydra.publicUrl, browser: new Browser() },
    ...{ administer: theirCalls, answerLogins: theirCalls },
  };
  ours = {
    ...{ publicUrl: app.url, browser: new Browser() },
    ...{ administer: callsTo(app, app.admin), answerLogins: callsTo(app, loginApp) },
  };
});
afterAll(() => Promise.all([app?.stop(), hydra?.stop()]));

const used = new Set<AllowedDifference>();

/** In what the answers of both sides to one step differ, without what is meant. */
function unmeant(step: string, left: HydraAnswer, right: HydraAnswer): object[] {
  return differencesOf(left, right)
    .filter((difference) => {
      const meant = hydraDifferences.find((allowed) => allows(allowed, step, difference));
      if (meant) used.add(meant);
      return meant === undefined;
    })
    .map((difference) => ({ step, ...difference }));
}

type Step = [name: string, method: string, path: string, body?: unknown];

const client = '/admin/clients/app';
const keys = '/admin/keys/set';
const login = '/admin/oauth2/auth/requests/login';
const consent = '/admin/oauth2/auth/requests/consent';
const logout = '/admin/oauth2/auth/requests/logout';
const sessions = '/admin/oauth2/auth/sessions';
const callback = 'https://app.example/callback';
const settings = {
  ...{
    client_id: 'app',
    client_name: 'App',
    owner: 'me',
    scope: 'openid offline read',
    client_secret: 'chosen by hand',
  },
  ...{
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [callback],
  },
  ...{ contacts: ['a@a.example'], metadata: { a: [1] }, client_uri: 'https://a.example', skip_consent: true },
  ...{ logo_uri: 'https://a.example/l', tos_uri: 'https://a.example/t', policy_uri: 'https://a.example/p' },
  ...{ allowed_cors_origins: ['https://a.example'], post_logout_redirect_uris: ['https://app.example/bye'] },
  ...{ frontchannel_logout_uri: 'https://a.example/f', frontchannel_logout_session_required: true },
  ...{ token_endpoint_auth_method: 'client_secret_basic', skip_logout_consent: true },
};
const pairwise = {
  client_id: 'pairwise',
  scope: 'openid',
  redirect_uris: [callback],
  subject_type: 'pairwise',
};
const sectorByHttp = { client_id: 'by-http', sector_identifier_uri: 'http://a.example/s' };
const twoHosts = { client_id: 'two-hosts', redirect_uris: [callback, 'https://b.example/callback'] };
const patch = (...operations: object[]) => operations;
const issuers = '/admin/trust/grants/jwt-bearer/issuers';
const { publicKey } = await generateKeyPair('ES256');
const trust = {
  ...{ issuer: 'https://ci.example', subject: 'robot', scope: ['read'], expires_at: '2999-01-01T00:00:00Z' },
  jwk: { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' },
};
// Of another name, because Hydra lists those of one name by random ids.
const trustForAll = { ...trust, issuer: 'https://any.example', subject: '', allow_any_subject: true };

describe('an administrator', () => {
  it.each<Step>([
    ['sees no clients', 'GET', '/admin/clients'],
    ['registers a client with defaults', 'POST', '/admin/clients', { client_id: 'plain' }],
    ['reads it', 'GET', '/admin/clients/plain'],
    ['registers a client with settings', 'POST', '/admin/clients', settings],
    ['cannot register it again', 'POST', '/admin/clients', settings],
    ['reads the other client', 'GET', client],
    ['lists clients', 'GET', '/admin/clients?page_size=1'],
    ['lists clients of an owner', 'GET', '/admin/clients?owner=me'],
    ['lists clients of nobody', 'GET', '/admin/clients?owner=nobody'],
    ['replaces a client', 'PUT', client, { ...settings, client_name: 'Two' }],
    ['patches a client', 'PATCH', client, patch({ op: 'replace', path: '/client_name', value: 'Three' })],
    ['patches a list', 'PATCH', client, patch({ op: 'add', path: '/contacts/-', value: 'b@a.example' })],
    ['sets lifespans', 'PUT', `${client}/lifespans`, { implicit_grant_id_token_lifespan: '1h30m' }],
    ['clears lifespans', 'PUT', `${client}/lifespans`, {}],
    ['cannot set a wrong lifespan', 'PUT', `${client}/lifespans`, { implicit_grant_id_token_lifespan: 'x' }],
    ['cannot use a fragment', 'POST', '/admin/clients', { redirect_uris: ['https://a.example/#x'] }],
    ['cannot use another type', 'POST', '/admin/clients', { client_name: 1 }],
    ['cannot send a torn body', 'POST', '/admin/clients', '{'],
    ['finds no absent client', 'GET', '/admin/clients/none'],
    ['replaces no absent client', 'PUT', '/admin/clients/none', {}],
    ['deletes no absent client', 'DELETE', '/admin/clients/none'],
    ['deletes a client', 'DELETE', '/admin/clients/plain'],
    ['registers a client with pairwise subjects', 'POST', '/admin/clients', pairwise],
    ['gives a sector by http to nobody', 'POST', '/admin/clients', { ...pairwise, ...sectorByHttp }],
    ['gives clients of two hosts no sector', 'POST', '/admin/clients', { ...pairwise, ...twoHosts }],
    ['creates a key', 'POST', keys, { alg: 'ES256', use: 'sig', kid: 'k1' }],
    ['creates it once', 'POST', keys, { alg: 'ES256', use: 'sig', kid: 'k1' }],
    ['cannot create a key of no algorithm', 'POST', keys, { alg: 'none', use: 'sig' }],
    ['reads a set of keys', 'GET', keys],
    ['reads a key', 'GET', `${keys}/k1`],
    ['finds no absent key', 'GET', `${keys}/k2`],
    ['finds no absent set', 'GET', '/admin/keys/none'],
    ['deletes a key', 'DELETE', `${keys}/k1`],
    ['deletes an absent key', 'DELETE', `${keys}/k1`],
    ['deletes an absent set', 'DELETE', '/admin/keys/none'],
    ['lists consents of a stranger', 'GET', `${sessions}/consent?subject=nobody`],
    ['lists no consents without a subject', 'GET', `${sessions}/consent`],
    ['takes back consents of a stranger', 'DELETE', `${sessions}/consent?subject=nobody&all=true`],
    ['takes back nothing by a subject alone', 'DELETE', `${sessions}/consent?subject=nobody`],
    ['takes back nothing without a subject', 'DELETE', `${sessions}/consent`],
    ['ends sessions of a stranger', 'DELETE', `${sessions}/login?subject=nobody`],
    ['ends no sessions without a subject', 'DELETE', `${sessions}/login`],
    ['trusts no issuers', 'GET', issuers],
    ['trusts an issuer for a person', 'POST', issuers, trust],
    ['trusts it once', 'POST', issuers, trust],
    ['trusts an issuer for everybody', 'POST', issuers, trustForAll],
    ['trusts no issuer for nobody', 'POST', issuers, { ...trust, subject: '' }],
    ['trusts no issuer twice over', 'POST', issuers, { ...trust, allow_any_subject: true }],
    ['trusts no issuer without a key', 'POST', issuers, { ...trust, jwk: {} }],
    ['trusts no issuer without a name', 'POST', issuers, { ...trust, issuer: '' }],
    ['lists trusted issuers of one name', 'GET', `${issuers}?issuer=${encodeURIComponent(trust.issuer)}`],
    [
      'lists trusted issuers of a name for everybody',
      'GET',
      `${issuers}?issuer=${encodeURIComponent(trustForAll.issuer)}`,
    ],
    ['lists trusted issuers of another name', 'GET', `${issuers}?issuer=https://nobody.example`],
    ['finds no absent issuer', 'GET', `${issuers}/01900000-0000-7000-8000-000000000000`],
    ['deletes no absent issuer', 'DELETE', `${issuers}/01900000-0000-7000-8000-000000000000`],
  ])('%s', async (name, method, path, body) => {
    const answers = await Promise.all([theirs, ours].map((side) => side.administer(method, path, body)));
    expect(unmeant(name, answers[0] as HydraAnswer, answers[1] as HydraAnswer)).toEqual([]);
  });
});

it('an administrator reads and deletes a trusted issuer', async () => {
  const [left, right] = await Promise.all(
    [theirs, ours].map(async ({ administer }) => {
      const { body } = await administer('GET', `${issuers}?issuer=${encodeURIComponent(trust.issuer)}`);
      const id = body.find(({ subject }: { subject: string }) => subject === trust.subject)?.id;
      return [
        await administer('GET', `${issuers}/${id}`),
        await administer('DELETE', `${issuers}/${id}`),
        await administer('GET', `${issuers}/${id}`),
      ];
    }),
  );
  const steps = ['reads a trusted issuer', 'deletes a trusted issuer', 'finds no deleted issuer'];
  const [first, second] = [left ?? [], right ?? []];
  const differences = steps.map((name, at) =>
    unmeant(name, first[at] as HydraAnswer, second[at] as HydraAnswer),
  );
  expect(differences.flat()).toEqual([]);
});

describe('a login app', () => {
  it.each<Step>([
    ['names no challenge', 'GET', login],
    ['names an unknown challenge', 'GET', `${login}?login_challenge=none`],
    ['names no subject', 'PUT', `${login}/accept?login_challenge=none`, {}],
    ['names no consent challenge', 'GET', consent],
    ['names an unknown consent challenge', 'GET', `${consent}?consent_challenge=none`],
    ['names no logout challenge', 'GET', logout],
    ['names an unknown logout challenge', 'GET', `${logout}?logout_challenge=none`],
    ['accepts an unknown logout', 'PUT', `${logout}/accept?logout_challenge=none`],
    ['rejects an unknown logout', 'PUT', `${logout}/reject?logout_challenge=none`],
  ])('%s', async (name, method, path, body) => {
    const answers = await Promise.all([theirs, ours].map((side) => side.answerLogins(method, path, body)));
    expect(unmeant(name, answers[0] as HydraAnswer, answers[1] as HydraAnswer)).toEqual([]);
  });

  /** Signs alice in at one side. @returns all answers by their step. */
  async function walk({ publicUrl, administer, answerLogins, browser }: Side) {
    const answers = new Map<string, HydraAnswer>();
    const step = async (name: string, call: Call, ...request: Parameters<Call>) => {
      const answer = await call(...request);
      answers.set(name, answer);
      return answer;
    };
    /** The challenge of a logout, as the parameters of a request about it. */
    const logoutAt = async (url: string) => {
      const challenge = new URL(await redirectOf(browser, url)).searchParams.get('logout_challenge');
      return `?logout_challenge=${challenge}`;
    };
    const asked = new URL('/oauth2/auth', publicUrl);
    const parameters = {
      client_id: 'app',
      response_type: 'code',
      scope: 'openid offline read',
      redirect_uri: callback,
    };
    for (const [name, value] of Object.entries({ ...parameters, state: 'a state that is long' }))
      asked.searchParams.set(name, value);
    const first = challengeIn(await redirectOf(browser, asked.href));
    await step('reads the login', answerLogins, 'GET', `${login}?login_challenge=${first}`);
    const accept = { subject: 'alice', remember: true, remember_for: 3600, acr: 'high', amr: ['pwd'] };
    const path = `${login}/accept?login_challenge=${first}`;
    const accepted = await step('accepts the login', answerLogins, 'PUT', path, {
      ...accept,
      context: { a: 1 },
    });
    const second = challengeIn(await redirectOf(browser, accepted.body.redirect_to));
    await step('reads the consent', answerLogins, 'GET', `${consent}?consent_challenge=${second}`);
    const grant = { grant_scope: ['openid', 'read'], remember: true, remember_for: 3600 };
    const consented = await step(
      'accepts the consent',
      ...([answerLogins, 'PUT', `${consent}/accept?consent_challenge=${second}`] as const),
      { ...grant, session: { id_token: { team: 'a' } } },
    );
    const answer = new URL(await redirectOf(browser, consented.body.redirect_to));
    const form = new URLSearchParams({
      ...{ grant_type: 'authorization_code', redirect_uri: callback },
      code: answer.searchParams.get('code') ?? '',
    });
    const exchange = callsTo({ url: publicUrl }, basic('app', encodeURIComponent('chosen by hand')));
    const tokens = await step('exchanges the code', exchange, 'POST', '/oauth2/token', form);
    await step('reads a login that is over', answerLogins, 'GET', `${login}?login_challenge=${first}`);
    await step('lists the consents', administer, 'GET', `${sessions}/consent?subject=alice`);
    await step(
      'takes back the consents',
      administer,
      'DELETE',
      `${sessions}/consent?subject=alice&client=app`,
    );
    await step('lists no consents', administer, 'GET', `${sessions}/consent?subject=alice`);
    const byClient = new URLSearchParams({
      ...{ id_token_hint: tokens.body.id_token, state: 'a state' },
      post_logout_redirect_uri: 'https://app.example/bye',
    });
    const asClient = await logoutAt(`${publicUrl}/oauth2/sessions/logout?${byClient}`);
    await step('reads a logout by a client', answerLogins, 'GET', `${logout}${asClient}`);
    await step('rejects a logout', answerLogins, 'PUT', `${logout}/reject${asClient}`);
    await step('reads a logout that was rejected', answerLogins, 'GET', `${logout}${asClient}`);
    const byPerson = await logoutAt(`${publicUrl}/oauth2/sessions/logout`);
    await step('reads a logout by a person', answerLogins, 'GET', `${logout}${byPerson}`);
    const left = await step('accepts a logout', answerLogins, 'PUT', `${logout}/accept${byPerson}`);
    await browser.open(left.body.redirect_to);
    await step('reads a logout that is over', answerLogins, 'GET', `${logout}${byPerson}`);
    await step('cannot accept a logout that is over', answerLogins, 'PUT', `${logout}/accept${byPerson}`);
    return answers;
  }

  it('signs a person in, step by step', async () => {
    const [left, right] = [await walk(theirs), await walk(ours)];
    const steps = [...left.keys()];
    expect(steps).toEqual([...right.keys()]);
    expect(
      steps.flatMap((name) => unmeant(name, left.get(name) as HydraAnswer, right.get(name) as HydraAnswer)),
    ).toEqual([]);
  });
});

it('every difference that is allowed occurs', () => {
  expect(hydraDifferences.filter((one) => !used.has(one)).map(({ reason }) => reason)).toEqual([]);
});
