import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import { serverConfig } from '../../platform/config/server.ts';
import { useProof } from '../store/used-proofs.ts';
import { isNonce } from './nonces.ts';

/** With which a client may sign proofs. A symmetric key would have to be in the proof. */
export const proofAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/**
 * How old a proof without a nonce may be, and how far in the future, in seconds: the clocks of clients are not exact.
 */
const MAX_AGE = 300;

/** What a proof must be for. */
export interface ProvenRequest {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  readonly accessToken: string;
  /** The key that the token is bound to. */
  readonly keyThumbprint: string;
  /** The tenant of the token. */
  readonly tenantId: string;
}

/** Why a proof is refused, in the words of RFC 9449: it is not valid, or it must have a newer nonce. */
export type ProofFault = 'invalid_dpop_proof' | 'use_dpop_nonce';

/**
 * Checks a DPoP proof that comes with an access token, and uses it up. The OAuth engine does this at its own endpoints.
 *
 * @returns null if the holder of the key has made the proof for this request.
 * Source: RFC 9449 §4.3, §7.1 and §9.
 */
export async function findProofFault(proof: string, request: ProvenRequest): Promise<ProofFault | null> {
  const options = { typ: 'dpop+jwt', algorithms: [...proofAlgorithms] };
  const verified = await jwtVerify(proof, EmbeddedJWK, options).catch(() => null);
  if (!verified) return 'invalid_dpop_proof';
  const { payload, protectedHeader } = verified;
  const { jti, iat, nonce } = payload;
  const hash = createHash('sha256').update(request.accessToken).digest('base64url');
  const isRight =
    typeof jti === 'string' &&
    jti !== '' &&
    typeof iat === 'number' &&
    payload['htm'] === request.method &&
    addressOf(payload['htu']) === addressOf(request.url) &&
    payload['ath'] === hash &&
    (await calculateJwkThumbprint(protectedHeader.jwk as JWK)) === request.keyThumbprint;
  if (!isRight) return 'invalid_dpop_proof';
  const now = Math.floor(Date.now() / 1000);
  // The clock of a client may be wrong by any time, if our nonce says how old the proof is.
  const needsNonce = serverConfig.oauth.dpopNonceRequired || Math.abs(now - iat) > MAX_AGE;
  if (nonce === undefined ? needsNonce : !isNonce(String(nonce))) return 'use_dpop_nonce';
  const validFrom = nonce === undefined ? iat : now;
  const id = JSON.stringify([request.keyThumbprint, jti]);
  return (await useProof(id, request.tenantId, validFrom + MAX_AGE + 1)) ? null : 'invalid_dpop_proof';
}

/** An address as both sides compare it: in its normal form, without query and fragment. */
function addressOf(value: unknown): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  url.search = '';
  url.hash = '';
  return url.href;
}
