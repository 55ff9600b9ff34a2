import { isRoleAtLeast, managesTenant } from '../authorization/domain/roles.ts';
import type { TokenClaims } from './access-tokens.ts';
import { findPrincipal, type Principal } from './principals.ts';

/** The user of a token, and the user who acts with it, if that is another user. */
export interface TokenPrincipals {
  readonly user: Principal;
  readonly actor: Principal | null;
}

/**
 * The users of a token as they are now. Null if the token is not valid any more, whatever its expiry: its user, its
 * session, its access key and the user who asked for it must still exist and be unchanged.
 */
export async function findTokenPrincipals(claims: TokenClaims): Promise<TokenPrincipals | null> {
  const { userId, sessionId, version, credentialId } = claims;
  const isOwn = claims.actor === null;
  const user = await findPrincipal({ userId, credentialId: isOwn ? credentialId : null, sessionId, version });
  if (!user || user.tenantId !== claims.tenantId) return null;
  if (!claims.actor) return { user, actor: null };
  const actor = await findPrincipal({ ...claims.actor, credentialId, sessionId: null });
  if (!actor || !managesTenant(actor.role) || !isRoleAtLeast(actor.role, user.role)) return null;
  return { user, actor };
}
