/** Tokens of the provider for Slipway itself: what they are, who gets them, and what ends them. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { newKey, newTenant, newUser, tokenOf, type User } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { Browser, signIn } from './browser.ts';
import { discover, redirect, Stage } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let other: SecondServer;
let console_: client.Configuration;
const settings = {
  redirectUris: [redirect],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  scope: 'openid offline all queue:read job:read read.runs',
};
beforeAll(async () => {
  stage = await Stage.start();
  other = await startSecondServer();
  console_ = await stage.addClient('console', { ...settings, audience: [stage.app.url] });
});
afterAll(async () => {
  await other.stop();
  await stage.stop();
});

/** The access key and the secret in an Authorization header. */
function keyOf(authorization: string): [string, string] {
  const [id = '', secret = ''] = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
  return [id, secret];
}

/** An access key as a client. */
const keyClient = async ({ authorization }: Pick<User, 'authorization'>): Promise<client.Configuration> =>
  await discover(stage.app, ...keyOf(authorization));

/** Signs a user in at a client. @returns the tokens. */
async function tokensOf(subject: string, scope = 'openid offline all', by = console_, more = {}) {
  const { url, checks } = await stage.request(scope, more, by);
  const consent = {
    grantScopes: scope.split(' '),
    ...('audience' in more ? { grantAudience: [more.audience] } : {}),
  };
  const answer = await signIn(stage.actors(new Browser()), url, { login: { subject }, consent });
  return await client.authorizationCodeGrant(by, new URL(answer), checks);
}

const ask = (document: string, token: string): Promise<Answer> =>
  stage.app.ask(document, {}, `Bearer ${token}`);
const statusesOf = async (token: string) => [
  (await ask('{ viewer { id } }', token)).status,
  await other.statusFor(`Bearer ${token}`),
];

describe('an access key as a client', () => {
  it.each([
    ['client_secret_basic', (secret: string) => client.ClientSecretBasic(secret)],
    ['client_secret_post', (secret: string) => client.ClientSecretPost(secret)],
  ])('gets tokens with %s, as Flyte asks for them', async (_method, authentication) => {
    const user = await newUser();
    const [id, secret] = keyOf(user.authorization);
    const by = await discover(stage.app, id, secret, authentication(secret));
    const made = await client.clientCredentialsGrant(by, { scope: 'all offline' });
    expect([made.scope, made.expires_in, made.token_type]).toEqual(['all offline', 3600, 'bearer']);
    const { data } = await ask('{ viewer { id } }', made.access_token);
    expect(data.viewer.id).toBe(user.id);
  });

  it('gets the same token as `login` gives, with the name of the client in it', async () => {
    const user = await newUser();
    const made = await client.clientCredentialsGrant(await keyClient(user), { scope: 'all' });
    const own = (await tokenOf(stage.app, user.authorization)).replace('Bearer ', '');
    expect(decodeProtectedHeader(made.access_token)).toEqual(decodeProtectedHeader(own));
    const [claims, expected] = [decodeJwt(made.access_token), decodeJwt(own)];
    expect(Object.keys(claims).sort()).toEqual([...Object.keys(expected), 'client_id'].sort());
    for (const name of ['iss', 'aud', 'sub', 'tenant', 'ver', 'cred'])
      expect(claims[name]).toEqual(expected[name]);
    expect(claims['client_id']).toBe(keyOf(user.authorization)[0]);
  });

  it('never gets more than the access key has', async () => {
    const user = await newUser({ role: 'ADMIN' });
    const key = await newKey(user, ['queue:read', 'viewer:read']);
    const by = await keyClient(key);
    for (const scope of ['all', 'queue:read', '']) {
      const { access_token } = await client.clientCredentialsGrant(by, scope ? { scope } : {});
      expect((await ask('{ queues { edges { cursor } } }', access_token)).errors).toBeUndefined();
      const refused = await ask('{ projects { edges { cursor } } }', access_token);
      expect(refused.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    }
    await expect(client.clientCredentialsGrant(by, { scope: 'project:read' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  it.each<[string, (user: User) => Promise<client.Configuration>, string, string]>([
    [
      'with a wrong secret',
      ({ accessKey }) => discover(stage.app, accessKey, 'wrong'),
      'all',
      'invalid_client',
    ],
    ['that does not exist', () => discover(stage.app, 'A'.repeat(30), 'secret'), 'all', 'invalid_client'],
    ['that was revoked', revoked, 'all', 'invalid_client'],
    ['of a user who is disabled', disabled, 'all', 'invalid_client'],
    ['for a scope of no meaning', keyClient, 'all read.runs', 'invalid_scope'],
  ])('%s gets nothing', async (_which, clientOf, scope, error) => {
    const by = await clientOf(await newUser());
    await expect(client.clientCredentialsGrant(by, { scope })).rejects.toMatchObject({ error });
  });
});

async function revoked(user: User): Promise<client.Configuration> {
  const by = await keyClient(user);
  const input = { by: { accessKey: user.accessKey } };
  const answer = await mutate(stage.app, 'revokeCredentials', input, '', user.authorization);
  expect(answer.__typename).toBe('RevokeCredentialsPayload');
  return by;
}

async function disabled(user: User): Promise<client.Configuration> {
  const by = await keyClient(user);
  await disable(user);
  return by;
}

async function disable({ id }: Pick<User, 'id'>): Promise<void> {
  const answer = await mutate(stage.app, 'editUser', { by: { id }, disabled: true }, '');
  expect(answer.__typename).toBe('EditUserPayload');
}

describe('the code flow', () => {
  it.each<[string, string, Record<string, string>, string | undefined]>([
    ['everything that the user may do, with the scope all', 'openid all', {}, undefined],
    ['only what a scope allows', 'openid job:read', {}, 'PERMISSION_DENIED'],
  ])('gives a user of Slipway a token for %s', async (_what, scope, more, refusal) => {
    const user = await newUser();
    const made = await tokensOf(user.id, scope, console_, more);
    const { data } = await ask('{ viewer { id } }', made.access_token);
    expect(data.viewer.id).toBe(user.id);
    const answer = await ask('{ queues { edges { cursor } } }', made.access_token);
    expect(answer.errors?.[0]?.extensions.code).toBe(refusal);
  });

  it('gives a token that allows nothing if only its audience is Slipway', async () => {
    const user = await newUser();
    const made = await tokensOf(user.id, 'openid read.runs', console_, { audience: stage.app.url });
    expect(decodeJwt(made.access_token)['scope']).toBe('');
    expect(await statusesOf(made.access_token)).toEqual([200, 200]);
    const answer = await ask('{ queues { edges { cursor } } }', made.access_token);
    expect(answer.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });

  it('gives a token that our API does not accept, if nothing asks for Slipway', async () => {
    const made = await tokensOf((await newUser()).id, 'openid read.runs');
    expect(await statusesOf(made.access_token)).toEqual([401, 401]);
  });

  it('refuses a subject that is not an active user of the tenant', async () => {
    const stranger = await newUser({ tenantId: await newTenant('strangers') });
    for (const subject of ['alice', stranger.id])
      await expect(tokensOf(subject)).rejects.toMatchObject({ error: 'invalid_target' });
    // Of another kind of tokens, a subject needs to be nobody's.
    await expect(tokensOf('alice', 'openid read.runs')).resolves.toBeDefined();
  });

  it('refuses a client that acts for nobody', async () => {
    await expect(client.clientCredentialsGrant(console_, { scope: 'all' })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  it('refuses an audience that the client may not ask for', async () => {
    const { url } = await stage.request('openid', { audience: 'https://elsewhere.example' }, console_);
    const response = await new Browser().open(url);
    const { searchParams } = new URL(response.headers.get('location') ?? '');
    expect(searchParams.get('error')).toBe('invalid_target');
    await expect(
      client.clientCredentialsGrant(console_, { audience: 'https://elsewhere.example' }),
    ).rejects.toMatchObject({ error: 'invalid_target' });
  });

  it('gives a new token for a refresh token, since when the person signed in', async () => {
    const user = await newUser();
    const first = await tokensOf(user.id);
    const second = await client.refreshTokenGrant(console_, first.refresh_token ?? '');
    expect(await statusesOf(second.access_token)).toEqual([200, 200]);
    const [one, next] = [decodeJwt(first.access_token), decodeJwt(second.access_token)];
    expect(next['auth_time']).toBe(one['auth_time']);
    expect(next['sid']).not.toBe(one['sid']);
  });

  it.each<[string, (user: User) => Promise<unknown>, string]>([
    ['is disabled', disable, 'invalid_target'],
    ['has a new password', changePassword, 'invalid_grant'],
  ])('gives no new token to a user who %s', async (_what, change, error) => {
    const user = await newUser({ password: 'an old password' });
    const { refresh_token = '' } = await tokensOf(user.id);
    await change(user);
    await expect(client.refreshTokenGrant(console_, refresh_token)).rejects.toMatchObject({ error });
  });
});

async function changePassword({ id }: Pick<User, 'id'>): Promise<void> {
  const input = { by: { id }, password: 'a new and long password' };
  const answer = await mutate(stage.app, 'updateUserPassword', input, '', password());
  expect(answer.__typename).toBe('UpdateUserPasswordPayload');
}
const password = () =>
  basic(stage.app.secrets.administrator.username, stage.app.secrets.administrator.password);

type Made = Awaited<ReturnType<typeof tokensOf>>;

describe('a token for Slipway ends on every server', () => {
  it.each<[string, (made: Made, by: client.Configuration) => Promise<unknown>]>([
    ['when it is revoked', (made, by) => client.tokenRevocation(by, made.access_token)],
    ['when its refresh token is revoked', (made, by) => client.tokenRevocation(by, made.refresh_token ?? '')],
    ['when it is refreshed', (made, by) => client.refreshTokenGrant(by, made.refresh_token ?? '')],
    [
      'when its client is deleted',
      (_made, by) =>
        mutate(stage.app, 'deleteOAuth2Client', { by: { clientId: by.clientMetadata().client_id } }),
    ],
    [
      'when its user signs out with it',
      (made) => ask('mutation { logout { __typename } }', made.access_token),
    ],
  ])('%s', async (_when, end) => {
    const clientId = `client-${Math.random()}`;
    const by = await stage.addClient(clientId, settings);
    const user = await newUser();
    const made = await tokensOf(user.id, 'openid offline all', by);
    const own = (await tokenOf(stage.app, user.authorization)).replace('Bearer ', '');
    expect(await statusesOf(made.access_token)).toEqual([200, 200]);
    await end(made, by);
    expect((await ask('{ viewer { id } }', made.access_token)).status).toBe(401);
    await eventually(
      () => other.statusFor(`Bearer ${made.access_token}`),
      (status) => status === 401,
    );
    // No other session of the user ends.
    expect(await statusesOf(own)).toEqual([200, 200]);
  });

  it('when the refresh token before it is used again', async () => {
    const first = await tokensOf((await newUser()).id);
    const { access_token: token } = await client.refreshTokenGrant(console_, first.refresh_token ?? '');
    expect(await statusesOf(token)).toEqual([200, 200]);
    await expect(client.refreshTokenGrant(console_, first.refresh_token ?? '')).rejects.toBeDefined();
    await eventually(
      () => statusesOf(token),
      (statuses) => statuses.every((status) => status === 401),
    );
  });

  it('when its access key is revoked, or the token itself', async () => {
    const user = await newUser();
    const by = await keyClient(user);
    const tokens = [await client.clientCredentialsGrant(by), await client.clientCredentialsGrant(by)];
    const [one = '', next = ''] = tokens.map((made) => made.access_token);
    await client.tokenRevocation(by, one);
    await eventually(
      () => statusesOf(one),
      (statuses) => statuses.every((status) => status === 401),
    );
    expect(await statusesOf(next)).toEqual([200, 200]);
    await revoked(user);
    await eventually(
      () => statusesOf(next),
      (statuses) => statuses.every((status) => status === 401),
    );
  });
});

describe('a token for Slipway', () => {
  it('cannot be exchanged for one that outlives it', async () => {
    const { access_token } = await tokensOf((await newUser()).id);
    const answer = await ask('mutation { login { __typename } }', access_token);
    expect(answer.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
  });

  it('stands in the audit log with its client: the sign-in, and what was done with it', async () => {
    const user = await newUser({ role: 'ADMIN' });
    const { access_token } = await tokensOf(user.id);
    await mutate(stage.app, 'createGroup', { name: `of ${user.id}` }, '', `Bearer ${access_token}`);
    const events = await stage.app.ask(
      `query ($by: UserByInput!) { auditEvents(filter: { actor: $by }) {
         edges { node { action clientId after } } } }`,
      { by: { id: user.id } },
    );
    const nodes = events.data.auditEvents.edges.map(({ node }: Answer) => node);
    expect(nodes.map(({ action, clientId }: Answer) => [action, clientId])).toEqual([
      ['group:create', 'console'],
      ['session:login', 'console'],
    ]);
    const sid = decodeJwt(access_token)['sid'];
    expect(nodes[1].after).toMatchObject({ method: 'OAUTH2', grant: 'authorization_code', sessionId: sid });
  });

  it('shows its person in /userinfo and in introspection, until it ends', async () => {
    const user = await newUser();
    const { access_token } = await tokensOf(user.id);
    expect(await client.fetchUserInfo(console_, access_token, user.id)).toEqual({ sub: user.id });
    expect(await client.tokenIntrospection(console_, access_token)).toMatchObject({
      ...{ active: true, sub: user.id, client_id: 'console', scope: 'openid offline all' },
    });
    const web = await client.tokenIntrospection(stage.web, access_token);
    expect(web).toEqual({ active: false });
    await ask('mutation { logout { __typename } }', access_token);
    expect(await client.tokenIntrospection(console_, access_token)).toEqual({ active: false });
    const info = await fetch(`${stage.app.url}/userinfo`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(info.status).toBe(401);
  });

  it('has a record that ends no session when it expires', async () => {
    const { access_token } = await client.clientCredentialsGrant(await keyClient(await newUser()));
    const sessionId = String(decodeJwt(access_token)['sid']);
    await db.oAuth2Record.updateMany({ where: { sessionId }, data: { expiresAt: new Date(0) } });
    await db.oAuth2Record.deleteMany({ where: { sessionId } });
    expect(await db.revokedSession.count({ where: { sessionId } })).toBe(0);
  });
});
