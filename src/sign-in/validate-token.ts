import { reachesAllTenants } from '../identity/reach.ts';
import { readPublicUsers } from '../identity/store/public-users.ts';
import type { Caller } from '../platform/caller.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { hasEnded, readToken, type TokenClaims } from './access-tokens.ts';
import { findPrincipal } from './principals.ts';
import { isSessionRevoked } from './store/tokens.ts';
import { findTokenPrincipals } from './token-principals.ts';

const MAX_TOKEN = 8192;

export interface TokenValidation {
  readonly valid: boolean;
  /** Null if the text is not one of our tokens. */
  readonly user: { readonly id: string; readonly username: string; readonly name: string } | null;
  readonly tenantId: string | null;
  readonly expiresAt: Date | null;
  /** Why the token is not valid; null if it is valid. */
  readonly message: string | null;
}

/**
 * Whether a token is valid, and for which user, even if the token has ended. Callers may ask about their own tokens,
 * SYSTEM accounts about those of their tenant, and callers who reach all tenants about all. For other tokens the answer
 * is the same as for a text that is not a token. Source: ClearML's auth.validate_token.
 *
 * @throws InvalidArgumentError for an empty text. For an invalid token, it returns an answer.
 */
export async function validateToken(caller: Caller, token: string): Promise<TokenValidation> {
  if (token.trim() === '') throw InvalidArgumentError.of(['token'], 'the token is empty', 'MissingField');
  const claims = token.length > MAX_TOKEN ? null : await readToken(token);
  const isHome = caller.role === 'SYSTEM' && claims?.tenantId === caller.tenantId;
  const mayAsk = claims?.userId === caller.userId || isHome || (await reachesAllTenants(caller));
  if (!claims || !mayAsk)
    return {
      valid: false,
      user: null,
      tenantId: null,
      expiresAt: null,
      message: 'this server did not issue this token',
    };
  const message = await faultOf(claims);
  const { tenantId, expiresAt } = claims;
  const [user = null] = await readPublicUsers(tenantId, [claims.userId]);
  return { valid: message === null, user, tenantId, expiresAt, message };
}

/** Why one of our tokens is not valid any more; null if it is valid. */
async function faultOf(claims: TokenClaims): Promise<string | null> {
  if (hasEnded(claims)) return 'the token has expired';
  if (await findTokenPrincipals(claims)) return null;
  const { userId, sessionId, credentialId, actor } = claims;
  const user = { userId, sessionId: null, version: null };
  if (!(await findPrincipal({ ...user, credentialId: null }))) return 'the user is disabled or deleted';
  if (await isSessionRevoked(sessionId)) return 'the session was logged out';
  if (actor) return 'somebody created the token for this user, and the sign-in of one of the two has ended';
  if (!(await findPrincipal({ ...user, credentialId }))) return 'the access key was revoked or has expired';
  return 'the password of the user has changed since';
}
