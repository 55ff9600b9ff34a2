/** Hydra's administration API at an address of its own, where nobody signs in. */
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createGraphQLServer } from '../../../src/http/graphql.ts';
import { startHydraAdmin } from '../../../src/http/hydra-admin.ts';
import { RequestsUnderWay } from '../../../src/http/requests.ts';
import { db } from '../../../src/platform/database/client.ts';
import { log } from '../../../src/platform/log.ts';
import { Browser, challengeIn, redirectOf } from '../../oauth/browser.ts';
import { rawRequest } from '../../oauth/raw-request.ts';
import { Stage, scope, scopes } from '../../oauth/stage.ts';
import type { Answer } from '../../support/app.ts';
import { mutate } from '../../support/mutate.ts';
import { newCaller, newUser, type User } from '../../support/users.ts';
import { type Call, callsTo } from './call.ts';

const url = await vi.hoisted(async () => {
  const { createServer: createSocket } = await import('node:net');
  const free = createSocket();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  free.close();
  Object.assign(process.env, {
    ...{ OAUTH_LOGIN_URL: 'https://login.example/login', OAUTH_CONSENT_URL: 'https://login.example/consent' },
    ...{ HYDRA_ADMIN_LISTEN: `127.0.0.1:${port}`, HYDRA_ADMIN_USER: 'Hydra-Admin', DOORS: 'off' },
  });
  return `http://127.0.0.1:${port}`;
});

let stage: Stage;
let account: User;
let root: string;
let call: Call;
beforeAll(async () => {
  stage = await Stage.start();
  account = await newUser({ role: 'SYSTEM', username: 'hydra-admin' });
  await db.user.update({ where: { id: account.id }, data: { kind: 'SERVICE_ACCOUNT' } });
  root = await newCaller({ role: 'ROOT' });
  call = callsTo({ url }, null);
});
afterAll(() => stage.stop());

const edit = async (input: object): Promise<void> => {
  const answer = await mutate(stage.app, 'editUser', { by: { id: account.id }, ...input }, '', root);
  expect(answer.__typename).toBe('EditUserPayload');
};

describe('HYDRA_ADMIN_LISTEN', () => {
  it('answers without a sign-in, as the service account', async () => {
    const made = await call('POST', '/admin/clients', { client_id: 'local' });
    expect([made.status, (await call('GET', '/clients/local')).status]).toEqual([201, 200]);
    expect((await call('POST', '/admin/keys/set', { alg: 'ES256', use: 'sig', kid: 'k' })).status).toBe(201);
    const { data } = await stage.app.ask(
      `query ($by: UserByInput!) { auditEvents(filter: { actor: $by }) {
         nodes { action address target { name } } } }`,
      { by: { id: account.id } },
    );
    const event = { action: 'oauth2Client:administer', address: '127.0.0.1', target: { name: 'local' } };
    expect(data.auditEvents.nodes).toContainEqual(event);
  });

  it('lets a login app sign a person in', async () => {
    const browser = new Browser();
    const requests = '/admin/oauth2/auth/requests';
    const challenge = challengeIn(await redirectOf(browser, (await stage.request(scope)).url));
    const accept = `${requests}/login/accept?login_challenge=${challenge}`;
    const { body } = await call('PUT', accept, { subject: 'alice' });
    const asked = challengeIn(await redirectOf(browser, body.redirect_to));
    const consent = `${requests}/consent/accept?consent_challenge=${asked}`;
    const { body: given } = await call('PUT', consent, { grant_scope: scopes });
    expect(await redirectOf(browser, given.redirect_to)).toContain('code=');
  });

  it.each(['/admin/oauth2/introspect', '/oauth2/introspect'])('introspects tokens at %s', async (path) => {
    const { access_token: token } = await stage.tokens();
    const { body } = await call('POST', path, new URLSearchParams({ token }));
    expect(body).toMatchObject({ active: true, sub: 'alice' });
  });

  it('does not look at credentials', async () => {
    const headers = { authorization: 'Basic d3Jvbmc6d3Jvbmc=', cookie: 'slipway_session=wrong' };
    expect((await call('GET', '/admin/clients', undefined, headers)).status).toBe(200);
  });

  it.each([
    ['/health/alive', 200],
    ['/health/ready', 200],
    ['/version', 200],
    ['/graphql', 404],
    ['/oauth2/token', 404],
    ['/oauth2/auth', 404],
    ['/metrics/prometheus', 404],
    ['/', 404],
  ])('answers GET %s with %i', async (path, status) => {
    expect((await call('GET', path)).status).toBe(status);
  });

  it.each<[string, Record<string, string>]>([
    ['a page', { origin: 'https://evil.example' }],
    ['a page of the same name', { 'sec-fetch-site': 'same-origin' }],
    ['a page whose name leads to this machine', { host: 'evil.example' }],
    ['a page whose name leads to this machine, with a port', { host: 'evil.example:4445' }],
    ['a name that begins like a loopback address', { host: '127.0.0.1.evil.example' }],
  ])('refuses %s', async (_what, headers) => {
    const response = await rawRequest(`${url}/admin/clients`, { headers });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('client_id');
  });

  it.each(['localhost', 'localhost:4445', '127.0.0.1:1', '[::1]:4445'])(
    'answers at the name %s',
    async (host) => {
      expect((await rawRequest(`${url}/admin/clients`, { headers: { host } })).status).toBe(200);
    },
  );

  it('does not open the door at the address of the server', async () => {
    expect((await callsTo(stage.app, stage.app.admin)('GET', '/admin/clients')).status).toBe(404);
  });
});

describe('the account of HYDRA_ADMIN_USER', () => {
  const statuses = async () => [
    (await call('GET', '/admin/clients')).status,
    (await call('GET', '/admin/oauth2/auth/requests/login?login_challenge=none')).status,
  ];

  it('has no more rights there than it has', async () => {
    expect(await statuses()).toEqual([200, 404]);
    await edit({ role: 'ADMIN' });
    expect(await statuses()).toEqual([200, 403]);
    await edit({ role: 'USER' });
    expect(await statuses()).toEqual([403, 403]);
    await edit({ role: 'SYSTEM' });
  });

  it('acts for nobody while it is disabled', async () => {
    await edit({ disabled: true });
    expect(await statuses()).toEqual([401, 401]);
    await edit({ disabled: false });
    expect(await statuses()).toEqual([200, 404]);
  });

  it('must be a service account, and must exist', async () => {
    const rename_ = (data: object) => db.user.update({ where: { id: account.id }, data });
    await rename_({ kind: 'PERSON' });
    expect(await statuses()).toEqual([401, 401]);
    await rename_({ kind: 'SERVICE_ACCOUNT', usernameKey: 'another' });
    expect(await statuses()).toEqual([401, 401]);
    await rename_({ usernameKey: 'hydra-admin' });
    expect(await statuses()).toEqual([200, 404]);
  });
});

describe('a Unix socket', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-socket-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const start = (path: string) =>
    startHydraAdmin(
      { address: { path }, username: 'hydra-admin', tenant: 'default' },
      { graphql: createGraphQLServer(), requests: new RequestsUnderWay(), publicUrl: () => stage.app.url },
    );
  const ask = (socketPath: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      request({ socketPath, path: '/admin/clients', headers: { host: 'localhost' } }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) });
      })
        .once('error', reject)
        .end();
    });

  it('is open to the user of the server only, and the start says who acts there', async () => {
    const path = join(folder, 'open.sock');
    const warn = vi.spyOn(log, 'warn');
    const server = await start(path);
    expect(warn).toHaveBeenCalledWith(
      { address: path, username: 'hydra-admin', tenant: 'default' },
      expect.stringContaining('HYDRA_ADMIN_USER'),
    );
    warn.mockRestore();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { status, body } = await ask(path);
    expect([status, body.length > 0]).toEqual([200, true]);
    server.close();
  });

  it('takes the place of one on which nobody listens any more, and of nothing else', async () => {
    const [path, kept] = [join(folder, 'stale.sock'), join(folder, 'kept.sock')];
    const earlier = createServer();
    await new Promise<void>((resolve) => earlier.listen(path, resolve));
    await expect(start(path)).rejects.toThrow(`HYDRA_ADMIN_LISTEN: the server cannot listen on ${path}`);
    // A server that ends deletes its socket; one that is killed does not.
    await rename(path, kept);
    await new Promise((resolve) => earlier.close(resolve));
    await rename(kept, path);
    const server = await start(path);
    expect((await ask(path)).status).toBe(200);
    server.close();
  });
});
