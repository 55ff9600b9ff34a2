import { accessFeed } from '../authorization/feed.ts';
import { isForeignKeyViolation } from '../platform/database/failures.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import type { Resolver } from './guards.ts';

/**
 * Tells the caller that the sign-in has ended if the user was deleted while the call ran. What the call writes then
 * refers to a user who does not exist, and the database refuses it.
 */
export function endedSignIns(next: Resolver): Resolver {
  return async (root, args, context, info) => {
    try {
      return await next(root, args, context, info);
    } catch (error) {
      if (context.caller && isForeignKeyViolation(error)) {
        // This process must know about the deletion before it checks the sign-in again.
        await accessFeed.catchUp();
        await reauthenticated(context.caller);
      }
      throw error;
    }
  };
}
