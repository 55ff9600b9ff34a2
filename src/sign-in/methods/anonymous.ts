import { log } from '../../platform/log.ts';
import { findOutsideUser } from '../outside-users.ts';
import { plain, type SignInMethodHandler } from './method.ts';

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
  return {
    challenge: null,
    async signIn(request) {
      // A scheme that none of the ways before knows; a session's cookie, good or not, never comes this far.
      if (request.headers.authorization !== undefined) return null;
      const who = {
        tenant,
        username,
        name: null,
        role: null,
        linksLocalUsers: true,
        source: 'anonymous',
        address: request.address,
      };
      const principal = await findOutsideUser(who);
      if (principal?.role === 'GUEST') {
        isMissed = false;
        return { ...plain, principal, method: 'ANONYMOUS' };
      }
      if (!isMissed)
        log.error(
          { username, tenant, role: principal?.role ?? null },
          'the anonymous user must be an active guest',
        );
      isMissed = true;
      return null;
    },
  };
}
