/** Proofs of DPoP, as clients make them and as attackers change them. */
import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose';

export interface ProofChange {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: CryptoKey | Uint8Array;
}

/** A proof for a request with an access token, right but for what is changed. */
export async function makeProof(
  pair: CryptoKeyPair,
  request: { readonly method: string; readonly url: string; readonly accessToken: string },
  { claims = {}, header = {}, key = pair.privateKey }: ProofChange = {},
): Promise<string> {
  const payload = {
    ...{ htm: request.method, htu: request.url, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) },
    ath: createHash('sha256').update(request.accessToken).digest('base64url'),
    ...claims,
  };
  const jwk = await exportJWK(pair.publicKey);
  const known = { alg: 'ES256', typ: 'dpop+jwt', jwk, ...header } as JWTHeaderParameters;
  return await new SignJWT(payload).setProtectedHeader(known).sign(key);
}
