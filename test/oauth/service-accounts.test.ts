/** Clients that act as a service account of Slipway: who may set it, what they get, and what ends it. */
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { actsAs } from '../../src/oauth/store/clients.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { callsTo } from '../doors/hydra/call.ts';
import type { Answer } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { newCaller, newKey, newTenant, newUser, type User, type UserOptions } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { discover, Stage } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let other: SecondServer;
/** May act as every account. */
let root: string;
beforeAll(async () => {
  stage = await Stage.start();
  root = await newCaller({ role: 'ROOT' });
  other = await startSecondServer();
});
afterAll(async () => {
  await other.stop();
  await stage.stop();
});

async function newAccount(options: UserOptions = {}): Promise<User> {
  const account = await newUser(options);
  await db.user.update({ where: { id: account.id }, data: { kind: 'SERVICE_ACCOUNT' } });
  return account;
}

const settingsFor = (serviceAccount: string | null, more: object = {}) => ({
  ...{ grantTypes: ['client_credentials'], scope: 'all queue:read read.runs', serviceAccount },
  ...more,
});
let count = 0;
const newId = () => {
  count += 1;
  return `service-${count}`;
};

/** A client that acts as an account. */
async function actingAs(account: User | null, more: object = {}): Promise<client.Configuration> {
  return await stage.addClient(newId(), settingsFor(account?.id ?? null, more), root);
}
const clientIdOf = (by: client.Configuration) => ({ clientId: by.clientMetadata().client_id });

const ask = (document: string, token: string): Promise<Answer> =>
  stage.app.ask(document, {}, `Bearer ${token}`);
const codeOf = async (document: string, token: string) =>
  (await ask(document, token)).errors?.[0]?.extensions.code;
const statusesOf = async (token: string) => [
  (await ask('{ viewer { id } }', token)).status,
  await other.statusFor(`Bearer ${token}`),
];
const queues = '{ queues { edges { cursor } } }';
const groups = '{ groups { edges { cursor } } }';

describe('a client that acts as a service account', () => {
  it('gets tokens of the account, for what their scopes allow', async () => {
    const account = await newAccount({ role: 'ADMIN' });
    const by = await actingAs(account);
    const all = await client.clientCredentialsGrant(by, { scope: 'all' });
    expect((await ask('{ viewer { id } }', all.access_token)).data.viewer.id).toBe(account.id);
    expect([await codeOf(queues, all.access_token), await codeOf(groups, all.access_token)]).toEqual([
      undefined,
      undefined,
    ]);
    const narrow = await client.clientCredentialsGrant(by, { scope: 'queue:read' });
    expect(await codeOf(queues, narrow.access_token)).toBeUndefined();
    expect(await codeOf(groups, narrow.access_token)).toBe('PERMISSION_DENIED');
    await expect(client.clientCredentialsGrant(by, { scope: 'group:read' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  it('gets a token of another kind if it asks for nothing of Slipway', async () => {
    const by = await actingAs(await newAccount());
    const { access_token } = await client.clientCredentialsGrant(by, { scope: 'read.runs' });
    expect(await statusesOf(access_token)).toEqual([401, 401]);
  });

  it('is in the token and in the audit log: its sign-in, and what it does', async () => {
    const account = await newAccount({ role: 'ADMIN' });
    const by = await actingAs(account);
    const { client_id } = by.clientMetadata();
    const { access_token } = await client.clientCredentialsGrant(by, { scope: 'all' });
    const claims = decodeJwt(access_token);
    expect(claims).toMatchObject({ client_id, sub: account.id });
    expect(claims).not.toHaveProperty('cred');
    await mutate(stage.app, 'createGroup', { name: `of ${client_id}` }, '', `Bearer ${access_token}`);
    const { data } = await stage.app.ask(
      `query ($by: UserByInput!) { auditEvents(filter: { actor: $by }) { nodes { action clientId after } } }`,
      { by: { id: account.id } },
    );
    expect(data.auditEvents.nodes).toMatchObject([
      { action: 'group:create', clientId: client_id },
      {
        ...{ action: 'session:login', clientId: client_id },
        after: { method: 'OAUTH2', grant: 'client_credentials', sessionId: claims['sid'] },
      },
    ]);
  });

  it('answers login requests if the account is a SYSTEM one and the client has the scope', async () => {
    const by = await actingAs(await newAccount({ role: 'SYSTEM' }), { scope: 'login-app' });
    const { access_token } = await client.clientCredentialsGrant(by, { scope: 'login-app' });
    const { errors } = await stage.loginRequest('none', `Bearer ${access_token}`);
    expect(errors[0].extensions.code).toBe('NOT_FOUND');
  });

  it.each<[string, (account: User) => Promise<unknown>]>([
    ['is disabled', (account) => edit(account, { disabled: true })],
    ['is deleted', ({ id }) => db.user.delete({ where: { id } })],
  ])('gets nothing if the account %s', async (_what, change) => {
    const account = await newAccount();
    const by = await actingAs(account);
    await change(account);
    await expect(client.clientCredentialsGrant(by, { scope: 'all' })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  it('keeps its account when a client of Hydra writes what it has read', async () => {
    const account = await newAccount();
    const by = await actingAs(account);
    const call = callsTo(stage.app, stage.app.admin);
    const path = `/admin/clients/${by.clientMetadata().client_id}`;
    const { body } = await call('GET', path);
    expect(body.service_account).toBe(account.id);
    expect((await call('PUT', path, { ...body, client_name: 'new' })).body).toMatchObject({
      ...{ client_name: 'new', service_account: account.id },
    });
  });
});

async function edit({ id }: User, input: object): Promise<void> {
  const answer = await mutate(stage.app, 'editUser', { by: { id }, ...input }, '');
  expect(answer.__typename).toBe('EditUserPayload');
}
const patch = (by: client.Configuration, value: string | null, authorization?: string) =>
  mutate(
    stage.app,
    'patchOAuth2Client',
    { by: clientIdOf(by), patch: [{ op: 'replace', path: '/service_account', value }] },
    'client { serviceAccount }',
    authorization,
  );

describe('the tokens of a client that acts as a service account end on every server', () => {
  it.each<[string, (by: client.Configuration, account: User) => Promise<unknown>]>([
    ['its client', (by) => mutate(stage.app, 'deleteOAuth2Client', { by: clientIdOf(by) })],
    ['its account', (_by, account) => edit(account, { disabled: true })],
    ['the setting', (by) => patch(by, null)],
    ['the setting, which becomes another account', async (by) => patch(by, (await newAccount()).id)],
    [
      'the setting, by an update that leaves it out',
      (by) =>
        mutate(stage.app, 'updateOAuth2Client', {
          by: clientIdOf(by),
          client: { grantTypes: ['client_credentials'], scope: 'all' },
        }),
    ],
    ['all its tokens', (by) => mutate(stage.app, 'deleteOAuth2Tokens', { by: clientIdOf(by) })],
  ])('with %s', async (_what, end) => {
    const account = await newAccount();
    const [by, neighbour] = [await actingAs(account), await actingAs(await newAccount())];
    const [one, kept] = await Promise.all(
      [by, neighbour].map(
        async (each) => (await client.clientCredentialsGrant(each, { scope: 'all' })).access_token,
      ),
    );
    expect([await statusesOf(one ?? ''), await statusesOf(kept ?? '')]).toEqual([
      [200, 200],
      [200, 200],
    ]);
    await end(by, account);
    expect((await ask('{ viewer { id } }', one ?? '')).status).toBe(401);
    await eventually(
      () => other.statusFor(`Bearer ${one}`),
      (status) => status === 401,
    );
    expect(await statusesOf(kept ?? '')).toEqual([200, 200]);
  });

  it('but not with a change of something else, and other tokens of the client stay', async () => {
    const account = await newAccount();
    const by = await actingAs(account);
    const { access_token: own } = await client.clientCredentialsGrant(by, { scope: 'all' });
    const { access_token: foreign } = await client.clientCredentialsGrant(by, { scope: 'read.runs' });
    const rename = [{ op: 'replace', path: '/client_name', value: 'renamed' }];
    await mutate(stage.app, 'patchOAuth2Client', { by: clientIdOf(by), patch: rename });
    expect(await statusesOf(own)).toEqual([200, 200]);
    await patch(by, null);
    expect((await client.tokenIntrospection(by, foreign)).active).toBe(true);
  });

  it('also if the setting changes between the reading of the client and the end of the request', async () => {
    const account = await newAccount();
    const by = await actingAs(account);
    const row = await db.oAuth2Client.findFirstOrThrow({ where: clientIdOf(by) });
    const acts = (id: string) => inTransaction((tx) => actsAs(tx, row.id, id));
    expect([await acts(account.id), await acts((await newAccount()).id)]).toEqual([true, false]);
    await patch(by, null);
    expect(await acts(account.id)).toBe(false);
    await expect(client.clientCredentialsGrant(by, { scope: 'all' })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });
});

describe('serviceAccount', () => {
  const create = (input: object, authorization?: string) =>
    mutate(stage.app, 'createOAuth2Client', { clientId: newId(), ...input }, 'client { id }', authorization);

  it.each<[string, () => Promise<string>]>([
    ['is no id', async () => 'ci'],
    ['is the id of nobody', async () => '01900000-0000-7000-8000-000000000000'],
    ['is a person', async () => (await newUser()).id],
    [
      'belongs to another tenant',
      async () => (await newAccount({ tenantId: await newTenant(`elsewhere-${newId()}`) })).id,
    ],
  ])('is refused if it %s', async (_what, idOf) => {
    const refused = await create({ client: settingsFor(await idOf()) });
    expect(refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'client', 'serviceAccount'] }],
    });
  });

  it('needs the grant client_credentials', async () => {
    const refused = await create({ client: { serviceAccount: (await newAccount()).id } });
    expect(refused.problems).toMatchObject([{ path: ['input', 'client', 'serviceAccount'] }]);
  });

  /** An administrator whose key has these scopes. */
  const adminWith = (scopes?: readonly string[]) =>
    newCaller({ role: 'ADMIN', ...(scopes ? { scopes } : {}) });
  const admin = 'oauth2Client:administer';

  it.each<[string, UserOptions, string, string[] | undefined, string | undefined]>([
    ['an account of the same role', { role: 'ADMIN' }, 'all', undefined, undefined],
    ['an account of a lower role', { role: 'USER' }, 'all', undefined, undefined],
    ['an account of a higher role', { role: 'SYSTEM' }, 'all', undefined, 'PERMISSION_DENIED'],
    ['an account of a higher role that only runs work', { role: 'SYSTEM' }, 'executor', undefined, undefined],
    [
      'an account of a higher role that does more',
      { role: 'SYSTEM' },
      'executor all',
      undefined,
      'PERMISSION_DENIED',
    ],
    ['an account of a higher role, with any scope', { role: 'SYSTEM' }, '*', undefined, 'PERMISSION_DENIED'],
    ['an account of a lower role, with any scope', { role: 'USER' }, '*', undefined, undefined],
    ['a scope of its sign-in', { role: 'USER' }, 'queue:read', [admin, 'queue:*'], undefined],
    ['a scope that is not of its sign-in', { role: 'USER' }, 'queue:read', [admin], 'PERMISSION_DENIED'],
    ['all scopes with some of them', { role: 'USER' }, 'all', [admin, 'queue:*'], 'PERMISSION_DENIED'],
    ['any scope with some of them', { role: 'USER' }, '*', [admin, 'queue:*'], 'PERMISSION_DENIED'],
    ['foreign scopes with some of them', { role: 'USER' }, 'read.runs', [admin], undefined],
  ])(
    'for %s, an administrator is answered as for an access key',
    async (_what, options, scope, scopes, code) => {
      const { id } = await newAccount(options);
      const made = await create({ client: settingsFor(id, { scope }) }, await adminWith(scopes));
      expect(made.code).toBe(code);
    },
  );

  it('is not set with a key that ends', async () => {
    const user = await newUser({ role: 'ADMIN' });
    const key = await newKey(user);
    await db.credential.update({
      where: { id: key.credentialId },
      data: { expiresAt: new Date(Date.now() + 3_600_000) },
    });
    const { id } = await newAccount();
    const refused = await create({ client: settingsFor(id) }, key.authorization);
    expect(refused.code).toBe('PERMISSION_DENIED');
  });

  it.each<[string, (by: client.Configuration) => [string, object]]>([
    ['a secret', (by) => ['rotateOAuth2ClientSecret', { by: clientIdOf(by) }]],
    [
      'a secret that is chosen',
      (by) => [
        'updateOAuth2Client',
        {
          by: clientIdOf(by),
          clientSecret: 'chosen by hand',
          client: { grantTypes: ['client_credentials'] },
        },
      ],
    ],
    [
      'keys',
      (by) => [
        'patchOAuth2Client',
        {
          by: clientIdOf(by),
          patch: [
            { op: 'replace', path: '/token_endpoint_auth_method', value: 'private_key_jwt' },
            { op: 'add', path: '/jwks_uri', value: 'https://evil.example/keys' },
          ],
        },
      ],
    ],
    ['lifespans', (by) => ['setOAuth2ClientLifespans', { by: clientIdOf(by), lifespans: {} }]],
  ])('protects its client: whoever may not act as the account gives it no %s', async (what, change) => {
    const account = await newAccount({ role: 'SYSTEM' });
    const by = await actingAs(account);
    const [field, input] = change(by);
    if (what === 'a secret that is chosen') Object.assign(input, { client: settingsFor(account.id) });
    const hashes = () => db.oAuth2ClientSecret.findMany({ where: { client: clientIdOf(by) } });
    const before = await hashes();
    const refused = await mutate(stage.app, field, input, '', await adminWith());
    expect(refused.code).toBe('PERMISSION_DENIED');
    expect(await hashes()).toEqual(before);
    expect((await mutate(stage.app, field, input, '', root)).code).toBeUndefined();
  });

  it('can be taken away by every administrator, and its client can be deleted', async () => {
    const by = await actingAs(await newAccount({ role: 'SYSTEM' }));
    const authorization = await adminWith();
    expect((await patch(by, null, authorization)).client).toEqual({ serviceAccount: null });
    const next = await actingAs(await newAccount({ role: 'SYSTEM' }));
    const input = { by: clientIdOf(next) };
    expect((await mutate(stage.app, 'deleteOAuth2Client', input, '', authorization)).code).toBeUndefined();
  });

  it('of another client does not help a client without it', async () => {
    const account = await newAccount();
    await actingAs(account);
    const by = await actingAs(null);
    await expect(client.clientCredentialsGrant(by, { scope: 'all' })).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  it('gives nothing to whoever has not the secret', async () => {
    const by = await actingAs(await newAccount());
    const thief = await discover(stage.app, by.clientMetadata().client_id, 'wrong');
    await expect(client.clientCredentialsGrant(thief, { scope: 'all' })).rejects.toMatchObject({
      error: 'invalid_client',
    });
  });
});
