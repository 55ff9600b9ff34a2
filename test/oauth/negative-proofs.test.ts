/** Proofs of DPoP that the token endpoint must not take, each with the paragraph that says so. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { Stage } from './stage.ts';
import { type Attack, credentials, TokenEndpoint } from './token-attacks.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

let stage: Stage;
let endpoint: TokenEndpoint;
beforeAll(async () => {
  stage = await Stage.start();
  endpoint = new TokenEndpoint(stage);
});
afterAll(() => stage.stop());

interface Proof {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: CryptoKey | Uint8Array;
}

/** A proof of DPoP, right but for what is given. */
async function proof({ claims = {}, header = {}, key }: Proof = {}): Promise<string> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const right = { htm: 'POST', htu: `${stage.app.url}/oauth2/token`, jti: randomUUID() };
  const jwk = await exportJWK(pair.publicKey);
  return await new SignJWT({ ...right, iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header } as JWTHeaderParameters)
    .sign(key ?? pair.privateKey);
}
const badProof = (
  source: string,
  what: string,
  make: () => Promise<string>,
  error = 'invalid_dpop_proof',
) => ({
  ...{ source, what: `a proof ${what}`, status: 400, error },
  send: async () => endpoint.byWeb(credentials, { dpop: await make() }),
});

const proofs: Attack[] = [
  badProof('RFC 9449 §4.3', 'for another method', () => proof({ claims: { htm: 'GET' } })),
  badProof('RFC 9449 §4.3', 'for another address', () => proof({ claims: { htu: 'https://evil.example/' } })),
  badProof('RFC 9449 §4.3', 'of another type', () => proof({ header: { typ: 'JWT' } })),
  badProof('RFC 9449 §4.3', 'without a time', () => proof({ claims: { iat: undefined } })),
  badProof(
    'RFC 9449 §8',
    'of long ago without a nonce',
    () => proof({ claims: { iat: 1_000_000_000 } }),
    'use_dpop_nonce',
  ),
  badProof(
    'RFC 9449 §8',
    'with a nonce that is not ours',
    () => proof({ claims: { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' } }),
    'use_dpop_nonce',
  ),
  badProof('RFC 9449 §4.3', 'whose nonce is a number', () => proof({ claims: { nonce: 1 } })),
  badProof('RFC 9449 §4.3', 'without an id', () => proof({ claims: { jti: undefined } })),
  badProof('RFC 9449 §4.3', 'that another key has signed', async () =>
    proof({ key: (await generateKeyPair('ES256')).privateKey }),
  ),
  badProof('RFC 9449 §4.3', 'with a private key in it', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    return proof({ header: { jwk: await exportJWK(privateKey) }, key: privateKey });
  }),
  badProof('RFC 9449 §4.3', 'with a symmetric key', () => {
    const k = Buffer.alloc(32, 1);
    return proof({ header: { alg: 'HS256', jwk: { kty: 'oct', k: k.toString('base64url') } }, key: k });
  }),
  badProof('RFC 9449 §4.3', 'that is no JWT', async () => 'banana'),
  badProof(
    'RFC 9449 §11.1',
    'that was used',
    async () => {
      const one = await proof();
      await endpoint.answer(endpoint.byWeb(credentials, { dpop: one }));
      return one;
    },
    'invalid_grant',
  ),
];

describe('the token endpoint refuses', () => {
  it.each(proofs)('$what ($source): $status $error', (attack) => endpoint.refuses(attack));

  it('and takes the proof that the table changes', async () => {
    await endpoint.answer(endpoint.byWeb(credentials, { dpop: await proof() }));
  });
});
