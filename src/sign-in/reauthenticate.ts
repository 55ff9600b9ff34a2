import { isRoleAtLeast, managesTenant } from '../authorization/domain/roles.ts';
import { signInEnded } from '../identity/user-gone.ts';
import type { Caller } from '../platform/caller.ts';
import { findPrincipal, type Principal } from './principals.ts';

/**
 * The caller as it is now, for subscriptions and long polls, which last longer than a request. No credentials are
 * checked again: the user, the session, the access key and the real caller must still exist and be unchanged, and the
 * time must not be over.
 *
 * @throws UnauthenticatedError if the sign-in has ended.
 */
export async function reauthenticated(caller: Caller): Promise<Caller> {
  if (caller.method === 'SYSTEM') return caller;
  const { real, sessionId, credentialId } = caller;
  if (caller.expiresAt && caller.expiresAt.getTime() <= Date.now() && !credentialId) throw signInEnded();
  if (caller.sessionEndsAt && caller.sessionEndsAt.getTime() <= Date.now()) throw signInEnded();
  const user = await findPrincipal({ ...caller, credentialId: real ? null : credentialId });
  if (!user) throw signInEnded();
  if (!real) return { ...caller, ...standing(user), role: user.role, expiresAt: endOf(caller, user) };
  const acting = await findPrincipal({ ...real, sessionId, credentialId });
  if (!acting || !managesTenant(acting.role) || !isRoleAtLeast(acting.role, user.role)) throw signInEnded();
  return {
    ...caller,
    ...standing(user),
    role: real.lendsRole ? acting.role : user.role,
    real: { ...real, role: acting.role },
    expiresAt: endOf(caller, acting),
  };
}

const standing = ({ username, defaultLevel, defaultFrom, creationPolicy }: Principal) => ({
  username,
  defaultLevel,
  defaultFrom,
  creationPolicy,
});

/** The expiry of an access key may have been changed to a later time. */
function endOf({ credentialId, sessionEndsAt, expiresAt }: Caller, keyHolder: Principal): Date | null {
  if (!credentialId) return expiresAt;
  const ends = [sessionEndsAt, keyHolder.credentialExpiresAt].flatMap((end) => end ?? []);
  return ends.length > 0 ? new Date(Math.min(...ends.map((end) => end.getTime()))) : null;
}
