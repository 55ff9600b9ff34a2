import { accessFeed } from '../authorization/feed.ts';
import { isForeignKeyViolation } from '../platform/database/failures.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import type { Resolver } from './guards.ts';

/**
 * Tells callers that their sign-in has ended when their user was deleted while the call ran: what the call writes refers
 * to a user who is not there, which the database refuses.
 */
export function endedSignIns(next: Resolver): Resolver {
  return async (root, args, context, info) => {
    try {
      return await next(root, args, context, info);
    } catch (error) {
      if (context.caller && isForeignKeyViolation(error)) {
        // This process must have heard of the deletion before it looks at the sign-in again.
        await accessFeed.catchUp();
        await reauthenticated(context.caller);
      }
      throw error;
    }
  };
}
