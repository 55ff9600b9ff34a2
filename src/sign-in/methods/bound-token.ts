import { UnauthenticatedError } from '../../platform/errors.ts';
import { type TokenClaims, verifyToken } from '../access-tokens.ts';
import { BoundTokenError, noProofPossible } from '../proofs/bound-token-error.ts';
import { findProofFault, type ProofFault, proofAlgorithms } from '../proofs/check-proof.ts';
import { currentNonce } from '../proofs/nonces.ts';
import { signInByClaims } from './bearer.ts';
import { authorizationOf, type SignInMethodHandler } from './method.ts';

/**
 * `Authorization: DPoP`, with one of our own tokens that is bound to a key of its client, and in the header `DPoP` a
 * proof that the client has the key. Source: RFC 9449.
 */
export const boundToken: SignInMethodHandler = {
  challenge: `DPoP realm="slipway", algs="${proofAlgorithms.join(' ')}"`,
  async signIn(request) {
    const authorization = authorizationOf(request);
    if (authorization?.scheme !== 'dpop') return null;
    const { headers, target } = request;
    if (!target) throw noProofPossible('DPoP');
    const accessToken = authorization.value;
    const { keyThumbprint, claims } = await boundClaims(accessToken);
    request.setHeader?.('dpop-nonce', currentNonce());
    const { tenantId } = claims;
    const fault = await findProofFault(String(headers['dpop'] ?? ''), {
      ...target,
      ...{ accessToken, keyThumbprint, tenantId },
    });
    if (fault !== null) throw new BoundTokenError('DPoP', fault, messages[fault]);
    return await signInByClaims(claims);
  },
};

const messages: Readonly<Record<ProofFault, string>> = {
  invalid_dpop_proof: 'the proof in the header DPoP is missing, wrong, too old or used',
  use_dpop_nonce: 'the proof must have the nonce of the header DPoP-Nonce',
};

/** @throws BoundTokenError if it is not one of our tokens, has ended, or is a bearer token. */
async function boundClaims(token: string): Promise<{ keyThumbprint: string; claims: TokenClaims }> {
  const claims = await verifyToken(token).catch((error) => {
    if (error instanceof UnauthenticatedError) throw invalid(error.message);
    throw error;
  });
  const { keyThumbprint } = claims;
  if (keyThumbprint === null) throw invalid('the token is not bound to a key; send it as Bearer');
  return { keyThumbprint, claims };
}

const invalid = (message: string) => new BoundTokenError('DPoP', 'invalid_token', message);
