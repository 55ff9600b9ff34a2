import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import { signingAlgorithms } from '../domain/client-settings.ts';
import { isFirstUse } from './replays.ts';

/** How old a proof may be, and how far in the future: the clocks of clients are not exact. In seconds. */
const MAX_AGE = 300;

/** What a proof must be for. */
export interface ProvenRequest {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  readonly accessToken: string;
}

/**
 * Checks a DPoP proof that comes with an access token. The engine does this at its own endpoints.
 *
 * @param client  the client of the access token; it may use a proof once.
 * @returns the thumbprint of the key that signed the proof; null if the proof is not valid for this request.
 * Source: RFC 9449 §4.3 and §7.1.
 */
export async function provenThumbprint(
  proof: string,
  request: ProvenRequest,
  client: { readonly clientId: string },
): Promise<string | null> {
  const options = { typ: 'dpop+jwt', algorithms: [...signingAlgorithms] };
  const verified = await jwtVerify(proof, EmbeddedJWK, options).catch(() => null);
  if (!verified) return null;
  const { payload, protectedHeader } = verified;
  const { jti, iat } = payload;
  const hash = createHash('sha256').update(request.accessToken).digest('base64url');
  const isRight =
    typeof jti === 'string' &&
    typeof iat === 'number' &&
    Math.abs(Date.now() / 1000 - iat) <= MAX_AGE &&
    payload['htm'] === request.method &&
    addressOf(payload['htu']) === addressOf(request.url) &&
    payload['ath'] === hash;
  if (!isRight) return null;
  const expiresAt = iat + MAX_AGE + 1;
  if (!(await isFirstUse(client, { clientId: client.clientId, jti, expiresAt }))) return null;
  return await calculateJwkThumbprint(protectedHeader.jwk as JWK);
}

/** An address as both sides compare it: in its normal form, without query and fragment. */
function addressOf(value: unknown): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  url.search = '';
  url.hash = '';
  return url.href;
}
