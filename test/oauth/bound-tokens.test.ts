/** Tokens for Slipway itself that only the holder of a key can use: RFC 9449 §7. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, UnsecuredJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { pool } from '../../src/platform/database/client.ts';
import { startSecondServer } from '../support/second-server.ts';
import { newUser } from '../support/users.ts';
import { signIn } from './browser.ts';
import { makeProof, type ProofChange } from './proofs.ts';
import { rawRequest } from './raw-request.ts';
import { Stage, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
  process.env['CORS_ORIGINS'] = 'https://console.example';
});

const TIMES = 20;
let stage: Stage;
let tool: client.Configuration;
let pair: client.CryptoKeyPair;
let person: string;
/** Bound to the key, and one that is bound to nothing. */
let token: string;
let bearer: string;
beforeAll(async () => {
  stage = await Stage.start();
  tool = await stage.addClient('tool', { ...webSettings, scope: 'openid offline all' });
  pair = await client.randomDPoPKeyPair('ES256', { extractable: true });
  person = (await newUser({ role: 'ROOT' })).id;
  token = (await tokensOf(pair)).access_token;
  bearer = (await tokensOf(null)).access_token;
});
afterAll(() => stage.stop());

const handle = (keys = pair) => client.getDPoPHandle(tool, keys);
async function tokensOf(bindTo: client.CryptoKeyPair | null) {
  const { url, checks } = await stage.request('openid offline all', {}, tool);
  const more = { login: { subject: person }, consent: { grantScopes: ['openid', 'offline', 'all'] } };
  const answer = new URL(await signIn(stage.actors(), url, more));
  const options = bindTo ? { DPoP: handle(bindTo) } : {};
  return await client.authorizationCodeGrant(tool, answer, checks, {}, options);
}

const graphql = () => `${stage.app.url}/graphql`;
const proofFor = (change?: ProofChange, accessToken = token) =>
  makeProof(pair, { method: 'POST', url: graphql(), accessToken }, change);

/** Asks who the caller is. */
async function ask(headers: Record<string, string>, proofs: readonly string[] = []) {
  const given = new Headers({ 'content-type': 'application/json', ...headers });
  for (const proof of proofs) given.append('dpop', proof);
  const body = JSON.stringify({ query: '{ viewer { id } }' });
  const response = await fetch(graphql(), { method: 'POST', headers: given, body });
  const { data, errors } = await response.json();
  return {
    status: response.status,
    who: data?.viewer?.id ?? errors[0].extensions.code,
    challenge: response.headers.get('www-authenticate') ?? '',
    nonce: response.headers.get('dpop-nonce'),
    message: errors?.[0].message,
  };
}
const askBound = (...proofs: string[]) => ask({ authorization: `DPoP ${token}` }, proofs);

describe('a token for Slipway that is bound to a key', () => {
  it('opens the API to openid-client, which refreshes it', async () => {
    const made = await tokensOf(pair);
    expect(made.token_type).toBe('dpop');
    const DPoP = handle();
    const again = await client.refreshTokenGrant(tool, made.refresh_token ?? '', {}, { DPoP });
    const headers = new Headers({ 'content-type': 'application/json' });
    const body = JSON.stringify({ query: '{ viewer { id } }' });
    const address = new URL(graphql());
    const response = await client.fetchProtectedResource(
      tool,
      again.access_token,
      address,
      'POST',
      body,
      headers,
      { DPoP },
    );
    expect((await response.json()).data.viewer.id).toBe(person);
  });

  it('opens the API to oauth4webapi', async () => {
    const DPoP = oauth.DPoP({}, pair);
    const headers = new Headers({ 'content-type': 'application/json' });
    const body = JSON.stringify({ query: '{ viewer { id } }' });
    const options = { DPoP, [oauth.allowInsecureRequests]: true } as const;
    const request = [new URL(graphql()), headers, body, options] as const;
    const response = await oauth.protectedResourceRequest(token, 'POST', ...request);
    expect((await response.json()).data.viewer.id).toBe(person);
  });

  it('opens a subscription over Server-Sent Events', async () => {
    const query =
      'subscription { executionEvents(by: { id: "01890000-0000-7000-8000-000000000000" }) { __typename } }';
    const headers = {
      ...{ 'content-type': 'application/json', accept: 'text/event-stream' },
      ...{ authorization: `DPoP ${token}`, dpop: await proofFor() },
    };
    const response = await fetch(graphql(), { method: 'POST', headers, body: JSON.stringify({ query }) });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    // A caller who is not signed in would learn nothing about the execution.
    expect(await response.text()).toContain('NOT_FOUND');
  });

  it('opens the addresses of other systems, each with a proof of its own', async () => {
    const url = `${stage.app.url}/admin/clients`;
    const authorization = `DPoP ${token}`;
    const proof = await makeProof(pair, { method: 'GET', url, accessToken: token });
    const query = '?page_size=1';
    const response = await fetch(`${url}${query}`, { headers: { authorization, dpop: proof } });
    expect([response.status, await response.json()]).toEqual([200, [expect.anything()]]);
    const other = await fetch(url, { headers: { authorization, dpop: await proofFor() } });
    expect(other.status).toBe(401);
    expect(other.headers.get('www-authenticate')).toContain('error="invalid_dpop_proof"');
  });

  it('says so, and ends when it is revoked', async () => {
    const { access_token: own } = await tokensOf(pair);
    const shown = await client.tokenIntrospection(tool, own);
    expect(shown).toMatchObject({ active: true, token_type: 'DPoP', username: expect.any(String) });
    const prove = async () => [await proofFor({}, own)];
    expect((await ask({ authorization: `DPoP ${own}` }, await prove())).who).toBe(person);
    await client.tokenRevocation(tool, own);
    const refused = await ask({ authorization: `DPoP ${own}` }, await prove());
    expect([refused.status, refused.who]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('gets no other token: neither of login, nor a session of a browser', async () => {
    const proof = await proofFor();
    const headers = { authorization: `DPoP ${token}`, dpop: proof, 'content-type': 'application/json' };
    const query = 'mutation { login { __typename ... on LoginPayload { token } } }';
    const response = await fetch(graphql(), { method: 'POST', headers, body: JSON.stringify({ query }) });
    expect((await response.json()).errors[0].extensions.code).toBe('PERMISSION_DENIED');
    const url = `${stage.app.url}/session`;
    const own = await makeProof(pair, { method: 'POST', url, accessToken: token });
    const session = await fetch(url, { method: 'POST', headers: { ...headers, dpop: own }, body: '{}' });
    expect([session.status, session.headers.get('set-cookie')]).toEqual([401, null]);
    const cookie = `slipway_session=${token}`;
    expect((await ask({ cookie, origin: stage.app.url })).status).toBe(401);
  });
});

describe('a token that is bound to a key is refused', () => {
  it('as a bearer token, with a challenge that says why', async () => {
    const refused = await ask({ authorization: `Bearer ${token}` });
    expect([refused.status, refused.who]).toEqual([401, 'UNAUTHENTICATED']);
    expect(refused.challenge).toMatch(
      /^Bearer realm="slipway", error="invalid_token", error_description="[^"]+", DPoP /,
    );
    expect(refused.challenge).toMatch(/DPoP realm="slipway", algs="[^"]*\bES256\b[^"]*"/);
    expect(refused.challenge).not.toMatch(/algs="[^"]*(HS|none)/);
    expect(refused.message).toContain('bound to a key');
    // The proof does not help if the scheme is wrong.
    expect((await ask({ authorization: `Bearer ${token}` }, [await proofFor()])).status).toBe(401);
  });

  type Make = () => Promise<string[]>;
  const changed = (change: ProofChange) => async () => [await proofFor(change)];
  const rows: [what: string, make: Make, error?: string][] = [
    ['without a proof', async () => []],
    ['with an empty proof', async () => ['']],
    ['with two proofs', async () => [await proofFor(), await proofFor()]],
    ['with a proof that is no JWT', async () => ['banana']],
    ['with a proof for another method', changed({ claims: { htm: 'GET' } })],
    ['with a proof for a method in lower case', changed({ claims: { htm: 'post' } })],
    ['with a proof for no method', changed({ claims: { htm: undefined } })],
    ['with a proof for another server', changed({ claims: { htu: 'https://evil.example/graphql' } })],
    [
      'with a proof for another path',
      async () => changed({ claims: { htu: `${stage.app.url}/userinfo` } })(),
    ],
    [
      'with a proof for another scheme',
      async () => changed({ claims: { htu: graphql().replace('http:', 'https:') } })(),
    ],
    ['with a proof for no address', changed({ claims: { htu: undefined } })],
    ['with a proof for another token', changed({ claims: { ath: 'other' } })],
    ['with a proof for no token', changed({ claims: { ath: undefined } })],
    ['with a proof of long ago', changed({ claims: { iat: 1_000_000_000 } }), 'use_dpop_nonce'],
    [
      'with a proof of the future',
      changed({ claims: { iat: Math.floor(Date.now() / 1000) + 3600 } }),
      'use_dpop_nonce',
    ],
    [
      'with a proof with a nonce that is not ours',
      changed({ claims: { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' } }),
      'use_dpop_nonce',
    ],
    ['with a proof without a time', changed({ claims: { iat: undefined } })],
    ['with a proof without an id', changed({ claims: { jti: undefined } })],
    ['with a proof with an empty id', changed({ claims: { jti: '' } })],
    ['with a proof of another type', changed({ header: { typ: 'JWT' } })],
    [
      'with a proof that another key has signed',
      async () => changed({ key: (await generateKeyPair('ES256')).privateKey })(),
    ],
    [
      'with a proof of another key',
      async () => {
        const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
        return [await proofFor({ key: privateKey, header: { jwk: await exportJWK(publicKey) } })];
      },
    ],
    [
      'with a proof that has the private key',
      async () => changed({ header: { jwk: await exportJWK(pair.privateKey) } })(),
    ],
    [
      'with a proof by a symmetric key',
      async () => {
        const key = Buffer.alloc(32, 1);
        const jwk = { kty: 'oct', k: key.toString('base64url') };
        return [await proofFor({ key, header: { alg: 'HS256', jwk } })];
      },
    ],
    [
      'with a proof that nobody has signed',
      async () => [new UnsecuredJWT({ htm: 'POST', htu: graphql(), jti: 'one' }).setIssuedAt().encode()],
    ],
    [
      'with a proof that was used',
      async () => {
        const proof = await proofFor();
        expect((await askBound(proof)).who).toBe(person);
        return [proof];
      },
    ],
  ];
  it.each(rows)('%s', async (_what, make, error = 'invalid_dpop_proof') => {
    const { status, who, challenge } = await askBound(...(await make()));
    expect([status, who]).toEqual([401, 'UNAUTHENTICATED']);
    expect(challenge).toMatch(/DPoP realm="slipway", algs="[^"]+", error="[^"]+"/);
    expect(challenge).toContain(`error="${error}"`);
    expect((await askBound(await proofFor())).who).toBe(person);
  });

  it.each<[what: string, make: () => string]>([
    ['a bearer token', () => bearer],
    ['no token', () => ''],
    ['a text that is no token', () => 'nonsense'],
    ['a changed token', () => `${token.slice(0, -4)}AAAA`],
  ])('and so is %s with a proof', async (_what, make) => {
    const given = make();
    const proof = await proofFor({}, given);
    const { status, challenge } = await ask({ authorization: `DPoP ${given}` }, [proof]);
    expect(status).toBe(401);
    expect(challenge).toMatch(/DPoP realm="slipway", algs="[^"]+", error="invalid_token"/);
    expect((await ask({ authorization: `Bearer ${bearer}` })).who).toBe(person);
  });

  it('for the address that a forged Host names', async () => {
    const body = JSON.stringify({ query: '{ viewer { id } }' });
    const sent = async (htu: string) => {
      const headers = {
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
        authorization: `DPoP ${token}`,
      };
      const dpop = await proofFor({ claims: { htu } });
      const more = { 'content-type': 'application/json', dpop };
      return (await rawRequest(graphql(), { method: 'POST', headers: { ...headers, ...more }, body })).status;
    };
    expect([await sent('http://evil.example/graphql'), await sent(graphql())]).toEqual([401, 200]);
  });

  it(`for all but one of ${TIMES} requests at the same time with one proof`, async () => {
    const proof = await proofFor();
    const answers = await Promise.all(Array.from({ length: TIMES }, () => askBound(proof)));
    expect(answers.filter(({ who }) => who === person)).toHaveLength(1);
  });

  it.each(['DPoP', 'Bearer'])('over a WebSocket as %s, with the reason', async (scheme) => {
    const socket = new WebSocket(graphql().replace('http', 'ws'), 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const payload = { authorization: `${scheme} ${token}`, dpop: await proofFor() };
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    const closed = await new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve([code, String(reason)])),
    );
    expect(closed).toEqual([
      4403,
      'tokens that are bound to a key do not work over WebSockets; use HTTP, with Server-Sent Events',
    ]);
  });
});

describe('a proof', () => {
  it('is used up on all servers, which take the nonces of each other', async () => {
    const other = await startSecondServer();
    const url = `${other.url}/graphql`;
    const atOther = async (claims: object) => {
      const dpop = await makeProof(pair, { method: 'POST', url, accessToken: token }, { claims });
      const headers = { authorization: `DPoP ${token}`, dpop, 'content-type': 'application/json' };
      const body = JSON.stringify({ query: '{ viewer { id } }' });
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    const jti = randomUUID();
    const { who, nonce } = await askBound(await proofFor({ claims: { jti } }));
    const answers = [
      who,
      await atOther({ jti }),
      await atOther({ nonce }),
      await atOther({ nonce: 'invented' }),
    ];
    expect(answers).toEqual([person, 401, 200, 401]);
    await other.stop();
  });

  it('of a client whose clock is wrong is taken with a nonce, and then once', async () => {
    const wrong = { iat: 1_000_000_000 };
    const { nonce } = await askBound(await proofFor({ claims: wrong }));
    const proof = await proofFor({ claims: { ...wrong, nonce } });
    expect([(await askBound(proof)).who, (await askBound(proof)).who]).toEqual([person, 'UNAUTHENTICATED']);
  });

  it('is remembered for about as long as it is valid, as a hash', async () => {
    const jti = 'an id that stands nowhere';
    await askBound(await proofFor({ claims: { jti } }));
    const { rows } = await pool.query(
      `select id_hash::text, extract(epoch from expires_at - now())::int as seconds, used_proofs::text as row
         from used_proofs order by expires_at desc limit 1`,
    );
    expect(rows[0].row).not.toContain(jti);
    expect(rows[0].seconds).toBeGreaterThan(290);
    expect(rows[0].seconds).toBeLessThan(303);
  });

  it('can be sent by the pages of the listed origins, which read the nonce of the answer', async () => {
    const origin = 'https://console.example';
    const asked = await fetch(graphql(), { method: 'OPTIONS', headers: { origin } });
    expect(asked.headers.get('access-control-allow-headers')?.split(', ')).toContain('dpop');
    expect(asked.headers.get('access-control-expose-headers')?.split(', ')).toContain('dpop-nonce');
    expect((await askBound(await proofFor())).nonce).toEqual(expect.any(String));
    expect((await ask({ authorization: `Bearer ${bearer}` })).nonce).toBeNull();
  });
});
