import type { GraphQLSchema } from 'graphql';
import { forgetGrants } from '../authorization/granted.ts';
import { NO_ID } from '../platform/ids.ts';
import { type Context, newLoaders } from '../graphql/context.ts';
import type { FieldArguments, RuleTable } from '../graphql/rules.ts';
import { WatchedAccess } from './watched-access.ts';

/**
 * Puts the rule of each subscription in front of its `subscribe`, so that nothing opens for who may not watch: shield
 * does not run there. What has opened ends with the refusal as its last result once the right to it has gone. And each
 * event gets loaders of its own, so that it shows what is so when it comes.
 */
export function guardSubscriptions(schema: GraphQLSchema, rules: RuleTable): void {
  for (const [name, field] of Object.entries(schema.getSubscriptionType()?.getFields() ?? {})) {
    const rule = rules[name];
    const open = field.subscribe;
    if (!rule || !open) throw new Error(`Subscription.${name} has no rule, or nothing to subscribe to`);
    field.subscribe = async (root, args: FieldArguments, context: Context, info) => {
      // Before the rule is asked, so that no change between the two is missed.
      const access = new WatchedAccess(rule, args, context);
      try {
        const verdict = await rule.decide(args, context);
        if (verdict !== true) throw verdict;
        const events = await open(root, args, { ...context, signal: access.signal }, info);
        return whileAllowed(events as AsyncIterable<unknown>, access, context);
      } catch (error) {
        access.end();
        throw error;
      }
    };
  }
}

async function* whileAllowed(events: AsyncIterable<unknown>, access: WatchedAccess, context: Context) {
  try {
    for await (const event of events) {
      if (await access.refusal()) break;
      context.loaders = newLoaders(context.caller?.tenantId ?? NO_ID);
      if (context.caller) forgetGrants(context.caller);
      yield event;
    }
    const refusal = await access.refusal();
    if (refusal) throw refusal;
  } finally {
    access.end();
  }
}
