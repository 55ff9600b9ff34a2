/** What a token of an outside issuer says, and how its keys are fetched. outside-bearer.test.ts signs in with them. */
import type { ServerResponse } from 'node:http';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseIssuers } from '../../../src/sign-in/methods/issuers-file.ts';
import { OutsideIssuer } from '../../../src/sign-in/methods/outside-bearer.ts';
import { stopClocks } from '../../support/clock.ts';
import { Issuer } from '../../support/issuer.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer.close());
beforeEach(() => {
  issuer.instead = null;
  issuer.asked.length = 0;
});

/** The issuer as a server that starts now knows it. */
function newOutsideIssuer(settings: object = {}): OutsideIssuer {
  const entry = { issuer: issuer.url, audience: 'slipway-test', linkLocalUsers: true, ...settings };
  const [parsed] = parseIssuers(JSON.stringify([entry]), 'issuers.json');
  if (!parsed) throw new Error('no settings');
  return new OutsideIssuer(parsed);
}
const read = async (claims: JWTPayload, settings: object = {}) =>
  await newOutsideIssuer(settings).verify(await issuer.token({ sub: 'ada', ...claims }));

const refused = { code: 'UNAUTHENTICATED' };
const unavailable = { code: 'UNAVAILABLE' };

describe('the type of a token', () => {
  it.each([undefined, 'JWT', 'at+jwt', 'application/at+JWT'])('can be %s', async (typ) => {
    const token = await issuer.token({ sub: 'ada' }, { header: typ === undefined ? {} : { typ } });
    expect(await newOutsideIssuer().verify(token)).toMatchObject({ username: 'ada' });
  });

  it.each<[name: string, claims: JWTPayload, header: Record<string, unknown>]>([
    ['logout+jwt in the header', {}, { typ: 'logout+jwt' }],
    ['dpop+jwt in the header', {}, { typ: 'dpop+jwt' }],
    ['Refresh in the claim of Keycloak', { typ: 'Refresh' }, {}],
    ['Refresh in the claim, and JWT in the header', { typ: 'Refresh' }, { typ: 'JWT' }],
    ['told by its events', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, {}],
    ['told by a key that it is bound to', { cnf: { jkt: 'x' } }, {}],
  ])('cannot be %s', async (_name, claims, header) => {
    const token = await issuer.token({ sub: 'ada', ...claims }, { header });
    await expect(newOutsideIssuer().verify(token)).rejects.toMatchObject(refused);
  });
});

describe('the claims of a token', () => {
  it.each<[name: unknown, expected: string | null]>([
    ['Ada Lovelace', 'Ada Lovelace'],
    ['x'.repeat(255), 'x'.repeat(255)],
    ['x'.repeat(256), null],
    ['', null],
    [' ', null],
    [7, null],
    [undefined, null],
  ])('give the name %#, if it can be read', async (name, expected) => {
    expect((await read({ name })).name).toBe(expected);
  });

  it.each([[7], [null], [['ada']], [undefined]])('refuse the user name %j', async (sub) => {
    await expect(read({ sub } as JWTPayload)).rejects.toMatchObject(refused);
  });

  it('give the first 500 groups, by the keys of their names, if they are asked for', async () => {
    const groups = Array.from({ length: 501 }, (_, at) => `Group ${at}`);
    const expected = groups.slice(0, 500).map((name) => name.toLowerCase());
    expect((await read({ groups }, { groupsClaim: 'groups' })).groups).toEqual(expected);
    expect((await read({ groups: [7, 'a\u0000', 'B'] }, { groupsClaim: 'groups' })).groups).toEqual(['b']);
    expect((await read({ groups })).groups).toEqual([]);
  });

  it('give the scopes that exist, if they count', async () => {
    const scope = 'openid project:read *:read executor fly:*';
    expect((await read({ scope }, { scopesFromClaim: true })).scopes).toEqual([
      ...['project:read', '*:read', 'executor'],
    ]);
    expect((await read({ scope: ['project:read'] }, { scopesFromClaim: true })).scopes).toEqual([]);
    expect((await read({ scope })).scopes).toBeNull();
  });

  const iat = Math.floor(Date.now() / 1000) - 10;
  const lastSecond = 8.64e12;
  it.each<[authTime: unknown, seconds: number]>([
    [iat - 60, iat - 60],
    [lastSecond, lastSecond],
    [lastSecond + 1, iat],
    [-lastSecond - 1, iat],
    ['yesterday', iat],
    [undefined, iat],
  ])('give the time of the sign-in: %s is %s', async (authTime, seconds) => {
    expect((await read({ iat, auth_time: authTime })).signedInAt).toEqual(new Date(seconds * 1000));
  });

  it.each([
    [iat + 3600, iat + 3605],
    [lastSecond - 6, lastSecond - 1],
    [lastSecond, lastSecond],
    [1e15, lastSecond],
  ])('give the end, with the tolerance: %s is %s', async (exp, seconds) => {
    expect((await read({ exp })).expiresAt).toEqual(new Date(seconds * 1000));
  });
});

describe('a token that was checked', () => {
  it('is good until its end', async () => {
    stopClocks('Date');
    const outside = newOutsideIssuer();
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = await issuer.token({ sub: 'ada', exp });
    const { expiresAt } = await outside.verify(token);
    vi.setSystemTime(expiresAt.getTime() - 1);
    expect(await outside.verify(token)).toMatchObject({ username: 'ada' });
    vi.setSystemTime(expiresAt);
    await expect(outside.verify(token)).rejects.toMatchObject(refused);
  });
});

describe('the keys of an issuer', () => {
  const keysOf = () => ({ keys: [issuer.key.publicJwk] });
  const answering = (body: string, status = 200) => {
    issuer.instead = (_request, response: ServerResponse) => response.writeHead(status).end(body);
  };
  const settings = () => ({ jwksUri: `${issuer.url}/keys` });

  it('are fetched from the configured URL, without a look at the discovery document', async () => {
    await read({}, settings());
    expect(issuer.asked).toEqual(['/keys']);
  });

  it('are accepted in an answer of 1 MiB, and not in a longer one', async () => {
    answering(JSON.stringify(keysOf()).padEnd(1024 * 1024));
    expect(await read({}, settings())).toMatchObject({ username: 'ada' });
    answering(JSON.stringify(keysOf()).padEnd(1024 * 1024 + 1));
    await expect(read({}, settings())).rejects.toMatchObject(unavailable);
  });

  it.each<[name: string, body: () => string, status?: number]>([
    ['with another status', () => JSON.stringify(keysOf()), 203],
    ['of an error', () => JSON.stringify(keysOf()), 500],
    ['of null', () => 'null'],
    ['of a text', () => '"keys"'],
    ['of a list', () => '[]'],
    ['of an object without keys', () => '{}'],
    ['with keys that are no list', () => '{ "keys": {} }'],
    ['with keys that are no objects', () => '{ "keys": [1] }'],
  ])('are UNAVAILABLE in an answer %s, and the old ones stay', async (_name, body, status) => {
    stopClocks('Date');
    answering(body(), status);
    await expect(read({}, settings())).rejects.toMatchObject(unavailable);
    issuer.instead = null;
    const outside = newOutsideIssuer(settings());
    const token = await issuer.token({ sub: 'ada' });
    await outside.verify(token);
    vi.setSystemTime(Date.now() + 600_000);
    answering(body(), status);
    issuer.asked.length = 0;
    expect(await outside.verify(token)).toMatchObject({ username: 'ada' });
    expect(issuer.asked).toEqual(['/keys']);
  });

  it('are not needed to refuse a token of another algorithm', async () => {
    answering('', 500);
    const { publicJwk } = issuer.key;
    const [, ...rest] = (await issuer.token({ sub: 'ada' })).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: publicJwk.kid })).toString('base64url');
    await expect(newOutsideIssuer().verify([head, ...rest].join('.'))).rejects.toMatchObject(refused);
  });

  it('are used for ten minutes, and then looked for again', async () => {
    stopClocks('Date');
    const outside = newOutsideIssuer(settings());
    const token = await issuer.token({ sub: 'ada' });
    await outside.verify(token);
    await issuer.rotate();
    vi.setSystemTime(Date.now() + 599_999);
    expect(await outside.verify(token)).toMatchObject({ username: 'ada' });
    vi.setSystemTime(Date.now() + 1);
    await expect(outside.verify(token)).rejects.toMatchObject(refused);
  });

  it('are looked for again ten seconds after the issuer did not answer, and not before', async () => {
    stopClocks('Date');
    const outside = newOutsideIssuer(settings());
    const token = await issuer.token({ sub: 'ada' });
    answering('', 500);
    await expect(outside.verify(token)).rejects.toMatchObject(unavailable);
    issuer.instead = null;
    issuer.asked.length = 0;
    vi.setSystemTime(Date.now() + 9_999);
    await expect(outside.verify(token)).rejects.toMatchObject(unavailable);
    expect(issuer.asked).toEqual([]);
    vi.setSystemTime(Date.now() + 1);
    expect(await outside.verify(token)).toMatchObject({ username: 'ada' });
    expect(issuer.asked).toEqual(['/keys']);
  });

  it('are looked for again for an unknown key half a minute after the last time, and not before', async () => {
    stopClocks('Date');
    const outside = newOutsideIssuer(settings());
    await outside.verify(await issuer.token({ sub: 'ada' }));
    await issuer.rotate();
    const token = await issuer.token({ sub: 'ada' });
    vi.setSystemTime(Date.now() + 29_999);
    await expect(outside.verify(token)).rejects.toMatchObject(refused);
    vi.setSystemTime(Date.now() + 1);
    expect(await outside.verify(token)).toMatchObject({ username: 'ada' });
  });
});
