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
  /** Null when the text is no token of ours. */
  readonly user: { readonly id: string; readonly username: string; readonly name: string } | null;
  readonly tenantId: string | null;
  readonly expiresAt: Date | null;
  /** Why it is not valid; null for one that is. */
  readonly message: string | null;
}

/**
 * Whether a token is good, and whose it is; also of one that is good no more. Root and system may ask about any token,
 * others about their own: another's looks like none. Source: ClearML's auth.validate_token.
 *
 * @throws InvalidArgumentError for an empty text; a bad token is an answer.
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

/** What ended a token of ours; null for nothing. */
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
