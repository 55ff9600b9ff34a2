import type { GuardedRootField, Resolver } from './guards.ts';
import { WatchedAccess } from './watched-access.ts';

/**
 * Checks the right to a long poll again while it waits, as for a subscription. A caller who loses the right is refused
 * at once and receives nothing.
 */
export function watchedLongPoll(next: Resolver, { rule, needs }: GuardedRootField): Resolver {
  if (!needs.longPoll) return next;
  return async (root, args, context, info) => {
    const access = new WatchedAccess(rule, args, context);
    try {
      const answer = await next(root, args, { ...context, signal: access.signal }, info);
      const refusal = await access.refusal();
      if (refusal) throw refusal;
      return answer;
    } finally {
      access.end();
    }
  };
}
