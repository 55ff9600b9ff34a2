import { forgetGrants } from '../authorization/subject-grants.ts';
import type { Context } from '../graphql/context.ts';
import { NO_ID } from '../platform/ids.ts';
import { newLoaders } from './context.ts';
import type { GuardedRootField, Resolver } from './guards.ts';
import { recordRefusal } from './refusals.ts';
import { WatchedAccess } from './watched-access.ts';

/**
 * Asks the rule of a subscription before it opens, which graphql-shield does not do, and again when access changes. If
 * the caller loses the right, the subscription ends with the refusal as its last result. Each event gets its own
 * loaders, so that it shows the state at its time.
 */
export function watchedSubscription(subscribe: Resolver, { rule }: GuardedRootField): Resolver {
  return async (root, args, context, info) => {
    // Watch before asking the rule, so that no change in between is missed.
    const access = new WatchedAccess(rule, args, context);
    try {
      const verdict = await rule.decide(args, context);
      if (verdict !== true) throw verdict;
      const events = await subscribe(root, args, { ...context, signal: access.signal }, info);
      return whileAllowed(events as AsyncIterable<unknown>, access, context, (refusal) =>
        recordRefusal(refusal, rule, args, context),
      );
    } catch (error) {
      access.end();
      throw error;
    }
  };
}

async function* whileAllowed(
  events: AsyncIterable<unknown>,
  access: WatchedAccess,
  context: Context,
  record: (refusal: Error) => Promise<void>,
) {
  try {
    for await (const event of events) {
      if (await access.refusal()) break;
      context.loaders = newLoaders(context.caller?.tenantId ?? NO_ID);
      if (context.caller) forgetGrants(context.caller);
      yield event;
    }
    const refusal = await access.refusal();
    if (!refusal) return;
    await record(refusal);
    throw refusal;
  } finally {
    access.end();
  }
}
