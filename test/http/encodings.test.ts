/** Text that is not UTF-8 is refused, wherever it is read, and never stored as something else. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

vi.hoisted(() => {
  process.env['OAUTH_REGISTRATION'] = 'on';
});

let app: App;
let web: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const device = 'urn:ietf:params:oauth:grant-type:device_code';
  const settings = { redirectUris: ['https://app.example/'], grantTypes: ['authorization_code', device] };
  const input = { clientId: 'web', client: { ...settings, scope: 'openid' } };
  web = basic('web', (await mutate(app, 'createOAuth2Client', input, 'clientSecret')).clientSecret);
});
afterAll(() => app.stop());

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
/** `é` in ISO 8859-1. */
const LATIN = Buffer.from([0xe9]);

interface Place {
  readonly type: string;
  readonly authorization?: () => string;
  /** The body up to the text, and what follows it. */
  readonly body: readonly [before: string, after: string];
}

const admin = () => app.admin;
const asWeb = () => web;
const places: Readonly<Record<string, Place>> = {
  '/graphql': { type: JSON_TYPE, authorization: admin, body: ['{"query":"{ viewer { id } } #', '"}'] },
  '/session': { type: JSON_TYPE, body: ['{"username":"', '","password":"x"}'] },
  '/oauth2/register': { type: JSON_TYPE, body: ['{"client_name":"', '"}'] },
  '/clients': { type: JSON_TYPE, authorization: admin, body: ['{"client_name":"', '"}'] },
  '/oauth2/flush': { type: JSON_TYPE, authorization: admin, body: ['{"notAfter":"', '"}'] },
  '/oauth2/login': { type: FORM, body: ['username=', ''] },
  '/oauth2/consent': { type: FORM, body: ['scope=', ''] },
  '/oauth2/device': { type: FORM, body: ['user_code=', ''] },
  '/oauth2/logout': { type: FORM, body: ['answer=', ''] },
  '/oauth2/auth': { type: FORM, body: ['state=', ''] },
  '/oauth2/par': { type: FORM, authorization: asWeb, body: ['state=', ''] },
  '/oauth2/device/auth': { type: FORM, authorization: asWeb, body: ['scope=', ''] },
  '/oauth2/revoke': { type: FORM, authorization: asWeb, body: ['token=', ''] },
  '/oauth2/token': { type: FORM, authorization: asWeb, body: ['grant_type=client_credentials&scope=', ''] },
  '/oauth2/introspect': { type: FORM, authorization: asWeb, body: ['token=', ''] },
};

/** A request with this text in its body, as a page of this server sends it. */
async function send(path: string, text: string | Buffer, charset = '') {
  const { type, authorization, body }: Place = places[path] ?? { type: '', body: ['', ''] };
  const isPage = /^\/oauth2\/(login|consent|device|logout)$/.test(path);
  const response = await fetch(`${app.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': `${type}${charset}`,
      ...(authorization ? { authorization: authorization() } : {}),
      ...(isPage ? { origin: app.url } : {}),
    },
    body: Buffer.concat([Buffer.from(body[0]), Buffer.from(text), Buffer.from(body[1])]),
    redirect: 'manual',
  });
  return { status: response.status, text: await response.text() };
}

const paths = Object.keys(places);
const forms = paths.filter((path) => places[path]?.type === FORM);
/** The protocol engine has an error of its own for a body that it cannot read. */
const notUtf8 = /the request has bytes that are not valid UTF-8|failed to parse the request body/;

describe('a body', () => {
  it.each(paths)('with a byte that is not UTF-8 is refused: %s', async (path) => {
    const { status, text } = await send(path, LATIN);
    expect([status, text]).toEqual([400, expect.stringMatching(notUtf8)]);
  });

  it.each(forms)('with such a byte behind a percent sign is refused: %s', async (path) => {
    const { status, text } = await send(path, '%E9');
    expect([status, text]).toEqual([400, expect.stringMatching(notUtf8)]);
  });

  it.each(paths)('in another charset is refused: %s', async (path) => {
    const { status, text } = await send(path, 'e', '; charset=iso-8859-1');
    expect([status, text]).toEqual([415, expect.stringContaining('the charset must be utf-8')]);
  });

  it.each(paths)('in UTF-8 is read: %s', async (path) => {
    for (const charset of ['', '; charset=UTF-8', ';charset="utf-8"']) {
      const { text } = await send(path, 'é', charset);
      expect(text).not.toMatch(notUtf8);
      expect(text).not.toContain('the charset must');
    }
  });

  it('keeps every character, also one that looks like a replacement', async () => {
    const name = 'é � 😀';
    const { text } = await send(
      '/oauth2/register',
      `${name}","redirect_uris":["https://app.example/"],"x":"`,
    );
    expect(JSON.parse(text)).toMatchObject({ client_name: name });
  });

  it('of a pushed request keeps its state', async () => {
    const asked = 'client_id=web&response_type=code&redirect_uri=https://app.example/&state=';
    const { status, text } = await send(
      '/oauth2/par',
      `a%20long%20state%20%C3%A9&${asked.replace('&state=', '')}`,
    );
    expect([status, text]).toEqual([201, expect.stringContaining('request_uri')]);
    const { rows } = await pool.query(
      "select payload ->> 'request' as request from oauth2_records where kind = 'PushedAuthorizationRequest'",
    );
    const [, claims = ''] = rows[0].request.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toMatchObject({
      state: 'a long state é',
    });
  });
});

describe('an address', () => {
  const asked = '/oauth2/auth?client_id=web&response_type=code&redirect_uri=https://app.example/&state=long-';
  it.each([
    ['is refused with a byte that is not UTF-8', '%E9', 400],
    ['is refused with half a character', '%F0%9F%98', 400],
    ['is read with a character of UTF-8', '%C3%A9', 303],
    ['is read with a percent sign that stands for nothing', '%zz', 303],
  ])('%s', async (_what, text, status) => {
    const response = await fetch(`${app.url}${asked}${text}-enough`, { redirect: 'manual' });
    expect(response.status).toBe(status);
  });
});
