/** Services that exchange the access token of a person for another one: RFC 8693. */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Actor, nextActor } from '../../src/oauth/domain/token-exchange.ts';
import { pool } from '../../src/platform/database/client.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { holdAnswers } from '../support/statements.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { Browser, signIn } from './browser.ts';
import { Stage, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const ACCESS_TOKEN = type('access_token');

/** A service: what it is called by, and the client id with which it calls others. */
const ORDERS = 'https://orders.example';
const STOCK = 'https://stock.example';
const all = 'openid offline read.runs read.jobs write';

const serviceSettings = {
  ...{ grantTypes: [EXCHANGE, 'client_credentials'], responseTypes: [] },
  scope: 'read.* write all openid offline',
};

let stage: Stage;
/** People sign in to it, and it calls the service `orders` for them. */
let shop: client.Configuration;
let orders: client.Configuration;
let stock: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  shop = await stage.addClient('shop', {
    ...webSettings,
    ...{ grantTypes: [...webSettings.grantTypes, EXCHANGE], audience: [ORDERS, STOCK] },
    scope: `${webSettings.scope} all delete`,
  });
  orders = await stage.addClient(ORDERS, { ...serviceSettings, audience: [STOCK, stage.app.url] });
  stock = await stage.addClient(STOCK, { ...serviceSettings, audience: [ORDERS] });
});
afterAll(() => stage.stop());

/** A service that the client `shop` may call. */
async function addService(id: string, settings: object, admin?: string): Promise<client.Configuration> {
  const made = await stage.addClient(id, { ...serviceSettings, ...settings }, admin);
  const patch = [{ op: 'add', path: '/audience/-', value: id }];
  await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'shop' }, patch });
  return made;
}

interface Wish {
  readonly by?: client.Configuration;
  readonly subject?: string;
  readonly scope?: string;
  readonly audience?: string | null;
  readonly options?: client.DPoPOptions;
}

/** Signs a person in. @returns her tokens. */
async function tokensOf({
  by = shop,
  subject = 'alice',
  scope = all,
  audience = ORDERS,
  options,
}: Wish = {}) {
  const { url, checks } = await stage.request(scope, audience ? { audience } : {}, by);
  const consent = { grantScopes: scope.split(' '), grantAudience: audience ? [audience] : [] };
  const answer = await signIn(stage.actors(new Browser()), url, { login: { subject }, consent });
  return await client.authorizationCodeGrant(by, new URL(answer), checks, {}, options);
}
const tokenOf = async (wish: Wish = {}) => (await tokensOf(wish)).access_token;
const ownTokenOf = async (by: client.Configuration, scope = 'write') =>
  (await client.clientCredentialsGrant(by, { scope })).access_token;

/** Exchanges a token. @returns the answer of the token endpoint, or the error of its refusal. */
async function exchange(token: string, more: Record<string, string> = {}, by = orders): Promise<Answer> {
  try {
    const asked = { subject_token: token, subject_token_type: ACCESS_TOKEN, ...more };
    return await client.genericGrantRequest(by, EXCHANGE, asked);
  } catch (error) {
    return { error: (error as client.ResponseBodyError).error };
  }
}
const introspect = (token: string, by = orders) => client.tokenIntrospection(by, token);
const isActive = async (token: string, by = orders) => (await introspect(token, by)).active;

/** As an administrator sees it. */
async function shown(token: string): Promise<Answer> {
  const document = `query ($token: String!) {
    introspectOAuth2Token(token: $token) { active subject clientId scope audience actor ext } }`;
  return (await stage.app.ask(document, { token })).data.introspectOAuth2Token;
}

describe('token exchange', () => {
  it('gives a service that was called a token of the same person for the next service', async () => {
    const made = await exchange(await tokenOf(), { scope: 'read.runs', audience: STOCK });
    expect(made).toEqual({
      ...{ access_token: expect.any(String), token_type: 'bearer', issued_token_type: ACCESS_TOKEN },
      ...{ scope: 'read.runs', expires_in: expect.any(Number) },
    });
    expect(await introspect(made.access_token)).toMatchObject({
      ...{ active: true, sub: 'alice', client_id: ORDERS, scope: 'read.runs', aud: [STOCK], ext: {} },
    });
    expect(await shown(made.access_token)).toEqual({
      ...{ active: true, subject: 'alice', clientId: ORDERS, scope: 'read.runs', audience: [STOCK] },
      ...{ actor: null, ext: {} },
    });
  });

  it('gives a client another one of its own tokens', async () => {
    const made = await exchange(await tokenOf({ audience: null }), { audience: ORDERS }, shop);
    const { sub, client_id, aud } = await introspect(made.access_token, shop);
    expect({ sub, client_id, aud }).toEqual({ sub: 'alice', client_id: 'shop', aud: [ORDERS] });
  });

  it('gives without a wish what both the token has and the client may have, and no other kind of token', async () => {
    const id = 'https://few.example';
    const few = await addService(id, { scope: 'read.runs openid offline' });
    const token = await tokenOf({ audience: id });
    const made = await exchange(token, {}, few);
    expect(made).toMatchObject({ scope: 'read.runs', access_token: expect.any(String) });
    expect(Object.keys(made)).not.toContain('refresh_token');
    expect(Object.keys(made)).not.toContain('id_token');
  });

  it('gives a token that is not valid for longer than the other one', async () => {
    const lifespans = { authorizationCodeAccessToken: 'PT90S' };
    const by = { clientId: 'shop' };
    await mutate(stage.app, 'setOAuth2ClientLifespans', { by, lifespans });
    const token = await tokenOf();
    await mutate(stage.app, 'setOAuth2ClientLifespans', { by, lifespans: {} });
    const made = await exchange(token);
    expect(made.expires_in).toBeGreaterThan(0);
    expect(made.expires_in).toBeLessThanOrEqual(90);
    const [older, newer] = [await introspect(token, shop), await introspect(made.access_token)];
    expect(newer.exp).toBeLessThanOrEqual(older.exp ?? 0);
  });

  it('gives a token that does not end later, however slow the request is', async () => {
    const by = { clientId: 'shop' };
    const lifespans = { authorizationCodeAccessToken: 'PT50M' };
    await mutate(stage.app, 'setOAuth2ClientLifespans', { by, lifespans });
    const token = await tokenOf();
    await mutate(stage.app, 'setOAuth2ClientLifespans', { by, lifespans: {} });
    const { exp } = await introspect(token, shop);
    // A second passes whenever somebody looks at the clock.
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
      now += 1000;
      return now;
    });
    const made = await exchange(token).finally(() => clock.mockRestore());
    expect((await introspect(made.access_token)).exp).toBe(exp);
  });

  it('says who acts for the person, and who did before', async () => {
    const first = await exchange(await tokenOf(), {
      ...{ actor_token: await ownTokenOf(orders), actor_token_type: ACCESS_TOKEN, audience: STOCK },
    });
    const act = { sub: ORDERS };
    expect(await introspect(first.access_token)).toMatchObject({ sub: 'alice', act });
    const actor = { actor_token: await ownTokenOf(stock), actor_token_type: ACCESS_TOKEN };
    const second = await exchange(first.access_token, actor, stock);
    expect(await shown(second.access_token)).toMatchObject({
      ...{ subject: 'alice', clientId: STOCK, actor: { sub: STOCK, act } },
    });
    const third = await exchange(second.access_token, {}, stock);
    expect(await shown(third.access_token)).toMatchObject({ actor: { sub: STOCK, act } });
  });

  it('gives a client that wants JWTs one, and takes one', async () => {
    const id = 'https://jwt.example';
    const by = await addService(id, { audience: [STOCK], accessTokenStrategy: 'jwt' });
    const actor = { actor_token: await ownTokenOf(by), actor_token_type: type('jwt') };
    const more = { ...actor, audience: STOCK, scope: 'write' };
    const made = await exchange(await tokenOf({ audience: id }), more, by);
    const keys = createRemoteJWKSet(new URL(by.serverMetadata().jwks_uri ?? ''));
    const { payload } = await jwtVerify(made.access_token, keys, { audience: STOCK });
    expect(payload).toMatchObject({ sub: 'alice', client_id: id, scope: 'write', act: { sub: id }, ext: {} });
    const next = await exchange(made.access_token, { subject_token_type: type('jwt') }, stock);
    expect(await introspect(next.access_token, stock)).toMatchObject({ sub: 'alice', act: { sub: id } });
  });

  it('is in the audit log', async () => {
    const made = await exchange(await tokenOf({ subject: 'berta' }), { scope: 'write', audience: STOCK });
    expect(made).toHaveProperty('access_token');
    const { data } = await stage.app.ask(
      `{ auditEvents(filter: { action: "oauth2Token:exchange" }, first: 1) {
           nodes { actor { username } outcome target { type name } after } } }`,
    );
    expect(data.auditEvents.nodes).toEqual([
      {
        ...{ actor: null, outcome: 'DONE', target: { type: 'OAUTH2_CLIENT', name: ORDERS } },
        after: {
          ...{ subject: 'berta', fromClientId: 'shop', scopes: ['write'], audience: [STOCK], actor: null },
          expiresInSeconds: made.expires_in,
        },
      },
    ]);
    expect(JSON.stringify(data)).not.toContain(made.access_token);
  });

  it('is named in the discovery document', () => {
    expect(orders.serverMetadata().grant_types_supported).toContain(EXCHANGE);
  });
});

describe('token exchange refuses', () => {
  /** What is sent instead of the right token, or beside it. */
  type Row = readonly [string, () => Promise<Record<string, string>>, string];
  const beside = (more: Record<string, string>) => async () => more;
  const instead = (make: () => Promise<string | undefined>) => async () => ({
    subject_token: (await make()) ?? '',
  });
  const rows: readonly Row[] = [
    ['an empty token', instead(async () => ''), 'invalid_request'],
    ['an unknown token', instead(async () => 'unknown'), 'invalid_request'],
    ['a refresh token', instead(async () => (await tokensOf()).refresh_token), 'invalid_request'],
    ['an ID token', instead(async () => (await tokensOf()).id_token), 'invalid_request'],
    [
      'a token of another client that is not for it',
      instead(() => tokenOf({ audience: STOCK })),
      'invalid_request',
    ],
    ['a token of another client for nobody', instead(() => tokenOf({ audience: null })), 'invalid_request'],
    ['a token that it has for itself', instead(() => ownTokenOf(orders)), 'invalid_request'],
    [
      'a token that has expired',
      instead(async () => {
        const token = await tokenOf({ subject: 'late' });
        await pool.query("update oauth2_records set expires_at = now() where account_id like '%/late'");
        return token;
      }),
      'invalid_request',
    ],
    [
      'a token that is bound to a key',
      instead(async () => {
        const pair = await client.randomDPoPKeyPair('ES256');
        return await tokenOf({ options: { DPoP: client.getDPoPHandle(shop, pair) } });
      }),
      'invalid_request',
    ],
    ['a type that it does not know', beside({ subject_token_type: type('saml2') }), 'invalid_request'],
    ['the type of a refresh token', beside({ subject_token_type: type('refresh_token') }), 'invalid_request'],
    ['the type of a JWT for another text', beside({ subject_token_type: type('jwt') }), 'invalid_request'],
    ['an empty type', beside({ subject_token_type: '' }), 'invalid_request'],
    ['the wish for an ID token', beside({ requested_token_type: type('id_token') }), 'invalid_request'],
    [
      'the wish for a refresh token',
      beside({ requested_token_type: type('refresh_token') }),
      'invalid_request',
    ],
    ['the type of an actor without a token', beside({ actor_token_type: ACCESS_TOKEN }), 'invalid_request'],
    ['an actor without a type', async () => ({ actor_token: await ownTokenOf(orders) }), 'invalid_request'],
    [
      'an actor that is unknown',
      beside({ actor_token: 'unknown', actor_token_type: ACCESS_TOKEN }),
      'invalid_request',
    ],
    [
      'an actor that is another client',
      async () => ({ actor_token: await ownTokenOf(stock), actor_token_type: ACCESS_TOKEN }),
      'invalid_request',
    ],
    ['a scope that the token does not have', beside({ scope: 'read.other' }), 'invalid_scope'],
    [
      'a scope that the token has, and the client may not have',
      async () => ({ subject_token: await tokenOf({ scope: `${all} delete` }), scope: 'delete' }),
      'invalid_scope',
    ],
    ['the scope openid', beside({ scope: 'openid' }), 'invalid_scope'],
    ['the scope offline', beside({ scope: 'offline' }), 'invalid_scope'],
    [
      'an audience that the client may not ask for',
      beside({ audience: 'https://x.example' }),
      'invalid_target',
    ],
    [
      'a resource that the client may not ask for',
      beside({ resource: 'https://x.example' }),
      'invalid_target',
    ],
    [
      'the address of Slipway itself as a resource',
      async () => ({ resource: stage.app.url }),
      'invalid_target',
    ],
  ];
  it.each(rows)('%s', async (_what, wish, error) => {
    const token = await tokenOf();
    expect(await exchange(token, await wish())).toEqual({ error });
    expect(await exchange(token)).toHaveProperty('access_token');
  });

  it('the audience of Slipway itself', async () => {
    const { id: subject } = await newUser({ role: 'ROOT' });
    const token = await tokenOf({ subject });
    expect(await exchange(token, { audience: stage.app.url })).toEqual({ error: 'invalid_target' });
  });

  it('a token for Slipway itself', async () => {
    const { id: subject } = await newUser({ role: 'ROOT' });
    const token = await tokenOf({ subject, scope: 'openid read.runs all' });
    expect((await stage.app.ask('{ viewer { id } }', {}, `Bearer ${token}`)).data.viewer.id).toBe(subject);
    for (const more of [{}, { scope: 'read.runs' }, { scope: 'all' }] as Record<string, string>[])
      expect(await exchange(token, more, shop)).toEqual({ error: 'invalid_request' });
  });

  it('a token of another tenant', async () => {
    const tenantId = await newTenant('next-door');
    const admin = await newCaller({ role: 'ADMIN', tenantId });
    const id = 'https://foreign.example';
    const foreign = await addService(id, { audience: [STOCK] }, admin);
    const token = await tokenOf({ audience: id });
    expect(await exchange(token, {}, foreign)).toEqual({ error: 'invalid_request' });
  });

  it('a proof of a key', async () => {
    const DPoP = client.getDPoPHandle(orders, await client.randomDPoPKeyPair('ES256'));
    const asked = { subject_token: await tokenOf(), subject_token_type: ACCESS_TOKEN };
    const refused = client.genericGrantRequest(orders, EXCHANGE, asked, { DPoP });
    await expect(refused).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('a client that may not use it, and nobody can let a client without a secret use it', async () => {
    expect(await exchange(await tokenOf(), {}, stage.web)).toEqual({ error: 'unauthorized_client' });
    const settings = { ...serviceSettings, grantTypes: [EXCHANGE], tokenEndpointAuthMethod: 'none' };
    const made = await mutate(stage.app, 'createOAuth2Client', { clientId: 'open', client: settings });
    expect(made.problems?.[0].path).toEqual(['input', 'client', 'tokenEndpointAuthMethod']);
  });
});

describe('an exchanged token ends', () => {
  const revoke = (token: string, by: client.Configuration) => client.tokenRevocation(by, token);
  const ends: readonly [string, (made: client.TokenEndpointResponse, subject: string) => Promise<unknown>][] =
    [
      ['when the other token is revoked', (made) => revoke(made.access_token, shop)],
      [
        'when the refresh token beside the other one is revoked',
        (made) => revoke(made.refresh_token ?? '', shop),
      ],
      [
        'when the refresh token beside the other one is used twice',
        async ({ refresh_token: token = '' }) => {
          await client.refreshTokenGrant(shop, token);
          await expect(client.refreshTokenGrant(shop, token)).rejects.toMatchObject({
            error: 'invalid_grant',
          });
        },
      ],
      [
        'when the person takes her consent back',
        (_made, subject) =>
          mutate(stage.app, 'revokeConsentSessions', { subject, all: true }, 'revokedConsents'),
      ],
      [
        'when the tokens of the other client are deleted',
        () => mutate(stage.app, 'deleteOAuth2Tokens', { by: { clientId: 'shop' } }, 'deletedTokens'),
      ],
    ];
  let people = 0;
  it.each(ends)('%s, and so does what it was exchanged for', async (_when, end) => {
    people += 1;
    const subject = `person-${people}`;
    const tokens = await tokensOf({ subject });
    const first = await exchange(tokens.access_token, { audience: STOCK });
    const second = await exchange(first.access_token, {}, stock);
    expect([await isActive(first.access_token), await isActive(second.access_token, stock)]).toEqual([
      true,
      true,
    ]);
    await end(tokens, subject);
    expect([await isActive(first.access_token), await isActive(second.access_token, stock)]).toEqual([
      false,
      false,
    ]);
  });

  it('when it is revoked, and the other one stays', async () => {
    const token = await tokenOf();
    const made = await exchange(token);
    await revoke(made.access_token, orders);
    expect([await isActive(made.access_token), await isActive(token, shop)]).toEqual([false, true]);
  });

  it('when the other client is deleted', async () => {
    const by = await stage.addClient('closing', { ...webSettings, audience: [ORDERS] });
    const made = await exchange(await tokenOf({ by }));
    expect(await isActive(made.access_token)).toBe(true);
    await mutate(stage.app, 'deleteOAuth2Client', { by: { clientId: 'closing' } });
    expect(await isActive(made.access_token)).toBe(false);
  });

  it('before it begins, when the other token is revoked in the meantime', async () => {
    const subject = 'hasty';
    const token = await tokenOf({ subject });
    // The consent is the last that is read about the other token.
    const answers = holdAnswers(/"oauth2_consents"/);
    const answer = exchange(token);
    await eventually(
      () => answers.held,
      (held) => held === 1,
    );
    await pool.query("delete from oauth2_records where account_id like '%/hasty'");
    answers.release();
    expect(await answer).toEqual({ error: 'invalid_request' });
    const left = await pool.query("select from oauth2_records where account_id like '%/hasty'");
    expect(left.rowCount).toBe(0);
  });
});

describe('nextActor', () => {
  it('lets ten act for a person one after the other, and no more', () => {
    let before: Actor | null = null;
    for (let number = 1; number <= 10; number += 1) {
      const next = nextActor(before, `service-${number}`);
      expect(next).toEqual({ sub: `service-${number}`, ...(before ? { act: before } : {}) });
      before = next as Actor;
    }
    expect(nextActor(before, 'service-11')).toBe('TOO_MANY');
    expect(nextActor(before, null)).toBe(before);
  });
});
