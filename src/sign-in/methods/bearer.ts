import { isWithinScopes } from '../../authorization/domain/permissions.ts';
import { plain } from '../../platform/caller.ts';
import { UnauthenticatedError } from '../../platform/errors.ts';
import { type TokenClaims, verifyToken } from '../access-tokens.ts';
import type { Principal } from '../principals.ts';
import { withoutProof } from '../proofs/bound-token-error.ts';
import { findTokenPrincipals } from '../token-principals.ts';
import { authorizationOf, type SignedIn, type SignInMethodHandler, type SignInRequest } from './method.ts';

/** `Authorization: Bearer`, with one of our own tokens. */
export const ownBearer: SignInMethodHandler = {
  challenge: 'Bearer realm="slipway"',
  async signIn(request) {
    const authorization = authorizationOf(request);
    return authorization?.scheme === 'bearer' ? await signInByToken(authorization.value, request) : null;
  },
};

async function signInByToken(token: string, request: SignInRequest): Promise<SignedIn> {
  const claims = await verifyToken(token);
  if (claims.keyThumbprint !== null) throw withoutProof(request);
  return await signInByClaims(claims);
}

/**
 * Signs in with what one of our tokens says.
 *
 * @throws UnauthenticatedError, with the same message for all problems.
 */
export async function signInByClaims(claims: TokenClaims): Promise<SignedIn> {
  const { credentialId, clientId, sessionId, signedInAt, vouchedUntil, confinedTo } = claims;
  const found = await findTokenPrincipals(claims);
  if (!found) throw new UnauthenticatedError('the token is not valid');
  const keyHolder = found.actor ?? found.user;
  return {
    ...plain,
    principal: found.user,
    method: 'TOKEN',
    credentialId,
    clientId,
    sessionId,
    signedInAt,
    vouchedUntil,
    expiresAt: earlier(claims.expiresAt, keyHolder.credentialExpiresAt),
    sessionEndsAt: claims.expiresAt,
    scopes: narrowest(claims.scopes, keyHolder.scopes),
    confinedTo,
    real: found.actor && { ...namesOf(found.actor), lendsRole: false },
  };
}

const namesOf = ({ userId, username, role, version }: Principal) => ({ userId, username, role, version });

/** The scopes of a token whose access key has scopes, too: the token never allows more than the key. */
const narrowest = (ofToken: TokenClaims['scopes'], ofKey: Principal['scopes']) =>
  ofToken && ofKey ? ofToken.filter((scope) => isWithinScopes(scope, ofKey)) : (ofToken ?? ofKey);

const earlier = (one: Date, other: Date | null) => (other && other < one ? other : one);
