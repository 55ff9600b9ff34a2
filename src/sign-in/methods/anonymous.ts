import { setSharedIdentity } from '../../identity/shared-identities.ts';
import { plain } from '../../platform/caller.ts';
import { log } from '../../platform/log.ts';
import { findOutsideUser } from '../outside-users.ts';
import type { Principal } from '../principals.ts';
import type { SignInMethodHandler } from './method.ts';

export interface AnonymousSettings {
  readonly username: string;
  /** The name of the tenant. */
  readonly tenant: string;
}

/**
 * Requests without credentials act as a special user, who must be a guest. If the user has another role, is disabled or
 * does not exist, these requests have no caller. Off unless configured. Source: Armada's anonymous authentication.
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
    // Finds the user at the start, in case somebody signs in as this user in another way first.
    async prepare() {
      await findGuest(null);
    },
    async signIn(request) {
      // The header has a scheme that no way before this one knows. A session cookie never comes here, valid or not.
      if (request.headers.authorization !== undefined) return null;
      const principal = await findGuest(request.address);
      return principal && { ...plain, principal, method: 'ANONYMOUS' };
    },
  };
}
