/** Clients that say with `resource` for which resource servers they want tokens: RFC 8707. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller, newUser } from '../support/users.ts';
import { acceptConsent, Browser, redirectOf, untilConsent } from './browser.ts';
import { redirect, Stage, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ORDERS = 'https://orders.example/api';
const STOCK = 'https://stock.example';
const scopes = ['openid', 'offline', 'read.runs'];
const scope = scopes.join(' ');

let stage: Stage;
let shop: client.Configuration;
const settings = () => ({
  ...webSettings,
  scope: `${webSettings.scope} all`,
  grantTypes: [...webSettings.grantTypes, DEVICE_CODE, EXCHANGE],
  audience: [ORDERS, STOCK, stage.app.url],
});
beforeAll(async () => {
  stage = await Stage.start();
  shop = await stage.addClient('shop', settings());
});
afterAll(() => stage.stop());

type Named = string | readonly string[];
interface Wish {
  readonly resource?: Named;
  readonly audience?: string;
  readonly scope?: string;
}

/** Parameters of a request. A list is sent as a parameter that is repeated. */
function parameters({ resource = [], ...others }: Wish & Record<string, Named | undefined>): URLSearchParams {
  const search = new URLSearchParams(others as Record<string, string>);
  for (const one of [resource].flat()) search.append('resource', one);
  return search;
}

/** The address that begins a sign-in, and what its client checks in the answer. */
async function request({ resource = [], ...wish }: Wish, isPushed = false) {
  const { url, checks } = await stage.request(wish.scope ?? scope, { ...wish }, shop);
  const address = new URL(url);
  for (const one of [resource].flat()) address.searchParams.append('resource', one);
  if (!isPushed) return { url: address.href, checks };
  return { url: (await client.buildAuthorizationUrlWithPAR(shop, address.searchParams)).href, checks };
}

const consentRequest = async (challenge: string): Promise<Answer> =>
  (
    await stage.app.ask(
      `query ($challenge: String!) { consentRequest(challenge: $challenge) { requestedAudience skip requestUrl } }`,
      { challenge },
      stage.loginApp,
    )
  ).data.consentRequest;

/** Signs a person in who allows all that is asked. @returns her code as a client receives it. */
async function codeFor(wish: Wish, { isPushed = false, subject = 'alice' } = {}) {
  const { url, checks } = await request(wish, isPushed);
  const who = stage.actors(new Browser());
  const challenge = await untilConsent(who, url, { subject });
  const { requestedAudience: grantAudience } = await consentRequest(challenge);
  const grantScopes = (wish.scope ?? scope).split(' ');
  const { redirectTo } = await acceptConsent(who, { challenge, grantScopes, grantAudience });
  const answer = new URL(await redirectOf(who.browser, redirectTo));
  const redeem = (more: Wish = {}) =>
    client.authorizationCodeGrant(shop, answer, checks, parameters({ ...more }));
  return { redeem, requestedAudience: grantAudience };
}
const tokensFor = async (wish: Wish, more: Wish = {}) => (await codeFor(wish)).redeem(more);
const refresh = ({ refresh_token: token = '' }: { refresh_token?: string }, more: Wish = {}) =>
  client.refreshTokenGrant(shop, token, parameters({ ...more }));
const audienceOf = async (token: string) => (await client.tokenIntrospection(shop, token)).aud;
const ownToken = async (wish: Wish) =>
  (await client.clientCredentialsGrant(shop, parameters({ scope: 'read.runs', ...wish }))).access_token;
const exchanged = async (wish: Wish) => {
  const token = await ownTokenOfAlice();
  const asked = { subject_token: token, subject_token_type: ACCESS_TOKEN };
  const search = parameters({ ...wish });
  for (const [name, value] of Object.entries(asked)) search.set(name, value);
  return (await client.genericGrantRequest(shop, EXCHANGE, search)).access_token;
};
const ownTokenOfAlice = async () => (await tokensFor({})).access_token;

/** A device, whose person allows all that it asks for. */
async function deviceToken(wish: Wish, more: Wish = {}) {
  const code = await client.initiateDeviceAuthorization(shop, parameters({ scope, ...wish }));
  const browser = new Browser();
  const page = new URL(await redirectOf(browser, code.verification_uri));
  const challenge = page.searchParams.get('device_challenge') ?? '';
  const input = { challenge, userCode: code.user_code };
  const { redirectTo } = await mutate(stage.app, 'acceptDeviceRequest', input, 'redirectTo', stage.loginApp);
  const who = stage.actors(browser);
  const asked = await untilConsent(who, redirectTo);
  const { requestedAudience: grantAudience } = await consentRequest(asked);
  const accepted = await acceptConsent(who, { challenge: asked, grantScopes: scopes, grantAudience });
  expect((await browser.open(accepted.redirectTo)).status).toBeLessThan(400);
  const search = parameters({ ...more });
  search.set('device_code', code.device_code);
  return (await client.genericGrantRequest(shop, DEVICE_CODE, search)).access_token;
}

const flows: Record<string, (wish: Wish) => Promise<string>> = {
  'the code flow': async (wish) => (await tokensFor(wish)).access_token,
  'a pushed request': async (wish) => (await (await codeFor(wish, { isPushed: true })).redeem()).access_token,
  'the device flow': deviceToken,
  client_credentials: ownToken,
  'token exchange': exchanged,
};

describe('a token has the audience that its client asks for', () => {
  const wishes: [what: string, wish: Wish, audience: readonly string[]][] = [
    ['one resource', { resource: ORDERS }, [ORDERS]],
    ['two resources', { resource: [ORDERS, STOCK] }, [ORDERS, STOCK]],
    ['an address below that of the client', { resource: `${ORDERS}/v2?x=1` }, [`${ORDERS}/v2?x=1`]],
    ['an audience and a resource', { audience: STOCK, resource: ORDERS }, [STOCK, ORDERS]],
    ['one resource twice', { audience: ORDERS, resource: [ORDERS, ORDERS] }, [ORDERS]],
  ];
  const rows = Object.keys(flows).flatMap((flow) => wishes.map((wish) => [flow, ...wish] as const));
  it.each(rows)('%s with %s', async (flow, _what, wish, audience) => {
    expect(await audienceOf((await flows[flow]?.(wish)) ?? '')).toEqual(audience);
  });

  it('and Slipway itself is a resource, too', async () => {
    const { id: subject } = await newUser({ role: 'ROOT' });
    const { redeem } = await codeFor({ scope: 'openid all', resource: stage.app.url }, { subject });
    const { access_token: token } = await redeem();
    expect((await stage.app.ask('{ viewer { id } }', {}, `Bearer ${token}`)).data.viewer.id).toBe(subject);
  });
});

describe('a consent app', () => {
  it('sees the resources, and can allow a part of them', async () => {
    const { url, checks } = await request({ resource: [ORDERS, STOCK] });
    const who = stage.actors(new Browser());
    const challenge = await untilConsent(who, url);
    const asked = await consentRequest(challenge);
    expect(asked.requestedAudience).toEqual([ORDERS, STOCK]);
    // With the address it can begin anew, and asks for the same.
    expect(new URL(asked.requestUrl).searchParams.get('audience')).toBe(`${ORDERS} ${STOCK}`);
    const { redirectTo } = await acceptConsent(who, {
      challenge,
      grantScopes: scopes,
      grantAudience: [STOCK],
    });
    const answer = new URL(await redirectOf(who.browser, redirectTo));
    const redeem = (more: Wish) =>
      client.authorizationCodeGrant(shop, answer, checks, parameters({ ...more }));
    await expect(redeem({ resource: ORDERS })).rejects.toMatchObject({ error: 'invalid_target' });
    expect(await audienceOf((await redeem({})).access_token)).toEqual([STOCK]);
  });

  it('is asked again for a resource that the remembered consent does not have', async () => {
    const browser = new Browser();
    const ask = async (resource: Named, more: Record<string, string> = {}) => {
      const { url } = await request({ resource, ...more });
      const challenge = await untilConsent(stage.actors(browser), url, { subject: 'bob', remember: true });
      return { challenge, skip: (await consentRequest(challenge)).skip };
    };
    const { challenge } = await ask(STOCK);
    const granted = { grantScopes: scopes, grantAudience: [STOCK], remember: true };
    const { redirectTo } = await acceptConsent(stage.actors(browser), { challenge, ...granted });
    await redirectOf(browser, redirectTo);
    expect((await ask(STOCK)).skip).toBe(true);
    expect((await ask([STOCK, ORDERS])).skip).toBe(false);
    const silent = async (resource: Named) => {
      const { url } = await request({ resource });
      return new URL(await redirectOf(browser, `${url}&prompt=none`)).searchParams;
    };
    expect((await silent(STOCK)).get('code')).toEqual(expect.any(String));
    expect((await silent([STOCK, ORDERS])).get('error')).toBe('consent_required');
  });
});

describe('a client narrows the audience', () => {
  it.each<[what: string, more: Wish, audience: readonly string[]]>([
    ['to one', { resource: STOCK }, [STOCK]],
    ['to two of three', { resource: [STOCK, ORDERS] }, [STOCK, ORDERS]],
    ['not at all', {}, [ORDERS, STOCK, `${STOCK}/other`]],
  ])('%s, with a code, a refresh token and a device code', async (_what, more, audience) => {
    const wish = { resource: [ORDERS, STOCK, `${STOCK}/other`] };
    const made = await tokensFor(wish, more);
    expect(await audienceOf(made.access_token)).toEqual(audience);
    expect(await audienceOf((await refresh(await tokensFor(wish), more)).access_token)).toEqual(audience);
    expect(await audienceOf(await deviceToken(wish, more))).toEqual(audience);
  });

  it('of one token, and not of those that are refreshed afterwards', async () => {
    const first = await tokensFor({ resource: [ORDERS, STOCK] }, { resource: ORDERS });
    const second = await refresh(first, { resource: STOCK });
    expect(await audienceOf(second.access_token)).toEqual([STOCK]);
    expect(await audienceOf((await refresh(second)).access_token)).toEqual([ORDERS, STOCK]);
  });

  it('and loses the scopes of Slipway, which then accepts the token no more', async () => {
    const { id: subject } = await newUser({ role: 'ROOT' });
    const wish = { scope: `${scope} all`, resource: [stage.app.url, STOCK] };
    const { redeem } = await codeFor(wish, { subject });
    const made = await redeem({ resource: STOCK });
    expect([made.scope, await audienceOf(made.access_token)]).toEqual([scope, [STOCK]]);
    const ask = (token: string) => stage.app.ask('{ viewer { id } }', {}, `Bearer ${token}`);
    expect((await ask(made.access_token)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    const ours = await refresh(made, { resource: stage.app.url });
    expect((await ask(ours.access_token)).data.viewer.id).toBe(subject);
  });
});

const bad: [what: string, resource: Named, scope?: string][] = [
  ['that the client may not ask for', 'https://evil.example/'],
  ['beside one that it may ask for', [STOCK, 'https://evil.example/']],
  ['on another port', 'https://stock.example:8443/'],
  ['with another scheme', 'http://stock.example/'],
  ['above that of the client', 'https://orders.example/'],
  ['with a longer name of the folder', 'https://orders.example/apis'],
  ['with a user', 'https://stock.example@evil.example/'],
  ['with a name in it', 'https://me@stock.example/'],
  ['with a fragment', `${STOCK}/#part`],
  ['with an empty fragment', `${STOCK}/#`],
  ['that is relative', '/api'],
  ['without a scheme', 'stock.example'],
  ['with a space', `${STOCK}/a b`],
  ['with two addresses in one', `${STOCK} ${ORDERS}`],
  ['that is another one than Slipway, for a scope of Slipway', STOCK, 'openid all'],
];

describe('a resource is refused', () => {
  it.each(bad)('%s, in an authorization request', async (_what, resource, scope) => {
    const { url } = await request({ resource, ...(scope ? { scope } : {}) });
    const answer = new URL(await redirectOf(new Browser(), url));
    expect(answer.href).toContain(redirect);
    expect([answer.searchParams.get('error'), answer.searchParams.get('code')]).toEqual([
      'invalid_target',
      null,
    ]);
  });

  it.each(bad)('%s, in a pushed request', async (_what, resource, scope) => {
    const asked = request({ resource, ...(scope ? { scope } : {}) }, true);
    await expect(asked).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it.each(bad)('%s, for a device', async (_what, resource, asked = scope) => {
    const begun = client.initiateDeviceAuthorization(shop, parameters({ scope: asked, resource }));
    await expect(begun).rejects.toMatchObject({ error: 'invalid_target' });
  });

  const forOthers = bad.filter(([, , asked]) => !asked);
  it.each(forOthers)('%s, in client_credentials and token exchange', async (_what, resource) => {
    await expect(ownToken({ resource })).rejects.toMatchObject({ error: 'invalid_target' });
    await expect(exchanged({ resource })).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it('if a client that acts as a service account wants its scopes for another resource server', async () => {
    const { id: serviceAccount } = await newUser({ role: 'USER' });
    await db.user.update({ where: { id: serviceAccount }, data: { kind: 'SERVICE_ACCOUNT' } });
    const root = await newCaller({ role: 'ROOT' });
    const robotSettings = { grantTypes: ['client_credentials'], scope: 'all', serviceAccount };
    const robot = await stage.addClient(
      'robot',
      { ...robotSettings, audience: [STOCK, stage.app.url] },
      root,
    );
    const ask = (resource: Named) =>
      client.clientCredentialsGrant(robot, parameters({ scope: 'all', resource }));
    await expect(ask(STOCK)).rejects.toMatchObject({ error: 'invalid_target' });
    for (const resource of [[], stage.app.url, [STOCK, stage.app.url]]) {
      const { access_token: token } = await ask(resource);
      const { data } = await stage.app.ask('{ viewer { id } }', {}, `Bearer ${token}`);
      expect(data.viewer.id).toBe(serviceAccount);
    }
  });

  it.each([...forOthers, ['that was not granted', ORDERS] as const])(
    '%s, with a code and a refresh token, and costs neither of them',
    async (_what, resource) => {
      const { redeem } = await codeFor({ resource: STOCK });
      await expect(redeem({ resource })).rejects.toMatchObject({ error: 'invalid_target' });
      const made = await redeem();
      await expect(refresh(made, { resource })).rejects.toMatchObject({ error: 'invalid_target' });
      expect(await audienceOf((await refresh(made)).access_token)).toEqual([STOCK]);
    },
  );

  it('with a refresh token when the client may not ask for it any more', async () => {
    const made = await tokensFor({ resource: STOCK });
    const change = (audience: readonly string[]) =>
      mutate(stage.app, 'patchOAuth2Client', {
        by: { clientId: 'shop' },
        patch: [{ op: 'replace', path: '/audience', value: audience }],
      });
    await change([ORDERS]);
    await expect(refresh(made)).rejects.toMatchObject({ error: 'invalid_target' });
    await change(settings().audience);
    expect(await audienceOf((await refresh(made)).access_token)).toEqual([STOCK]);
  });
});
