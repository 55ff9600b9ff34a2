/** Issuers of JWTs that clients may exchange for tokens. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { App } from './app.ts';
import { make } from './mutate.ts';

export const newKey = async (kid: string, alg = 'ES256') => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    jwk,
    privateJwk: { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' },
    sign: (claims: JWTPayload, header: object = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  };
};

export type Key = Awaited<ReturnType<typeof newKey>>;

/** Trusts an issuer with a new key. @returns its id. */
export async function trustIssuer(app: App, issuer = 'https://issuer.example'): Promise<string> {
  const { jwk } = await newKey('one');
  const input = { issuer, allowAnySubject: true, jwk, expiresAt: '2999-01-01T00:00:00Z' };
  return await make(app, 'trustJwtGrantIssuer', input, 'jwtGrantIssuer');
}
