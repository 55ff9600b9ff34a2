/** The session of a browser, as a browser and its pages use it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { rules } from '../../../src/api/schema.ts';
import { flushDenials } from '../../../src/authorization/audit.ts';
import type { Rule } from '../../../src/graphql/rules.ts';
import { db } from '../../../src/platform/database/client.ts';
import { PermissionDeniedError } from '../../../src/platform/errors.ts';
import { type App, basic, startApp } from '../../support/app.ts';
import { stopClocks } from '../../support/clock.ts';
import { changeUser, newUser } from '../../support/users.ts';

const listed = 'https://console.example';
vi.hoisted(() => {
  process.env['CORS_ORIGINS'] = 'https://console.example';
});

let app: App;
let cookie: string;
let password: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await newUser({ username: 'ada', password: 'the password of ada' });
  password = 'the password of ada';
  cookie = cookieIn(await open({ body: { username: 'ada', password } }));
});
afterAll(() => app.stop());

type Headers = Record<string, string>;
const json = { 'content-type': 'application/json' };
const session = (method: string, headers: Headers, body?: string) =>
  fetch(`${app.url}/session`, { method, headers, ...(body === undefined ? {} : { body }) });
const open = ({ body = {}, headers = {} }: { body?: object; headers?: Headers }) =>
  session('POST', { ...json, ...headers }, JSON.stringify(body));
const setCookie = (response: Response) => response.headers.get('set-cookie') ?? '';
const cookieIn = (response: Response) => setCookie(response).split(';')[0] ?? '';

async function ask(headers: Headers, query = '{ viewer { username } }') {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  const who: string | undefined = data?.viewer?.username ?? errors?.[0].extensions.code;
  return { status: response.status, who, response };
}
const ours = () => ({ origin: new URL(app.url).origin });

describe('POST /session', () => {
  it('sets a cookie that scripts cannot read, with the lifetime of the token, and does not answer the token', async () => {
    stopClocks('Date');
    // Tokens end at whole seconds.
    vi.setSystemTime(Math.ceil(Date.now() / 1000) * 1000);
    const response = await open({ body: { username: 'ada', password } });
    expect(response.status).toBe(200);
    expect(setCookie(response)).toMatch(
      /^slipway_session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    );
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({ username: 'ada', expiresAt: expect.any(String) });
    expect(text).not.toContain(cookieIn(response).split('=')[1]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['Basic', 'Bearer', 'an access key'])('accepts an Authorization header: %s', async (kind) => {
    const { administrator } = app.secrets;
    const authorization = {
      Basic: basic(administrator.username, administrator.password),
      Bearer: app.admin,
      'an access key': app.executor,
    }[kind] as string;
    const response = await open({ headers: { authorization } });
    expect(response.status).toBe(200);
    expect((await ask({ ...ours(), cookie: cookieIn(response) })).who).toBe((await response.json()).username);
  });

  it.each<[name: string, body: object, headers: Headers]>([
    ['nothing', {}, {}],
    ['a wrong password', { username: 'ada', password: 'wrong' }, {}],
    ['a name that is none', { username: 'ada:x', password: 'wrong' }, {}],
    ['a wrong header', {}, { authorization: 'Bearer nonsense' }],
  ])('refuses %s with the challenges, and sets no cookie', async (_name, body, headers) => {
    const response = await open({ body, headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer .*, Basic /);
    expect(setCookie(response)).toBe('');
  });

  it('does not accept the previous session as a sign-in', async () => {
    expect((await open({ headers: { ...ours(), cookie } })).status).toBe(401);
  });

  it.each<[name: string, method: string, headers: Headers, body: string | undefined, status: number]>([
    ['a form', 'POST', { 'content-type': 'application/x-www-form-urlencoded' }, 'username=ada', 415],
    ['plain text', 'POST', { 'content-type': 'text/plain' }, '{}', 415],
    ['no JSON', 'POST', json, '{', 400],
    ['another field', 'POST', json, '{"username":"ada","password":"x","role":"ADMIN"}', 400],
    ['half of it', 'POST', json, '{"username":"ada"}', 400],
    ['too much', 'POST', json, JSON.stringify({ username: 'ada', password: 'x'.repeat(20_000) }), 413],
    ['GET', 'GET', {}, undefined, 405],
  ])('refuses %s', async (_name, method, headers, body, status) => {
    const response = await session(method, headers, body);
    expect(response.status).toBe(status);
    const code = status === 413 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT';
    expect((await response.json()).errors[0].extensions.code).toBe(code);
  });

  it.each<[what: string, body: string, status: number]>([
    ['a body of 16 KiB', '{}'.padEnd(16_384), 401],
    ['a longer body', '{}'.padEnd(16_385), 413],
    ['a name of 1024 characters', JSON.stringify({ username: 'x'.repeat(1024), password: 'x' }), 401],
    ['a longer name', JSON.stringify({ username: 'x'.repeat(1025), password: 'x' }), 400],
    ['a password of 1024 characters', JSON.stringify({ username: 'x', password: 'x'.repeat(1024) }), 401],
    ['a longer password', JSON.stringify({ username: 'x', password: 'x'.repeat(1025) }), 400],
  ])('reads credentials up to a length: %s', async (_what, body, status) => {
    expect((await session('POST', json, body)).status).toBe(status);
  });

  it('applies the rule of `login`', async () => {
    const denied = new PermissionDeniedError('no');
    const decide = vi.spyOn(rules.Mutation['login'] as Rule, 'decide').mockResolvedValue(denied);
    expect((await open({ body: { username: 'ada', password } })).status).toBe(403);
    decide.mockRestore();
    await flushDenials();
    expect(
      await db.auditEvent.findMany({ where: { action: 'token:create', outcome: 'DENIED' } }),
    ).toMatchObject([{ actorName: 'ada', targetType: 'user', targetName: 'ada' }]);
    expect((await open({ body: { username: 'ada', password } })).status).toBe(200);
  });

  it('refuses a request from a foreign page', async () => {
    const response = await open({
      body: { username: 'ada', password },
      headers: { origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    expect(setCookie(response)).toBe('');
  });
});

describe('the session cookie', () => {
  it.each<[name: string, headers: () => Headers]>([
    ['of our own page', ours],
    ['of a listed page', () => ({ origin: listed, 'sec-fetch-site': 'cross-site' })],
    [
      'of our page, which the browser knows by another address',
      () => ({ origin: 'http://slipway.lan', 'sec-fetch-site': 'same-origin' }),
    ],
    ['of our page, without an origin', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['that a person typed', () => ({ 'sec-fetch-site': 'none' })],
    ['beside other cookies', () => ({ ...ours(), cookie: `a=b; xslipway_session=1; ${cookie}; c=d` })],
  ])('signs in a request %s', async (_name, headers) => {
    expect(await ask({ cookie, ...headers() })).toMatchObject({ status: 200, who: 'ada' });
  });

  it.each<[name: string, headers: Headers]>([
    ['a foreign page', { origin: 'https://evil.example' }],
    [
      'a foreign page, as browsers tell it',
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    ],
    [
      'a neighbour of the same site',
      { origin: 'https://other.console.example', 'sec-fetch-site': 'same-site' },
    ],
    ['a page without an origin', { origin: 'null' }],
    ['a foreign page that hides its origin', { 'sec-fetch-site': 'cross-site' }],
    ['something that tells nothing', {}],
  ])('is refused from %s, with 403', async (_name, headers) => {
    expect(await ask({ cookie, ...headers })).toMatchObject({ status: 403, who: 'PERMISSION_DENIED' });
  });

  it('is ignored when there is an Authorization header, valid or not', async () => {
    expect((await ask({ ...ours(), cookie, authorization: app.admin })).who).toBe('admin');
    expect((await ask({ cookie, authorization: app.admin })).who).toBe('admin');
    for (const authorization of ['Bearer nonsense', basic('ada', 'wrong'), 'Digest x'])
      expect(await ask({ ...ours(), cookie, authorization })).toMatchObject({ status: 401 });
  });

  it('is refused and deleted in the browser when it is not valid', async () => {
    for (const dead of ['slipway_session=', 'slipway_session=nonsense', `${cookie}x`]) {
      const { status, response } = await ask({ ...ours(), cookie: dead });
      expect(status).toBe(401);
      expect(setCookie(response)).toMatch(/^slipway_session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
    }
  });

  it('ends with its user', async () => {
    await newUser({ username: 'leaver', password: 'the password of leaver' });
    const theirs = cookieIn(await open({ body: { username: 'leaver', password: 'the password of leaver' } }));
    expect((await ask({ ...ours(), cookie: theirs })).who).toBe('leaver');
    await changeUser('leaver', { disabledAt: new Date(), version: 2 });
    expect((await ask({ ...ours(), cookie: theirs })).status).toBe(401);
  });

  it('can be sent, and its answers read, by listed pages only', async () => {
    const headersFor = async (origin: string) => {
      const asked = await fetch(`${app.url}/session`, { method: 'OPTIONS', headers: { origin } });
      return [
        asked.headers.get('access-control-allow-credentials'),
        asked.headers.get('access-control-allow-methods')?.includes('DELETE'),
      ];
    };
    expect(await headersFor(listed)).toEqual(['true', true]);
    expect(await headersFor('https://evil.example')).toEqual([null, undefined]);
  });

  it('is set by POST /session only: login answers the token and sets no cookie', async () => {
    const query = 'mutation { login { ... on LoginPayload { token } } }';
    const { response } = await ask({ authorization: basic('ada', password) }, query);
    expect(response.status).toBe(200);
    expect(setCookie(response)).toBe('');
  });

  it('gives no access to files, which need their links', async () => {
    const response = await fetch(`${app.url}/blobs/x`, { headers: { ...ours(), cookie } });
    expect(response.status).toBe(403);
  });
});

describe('the session cookie over WebSocket', () => {
  const outcome = (headers: Headers, parameters: object = {}) =>
    new Promise((resolve) => {
      const { origin, ...others } = headers;
      const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
        ...(origin ? { origin } : {}),
        headers: others,
      });
      const send = (message: object) => socket.send(JSON.stringify(message));
      socket.once('open', () => send({ type: 'connection_init', payload: parameters }));
      socket.on('message', (text) => {
        const { type, payload } = JSON.parse(String(text));
        if (type === 'connection_ack')
          send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { username } }' } });
        if (type === 'next') resolve(payload.data?.viewer?.username ?? payload.errors[0].extensions.code);
        if (type === 'error') resolve(payload[0].extensions.code);
        if (type === 'next' || type === 'error') socket.close();
      });
      socket.once('close', (code) => resolve(code));
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', () => {});
    });

  it('signs in the own page and a listed one', async () => {
    expect(await outcome({ ...ours(), cookie })).toBe('ada');
    expect(await outcome({ origin: listed, cookie })).toBe('ada');
  });

  it('is ignored when the connection parameters have credentials', async () => {
    expect(await outcome({ ...ours(), cookie }, { authorization: app.admin })).toBe('admin');
    expect(await outcome({ ...ours(), cookie }, { authorization: 'Bearer nonsense' })).toBe(4403);
  });

  it('is refused from a foreign page and without an origin', async () => {
    expect(await outcome({ origin: 'https://evil.example', cookie })).toBe(403);
    expect(await outcome({ cookie })).toBe(4403);
  });
});

describe('DELETE /session', () => {
  it('deletes the cookie in the browser', async () => {
    const response = await session('DELETE', { ...ours(), cookie });
    expect(response.status).toBe(204);
    expect(setCookie(response)).toMatch(/^slipway_session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/);
  });

  it('refuses foreign pages', async () => {
    const response = await session('DELETE', { origin: 'https://evil.example', cookie });
    expect(response.status).toBe(403);
    expect(setCookie(response)).toBe('');
  });
});
