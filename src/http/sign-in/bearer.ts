import { findPrincipal } from '../../identity/principals.ts';
import { verifyToken } from '../../oauth/access-tokens.ts';
import { UnauthenticatedError } from '../../platform/errors.ts';
import { authorizationOf, plain, type SignInMethodHandler } from './method.ts';

/** `Authorization: Bearer`, with a token of our own. */
export const ownBearer: SignInMethodHandler = {
  challenge: 'Bearer realm="slipway"',
  async signIn(request) {
    const authorization = authorizationOf(request);
    if (authorization?.scheme !== 'bearer') return null;
    const claims = await verifyToken(authorization.value);
    const { userId, credentialId, version } = claims;
    const principal = await findPrincipal(userId, credentialId);
    if (!principal || principal.version !== version) throw new UnauthenticatedError('the token is not valid');
    return { ...plain, principal, method: 'TOKEN', credentialId, scopes: principal.scopes };
  },
};
