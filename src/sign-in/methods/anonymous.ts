import { setSharedIdentity } from '../../identity/shared-identities.ts';
import { plain } from '../../platform/caller.ts';
import { log } from '../../platform/log.ts';
import { findOutsideUser } from '../outside-users.ts';
import type { Principal } from '../principals.ts';
import type { SignInMethodHandler } from './method.ts';

export interface AnonymousSettings {
  readonly username: string;
  /** The tenant's name. */
  readonly tenant: string;
}

/**
 * Requests without any credentials act as a user made for that, who must be a guest: with another role, disabled or not
 * there yet, nobody is signed in. Off unless configured. Source: Armada's anonymous authentication.
 */
export function anonymous({ username, tenant }: AnonymousSettings): SignInMethodHandler {
  let isMissed = false;

  async function findGuest(address: string | null): Promise<Principal | null> {
    const source = 'anonymous';
    const who = { tenant, username, name: null, role: null, linksLocalUsers: true, source, address };
    const principal = await findOutsideUser(who);
    const guest = principal?.role === 'GUEST' ? principal : null;
    setSharedIdentity('ANONYMOUS', guest?.userId ?? null);
    if (!guest && !isMissed)
      log.error(
        { username, tenant, role: principal?.role ?? null },
        'the user of ANONYMOUS_USER must be active and have the role GUEST',
      );
    isMissed = guest === null;
    return guest;
  }

  return {
    challenge: null,
    // Known from the start, in case somebody signs in as this user in another way.
    async prepare() {
      await findGuest(null);
    },
    async signIn(request) {
      // A scheme that none of the ways before knows; a session's cookie, good or not, never comes this far.
      if (request.headers.authorization !== undefined) return null;
      const principal = await findGuest(request.address);
      return principal && { ...plain, principal, method: 'ANONYMOUS' };
    },
  };
}
