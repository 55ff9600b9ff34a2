/** Tokens that only the holder of a key can use: DPoP, RFC 9449. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn } from './browser.ts';
import { makeProof, type ProofChange } from './proofs.ts';
import { consent, Stage, scope } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let pair: client.CryptoKeyPair;
beforeAll(async () => {
  stage = await Stage.start();
  pair = await client.randomDPoPKeyPair('ES256', { extractable: true });
});
afterAll(() => stage.stop());

async function boundTokens(by = stage.web, DPoP = client.getDPoPHandle(by, pair)) {
  const { url, checks } = await stage.request(scope, {}, by);
  const answer = await signIn(stage.actors(), url, { consent });
  return await client.authorizationCodeGrant(by, new URL(answer), checks, {}, { DPoP });
}

const proofFor = (accessToken: string, change?: ProofChange) =>
  makeProof(pair, { method: 'GET', url: `${stage.app.url}/userinfo`, accessToken }, change);

const userInfo = (token: string, scheme: string, ...proofs: string[]) => {
  const headers = new Headers({ authorization: `${scheme} ${token}` });
  for (const proof of proofs) headers.append('dpop', proof);
  return fetch(`${stage.app.url}/userinfo`, { headers });
};

describe('a token that is bound to a key', () => {
  it('says so, and opens the user info with a proof only', async () => {
    const DPoP = client.getDPoPHandle(stage.web, pair);
    const made = await boundTokens();
    expect(made.token_type).toBe('dpop');
    const info = await client.fetchUserInfo(stage.web, made.access_token, 'alice', { DPoP });
    expect(info.sub).toBe('alice');
    const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
    expect(await client.tokenIntrospection(stage.web, made.access_token)).toMatchObject({
      ...{ active: true, token_type: 'DPoP', cnf: { jkt } },
    });
    const stolen = await userInfo(made.access_token, 'Bearer');
    expect(stolen.status).toBe(401);
    expect(stolen.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('is advertised with its algorithms', () => {
    const { dpop_signing_alg_values_supported: algorithms } = stage.web.serverMetadata();
    expect(algorithms).toContain('ES256');
    expect((algorithms ?? []).filter((alg) => alg.startsWith('HS') || alg === 'none')).toEqual([]);
  });

  it('of a public client is refreshed only with the same key', async () => {
    const DPoP = client.getDPoPHandle(stage.native, pair);
    const made = await boundTokens(stage.native, DPoP);
    const other = client.getDPoPHandle(stage.native, await client.randomDPoPKeyPair('ES256'));
    const refresh = (options: object) =>
      client.refreshTokenGrant(stage.native, made.refresh_token ?? '', {}, options);
    await expect(refresh({ DPoP: other })).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(refresh({})).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await refresh({ DPoP })).token_type).toBe('dpop');
  });

  it('is given only to the key that the request has announced', async () => {
    const dpop_jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
    const { url, checks } = await stage.request(scope, { dpop_jkt });
    const answer = await signIn(stage.actors(), url, { consent });
    const other = client.getDPoPHandle(stage.web, await client.randomDPoPKeyPair('ES256'));
    await expect(
      client.authorizationCodeGrant(stage.web, new URL(answer), checks, {}, { DPoP: other }),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('is not used with a proof if it is not bound', async () => {
    const made = await stage.tokens();
    const response = await userInfo(made.access_token, 'DPoP', await proofFor(made.access_token));
    expect(response.status).toBe(401);
  });
});

describe('a proof for the user info', () => {
  it.each<[what: string, proof: ProofChange, error?: string]>([
    ['for another method', { claims: { htm: 'POST' } }],
    ['for another address', { claims: { htu: 'https://evil.example/userinfo' } }],
    ['for another token', { claims: { ath: 'other' } }],
    ['without the token', { claims: { ath: undefined } }],
    ['of long ago', { claims: { iat: 1_000_000_000 } }, 'use_dpop_nonce'],
    ['of the future', { claims: { iat: Math.floor(Date.now() / 1000) + 3600 } }, 'use_dpop_nonce'],
    ['without a time', { claims: { iat: undefined } }],
    ['without an id', { claims: { jti: undefined } }],
    ['of another type', { header: { typ: 'JWT' } }],
  ])('%s is refused', async (_what, proof, error = 'invalid_token') => {
    const made = await boundTokens();
    const right = await userInfo(made.access_token, 'DPoP', await proofFor(made.access_token));
    expect(right.status).toBe(200);
    const response = await userInfo(made.access_token, 'DPoP', await proofFor(made.access_token, proof));
    expect([response.status, await response.json()]).toEqual([401, { error }]);
  });

  it('that another key has signed is refused', async () => {
    const made = await boundTokens();
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const header = { jwk: await exportJWK(publicKey) };
    for (const proof of [{ key: privateKey }, { key: privateKey, header }]) {
      const response = await userInfo(made.access_token, 'DPoP', await proofFor(made.access_token, proof));
      expect(response.status).toBe(401);
    }
  });

  it('works once', async () => {
    const made = await boundTokens();
    const proof = await proofFor(made.access_token);
    expect((await userInfo(made.access_token, 'DPoP', proof)).status).toBe(200);
    expect((await userInfo(made.access_token, 'DPoP', proof)).status).toBe(401);
    const two = [await proofFor(made.access_token), await proofFor(made.access_token)];
    expect((await userInfo(made.access_token, 'DPoP', ...two)).status).toBe(401);
    expect((await userInfo(made.access_token, 'DPoP')).status).toBe(401);
  });
});
