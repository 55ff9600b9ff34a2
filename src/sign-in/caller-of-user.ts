import { isSharedIdentity } from '../identity/shared-identities.ts';
import { type Caller, plain } from '../platform/caller.ts';
import { findPrincipal, plainSignIn } from './principals.ts';

/**
 * A user as the caller of work that a loop does for it, with the role and the grants that the user has now. Groups that
 * an outside token would name do not count. Null if the user is disabled or deleted.
 */
export async function findCallerOfUser(userId: string): Promise<Caller | null> {
  const principal = await findPrincipal(plainSignIn(userId));
  if (!principal) return null;
  const { tenantId, username, role, version, defaultLevel, defaultFrom, creationPolicy } = principal;
  return {
    ...plain,
    ...{ tenantId, userId, username, role, version, defaultLevel, defaultFrom, creationPolicy },
    method: 'SYSTEM',
    isShared: isSharedIdentity(userId),
    address: null,
  };
}
