/** The settings of clients with pairwise subjects, and what the owners of sectors publish. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { SectorServer } from '../support/sector-server.ts';

vi.hoisted(() => {
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'true';
  process.env['OAUTH_REGISTRATION'] = 'on';
  // The certificate of the server for sectors is signed by nobody.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
});

let app: App;
let sectors: SectorServer;
beforeAll(async () => {
  [app, sectors] = await Promise.all([startApp({ scheduler: false }), new SectorServer().start()]);
});
afterAll(() => Promise.all([app.stop(), sectors.stop()]));

const one = 'https://one.example/callback';
const two = 'https://two.example/callback';
const pairwise = { subjectType: 'pairwise' };
const fields = 'client { clientId clientName subjectType sectorIdentifierUri redirectUris }';
const by = (clientId: string) => ({ by: { clientId } });
const create = (client: object, clientId?: string): Promise<Answer> =>
  mutate(app, 'createOAuth2Client', { clientId, client }, fields);
const update = (clientId: string, client: object): Promise<Answer> =>
  mutate(app, 'updateOAuth2Client', { ...by(clientId), client }, fields);
const patch = (clientId: string, ...operations: object[]): Promise<Answer> =>
  mutate(app, 'patchOAuth2Client', { ...by(clientId), patch: operations }, fields);

describe('a client with pairwise subjects', () => {
  it.each([
    ['one redirect URI', { redirectUris: [one] }],
    ['redirect URIs of one host', { redirectUris: [one, 'https://one.example:8443/other'] }],
    ['opaque access tokens', { redirectUris: [one], accessTokenStrategy: 'opaque' }],
  ])('needs no sector identifier URI with %s', async (_what, settings) => {
    const expected = { ...pairwise, sectorIdentifierUri: null, redirectUris: settings.redirectUris };
    expect((await create({ ...pairwise, ...settings })).client).toMatchObject(expected);
  });

  it('keeps its sector identifier URI, whose document has all redirect URIs', async () => {
    const sectorIdentifierUri = sectors.publish('/kept', [one, 'https://three.example', two]);
    const settings = { ...pairwise, sectorIdentifierUri, redirectUris: [one, two] };
    expect((await create(settings, 'kept')).client).toMatchObject(settings);
    const { data } = await app.ask('{ oauth2Client(by: { clientId: "kept" }) { sectorIdentifierUri } }');
    expect(data.oauth2Client).toEqual({ sectorIdentifierUri });
    expect((await update('kept', { redirectUris: [one] })).client).toMatchObject({
      ...{ subjectType: 'public', sectorIdentifierUri: null },
    });
  });

  it.each<[string, object, string]>([
    ['redirect URIs of two hosts', { redirectUris: [one, two] }, 'sectorIdentifierUri'],
    ['no redirect URI', {}, 'sectorIdentifierUri'],
    ['the scheme of an application', { redirectUris: ['com.example.app:/callback'] }, 'sectorIdentifierUri'],
    [
      'a host in the scheme of an application',
      { redirectUris: ['app://one/callback'] },
      'sectorIdentifierUri',
    ],
    ['JWTs', { redirectUris: [one], accessTokenStrategy: 'jwt' }, 'accessTokenStrategy'],
    ['an unknown type', { redirectUris: [one], subjectType: 'PAIRWISE' }, 'subjectType'],
  ])('is refused with %s', async (_what, settings, field) => {
    expect(await create({ ...pairwise, ...settings })).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', problems: [{ path: ['input', 'client', field] }] },
    });
  });
});

/** What is wrong with a document, or its address, and what the refusal says. */
const faults: [string, () => string, RegExp][] = [
  ['is not https', () => sectors.publish('/plain', [one]).replace('https:', 'http:'), /https:/],
  ['is not an address', () => 'sector', /URL/],
  ['is not there', () => sectors.uri('/nothing'), /status 404/],
  [
    'is elsewhere',
    () =>
      sectors.answer('/moved', (response) =>
        response.writeHead(302, { location: sectors.publish('/target', [one]) }).end(),
      ),
    /status 302/,
  ],
  ['does not have the redirect URI', () => sectors.publish('/less', [two]), /does not contain https:\/\/one/],
  ['has a longer redirect URI', () => sectors.publish('/longer', [`${one}/x`]), /does not contain/],
  ['is not a list', () => sectors.publish('/object', { redirect_uris: [one] }), /JSON array/],
  ['is a list of other things', () => sectors.publish('/things', [one, 1]), /JSON array/],
  ['is not JSON', () => sectors.publish('/html', '<html>'), /JSON array/],
  ['is too long', () => sectors.publish('/long', [one, 'x'.repeat(1024 * 1024)]), /does not answer/],
  [
    'is that of a server that hangs up',
    () => sectors.answer('/gone', (response) => response.destroy()),
    /does not answer/,
  ],
];

describe('a client whose sector document', () => {
  it.each(faults)('%s is refused', async (_what, uri, message) => {
    const settings = { redirectUris: [one], sectorIdentifierUri: uri() };
    for (const type of ['public', 'pairwise'])
      expect(await create({ ...settings, subjectType: type })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        problems: [
          {
            path: ['input', 'client', 'sectorIdentifierUri'],
            message: expect.stringMatching(message),
          },
        ],
      });
  });

  it('misses a redirect URI is refused under the name that the caller knows', async () => {
    const sectorIdentifierUri = sectors.publish('/names', [one]);
    const settings = { ...pairwise, redirectUris: [one], sectorIdentifierUri };
    await create(settings, 'names');
    const place = (answer: Answer) => answer.problems?.[0]?.path;
    const both = { ...settings, redirectUris: [one, two] };
    expect(place(await update('names', both))).toEqual(['input', 'client', 'sectorIdentifierUri']);
    const added = await patch('names', { op: 'add', path: '/redirect_uris/-', value: two });
    expect(place(added)).toEqual(['input', 'patch', 'sector_identifier_uri']);
    const { data } = await app.ask('{ oauth2Client(by: { clientId: "names" }) { redirectUris } }');
    expect(data.oauth2Client).toEqual({ redirectUris: [one] });
  });

  it('is read again only for another address or another redirect URI', async () => {
    const sectorIdentifierUri = sectors.publish('/once', [one, two]);
    const reads = () => sectors.asked.filter((path) => path === '/once').length;
    await create({ ...pairwise, redirectUris: [one, two], sectorIdentifierUri }, 'once');
    expect(reads()).toBe(1);
    sectors.answer('/once', (response) => response.writeHead(500).end());
    const renamed = await patch('once', { op: 'replace', path: '/client_name', value: 'Another name' });
    expect(renamed.client).toMatchObject({ clientName: 'Another name' });
    const fewer = await patch('once', { op: 'remove', path: '/redirect_uris/1' });
    expect(fewer.client).toMatchObject({ redirectUris: [one] });
    const lifespans = { implicitIdToken: 'PT60S' };
    const set = await mutate(app, 'setOAuth2ClientLifespans', { ...by('once'), lifespans }, fields);
    expect(set.client).toMatchObject({ clientId: 'once' });
    expect(reads()).toBe(1);
    expect(await patch('once', { op: 'add', path: '/redirect_uris/-', value: two })).toMatchObject({
      problems: [{ message: expect.stringContaining('status 500') }],
    });
  });

  it('was read for settings that somebody else has changed meanwhile does not count for the others', async () => {
    await create({ ...pairwise, redirectUris: [one] }, 'raced');
    const other = sectors.publish('/raced-other', [one, two]);
    const slow = sectors.answer('/raced-slow', async (response) => {
      // While this document is read, the client gets another redirect URI, which is not in it.
      await patch(
        'raced',
        { op: 'add', path: '/sector_identifier_uri', value: other },
        { op: 'add', path: '/redirect_uris/-', value: two },
      );
      response.end(JSON.stringify([one]));
    });
    const late = await patch('raced', { op: 'add', path: '/sector_identifier_uri', value: slow });
    expect(late).toMatchObject({
      problems: [{ message: expect.stringContaining(`does not contain ${two}`) }],
    });
    const { data } = await app.ask('{ oauth2Client(by: { clientId: "raced" }) { sectorIdentifierUri } }');
    expect(data.oauth2Client).toEqual({ sectorIdentifierUri: other });
  });
});

describe('a client that registers itself', () => {
  const send = async (method: string, address: string, body: object, token?: string): Promise<Answer> => {
    const headers = {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    const response = await fetch(address, { method, headers, body: JSON.stringify(body) });
    return { status: response.status, ...((await response.json()) as Answer) };
  };
  const register = (body: object) => send('POST', `${app.url}/oauth2/register`, body);

  it('can have pairwise subjects', async () => {
    const uri = sectors.publish('/registered', [one, two]);
    const metadata = { redirect_uris: [one, two], subject_type: 'pairwise', sector_identifier_uri: uri };
    const made = await register(metadata);
    expect(made).toMatchObject({ status: 201, ...metadata });
    const { client_id, registration_client_uri: address, registration_access_token: token } = made;
    const longer = { ...metadata, client_id, redirect_uris: [one, 'https://three.example/callback'] };
    expect(await send('PUT', address, longer, token)).toMatchObject({
      ...{ status: 400, error: 'invalid_client_metadata' },
      error_description: expect.stringMatching(/^sector_identifier_uri .*does not contain https:\/\/three/),
    });
    expect(await send('PUT', address, { ...metadata, client_id }, token)).toMatchObject({ status: 200 });
  });

  it.each<[string, object, RegExp]>([
    ['several hosts', { redirect_uris: [one, two] }, /^sector_identifier_uri is required/],
    [
      'a document without its redirect URI',
      { redirect_uris: [one], sector_identifier_uri: '/none' },
      /^sector_identifier_uri .*status 404/,
    ],
    ['an unknown type', { redirect_uris: [one], subject_type: 'other' }, /^subject_type /],
  ])('is refused with %s', async (_what, metadata, message) => {
    const { sector_identifier_uri: path } = metadata as { sector_identifier_uri?: string };
    const sector = path === undefined ? {} : { sector_identifier_uri: sectors.uri(path) };
    expect(await register({ subject_type: 'pairwise', ...metadata, ...sector })).toMatchObject({
      ...{ status: 400, error: 'invalid_client_metadata' },
      error_description: expect.stringMatching(message),
    });
  });
});
