/** What all tests of flows rely on: a token with any fault is noticed. The forgeries have signatures of the server. */
import { createHash } from 'node:crypto';
import { generateKeyPair, importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTokenKeys, idTokenKeys } from '../../src/key-sets/signing-keys.ts';
import { type App, startApp } from '../support/app.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import {
  verifyAccessToken,
  verifyIdToken,
  verifyingFetch,
  verifyLogoutToken,
  verifyUserInfo,
} from './verified-tokens.ts';

let app: App;
/** It answers what a test says. */
let server: WebhookReceiver;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  server = await startWebhookReceiver();
});
afterAll(async () => {
  await server.stop();
  await app.stop();
});

const now = Math.floor(Date.now() / 1000);
const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const access = 'x'.repeat(43);
const halfHash = (text: string) =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

interface Kind {
  readonly header: object;
  readonly claims: () => JWTPayload;
  verify(token: string): Promise<unknown>;
}

const mine = () => ({ issuer: app.url, clientId: 'mine' });
const times = { iat: now, exp: now + 60 };
const kinds = {
  'an ID token': {
    header: {},
    claims: () => ({
      ...{ ...times, iss: app.url, aud: 'mine', sub: 'alice', sid: 'a session', auth_time: now },
      ...{ at_hash: halfHash(access), c_hash: halfHash('a code') },
    }),
    verify: (token) => verifyIdToken(token, { ...mine(), accessToken: access, code: 'a code' }),
  },
  'an access token': {
    header: { typ: 'at+jwt' },
    claims: () => ({
      ...{ ...times, iss: app.url, aud: 'https://api.example', sub: 'alice', jti: 'one', client_id: 'mine' },
    }),
    verify: (token) => verifyAccessToken(token, { ...mine(), expiresIn: 60 }),
  },
  'a token for Slipway': {
    header: { alg: 'EdDSA', typ: 'at+jwt' },
    claims: () => ({
      ...{ ...times, iss: 'slipway', aud: 'slipway', sub: 'a user', client_id: 'mine' },
      ...{ tenant: 'a tenant', ver: 1, sid: 'a session' },
    }),
    verify: (token) => verifyAccessToken(token, { ...mine(), expiresIn: 60 }),
  },
  'a logout token': {
    header: { typ: 'logout+jwt' },
    claims: () => ({
      ...{ ...times, iss: app.url, aud: 'mine', jti: 'one', sid: 'a session', events: event },
    }),
    verify: (token) => verifyLogoutToken(token, mine()),
  },
  'a signed user info': {
    header: {},
    claims: () => ({ iat: now, iss: app.url, aud: 'mine', sub: 'alice' }),
    verify: (token) => verifyUserInfo(token, mine()),
  },
} satisfies Record<string, Kind>;
type Name = keyof typeof kinds;

/** A token of a kind, right but for the changes. */
async function sign(name: Name, changes: { claims?: object; header?: object; key?: CryptoKey } = {}) {
  const { header, claims }: Kind = kinds[name];
  const known = { alg: 'RS256', ...header, ...changes.header };
  const set = known.alg === 'EdDSA' ? accessTokenKeys : idTokenKeys;
  const { kid, privateJwk } = (await set.current()).current;
  const protectedHeader = { kid, ...known } as JWTHeaderParameters;
  return await new SignJWT({ ...claims(), ...changes.claims })
    .setProtectedHeader(protectedHeader)
    .sign(changes.key ?? (await importJWK(privateJwk, known.alg)));
}

const all = Object.keys(kinds) as Name[];
const claiming = (claims: object, ...names: Name[]) =>
  (names.length > 0 ? names : all).map((name) => [name, JSON.stringify(claims), { claims }] as const);
const missing = (claim: string, ...names: Name[]) =>
  names.map((name) => [name, `without ${claim}`, { claims: { [claim]: undefined } }] as const);

describe('a token of the server', () => {
  it.each(all)('is right: %s', async (name) => {
    await expect(kinds[name].verify(await sign(name))).resolves.toBeDefined();
  });

  it.each([
    ...claiming({ iss: 'https://evil.example' }),
    ...claiming(
      { aud: 'other' },
      'an ID token',
      'a token for Slipway',
      'a logout token',
      'a signed user info',
    ),
    ...claiming({ aud: ['mine', 'other'] }, 'an ID token'),
    ...claiming({ aud: 'slipway' }, 'an access token'),
    ...claiming({ aud: 'mine' }, 'an access token'),
    ...claiming({ aud: [] }, 'an access token'),
    ...claiming({ exp: 1 }, 'an ID token', 'an access token', 'a token for Slipway', 'a logout token'),
    ...claiming({ exp: now + 70 }, 'an access token', 'a token for Slipway'),
    ...claiming({ client_id: 'other' }, 'an access token', 'a token for Slipway'),
    ...claiming({ at_hash: 'other' }, 'an ID token'),
    ...claiming({ c_hash: 'other' }, 'an ID token'),
    ...claiming({ events: {} }, 'a logout token'),
    ...claiming({ nonce: 'one' }, 'a logout token'),
    ...claiming({ sub: 'alice' }, 'a logout token'),
    ...missing('exp', 'an ID token', 'an access token', 'a token for Slipway', 'a logout token'),
    ...missing('iat', ...all),
    ...missing('aud', ...all),
    ...missing('sub', 'an ID token', 'an access token', 'a token for Slipway', 'a signed user info'),
    ...missing('sid', 'an ID token', 'a token for Slipway', 'a logout token'),
    ...missing('jti', 'an access token', 'a logout token'),
    ...missing('tenant', 'a token for Slipway'),
    ...missing('ver', 'a token for Slipway'),
    ...missing('c_hash', 'an ID token'),
    ...all.map((name) => [name, 'of another type', { header: { typ: 'other+jwt' } }] as const),
    ...all.map((name) => [name, 'of an unknown key', { header: { kid: 'unknown' } }] as const),
  ])('is refused: %s, %s', async (name, _what, changes) => {
    await expect(kinds[name].verify(await sign(name, changes))).rejects.toThrow();
  });

  it.each(all)('is refused: %s, signed by another key', async (name) => {
    const alg = name === 'a token for Slipway' ? 'EdDSA' : 'RS256';
    const { privateKey } = await generateKeyPair(alg);
    await expect(kinds[name].verify(await sign(name, { key: privateKey }))).rejects.toThrow();
  });

  it.each(all.filter((name) => name !== 'a token for Slipway'))(
    'is refused: %s, signed by PS256 with the same key',
    async (name) => {
      await expect(kinds[name].verify(await sign(name, { header: { alg: 'PS256' } }))).rejects.toThrow();
    },
  );

  it.each(['short', 'x'.repeat(42), `${'x'.repeat(42)}!`])('is refused: the opaque one %j', async (token) => {
    await expect(verifyAccessToken(token, mine())).rejects.toThrow();
  });
});

describe('the fetch of a client', () => {
  it.each<[what: string, made: () => Promise<object>, isRight: boolean]>([
    ['right tokens', async () => ({ id_token: await sign('an ID token') }), true],
    [
      'a wrong ID token',
      async () => ({ id_token: await sign('an ID token', { claims: { exp: 1 } }) }),
      false,
    ],
    ['a wrong access token', async () => ({ access_token: await sign('a logout token') }), false],
    [
      'a token that expires at another time',
      async () => ({ access_token: await sign('an access token') }),
      false,
    ],
  ])('reads an answer with %s', async (_what, made, isRight) => {
    const opaque = { access_token: access, expires_in: 3600 };
    const text = JSON.stringify({ ...opaque, ...(await made()) });
    server.answerWith((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(text),
    );
    const seen: string[] = [];
    const answer = verifyingFetch(mine(), (kind) => seen.push(kind))(
      `http://127.0.0.1:${server.port}/oauth2/token`,
    );
    if (!isRight) return await expect(answer).rejects.toThrow();
    expect(await (await answer).text()).toBe(text);
    expect(seen).toEqual(['opaque access token', 'ID token']);
  });

  it('reads a signed user info', async () => {
    const text = await sign('a signed user info', { claims: { aud: 'other' } });
    server.answerWith((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/jwt' }).end(text),
    );
    await expect(verifyingFetch(mine())(server.url)).rejects.toThrow();
  });
});
