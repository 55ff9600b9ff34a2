/** How much one caller can send, guess and ask for. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { Browser, redirectOf } from './browser.ts';
import { Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['OAUTH_REGISTRATION'] = 'on';
  process.env['RATE_COST_PER_MINUTE'] = '60';
  process.env['RATE_COST_BURST'] = '200000';
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const form = (entries: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers,
  body: new URLSearchParams(entries),
  redirect: 'manual',
});
const token = (name: string, secret: string) =>
  fetch(
    `${stage.app.url}/oauth2/token`,
    form({ grant_type: 'client_credentials' }, { authorization: basic(name, secret) }),
  );

describe('a request for a code as a form', () => {
  it('becomes the same request as an address', async () => {
    const { searchParams } = new URL((await stage.request(scope)).url);
    const response = await fetch(`${stage.app.url}/oauth2/auth`, form(Object.fromEntries(searchParams)));
    const location = response.headers.get('location') ?? '';
    expect([response.status, location.split('?')[0]]).toEqual([303, `${stage.app.url}/oauth2/auth`]);
    expect(Object.fromEntries(new URL(location).searchParams)).toEqual(Object.fromEntries(searchParams));
    expect(await redirectOf(new Browser(), location)).toContain('https://login.example/login?');
  });

  it('must be a form, and as short as an address', async () => {
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(`${stage.app.url}/oauth2/auth`, json)).status).toBe(415);
    const long = await fetch(`${stage.app.url}/oauth2/auth`, form({ state: 'x'.repeat(8000) }));
    expect([long.status, long.headers.get('location')]).toEqual([413, null]);
  });
});

describe('a body', () => {
  it.each(['/oauth2/token', '/oauth2/revoke', '/oauth2/introspect', '/oauth2/par', '/oauth2/device/auth'])(
    'of more than 56 KiB is not read by %s',
    async (path) => {
      const headers = { authorization: basic('web', stage.webSecret) };
      const response = await fetch(`${stage.app.url}${path}`, form({ token: 'x'.repeat(60_000) }, headers));
      const text = await response.text();
      const unread = { error: 'invalid_request', error_description: 'failed to parse the request body' };
      expect([response.status, JSON.parse(text)]).toEqual([400, unread]);
      expect(text).not.toMatch(/xxx|node_modules|\n +at /);
    },
  );

  it('of more than 64 KiB is refused at a registration', async () => {
    const response = await fetch(`${stage.app.url}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'x'.repeat(70_000) }),
    });
    expect(response.status).toBe(413);
  });

  it('with thousands of parameters is read in no time that grows with them, and only the known ones count', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`p${at}`, '']));
    const headers = { authorization: basic('web', stage.webSecret) };
    const right = { grant_type: 'client_credentials', scope: 'write' };
    const response = await fetch(`${stage.app.url}/oauth2/token`, form({ ...right, ...many }, headers));
    expect([response.status, await response.json()]).toMatchObject([200, { scope: 'write' }]);
  });
});

describe('guesses', () => {
  it('of a secret that a person chose are limited, and the limit says when to try again', async () => {
    const settings = { grantTypes: ['client_credentials'] };
    const input = { clientId: 'chosen', clientSecret: 'chosen secret', client: settings };
    await mutate(stage.app, 'createOAuth2Client', input);
    for (let guess = 0; guess < 10; guess += 1)
      expect((await token('chosen', `wrong ${guess}`)).status).toBe(401);
    const refused = await token('chosen', 'wrong again');
    expect([refused.status, await refused.json()]).toMatchObject([429, { error: 'temporarily_unavailable' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('of a secret that the server made lock nobody out', async () => {
    for (let guess = 0; guess < 15; guess += 1) expect((await token('web', 'wrong')).status).toBe(401);
    expect((await token('web', stage.webSecret)).status).toBe(200);
  });
});

describe('requests of one network', () => {
  it('are limited: registrations first, then everything, but not what signed-in users ask', async () => {
    const statusOf = async (address: string, init: RequestInit) => {
      const response = await fetch(`${stage.app.url}${address}`, init);
      await response.arrayBuffer();
      return response.status;
    };
    const registration = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://app.example/'] }),
    };
    const made: number[] = [];
    for (let times = 0; times < 5; times += 1) made.push(await statusOf('/oauth2/register', registration));
    expect(made.at(0)).toBe(201);
    expect(made.at(-1)).toBe(429);
    const { url } = await stage.request(scope);
    const authorize = url.slice(stage.app.url.length);
    const asked: number[] = [];
    for (let times = 0; times < 200 && asked.at(-1) !== 429; times += 1)
      asked.push(await statusOf(authorize, { redirect: 'manual' }));
    expect([asked.at(0), asked.at(-1)]).toEqual([303, 429]);
    const { errors } = await stage.app.ask('{ viewer { username } }');
    expect(errors).toBeUndefined();
  });
});
