/** OAuth 2 clients through the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isClientSecret } from '../../src/oauth/client-secrets.ts';
import { findClientOfAnyTenant } from '../../src/oauth/store/clients.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { newCaller, newTenant } from '../support/users.ts';

let app: App;
let stranger: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stranger = await newCaller({ role: 'ADMIN', tenantId: await newTenant('strangers') });
});
afterAll(() => app.stop());

const uris =
  'clientUri logoUri tosUri policyUri jwksUri sectorIdentifierUri frontchannelLogoutUri backchannelLogoutUri';
const lists =
  'redirectUris grantTypes responseTypes audience requestUris allowedCorsOrigins postLogoutRedirectUris contacts';
const flags =
  'frontchannelLogoutSessionRequired backchannelLogoutSessionRequired skipConsent skipLogoutConsent';
const lifespans = 'authorizationCodeAccessToken clientCredentialsAccessToken refreshTokenRefreshToken';
const settings = `clientName scope tokenEndpointAuthMethod tokenEndpointAuthSigningAlg subjectType owner jwks metadata
  userinfoSignedResponseAlg requestObjectSigningAlg accessTokenStrategy ${uris} ${lists} ${flags}`;
const fields = `id clientId ${settings} lifespans { ${lifespans} }`;
const made = `client { ${fields} } clientSecret`;
const create = (input: object = {}, authorization?: string) =>
  mutate(app, 'createOAuth2Client', input, made, authorization);
const by = (clientId: string) => ({ by: { clientId } });
const update = (clientId: string, client: object, more: object = {}) =>
  mutate(app, 'updateOAuth2Client', { ...by(clientId), client, ...more }, made);
const patch = (clientId: string, ...operations: object[]) =>
  mutate(app, 'patchOAuth2Client', { ...by(clientId), patch: operations }, made);
const rotate = (clientId: string) => mutate(app, 'rotateOAuth2ClientSecret', by(clientId), made);
const read = async (clientId: string, authorization?: string): Promise<Answer> =>
  (
    await app.ask(
      `query ($id: String!) { oauth2Client(by: { clientId: $id }) { ${fields} } }`,
      { id: clientId },
      authorization,
    )
  ).data?.oauth2Client;
const hashesOf = async (clientId: string) => (await findClientOfAnyTenant(clientId))?.secretHashes ?? [];
const accepts = async (clientId: string, secret: string) =>
  isClientSecret(secret, await hashesOf(clientId), { clientId, address: null });

const redirectUris = ['https://app.example/callback'];
const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };

describe('createOAuth2Client', () => {
  it('gives a client its defaults and a secret, which is stored as a hash', async () => {
    const { client, clientSecret } = await create();
    const none = Object.fromEntries([...uris.split(' '), 'jwks'].map((name) => [name, null]));
    const empty = Object.fromEntries(lists.split(' ').map((name) => [name, []]));
    const off = Object.fromEntries(flags.split(' ').map((name) => [name, false]));
    expect(client).toEqual({
      ...{ id: expect.any(String), clientId: expect.any(String), ...none, ...empty, ...off },
      ...{ clientName: '', owner: '', scope: '', metadata: {}, subjectType: 'public' },
      ...{ grantTypes: ['authorization_code'], responseTypes: ['code'], accessTokenStrategy: null },
      ...{ tokenEndpointAuthMethod: 'client_secret_basic', tokenEndpointAuthSigningAlg: null },
      ...{ userinfoSignedResponseAlg: 'none', requestObjectSigningAlg: null },
      lifespans: Object.fromEntries(lifespans.split(' ').map((name) => [name, null])),
    });
    expect(clientSecret.length).toBeGreaterThan(60);
    expect(JSON.stringify(await hashesOf(client.clientId))).not.toContain(clientSecret);
    expect(await accepts(client.clientId, clientSecret)).toBe(true);
    expect(await accepts(client.clientId, `${clientSecret}x`)).toBe(false);
  });

  it('stores a chosen secret with a slow hash, and remembers that it was right', async () => {
    const { clientSecret } = await create({ clientId: 'chosen', clientSecret: 'easy to type' });
    expect(clientSecret).toBe('easy to type');
    expect(await hashesOf('chosen')).toEqual([expect.stringMatching(/^\$argon2id\$/)]);
    for (const _ of [1, 2]) expect(await accepts('chosen', 'easy to type')).toBe(true);
    expect(await accepts('chosen', 'easy to typo')).toBe(false);
  });

  it.each([
    ['a public client', { tokenEndpointAuthMethod: 'none' }],
    ['a client with keys', { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } }],
  ])('gives %s no secret', async (_what, client) => {
    const answer = await create({ client, clientSecret: 'is ignored' });
    expect(answer.clientSecret).toBeNull();
    expect(await hashesOf(answer.client.clientId)).toEqual([]);
  });

  it('stores every setting', async () => {
    const client = {
      ...{ clientName: 'App', scope: 'openid a.* b', owner: 'me', metadata: { a: [1] }, redirectUris },
      ...{ clientUri: 'https://a.example', logoUri: 'https://a.example/l', tosUri: 'https://a.example/t' },
      ...{ policyUri: 'https://a.example/p', jwks: { keys: [jwk] }, contacts: ['a@a.example'] },
      ...{ grantTypes: ['authorization_code', 'refresh_token'], responseTypes: ['code', 'code id_token'] },
      ...{ audience: ['https://api.example'], tokenEndpointAuthMethod: 'private_key_jwt' },
      ...{ tokenEndpointAuthSigningAlg: 'ES256', userinfoSignedResponseAlg: 'RS256', subjectType: 'public' },
      ...{ requestUris: ['https://a.example/r'], requestObjectSigningAlg: 'ES256' },
      ...{ allowedCorsOrigins: ['https://a.example'], postLogoutRedirectUris: ['https://app.example/bye'] },
      ...{ frontchannelLogoutUri: 'https://a.example/f', frontchannelLogoutSessionRequired: true },
      ...{ backchannelLogoutUri: 'https://a.example/b', backchannelLogoutSessionRequired: true },
      ...{ accessTokenStrategy: 'opaque', skipConsent: true, skipLogoutConsent: true },
    };
    const answer = await create({ clientId: 'whole', client });
    expect(answer.client).toMatchObject({ ...client, jwksUri: null });
    expect(await read('whole')).toEqual(answer.client);
  });

  const basic = { redirectUris };
  it.each<[string, object, string[]]>([
    ['a relative redirect URI', { redirectUris: ['/callback'] }, ['redirectUris', '0']],
    ['a redirect URI with a fragment', { redirectUris: ['https://a.example/#x'] }, ['redirectUris', '0']],
    [
      'a redirect URI with an empty fragment',
      { redirectUris: ['https://a.example/#'] },
      ['redirectUris', '0'],
    ],
    ['a wildcard', { redirectUris: ['https://*.a.example'] }, ['redirectUris', '0']],
    ['a script', { redirectUris: [...redirectUris, 'javascript:alert(1)'] }, ['redirectUris', '1']],
    ['data', { redirectUris: ['data:text/html,x'] }, ['redirectUris', '0']],
    ['http on another machine', { redirectUris: ['http://a.example/x'] }, ['redirectUris', '0']],
    [
      'http on a host that looks local',
      { redirectUris: ['http://localhost.a.example'] },
      ['redirectUris', '0'],
    ],
    ['a user in a redirect URI', { redirectUris: ['https://u@a.example'] }, ['redirectUris', '0']],
    ['an unknown grant type', { grantTypes: ['password'] }, ['grantTypes', '0']],
    ['the response type token alone', { responseTypes: ['token'] }, ['responseTypes', '0']],
    ['a scope with a quote', { scope: 'a "b"' }, ['scope']],
    ['two spaces between scopes', { scope: 'a  b' }, ['scope']],
    [
      'an unknown way to authenticate',
      { tokenEndpointAuthMethod: 'client_secret_jwt' },
      ['tokenEndpointAuthMethod'],
    ],
    [
      'an algorithm with shared secrets',
      { tokenEndpointAuthSigningAlg: 'HS256' },
      ['tokenEndpointAuthSigningAlg'],
    ],
    ['an unknown type of subjects', { subjectType: 'other' }, ['subjectType']],
    ['a signed request without keys', { requestObjectSigningAlg: 'RS256' }, ['jwks']],
    ['private_key_jwt without keys', { tokenEndpointAuthMethod: 'private_key_jwt' }, ['jwks']],
    ['two sources of keys', { jwks: { keys: [jwk] }, jwksUri: 'https://a.example/k' }, ['jwksUri']],
    ['a private key', { jwks: { keys: [{ ...jwk, d: 'd' }] } }, ['jwks']],
    ['a secret key', { jwks: { keys: [{ kty: 'oct', k: 'k' }] } }, ['jwks']],
    ['a key set without keys', { jwks: {} }, ['jwks']],
    ['an origin with a path', { allowedCorsOrigins: ['https://a.example/x'] }, ['allowedCorsOrigins', '0']],
    ['the origin null', { allowedCorsOrigins: ['null'] }, ['allowedCorsOrigins', '0']],
    [
      'a logout elsewhere',
      { ...basic, postLogoutRedirectUris: ['https://b.example'] },
      ['postLogoutRedirectUris', '0'],
    ],
    [
      'a logout at another port',
      { ...basic, postLogoutRedirectUris: ['https://app.example:8443'] },
      ['postLogoutRedirectUris', '0'],
    ],
    [
      'https on this machine beside the scheme of an application',
      { redirectUris: ['com.example.app:/callback', 'https://localhost/callback'] },
      ['redirectUris', '1'],
    ],
    [
      'a name below localhost beside a loopback address',
      { redirectUris: ['http://app.localhost/callback', 'http://127.0.0.1/callback'] },
      ['redirectUris', '0'],
    ],
    [
      'implicit on this machine, as a web page',
      { grantTypes: ['implicit'], responseTypes: ['id_token'], redirectUris: ['https://localhost/callback'] },
      ['redirectUris', '0'],
    ],
    [
      'implicit without TLS',
      {
        grantTypes: ['implicit'],
        responseTypes: ['id_token'],
        redirectUris: ['http://app.localhost/callback'],
      },
      ['redirectUris', '0'],
    ],
    ['an audience that is no URL', { audience: ['api'] }, ['audience', '0']],
    ['a logo that is no web page', { logoUri: 'ftp://a.example' }, ['logoUri']],
    [
      'client_credentials of a public client',
      { grantTypes: ['client_credentials'], tokenEndpointAuthMethod: 'none' },
      ['tokenEndpointAuthMethod'],
    ],
    ['large metadata', { metadata: { a: 'x'.repeat(16_384) } }, ['metadata']],
    [
      '101 redirect URIs',
      { redirectUris: Array.from({ length: 101 }, (_, at) => `https://a.example/${at}`) },
      ['redirectUris'],
    ],
    ['a long name', { clientName: 'x'.repeat(256) }, ['clientName']],
    ['an unknown strategy', { accessTokenStrategy: 'xml' }, ['accessTokenStrategy']],
  ])('refuses %s', async (_what, client, path) => {
    expect((await create({ client })).problems).toEqual([
      expect.objectContaining({ path: ['input', 'client', ...path], code: 'InvalidValue' }),
    ]);
  });

  it.each([
    ['https', 'https://app.example/callback?a=b'],
    ['a loopback address', 'http://127.0.0.1:53593/callback'],
    ['localhost', 'http://localhost:53593/callback'],
    ['a name below localhost', 'http://app.localhost/callback'],
    ['the scheme of an application', 'com.example.app:/callback'],
  ])('accepts a redirect URI with %s', async (_what, uri) => {
    const { client } = await create({ client: { redirectUris: [uri] } });
    expect(client.redirectUris).toEqual([uri]);
    // The protocol engine accepts it, too: it would not send a browser to an address that it does not know.
    const query = { client_id: client.clientId, response_type: 'code', redirect_uri: uri, scope: 'openid' };
    const response = await fetch(`${app.url}/oauth2/auth?${new URLSearchParams(query)}`, {
      redirect: 'manual',
    });
    expect(response.headers.get('location')).toContain(
      `${uri}${uri.includes('?') ? '&' : '?'}error=invalid_scope`,
    );
  });

  it.each([
    ['an id with a space', { clientId: 'a b' }, 'clientId'],
    ['an id that looks like an access key', { clientId: 'A'.repeat(30) }, 'clientId'],
    ['a short secret', { clientSecret: '12345' }, 'clientSecret'],
    ['a secret that no header can carry', { clientSecret: 'änderung' }, 'clientSecret'],
  ])('refuses %s', async (_what, input, field) => {
    expect((await create(input)).problems).toMatchObject([{ path: ['input', field] }]);
  });

  it('refuses an id that is taken, without revealing clients of other tenants', async () => {
    await create({ clientId: 'taken' });
    expect(await create({ clientId: 'taken' })).toMatchObject({
      code: 'ALREADY_EXISTS',
      path: ['input', 'clientId'],
    });
    expect(await create({ clientId: 'taken' }, stranger)).toMatchObject({
      problems: [{ path: ['input', 'clientId'], code: 'NameUnavailable' }],
    });
  });

  it('makes one client of an id that is asked for 8 times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create({ clientId: 'raced' })));
    expect(answers.map(endOf).sort()).toEqual([...Array.from({ length: 7 }, () => 'ALREADY_EXISTS'), 'OK']);
  });
});

describe('updateOAuth2Client', () => {
  it('replaces all settings, and keeps the secret and the lifespans', async () => {
    const { clientSecret } = await create({
      clientId: 'updated',
      client: { clientName: 'old', owner: 'me' },
    });
    await mutate(app, 'setOAuth2ClientLifespans', {
      ...by('updated'),
      lifespans: { clientCredentialsAccessToken: 'PT1M' },
    });
    const { client, ...answer } = await update('updated', { clientName: 'new' });
    expect(client).toMatchObject({ clientName: 'new', owner: '' });
    expect(client.lifespans.clientCredentialsAccessToken).toBe('PT1M');
    expect(answer.clientSecret).toBeNull();
    expect(await accepts('updated', clientSecret)).toBe(true);
  });

  it('sets a secret, which is the only one from then on', async () => {
    const { clientSecret: old } = await create({ clientId: 'secret' });
    const { clientSecret } = await update('secret', {}, { clientSecret: 'a new secret' });
    expect(clientSecret).toBe('a new secret');
    expect([await accepts('secret', old), await accepts('secret', clientSecret)]).toEqual([false, true]);
    expect((await update('secret', {}, { clientSecret: '12345' })).problems).toMatchObject([
      { path: ['input', 'clientSecret'] },
    ]);
  });

  it('forgets a chosen secret that was right, when the client gets another one', async () => {
    await create({ clientId: 'fickle', clientSecret: 'easy to type' });
    expect(await accepts('fickle', 'easy to type')).toBe(true);
    await update('fickle', {}, { clientSecret: 'easy to keep' });
    expect(await accepts('fickle', 'easy to type')).toBe(false);
    expect(await accepts('fickle', 'easy to keep')).toBe(true);
  });

  it('takes the secrets of a client that becomes public, and gives one back when it needs one', async () => {
    await create({ clientId: 'changing' });
    await update('changing', { tokenEndpointAuthMethod: 'none' });
    expect(await hashesOf('changing')).toEqual([]);
    const { clientSecret } = await update('changing', {});
    expect(await accepts('changing', clientSecret)).toBe(true);
  });

  it('does not reach clients of other tenants', async () => {
    await create({ clientId: 'ours', client: { clientName: 'ours' } });
    const input = { ...by('ours'), client: {} };
    expect(await mutate(app, 'updateOAuth2Client', input, made, stranger)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await mutate(app, 'deleteOAuth2Client', by('ours'), '', stranger)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await read('ours', stranger)).toBeNull();
    expect((await read('ours')).clientName).toBe('ours');
  });
});

describe('patchOAuth2Client', () => {
  it('applies all operations', async () => {
    const { clientSecret } = await create({ clientId: 'patched', client: { clientName: 'a', owner: 'b' } });
    const { client } = await patch(
      'patched',
      { op: 'test', path: '/client_name', value: 'a' },
      { op: 'replace', path: '/client_name', value: 'c' },
      { op: 'add', path: '/redirect_uris/-', value: 'https://a.example/1' },
      { op: 'add', path: '/redirect_uris/0', value: 'https://a.example/0' },
      { op: 'copy', from: '/client_name', path: '/owner' },
      { op: 'add', path: '/metadata/team', value: 'x' },
      { op: 'move', from: '/metadata/team', path: '/metadata/group' },
      { op: 'replace', path: '/logo_uri', value: 'https://a.example/logo' },
    );
    expect(client).toMatchObject({
      ...{ clientName: 'c', owner: 'c', metadata: { group: 'x' }, logoUri: 'https://a.example/logo' },
      redirectUris: ['https://a.example/0', 'https://a.example/1'],
    });
    expect(await accepts('patched', clientSecret)).toBe(true);
    const { client: again } = await patch('patched', { op: 'remove', path: '/logo_uri' });
    expect(again.logoUri).toBeNull();
  });

  it.each<[string, object, string[]]>([
    ['the client id', { op: 'replace', path: '/client_id', value: 'x' }, ['0', 'path']],
    ['the secret', { op: 'add', path: '/client_secret', value: 'x' }, ['0', 'path']],
    ['the lifespans', { op: 'replace', path: '/lifespans', value: {} }, ['0', 'path']],
    ['a time', { op: 'replace', path: '/created_at', value: 'x' }, ['0', 'path']],
    ['the whole client', { op: 'replace', path: '', value: {} }, ['0', 'path']],
    ['a name of ours', { op: 'replace', path: '/clientName', value: 'x' }, ['0', 'path']],
    ['what all objects have', { op: 'add', path: '/metadata/__proto__/x', value: 1 }, ['0', 'path']],
    ['from elsewhere', { op: 'copy', from: '/client_secret', path: '/owner' }, ['0', 'from']],
    ['an unknown operation', { op: 'swap', path: '/owner' }, ['0', 'op']],
    ['without a value', { op: 'add', path: '/owner' }, ['0', 'value']],
    ['a place that is not there', { op: 'replace', path: '/redirect_uris/7', value: 'x' }, ['0']],
    ['a place beyond the end', { op: 'add', path: '/redirect_uris/7', value: 'https://x.example' }, ['0']],
    ['after a test that fails', { op: 'test', path: '/owner', value: 'you' }, ['0']],
    ['a wrong value', { op: 'replace', path: '/redirect_uris', value: ['/x'] }, ['redirect_uris', '0']],
    ['a value of another type', { op: 'replace', path: '/redirect_uris', value: 'x' }, ['redirect_uris']],
  ])('refuses to patch %s, and changes nothing', async (what, operation, path) => {
    const clientId = `closed-${what.replaceAll(' ', '-')}`;
    await create({ clientId, client: { owner: 'me' } });
    const first = { op: 'replace', path: '/client_name', value: 'changed' };
    const refused = await patch(clientId, operation, first);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', path: ['input', 'patch', ...path] });
    expect(await read(clientId)).toMatchObject({ clientName: '', owner: 'me' });
  });

  it('refuses 101 operations', async () => {
    await create({ clientId: 'long' });
    const one = { op: 'replace', path: '/owner', value: 'x' };
    expect((await patch('long', ...Array.from({ length: 101 }, () => one))).problems).toMatchObject([
      { path: ['input', 'patch'] },
    ]);
  });

  it('refuses a value that is copied into itself again and again, before it is large', async () => {
    await create({ clientId: 'doubled', client: { metadata: { a: 'x' } } });
    // The value doubles each time. A hundred of them would fill any memory.
    const copies = Array.from({ length: 22 }, (_, at) => ({
      ...{ op: 'copy', from: '/metadata', path: `/metadata/copy${at}` },
    }));
    expect(await patch('doubled', ...copies)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'patch', '11'] },
    });
    expect(await read('doubled')).toMatchObject({ metadata: { a: 'x' } });
    expect((await patch('doubled', ...copies.slice(0, 3))).client).toMatchObject({ metadata: { a: 'x' } });
  });

  it('keeps the changes of patches that come at the same time', async () => {
    await create({ clientId: 'busy' });
    const uri = (at: number) => `https://a.example/${at}`;
    await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        patch('busy', { op: 'add', path: '/redirect_uris/-', value: uri(at) }),
      ),
    );
    expect((await read('busy')).redirectUris).toHaveLength(8);
  });
});

describe('setOAuth2ClientLifespans', () => {
  const set = (given: object) =>
    mutate(
      app,
      'setOAuth2ClientLifespans',
      { ...by('lasting'), lifespans: given },
      `client { lifespans { ${lifespans} } }`,
    );

  it('replaces all lifespans', async () => {
    await create({ clientId: 'lasting' });
    await set({ clientCredentialsAccessToken: 'PT1M', refreshTokenRefreshToken: 'P30D' });
    const { client } = await set({ authorizationCodeAccessToken: 'PT1H' });
    expect(client.lifespans).toEqual({
      authorizationCodeAccessToken: 'PT1H',
      clientCredentialsAccessToken: null,
      refreshTokenRefreshToken: null,
    });
  });

  it.each(['PT0.5S', 'P5000D'])('refuses %s', async (lifespan) => {
    expect((await set({ clientCredentialsAccessToken: lifespan })).problems).toMatchObject([
      { path: ['input', 'lifespans', 'clientCredentialsAccessToken'] },
    ]);
  });
});

describe('the secrets of a client', () => {
  it('are replaced one by one: the six newest count, until the older ones are deleted', async () => {
    const secrets = [(await create({ clientId: 'turning' })).clientSecret];
    for (let turn = 0; turn < 7; turn += 1) secrets.push((await rotate('turning')).clientSecret);
    const good = async () => Promise.all(secrets.map((secret) => accepts('turning', secret)));
    expect(await good()).toEqual([false, false, true, true, true, true, true, true]);
    const input = by('turning');
    const { deletedSecrets } = await mutate(app, 'deleteRotatedOAuth2ClientSecrets', input, 'deletedSecrets');
    expect(deletedSecrets).toBe(5);
    expect((await good()).filter(Boolean)).toEqual([true]);
    expect(await accepts('turning', secrets[7])).toBe(true);
  });

  it('are not for public clients', async () => {
    await create({ clientId: 'public', client: { tokenEndpointAuthMethod: 'none' } });
    expect(await rotate('public')).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('are never in the audit log', async () => {
    const { clientSecret } = await create({ clientId: 'audited' });
    const { clientSecret: next } = await rotate('audited');
    const events = JSON.stringify(await db.auditEvent.findMany({ where: { targetName: 'audited' } }));
    expect(events).toContain('oauth2Client:administer');
    for (const secret of [clientSecret, next]) expect(events).not.toContain(secret);
  });
});

describe('deleteOAuth2Client', () => {
  it('deletes a client once', async () => {
    await create({ clientId: 'ending' });
    const { client } = await mutate(app, 'deleteOAuth2Client', by('ending'), 'client { clientId }');
    expect(client.clientId).toBe('ending');
    expect(await mutate(app, 'deleteOAuth2Client', by('ending'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await findClientOfAnyTenant('ending')).toBeNull();
  });
});

describe('oauth2Clients', () => {
  it('lists clients by client id, filters them and counts what is filtered', async () => {
    const list = async (filter: string, authorization?: string) =>
      (
        await app.ask(
          `{ oauth2Clients(${filter} first: 2) { totalCount nodes { clientId } } }`,
          {},
          authorization,
        )
      ).data.oauth2Clients;
    for (const clientId of ['l-b', 'l-a', 'l-c', 'l-B'])
      await create({ clientId, client: { owner: 'lister', clientName: clientId === 'l-c' ? 'c' : 'x' } });
    const ofOwner = await list('filter: { owner: "lister" }');
    expect(ofOwner).toEqual({ totalCount: 4, nodes: [{ clientId: 'l-B' }, { clientId: 'l-a' }] });
    expect(await list('filter: { owner: "lister", clientName: "c" }')).toMatchObject({ totalCount: 1 });
    expect(await list('filter: { clientIds: ["l-a", "l-c", "none"] }')).toMatchObject({ totalCount: 2 });
    expect(await list('filter: { owner: "lister" }', stranger)).toEqual({ totalCount: 0, nodes: [] });
  });

  it('are nodes', async () => {
    const { client } = await create({ clientId: 'node' });
    const { data } = await app.ask('query ($id: ID!) { node(id: $id) { __typename id } }', { id: client.id });
    expect(data.node).toEqual({ __typename: 'OAuth2Client', id: client.id });
  });
});
