import { isRoleAtLeast, managesTenant } from '../authorization/domain/roles.ts';
import type { TokenClaims } from './access-tokens.ts';
import { findPrincipal, type Principal } from './principals.ts';

/** Whom a token stands for, and who acts with it, where that is somebody else. */
export interface TokenPrincipals {
  readonly user: Principal;
  readonly actor: Principal | null;
}

/**
 * The people behind a token as they stand now; null when it does not hold any more, whatever its time: its user, its
 * session, its access key and whoever had it made must all still be there, unchanged since.
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
